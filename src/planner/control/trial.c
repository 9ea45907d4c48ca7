/* The life of a trial. Invariant: an adjustment is marked in_trial exactly while
 * the site's open trial moves its knob. */
#include "planner/control/trial.h"

#include "planner/step/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void dfopt_trial_free(struct dfopt_trial *t)
{
    if (!t)
        return;
    free(t->moves);
    free(t);
}

struct dfopt_trial *dfopt_trial_open(struct dfopt_pass *s, uint32_t node,
                                     enum dfopt_trial_kind kind,
                                     const struct dfopt_finding *f, int64_t before)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_trial *t = calloc(1, sizeof *t);
    if (!t) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return NULL;
    }
    t->node = node;
    t->kind = kind;
    t->opening = true;
    t->window = f->window;
    t->before = before;
    t->reference = p->slots.nodes[node].site->reference;
    t->reference_n = p->slots.nodes[node].site->reference_n;
    t->effect = t->last = -1;
    t->f = *f;
    t->next = p->trials;
    if (t->next)
        t->next->prev = t;
    p->trials = t;
    p->slots.nodes[node].site->trial = t;
    return t;
}

static bool text_is(const struct dfopt_dict *dict, dfopt_sym s, const char *want)
{
    size_t len;
    const char *text = dfopt_dict_text(dict, s, &len);
    return len == strlen(want) && memcmp(text, want, len) == 0;
}

static bool add_move(struct dfopt_pass *s, struct dfopt_trial *t,
                     const struct dfopt_move *m)
{
    if (t->n_moves == t->cap_moves) {
        const uint32_t cap = t->cap_moves ? t->cap_moves * 2 : 2;
        struct dfopt_move *more = realloc(t->moves, cap * sizeof *more);
        if (!more) {
            dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
            return false;
        }
        t->moves = more;
        t->cap_moves = cap;
    }
    struct dfopt_move *at = &t->moves[t->n_moves++];
    *at = *m;
    at->epoch = text_is(s->p->dict, m->apply_when, "epoch_boundary");
    t->unanswered += !at->answered;
    t->unanswered_epoch += !at->answered && at->epoch;
    return true;
}

bool dfopt_trial_add(struct dfopt_pass *s, struct dfopt_trial *t,
                     const struct dfopt_finding *f, const struct dfopt_move *m)
{
    struct dfopt_adjustment *a = dfopt_site_adjustment(s->p, t->node, m->knob);
    if (!a) {
        a = dfopt_site_adjust(s, t->node, m->knob);
        if (!a)
            return false;
        a->base = a->prev = a->anchor = m->old;
        a->tag = m->tag;
        a->apply_when = m->apply_when;
        a->type = f->type;
        a->scope = f->scope;
        a->severity = f->severity;
    }
    a->in_trial = add_move(s, t, m);
    return a->in_trial;
}

struct dfopt_trial *dfopt_trial_detach(struct dfopt_planner *p,
                                       struct dfopt_site *site)
{
    struct dfopt_trial *t = site->trial;
    site->trial = NULL;
    for (uint32_t i = 0; i < t->n_moves; i++)
        dfopt_site_adjustment(p, t->node, t->moves[i].knob)->in_trial = false;
    if (t->prev)
        t->prev->next = t->next;
    else
        p->trials = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->prev = t->next = NULL;
    return t;
}

static void job_changed(struct dfopt_planner *p, int64_t since)
{
    p->job_changes++;
    p->job_since = since;
}

/* ---- when moves take effect ---- */

static void end(struct dfopt_planner *p, struct dfopt_site *site, int64_t window)
{
    dfopt_trial_free(dfopt_trial_detach(p, site));
    site->rest = window;
}

/* Measures the objective under the previous settings. */
static void measure_before(struct dfopt_planner *p, struct dfopt_site *site,
                           struct dfopt_trial *t)
{
    const struct dfopt_series *r = site->series;
    if (!dfopt_site_has_objective(p, site))
        return;
    const uint32_t behind = dfopt_series_count(r, t->effect, DFOPT_RING);
    const uint32_t n = dfopt_series_count(r, t->before, DFOPT_RING);
    if (n <= behind)
        return;
    t->base_n = n - behind > 8 ? 8 : n - behind;
    t->base = dfopt_series_median(r, t->base_n, behind);
    if (t->kind != DFOPT_TRIAL_RELEASE) {
        site->reference = t->base;
        site->reference_n = t->base_n;
    }
}

/* Updates what is known of when the moves took effect. */
static void settle(struct dfopt_planner *p, struct dfopt_site *site, int64_t window)
{
    struct dfopt_trial *t = site->trial;
    if (t->n_moves == 0 && t->kind != DFOPT_TRIAL_ROLLBACK) {
        site->since = t->before; /* all rejected: nothing has changed */
        site->reference = t->reference;
        site->reference_n = t->reference_n;
        dfopt_trial_free(dfopt_trial_detach(p, site));
        return;
    }
    t->effect = window > t->effect ? window : t->effect;
    t->looked_at = false;
    site->since = t->effect + p->policy->on.settle_windows;
    if (t->node == DFOPT_JOB_NODE && !t->unanswered)
        job_changed(p, site->since);
    if (t->kind != DFOPT_TRIAL_ROLLBACK)
        measure_before(p, site, t);
    else if (!t->unanswered)
        end(p, site, site->clock > t->effect ? site->clock : t->effect);
}

void dfopt_trial_settle_opened(struct dfopt_planner *p, struct dfopt_site *site)
{
    site->trial->opening = false;
    settle(p, site, site->clock + 1);
}

static void mark_answered(struct dfopt_trial *t, struct dfopt_move *m)
{
    t->unanswered--;
    t->unanswered_epoch -= m->epoch;
    m->answered = true;
}

static void remove_move(struct dfopt_planner *p, struct dfopt_trial *t,
                        struct dfopt_move *m)
{
    dfopt_site_adjustment(p, t->node, m->knob)->in_trial = false;
    const size_t behind = (size_t)(t->moves + t->n_moves - (m + 1));
    memmove(m, m + 1, behind * sizeof *m);
    t->n_moves--;
}

void dfopt_trial_answered(struct dfopt_planner *p, const struct dfopt_key *key,
                          bool rejected, const struct dfopt_value *value,
                          int64_t window)
{
    struct dfopt_site *site = p->slots.nodes[key->node].site;
    struct dfopt_trial *t = site ? site->trial : NULL;
    struct dfopt_move *m = NULL;
    for (uint32_t i = 0; t && i < t->n_moves; i++)
        if (t->moves[i].knob == key->knob)
            m = &t->moves[i];
    if (!m || m->answered)
        return;
    const int64_t took = site->clock - t->window;
    mark_answered(t, m);
    if (m->epoch && took > site->epoch_delay)
        site->epoch_delay = took;
    if (m->epoch && site->epoch_delay < 0)
        site->epoch_delay = 0;
    if (rejected)
        remove_move(p, t, m);
    else if (value)
        m->new = *value;
    t->looked_at = false;
    if (!t->opening)
        settle(p, site, rejected ? t->effect : window);
}

void dfopt_trial_assumed(struct dfopt_pass *s, const struct dfopt_key *key,
                         const struct dfopt_value *value)
{
    const struct dfopt_site *site = s->p->slots.nodes[key->node].site;
    dfopt_trial_answered(s->p, key, false, value, site->clock + 1);
}

void dfopt_trial_assume(struct dfopt_planner *p, struct dfopt_trial *t)
{
    for (uint32_t i = 0; i < t->n_moves; i++) {
        struct dfopt_move *m = &t->moves[i];
        struct dfopt_key key = {.knob = m->knob, .node = t->node};
        if (m->answered)
            continue;
        mark_answered(t, m);
        key.slot = dfopt_slots_find(&p->slots, key.node, key.knob);
        if (!key.slot->has_pending)
            continue;
        dfopt_planner_settle(p, &key);
        dfopt_planner_applied(p, &key, 0, NULL, -1);
    }
    t->looked_at = false;
    if (t->node == DFOPT_JOB_NODE)
        job_changed(p, p->slots.nodes[DFOPT_JOB_NODE].site->since);
}

const struct dfopt_outcome_row dfopt_not_judged = {
    .base = NAN, .now = NAN, .gain = NAN, .threshold = NAN, .noise = NAN};

void dfopt_trial_rows(struct dfopt_pass *s, const struct dfopt_trial *t,
                      enum dfopt_verdict verdict, struct dfopt_compared c,
                      const struct dfopt_outcome_row *draft)
{
    const struct dfopt_planner *p = s->p;
    for (uint32_t i = 0; i < t->n_moves; i++) {
        const struct dfopt_move *m = &t->moves[i];
        const uint32_t position = dfopt_pass_own(s, t->node);
        const struct dfopt_about about = {
            m->tag, p->registry.knobs[m->knob].id,
            dfopt_slots_node_name(&p->slots, t->node)};
        dfopt_pass_row(s, t->node, position, verdict, about, c);
        if (!dfopt_pass_speaks(s, t->node) || t->kind == DFOPT_TRIAL_ROLLBACK)
            continue;
        struct dfopt_outcome_row row = *draft;
        row.seq = s->seq;
        row.plan_id = m->plan_id;
        row.position = position;
        row.verdict = verdict;
        row.knob = about.knob;
        row.node = about.node;
        row.planned = t->window;
        dfopt_pass_fail(s, dfopt_buf_add(&s->out->outcomes, &row, sizeof row));
    }
}

void dfopt_trial_planned(struct dfopt_planner *p, const struct dfopt_key *key,
                         uint64_t plan_id)
{
    const struct dfopt_site *site = p->slots.nodes[key->node].site;
    struct dfopt_trial *t = site ? site->trial : NULL;
    for (uint32_t i = t ? t->n_moves : 0; i-- > 0;)
        if (t->moves[i].knob == key->knob) {
            t->moves[i].plan_id = plan_id;
            return;
        }
}

void dfopt_trial_drop(struct dfopt_pass *s, uint32_t node,
                      enum dfopt_verdict verdict, int64_t window)
{
    struct dfopt_site *site = s->p->slots.nodes[node].site;
    if (!site->trial)
        return;
    struct dfopt_outcome_row draft = dfopt_not_judged;
    draft.kept = 1;
    draft.window = window;
    dfopt_trial_rows(s, site->trial, verdict, DFOPT_NOT_COMPARED, &draft);
    dfopt_trial_assume(s->p, site->trial);
    end(s->p, site, window);
}

/* ---- the clock of a site ---- */

/* Halfway from one value to the other. */
static struct dfopt_value half_way(struct dfopt_value was, struct dfopt_value now)
{
    struct dfopt_number d;
    if (!dfopt_value_is_number(was) || !dfopt_value_is_number(now) ||
        !dfopt_number_subtract(dfopt_number_from(was), dfopt_number_from(now), &d))
        return dfopt_value_int(0);
    return dfopt_value_real(fabs(dfopt_number_as_double(d)) / 2);
}

/* The value the next step returns to. */
static struct dfopt_value value_to_regain(const struct dfopt_planner *p,
                                          const struct dfopt_trial *t,
                                          uint32_t node,
                                          const struct dfopt_adjustment *a)
{
    for (uint32_t i = 0; t && i < t->n_moves; i++)
        if (t->moves[i].knob == a->knob)
            return t->moves[i].old;
    return a->replaced.kind != DFOPT_KIND_NULL ? a->replaced
                                               : dfopt_site_value(p, node, a->knob);
}

/* The application is back to its registered values. `named`: a registration named
 * this node, so its values are the node's. */
static void restart(struct dfopt_pass *s, uint32_t node, bool named, int64_t window)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[node].site;
    struct dfopt_trial *t = site->trial;
    const struct dfopt_trial *failed =
        t && t->kind != DFOPT_TRIAL_ROLLBACK ? t : NULL;
    dfopt_site_relearn(site);
    for (struct dfopt_adjustment *a = site->first; a; a = a->next) {
        const struct dfopt_value was = value_to_regain(p, failed, node, a);
        struct dfopt_key key = {.knob = a->knob, .node = node};
        key.slot = dfopt_slots_find(&p->slots, node, a->knob);
        if (key.slot->has_pending)
            dfopt_planner_settle(p, &key);
        if (!named && node != DFOPT_JOB_NODE)
            key.slot->has_value = false;
        const struct dfopt_value now = dfopt_site_value(p, node, a->knob);
        a->delta = half_way(was, now);
        a->base = a->prev = now;
        a->replaced = dfopt_value_null();
    }
    for (uint32_t i = 0; failed && i < failed->n_moves;
         i++) /* it may have caused the crash */
        dfopt_back_off(p, dfopt_site_adjustment(p, node, failed->moves[i].knob),
                       failed->moves[i].direction, window);
    if (t) {
        struct dfopt_outcome_row draft = dfopt_not_judged;
        draft.window = window;
        dfopt_trial_rows(s, t, DFOPT_VERDICT_RESTART, DFOPT_NOT_COMPARED, &draft);
        dfopt_trial_free(dfopt_trial_detach(p, site));
    }
    if (site->series)
        dfopt_series_clear(site->series);
    site->reference_n = 0;
    site->clock = -1;
    site->since = 0;
    site->rest = window;
    site->disturbed = false;
}

static void look_for_restart(struct dfopt_pass *s, uint32_t node, int64_t window)
{
    struct dfopt_site *site = s->p->slots.nodes[node].site;
    const bool named = site->recheck;
    site->generation = s->p->generation;
    site->recheck = false;
    if (site->clock >= 0 &&
        !(site->clock - 1 <= window && window <= site->clock + 1)) {
        restart(s, node, named, window);
        return;
    }
    for (struct dfopt_adjustment *a = site->first; a; a = a->next)
        a->replaced = dfopt_value_null();
}

/* Epochs may be long: a move for an epoch boundary never times out until an ack
 * has shown how long they are. */
static bool timed_out(const struct dfopt_planner *p, const struct dfopt_site *site,
                      const struct dfopt_trial *t)
{
    int64_t limit = p->policy->on.ack_timeout_windows;
    if (t->unanswered_epoch) {
        if (site->epoch_delay < 0)
            return false;
        limit = limit > 2 * site->epoch_delay ? limit : 2 * site->epoch_delay;
    }
    return site->clock - t->window >= limit;
}

static void take_over_since(struct dfopt_site *site, int64_t since)
{
    site->since = since > site->since ? since : site->since;
    site->reference_n = 0;
}

struct dfopt_site *dfopt_site_catch_up(struct dfopt_pass *s, uint32_t node,
                                       int64_t window)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_site *site = dfopt_site_at(s, node);
    if (!site)
        return NULL;
    if (site->recheck || site->generation != p->generation)
        look_for_restart(s, node, window);
    if (node != DFOPT_JOB_NODE && site->job_changes != p->job_changes) {
        site->job_changes = p->job_changes; /* the job changed under its nodes */
        dfopt_trial_drop(s, node, DFOPT_VERDICT_VOID, window);
        take_over_since(site, p->job_since);
    }
    site->clock = window > site->clock ? window : site->clock;
    if (site->disturbed) {
        dfopt_trial_drop(s, node, DFOPT_VERDICT_VOID, window);
        site->disturbed = false;
        take_over_since(site, site->clock + 1 + p->policy->on.settle_windows);
    }
    struct dfopt_trial *t = site->trial;
    if (t && t->unanswered && timed_out(p, site, t)) {
        dfopt_trial_assume(p, t);
        if (t->kind == DFOPT_TRIAL_ROLLBACK)
            end(p, site, site->clock);
    }
    return site;
}
