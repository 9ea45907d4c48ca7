#include "cmd/log/trials.h"

#include "cmd/log/switches.h"

#include <stdlib.h>

struct move { /* by a plan for the knob */
    uint64_t plan_id;
    struct dfopt_value was, tried;
};

static struct move *move_of(const struct dl_trials *t, uint64_t plan_id)
{
    struct move *m = DFOPT_ROW(&t->moves, struct move);
    size_t low = 0, n = DFOPT_ROWS(&t->moves, struct move), high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m[middle].plan_id < plan_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && m[low].plan_id == plan_id ? &m[low] : NULL;
}

static int64_t *failed_at(const struct dl_trials *t, dfopt_sym node, bool down)
{
    return &t->failed[2 * (size_t)node + down];
}

enum dfopt_err dl_trials_start(struct dl_trials *t, struct dfopt_declog_reader *r,
                               dfopt_sym knob, struct dfopt_error *err)
{
    const size_t n =
        2 * ((size_t)dfopt_dict_strings(dfopt_declog_reader_dict(r)) + 1);
    struct dl_switches on;
    t->knob = knob;
    t->failed = malloc(n * sizeof *t->failed);
    if (!t->failed || dl_switches_read(&on, dfopt_declog_reader_run(r)))
        return DFOPT_ERR_NOMEM;
    t->rest = on.backoff_windows;
    for (size_t i = 0; i < n; i++)
        t->failed[i] = INT64_MIN;
    return dl_outcomes_read(&t->outcomes, r, err);
}

void dl_trials_free(struct dl_trials *t)
{
    dl_outcomes_free(&t->outcomes);
    dfopt_buf_free(&t->moves);
    free(t->failed);
}

enum dfopt_err dl_trials_plan(struct dl_trials *t, const struct dfopt_plan *p)
{
    const struct move m = {p->plan_id, p->old_value, p->new_value};
    return t->outcomes.judged ? dfopt_buf_add(&t->moves, &m, sizeof m) : DFOPT_OK;
}

void dl_trials_ack(struct dl_trials *t, const struct dfopt_declog_ack_row *a)
{
    struct move *m = move_of(t, a->plan_id);
    if (m && a->outcome == DFOPT_ACK_OUTCOME_APPLIED)
        m->tried = a->value; /* the application may have applied a different one */
}

struct dl_trial dl_trials_end(struct dl_trials *t,
                              const struct dfopt_declog_outcome_row *row)
{
    const struct dfopt_outcome_row *o = &row->o;
    const struct dl_outcome *in_short = dl_outcome_of(&t->outcomes, o->plan_id);
    const struct move *m = o->plan_id ? move_of(t, o->plan_id) : NULL;
    const struct dl_trial trial = {
        .row = o,
        .claim = {o->gain, row->standard_error, row->certain != 0},
        .moves = in_short ? in_short->moves : 0,
        .was = m ? m->was : dfopt_value_null(),
        .tried = m ? m->tried : dfopt_value_null()};
    const bool closes = /* closes the direction for a while */
        (!o->kept && trial.moves == 1) || o->verdict == DFOPT_VERDICT_INCONCLUSIVE;
    if (closes && o->knob == t->knob && o->node != DFOPT_SYM_NONE)
        *failed_at(t, o->node,
                   dfopt_value_as_double(trial.tried) <
                       dfopt_value_as_double(trial.was)) = o->window;
    return trial;
}

void dl_trials_count(struct dl_trials *t, const struct dl_trial *trial)
{
    const struct dfopt_outcome_row *o = trial->row;
    if (o->verdict != DFOPT_VERDICT_WITHDRAWN)
        (*(o->kept ? &t->kept : &t->taken_back))++;
    t->certain += trial->claim.certain && o->kept && o->gain > 0;
}

int64_t dl_trials_failed(const struct dl_trials *t, dfopt_sym node, bool down)
{
    return node == DFOPT_SYM_NONE ? INT64_MIN : *failed_at(t, node, down);
}

void dl_trial_json(struct dfopt_put *put, const struct dl_trial *trial)
{
    const struct dfopt_outcome_row *o = trial->row;
    char id[DFOPT_PLAN_ID_SIZE];
    dfopt_plan_id_text(o->plan_id, id);
    dfopt_put_key(put, "plan_id");
    dfopt_put_z(put, o->plan_id ? id : NULL);
    dfopt_member_value(put, "old", trial->was);
    dfopt_member_value(put, "new", trial->tried);
    dfopt_member_int(put, "planned", o->planned);
    dfopt_member_uint(put, "moves", trial->moves);
    dfopt_member_bool(put, "kept", o->kept);
    dfopt_member_real(put, "base", o->base);
    dfopt_member_uint(put, "base_n", o->base_n);
    dfopt_member_real(put, "now", o->now);
    dfopt_member_uint(put, "now_n", o->now_n);
    dfopt_member_real(put, "noise", o->noise);
    dfopt_member_real(put, "gain", trial->claim.gain);
    dfopt_member_real(put, "standard_error", trial->claim.error);
    dfopt_member_bool(put, "certain", trial->claim.certain);
}
