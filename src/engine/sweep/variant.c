/* Metrics are counted finding by finding from the rows the planner has just
 * produced, while they are in L1 cache. */
#include "engine/sweep/variant.h"
#include "engine/batch/route.h"
#include "json/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The last plans of a knob for a node. */
struct dfopt_variant_move {
    int32_t last; /* 1: raised; -1: lowered; 0: neither yet */
    uint32_t run; /* plans since the last reversal */
};

#define BIT(verdict) (UINT64_C(1) << DFOPT_VERDICT_##verdict)
_Static_assert(DFOPT_VERDICT_COUNT <= 64, "a bit for each verdict");

/* Verdicts that mean a finding is being handled. */
static const uint64_t attended =
    BIT(PLANNED) | BIT(PENDING) | BIT(COOLDOWN_TIME) | BIT(TRIAL) | BIT(TRADE);

static size_t knobs_of(const struct dfopt_recording *r)
{
    return DFOPT_ROWS(&r->knobs, dfopt_sym);
}

static size_t episode_words(const struct dfopt_recording *r)
{
    return DFOPT_ROWS(&r->onsets, int64_t) / 64 + 1;
}

static size_t moves_of(const struct dfopt_recording *r)
{
    return ((size_t)r->n_nodes + 1) * knobs_of(r);
}

enum dfopt_err dfopt_variant_start(struct dfopt_variant *v,
                                   const struct dfopt_variant_world *w,
                                   const struct dfopt_policy *policy,
                                   uint64_t number)
{
    const struct dfopt_planner_config config = {
        .policy = policy,
        .assumed_acks = w->assumed_acks,
        .relay_hostname = w->relay_hostname,
    };
    const struct dfopt_recording *r = w->recording;
    v->metrics.variant = number;
    v->control = policy->on.effect != DFOPT_EFFECT_SEVERITY;
    v->knobs = calloc(knobs_of(r) + 1, sizeof *v->knobs);
    v->moves = calloc(moves_of(r) + 1, sizeof *v->moves);
    v->planned = calloc(episode_words(r), sizeof *v->planned);
    if (!v->knobs || !v->moves || !v->planned)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e = dfopt_planner_create(&v->planner, w->dict, &config);
    for (size_t i = 0; i < w->n_initial && !e; i++)
        e = dfopt_planner_preset(v->planner, &w->initial[i]);
    return e;
}

void dfopt_variant_end(struct dfopt_variant *v)
{
    dfopt_planner_destroy(v->planner);
    free(v->knobs);
    free(v->moves);
    free(v->planned);
    *v = (struct dfopt_variant){0};
}

/* ---- counting ---- */

static void count_move(struct dfopt_variant *v, const struct dfopt_recording *r,
                       const struct dfopt_plan *plan)
{
    const uint32_t knob = dfopt_symmap_get(&r->knob_of, plan->knob);
    const uint32_t node = plan->node == DFOPT_SYM_EMPTY
                              ? 0
                              : dfopt_symmap_get(&r->node_of, plan->node) + 1;
    struct dfopt_sweep_metrics *m = &v->metrics;
    struct dfopt_sweep_knob *k = &v->knobs[knob];
    struct dfopt_variant_move *move = &v->moves[node * knobs_of(r) + knob];
    const int order = dfopt_value_order(plan->new_value, plan->old_value);
    m->plans++;
    move->run++;
    if (order == 1) {
        m->raised++;
        k->raised++;
        m->rebounds += move->last == -1;
        move->last = 1;
    } else if (order == -1) {
        m->lowered++;
        k->lowered++;
        if (move->last == 1) {
            m->reversals++;
            k->reversals++;
            move->run = 1;
        }
        move->last = -1;
    } else {
        m->set++;
        k->set++;
    }
    if (move->run > m->longest_run)
        m->longest_run = move->run;
}

static void count_onset(struct dfopt_variant *v, const struct dfopt_recording *r,
                        size_t finding, int64_t window)
{
    const uint32_t episode = DFOPT_ROW(&r->episode_of, const uint32_t)[finding];
    uint64_t *word = &v->planned[episode / 64];
    const uint64_t bit = (uint64_t)1 << episode % 64;
    if (*word & bit)
        return;
    *word |= bit;
    /* an episode's windows never go back */
    const uint64_t waited =
        (uint64_t)(window - DFOPT_ROW(&r->onsets, const int64_t)[episode]);
    struct dfopt_sweep_metrics *m = &v->metrics;
    m->episodes_planned++;
    m->onset_windows_sum += waited;
    if (waited > m->onset_windows_max)
        m->onset_windows_max = waited;
}

/* Where the next event's rows begin. */
struct mark {
    size_t verdicts, plans, outcomes;
};

static struct mark mark(const struct dfopt_decisions *d)
{
    return (struct mark){d->verdicts.len, d->plans.len, d->outcomes.len};
}

/* Counts an event's verdicts. Returns a bit for each. */
static uint64_t count_verdicts(struct dfopt_variant *v,
                               const struct dfopt_decisions *d, struct mark from)
{
    uint64_t *counts = v->metrics.verdicts, seen = 0;
    for (size_t at = from.verdicts; at < d->verdicts.len;
         at += sizeof(struct dfopt_verdict_row)) {
        const struct dfopt_verdict_row *row = (const void *)(d->verdicts.data + at);
        counts[row->verdict]++;
        seen |= UINT64_C(1) << row->verdict;
    }
    for (size_t at = from.outcomes; at < d->outcomes.len;
         at += sizeof(struct dfopt_outcome_row)) {
        const struct dfopt_outcome_row *row = (const void *)(d->outcomes.data + at);
        counts[row->verdict] += row->verdict == DFOPT_VERDICT_WITHDRAWN;
    }
    return seen;
}

/* Counts an event's plans. Returns whether a finding asked for one. */
static bool count_plans(struct dfopt_variant *v, const struct dfopt_recording *r,
                        const struct dfopt_decisions *d, struct mark from)
{
    bool asked = false;
    for (size_t at = from.plans; at < d->plans.len;
         at += sizeof(struct dfopt_plan)) {
        const struct dfopt_plan *plan = (const void *)(d->plans.data + at);
        if (plan->relay_id != DFOPT_SYM_NONE)
            continue;
        count_move(v, r, plan);
        asked |=
            plan->why == DFOPT_WHY_FINDING || plan->why == DFOPT_WHY_TRADE_TAKES;
    }
    return asked;
}

static void count_finding(struct dfopt_variant *v, const struct dfopt_recording *r,
                          size_t finding, const struct dfopt_finding *f,
                          const struct dfopt_decisions *d, struct mark from)
{
    struct dfopt_sweep_metrics *m = &v->metrics;
    const uint64_t seen = count_verdicts(v, d, from);
    if (f->tags != DFOPT_LIST_EMPTY && !(seen & attended) &&
        f->trend != DFOPT_TREND_IMPROVING) {
        m->unattended_findings++;
        m->unattended_severity += f->severity;
    }
    if (d->plans.len > from.plans && count_plans(v, r, d, from) &&
        f->tags != DFOPT_LIST_EMPTY)
        count_onset(v, r, finding, f->window);
}

/* ---- deciding ---- */

/* Whether the planner, once it has a knob, gives a finding at most one verdict and
 * keeps no state of it. Only without control by effect: a site has a clock. */
static bool is_inert(const struct dfopt_finding *f)
{
    return f->trend == DFOPT_TREND_IMPROVING ||
           (f->tags == DFOPT_LIST_EMPTY && !f->global);
}

static void skip_finding(struct dfopt_variant *v, const struct dfopt_finding *f)
{
    v->metrics.verdicts[DFOPT_VERDICT_TREND] += f->trend == DFOPT_TREND_IMPROVING;
}

/* Decides the other records before a finding. */
static enum dfopt_err run_others(struct dfopt_variant *v,
                                 const struct dfopt_recording *r, uint64_t until,
                                 bool keep, struct dfopt_decisions *out)
{
    const struct dfopt_recording_other *o =
        DFOPT_ROW(&r->others, const struct dfopt_recording_other);
    const size_t n = DFOPT_ROWS(&r->others, struct dfopt_recording_other);
    enum dfopt_err e = DFOPT_OK;
    for (; !e && v->next_other < n && o[v->next_other].seq < until;
         v->next_other++) {
        const struct dfopt_recording_other *at = &o[v->next_other];
        const struct mark from = mark(out);
        if (!at->invalid)
            e = dfopt_decide_event(v->planner, at->seq, &at->event, out);
        else if (at->event.stream == DFOPT_STREAM_FINDING || v->control)
            e = dfopt_decide_invalid(at->seq, out);
        count_verdicts(v, out, from);
        count_plans(v, r, out, from);
        if (!keep)
            dfopt_decisions_clear(out);
    }
    return e;
}

enum dfopt_err dfopt_variant_run(struct dfopt_variant *v,
                                 const struct dfopt_variant_world *w, size_t first,
                                 size_t end, bool keep, struct dfopt_decisions *out)
{
    const struct dfopt_recording *r = w->recording;
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&r->findings, const struct dfopt_finding_row);
    const struct dfopt_recording_other *o =
        DFOPT_ROW(&r->others, const struct dfopt_recording_other);
    const size_t n_others = DFOPT_ROWS(&r->others, struct dfopt_recording_other);
    enum dfopt_err e = DFOPT_OK;
    const bool inert = !keep && !v->control;
    bool may_skip = inert && dfopt_planner_knobs(v->planner) > 0;
    for (size_t i = first; i < end && !e; i++) {
        if (v->next_other < n_others && o[v->next_other].seq < row[i].seq) {
            e = run_others(v, r, row[i].seq, keep, out);
            may_skip = inert && dfopt_planner_knobs(v->planner) > 0;
        }
        if (may_skip && is_inert(&row[i].f)) {
            skip_finding(v, &row[i].f);
            continue;
        }
        if (!keep)
            out->verdicts.len = out->plans.len = out->suppressions.len =
                out->outcomes.len = 0;
        const struct mark from = mark(out);
        if (!e)
            e = dfopt_planner_finding(v->planner, row[i].seq, &row[i].f, out);
        if (!e)
            count_finding(v, r, i, &row[i].f, out, from);
    }
    if (!e && end == dfopt_recording_findings(r))
        e = run_others(v, r, UINT64_MAX, keep, out);
    return e;
}

/* ---- final values ---- */

/* A knob's values over the nodes, where they differ from the job's. */
struct spread {
    uint64_t n;
    double sum, min, max;
    bool other; /* one of them is not a number */
};

static void add_value(struct spread *s, double v, uint64_t times)
{
    if (times == 0)
        return;
    if (isnan(v))
        s->other = true;
    if (s->n == 0 || v < s->min)
        s->min = v;
    if (s->n == 0 || v > s->max)
        s->max = v;
    s->sum += v * (double)times;
    s->n += times;
}

static void end_knob(struct dfopt_sweep_knob *k, struct spread *s, uint64_t nodes)
{
    k->overrides = s->n;
    add_value(s, k->job, nodes > s->n ? nodes - s->n : nodes == 0);
    k->min = s->other ? NAN : s->min;
    k->max = s->other ? NAN : s->max;
    k->mean = s->other ? NAN : s->sum / (double)s->n;
}

/* Collects the final values; *jobs gets those of the job. */
static enum dfopt_err end_values(struct dfopt_variant *v,
                                 const struct dfopt_recording *r,
                                 struct dfopt_value *jobs)
{
    struct dfopt_buf rows = {0}, suppressions = {0};
    const size_t n = knobs_of(r);
    struct spread *spread = calloc(n + 1, sizeof *spread);
    enum dfopt_err e = DFOPT_ERR_NOMEM;
    if (spread)
        e = dfopt_planner_state(v->planner, true, &rows, &suppressions);
    const struct dfopt_state_row *row =
        DFOPT_ROW(&rows, const struct dfopt_state_row);
    const size_t n_rows = e ? 0 : DFOPT_ROWS(&rows, struct dfopt_state_row);
    for (size_t i = 0; i < n_rows; i++) {
        const uint32_t knob = row[i].ordinal;
        if (row[i].node == DFOPT_SYM_EMPTY) {
            jobs[knob] = row[i].value;
            v->knobs[knob].job = dfopt_value_as_double(row[i].value);
        } else if ((row[i].flags & DFOPT_STATE_VALUE) &&
                   dfopt_symmap_get(&r->node_of, row[i].node) !=
                       DFOPT_SYMMAP_NONE) {
            add_value(&spread[knob], dfopt_value_as_double(row[i].value), 1);
        }
    }
    for (size_t k = 0; k < n && !e; k++)
        end_knob(&v->knobs[k], &spread[k], r->n_nodes);
    free(spread);
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
    return e;
}

enum dfopt_err dfopt_variant_result(struct dfopt_variant *v,
                                    const struct dfopt_variant_world *w,
                                    struct dfopt_buf *out)
{
    struct dfopt_sweep_metrics *m = &v->metrics;
    const size_t n = knobs_of(w->recording);
    struct dfopt_value *jobs = calloc(n + 1, sizeof *jobs);
    m->onset_windows_mean = m->episodes_planned ? (double)m->onset_windows_sum /
                                                      (double)m->episodes_planned
                                                : NAN;
    enum dfopt_err e = jobs ? end_values(v, w->recording, jobs) : DFOPT_ERR_NOMEM;
    if (!e)
        e = dfopt_buf_add(out, m, sizeof *m);
    if (!e)
        e = dfopt_buf_add(out, v->knobs, n * sizeof *v->knobs);
    for (size_t k = 0; k < n && !e; k++) {
        e = dfopt_json_write_value(w->dict, jobs[k], out);
        if (!e)
            e = dfopt_buf_add(out, "", 1);
    }
    free(jobs);
    return e;
}

uint64_t dfopt_variant_bytes(const struct dfopt_variant_world *w)
{
    const struct dfopt_recording *r = w->recording;
    const uint64_t nodes = (uint64_t)r->n_nodes + 1, knobs = knobs_of(r),
                   names = dfopt_dict_strings(w->dict) +
                           dfopt_dict_local_strings(w->dict);
    return dfopt_planner_bytes(nodes, knobs, names) +
           moves_of(r) * sizeof *(struct dfopt_variant){0}.moves +
           episode_words(r) * sizeof(uint64_t) +
           knobs * sizeof(struct dfopt_sweep_knob);
}
