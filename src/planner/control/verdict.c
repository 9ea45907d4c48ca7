/* Consequences of a verdict: lessons about the knobs, rollbacks, the next step. */
#include "planner/control/control.h"

#include "planner/step/number.h"
#include "planner/control/respond.h"

#include <math.h>

/* ---- lessons ---- */

static struct dfopt_value size_of(struct dfopt_value old, struct dfopt_value new)
{
    struct dfopt_number d;
    if (!dfopt_value_is_number(old) || !dfopt_value_is_number(new) ||
        !dfopt_number_subtract(dfopt_number_from(new), dfopt_number_from(old), &d))
        return dfopt_value_int(0);
    if (d.kind == DFOPT_KIND_REAL)
        return dfopt_value_real(fabs(d.d));
    /* below 2^64: not a value, but its bits */
    return dfopt_value_int((int64_t)(uint64_t)(d.i < 0 ? -d.i : d.i));
}

/* factor * v */
static struct dfopt_number times(double factor, struct dfopt_value v)
{
    struct dfopt_number n = dfopt_number_real(NAN);
    dfopt_number_multiply(dfopt_number_real(factor), dfopt_number_from(v), &n);
    return n;
}

/* a >= b; false for NaN. */
static bool at_least(struct dfopt_number a, struct dfopt_number b)
{
    bool less;
    return dfopt_number_less(a, b, &less) && !less &&
           !isnan(dfopt_number_as_double(a)) && !isnan(dfopt_number_as_double(b));
}

/* Whether a knob is as far as steps without a visible effect may take it. */
static bool is_far(double factor, struct dfopt_value anchor, struct dfopt_value new)
{
    bool positive;
    const struct dfopt_number from = dfopt_number_from(anchor);
    const struct dfopt_number to = dfopt_number_from(new);
    if (!dfopt_value_is_number(anchor) || !dfopt_value_is_number(new) ||
        !dfopt_number_less(dfopt_number_int(0), from, &positive) || !positive)
        return false;
    return at_least(to, times(factor, anchor)) ||
           at_least(from, times(factor, new));
}

static bool gave(const struct dfopt_trial *t, const struct dfopt_move *m)
{
    return t->kind == DFOPT_TRIAL_TRADE && dfopt_value_order(m->new, m->old) == -1;
}

static void keep_inconclusive(const struct dfopt_planner *p,
                              struct dfopt_adjustment *a,
                              const struct dfopt_move *m, int64_t window)
{
    const struct dfopt_switches *on = &p->policy->on;
    if (!a->inconclusive)
        a->anchor = m->old;
    a->inconclusive++;
    if (a->hurt || a->inconclusive >= on->inconclusive_steps ||
        is_far(on->inconclusive_factor, a->anchor, m->new))
        dfopt_back_off(p, a, m->direction, window);
}

static void learn(const struct dfopt_planner *p, const struct dfopt_trial *t,
                  const struct dfopt_move *m, enum dfopt_verdict v, bool keep,
                  int64_t window)
{
    struct dfopt_adjustment *a = dfopt_site_adjustment(p, t->node, m->knob);
    const bool trade = t->kind == DFOPT_TRIAL_TRADE;
    const bool single = t->n_moves == 1 || trade;
    /* a giver must not ask for it back; a failed taker must not ask again */
    if (trade && keep == gave(t, m))
        dfopt_back_off(p, a, DFOPT_MOVE_TRADE, window);
    if (!keep) {
        a->delta = dfopt_value_int(0);
        a->hurt |=
            t->kind == DFOPT_TRIAL_DEMAND && single && v == DFOPT_VERDICT_WORSE;
        if (single && !trade) {
            dfopt_back_off(p, a, m->direction, window);
            a->proven |= t->kind == DFOPT_TRIAL_RELEASE;
        }
        return;
    }
    a->prev = m->old;
    a->delta = trade ? dfopt_value_int(0) : size_of(m->old, m->new);
    if (v == DFOPT_VERDICT_INCONCLUSIVE) {
        keep_inconclusive(p, a, m, window);
    } else if (v == DFOPT_VERDICT_IMPROVED && single && !gave(t, m)) {
        a->proven = true;
        a->failures[m->direction] = 0;
    }
}

/* ---- the next step ---- */

/* After an improvement, asks for the next step at once. */
static void follow_up(struct dfopt_pass *s, uint32_t node,
                      const struct dfopt_trial *t, int64_t window)
{
    const struct dfopt_planner *p = s->p;
    struct dfopt_finding f = t->f;
    f.window = window;
    struct dfopt_look l = {.pass = s,
                           .f = &f,
                           .node = node,
                           .site = p->slots.nodes[node].site,
                           .job_tries = dfopt_job_tries(p, node),
                           .follow_up = true};
    for (uint32_t i = 0; i < t->n_moves && !s->e; i++) {
        const struct dfopt_move *m = &t->moves[i];
        const struct dfopt_tag_response *r =
            dfopt_registry_response(&p->registry, m->tag, m->knob);
        const uint32_t tag = dfopt_symmap_get(&p->registry.tag_of, m->tag);
        if (!r || p->registry.tags[tag].suppressed || gave(t, m))
            continue;
        struct dfopt_place place = {.taken = false};
        struct dfopt_compared c = DFOPT_NOT_COMPARED;
        const enum dfopt_verdict v = dfopt_respond(&l, r, &place, &c);
        dfopt_look_row(&l, dfopt_place_take(&l, &place), v, m->tag,
                       p->registry.knobs[m->knob].id, c);
    }
    dfopt_trial_opened(s->p, node);
}

/* ---- rollbacks ---- */

static void plan_back(struct dfopt_pass *s, uint32_t node,
                      const struct dfopt_trial *t, const struct dfopt_move *m,
                      int64_t window, const struct dfopt_reason *reason)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_key key = {.knob = m->knob, .node = node};
    const struct dfopt_value now = dfopt_site_value(p, node, m->knob);
    struct dfopt_site *site = p->slots.nodes[node].site;
    struct dfopt_finding f = t->f;
    f.window = window;
    if (!site->trial && !dfopt_trial_open(s, node, DFOPT_TRIAL_ROLLBACK, &f, 0))
        return;
    const struct dfopt_move back = {.old = now,
                                    .new = m->old,
                                    .tag = m->tag,
                                    .apply_when = m->apply_when,
                                    .knob = m->knob,
                                    .direction = m->direction};
    key.slot = dfopt_slots_at(&p->slots, node, m->knob);
    if (!key.slot || !dfopt_trial_add(s, site->trial, &f, &back))
        return;
    const struct dfopt_plan plan = {
        .position = dfopt_pass_own(s, node),
        .apply_when = m->apply_when,
        .finding_type = f.type,
        .tag = m->tag,
        .trend = reason->trend,
        .old_value = now,
        .new_value = m->old,
        .severity = f.severity,
        .window = window,
        .why = reason->why,
        .count = reason->count,
        .other = reason->other,
        .figures = {reason->figures[0], reason->figures[1], reason->figures[2],
                    reason->figures[3]}};
    const struct dfopt_about about = {m->tag, p->registry.knobs[m->knob].id,
                                      dfopt_slots_node_name(&p->slots, node)};
    const struct dfopt_compared c = {dfopt_value_as_double(m->old),
                                     dfopt_value_as_double(now)};
    dfopt_pass_row(s, node, plan.position, DFOPT_VERDICT_ROLLBACK, about, c);
    dfopt_pass_plan(s, &key, &plan);
}

void dfopt_roll_back(struct dfopt_pass *s, uint32_t node,
                     const struct dfopt_trial *t, int64_t window,
                     const struct dfopt_reason *reason)
{
    const struct dfopt_planner *p = s->p;
    for (uint32_t i = t->n_moves; i-- > 0 && !s->e;) {
        const struct dfopt_move *m = &t->moves[i];
        const struct dfopt_value now = dfopt_site_value(p, node, m->knob);
        if (dfopt_value_equal(p->dict, now, m->new) &&
            !dfopt_value_equal(p->dict, now, m->old) &&
            !dfopt_site_in_flight(p, node, m->knob) &&
            !p->registry.states[m->knob].left)
            plan_back(s, node, t, m, window, reason);
    }
    dfopt_trial_opened(s->p, node);
}

void dfopt_trial_close(struct dfopt_pass *s, uint32_t node,
                       enum dfopt_verdict verdict, int64_t window,
                       struct dfopt_compared c,
                       const struct dfopt_outcome_row *judged,
                       const struct dfopt_reason *reason)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[node].site;
    struct dfopt_trial *t = site->trial;
    const bool keep =
        verdict == DFOPT_VERDICT_IMPROVED ||
        verdict == DFOPT_VERDICT_INCONCLUSIVE ||
        (verdict == DFOPT_VERDICT_NEUTRAL && t->kind == DFOPT_TRIAL_RELEASE);
    struct dfopt_outcome_row draft = judged ? *judged : dfopt_not_judged;
    draft.kept = keep;
    draft.window = window;
    dfopt_trial_rows(s, t, verdict, c, &draft);
    dfopt_trial_assume(p, t);
    dfopt_trial_detach(p, site);
    site->rest = window;
    for (uint32_t i = 0; i < t->n_moves; i++)
        learn(p, t, &t->moves[i], verdict, keep, window);
    if (!keep) {
        site->isolate |= t->n_moves != 1 && t->kind != DFOPT_TRIAL_TRADE;
        dfopt_roll_back(s, node, t, window, reason);
    } else if (verdict == DFOPT_VERDICT_IMPROVED && t->base_n) {
        follow_up(s, node, t, window);
    }
    dfopt_trial_free(t);
}
