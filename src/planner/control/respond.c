/* The gates of a response, in order; the new value; and the plan. */
#include "planner/control/respond.h"

#include "planner/control/control.h"
#include "planner/operator/operator.h"
#include "planner/step/step.h"

#include <math.h>

uint32_t dfopt_place_take(const struct dfopt_look *l, struct dfopt_place *place)
{
    if (!place->taken)
        place->position = dfopt_pass_own(l->pass, l->node);
    place->taken = true;
    return place->position;
}

/* ---- gates of every policy ---- */

/* Notes the largest window of the findings that examined the key. */
static void see_window(const struct dfopt_look *l, const struct dfopt_key *key)
{
    const struct dfopt_planner *p = l->pass->p;
    struct dfopt_slot *slot = key->slot;
    if (slot->has_seen && l->f->window <= slot->seen)
        return;
    slot->seen = l->f->window;
    slot->has_seen = true;
    if (p->assumed_acks || p->policy->on.ack_window != DFOPT_ACK_WINDOW_SEEN ||
        !dfopt_pass_speaks(l->pass, l->node))
        return; /* no ack will ever read it */
    const struct dfopt_seen_row row = {
        .seq = l->pass->seq,
        .knob = p->registry.knobs[key->knob].id,
        .node = dfopt_slots_node_name(&p->slots, l->node),
        .window = l->f->window};
    dfopt_pass_fail(l->pass, dfopt_buf_add(&l->pass->out->seen, &row, sizeof row));
}

/* Gives up a plan in flight that has timed out. */
static void time_out(const struct dfopt_look *l, const struct dfopt_key *key)
{
    struct dfopt_planner *p = l->pass->p;
    const struct dfopt_pending was = key->slot->pending;
    dfopt_planner_withdraw(p, key);
    const struct dfopt_timeout_row row = {
        .seq = l->pass->seq,
        .plan_id = was.plan_id,
        .knob = p->registry.knobs[key->knob].id,
        .node = dfopt_slots_node_name(&p->slots, l->node),
        .window = l->f->window,
        .value = dfopt_planner_value(p, key)};
    if (dfopt_pass_speaks(l->pass, l->node))
        dfopt_pass_fail(l->pass,
                        dfopt_buf_add(&l->pass->out->timeouts, &row, sizeof row));
}

/* Whether a plan in flight blocks this one; one that has timed out does not. */
static bool in_flight(const struct dfopt_look *l, const struct dfopt_key *key,
                      struct dfopt_compared *c)
{
    const struct dfopt_slot *slot = key->slot;
    const int64_t timeout = l->pass->p->policy->on.pending_timeout_windows;
    if (!slot->has_pending)
        return false;
    const int64_t waited = l->f->window - slot->pending.window;
    if (timeout && waited >= timeout) {
        time_out(l, key);
        return false;
    }
    *c = (struct dfopt_compared){(double)waited, (double)timeout};
    return true;
}

/* The gates after `pending`, in order. PLANNED: all passed. */
static enum dfopt_verdict gates(const struct dfopt_look *l,
                                const struct dfopt_key *key,
                                const struct dfopt_response *r,
                                struct dfopt_compared *c)
{
    const struct dfopt_finding *f = l->f;
    const struct dfopt_slot *slot = key->slot;
    *c = (struct dfopt_compared){f->severity, r->min_severity};
    if (f->severity < r->min_severity)
        return DFOPT_VERDICT_SEVERITY;
    *c = (struct dfopt_compared){(double)f->persistence, r->min_persistence};
    if ((double)f->persistence < r->min_persistence)
        return DFOPT_VERDICT_PERSISTENCE;
    if (slot->has_cooldown) {
        *c = (struct dfopt_compared){(double)(f->window - slot->cooldown_window),
                                     r->cooldown_windows};
        if (c->value < c->threshold)
            return DFOPT_VERDICT_COOLDOWN_TIME;
        const double was = slot->cooldown_severity;
        *c = (struct dfopt_compared){(was - f->severity) / was,
                                     r->effectiveness_threshold};
        if (!l->site && was > 0 && c->value < c->threshold)
            return DFOPT_VERDICT_COOLDOWN_INEFFECTIVE;
    }
    return DFOPT_VERDICT_PLANNED;
}

/* ---- gates of control ---- */

/* Whether a finding asks for more of the knob too, or none can: then less of it is
 * a remedy. Otherwise less only saves, which is the job of releases. */
static bool is_in_demand(const struct dfopt_look *l, uint32_t knob)
{
    const struct dfopt_registry *g = &l->pass->p->registry;
    const struct dfopt_knob_state *state = &g->states[knob];
    for (uint32_t i = 0; i < state->n_ups; i++) {
        const struct dfopt_run *run = dfopt_site_run(l->site, state->ups[i]);
        if (run && run->last >= l->site->clock - 1)
            return true;
    }
    return state->n_ups == 0;
}

static bool lacks_baseline(const struct dfopt_look *l)
{
    const struct dfopt_site *site = l->site;
    const struct dfopt_series *r = site->series;
    return dfopt_site_has_objective(l->pass->p, site) &&
           (r->n < 2 || r->second < site->since);
}

static enum dfopt_verdict control_gates(const struct dfopt_look *l, uint32_t knob,
                                        uint32_t direction)
{
    const struct dfopt_site *site = l->site;
    const struct dfopt_trial *t = site->trial;
    const int64_t window = l->f->window;
    if (l->job_tries)
        return DFOPT_VERDICT_TRIAL;
    if (l->superseded)
        return DFOPT_VERDICT_SUPERSEDED;
    if (t && (t->window != window || t->kind != DFOPT_TRIAL_DEMAND ||
              site->isolate || (l->follow_up && !t->opening)))
        return DFOPT_VERDICT_TRIAL;
    const struct dfopt_adjustment *a =
        dfopt_site_adjustment(l->pass->p, l->node, knob);
    if (t && a && a->in_trial)
        return DFOPT_VERDICT_TRIAL;
    if (dfopt_backed_off(a, direction, window))
        return DFOPT_VERDICT_BACKOFF;
    if (direction == DFOPT_DIRECTION_DECREASE && !is_in_demand(l, knob))
        return DFOPT_VERDICT_RELEASE_ONLY;
    if (!t && !l->follow_up && lacks_baseline(l))
        return DFOPT_VERDICT_BASELINE;
    return DFOPT_VERDICT_PLANNED;
}

/* ---- the new value ---- */

static bool against_direction(const struct dfopt_switches *on, uint32_t direction,
                              struct dfopt_value old, struct dfopt_value new)
{
    const int order = on->strict_direction ? dfopt_value_order(new, old) : 0;
    return (direction == DFOPT_DIRECTION_INCREASE && order == -1) ||
           (direction == DFOPT_DIRECTION_DECREASE && order == 1);
}

/* max(min(new, max(F * old, old + 1)), old / F), clamped: an evidence step that no
 * objective judges. */
static bool bound_evidence(const struct dfopt_look *l, const struct dfopt_knob *k,
                           struct dfopt_value old, struct dfopt_value *new)
{
    const struct dfopt_planner *p = l->pass->p;
    const double factor = p->policy->on.inconclusive_factor;
    const struct dfopt_number from = dfopt_number_from(old);
    const struct dfopt_number least =
        dfopt_number_real(dfopt_number_as_double(from) / factor);
    struct dfopt_number most, next, n;
    return dfopt_number_multiply(dfopt_number_real(factor), from, &most) &&
           dfopt_number_add(p->dict, from, dfopt_number_int(1), &next) &&
           dfopt_number_max(most, next, &most) &&
           dfopt_number_min(dfopt_number_from(*new), most, &n) &&
           dfopt_number_max(n, least, &n) &&
           dfopt_step_clamp(p->dict, &p->policy->on, k, n, new);
}

/* The size of the last kept step: its bits are unsigned. */
static struct dfopt_number last_step(const struct dfopt_adjustment *a)
{
    struct dfopt_number n = dfopt_number_from(a->delta);
    if (n.kind == DFOPT_KIND_INT)
        n.i = (__int128)(uint64_t)a->delta.i;
    return n;
}

/* A step at least twice the last kept one. */
static bool lengthen(const struct dfopt_look *l, const struct dfopt_knob *k,
                     const struct dfopt_adjustment *a, struct dfopt_value old,
                     struct dfopt_value *new)
{
    const struct dfopt_planner *p = l->pass->p;
    const bool up = dfopt_value_order(*new, old) == 1;
    const struct dfopt_number from = dfopt_number_from(old);
    const struct dfopt_number to = dfopt_number_from(*new);
    struct dfopt_number twice, step, n;
    return dfopt_number_multiply(dfopt_number_int(2), last_step(a), &twice) &&
           (up ? dfopt_number_subtract(to, from, &step)
               : dfopt_number_subtract(from, to, &step)) &&
           dfopt_number_max(step, twice, &step) &&
           (up ? dfopt_number_add(p->dict, from, step, &n)
               : dfopt_number_subtract(from, step, &n)) &&
           dfopt_step_clamp(p->dict, &p->policy->on, k, n, new);
}

static bool is_positive(struct dfopt_value v)
{
    return dfopt_value_order(v, dfopt_value_int(0)) == 1;
}

/* Adjusts a step under control. False if there is no such value. */
static bool grow(const struct dfopt_look *l, const struct dfopt_tag_response *tr,
                 struct dfopt_value old, struct dfopt_value *new)
{
    const struct dfopt_planner *p = l->pass->p;
    const struct dfopt_knob *k = &p->registry.knobs[tr->knob];
    const struct dfopt_response *r = &tr->r;
    if (k->has_values)
        return true;
    const bool numbers = dfopt_value_is_number(old) && dfopt_value_is_number(*new);
    if (r->step_mode == DFOPT_STEP_EVIDENCE && numbers && is_positive(old) &&
        !dfopt_site_has_objective(p, l->site) && !bound_evidence(l, k, old, new))
        return false;
    const struct dfopt_adjustment *a = dfopt_site_adjustment(p, l->node, tr->knob);
    if (!a || dfopt_value_equal(p->dict, a->delta, dfopt_value_int(0)) ||
        r->direction == DFOPT_DIRECTION_SET ||
        p->registry.states[tr->knob].guarded || !numbers ||
        dfopt_value_equal(p->dict, *new, old))
        return true;
    if (dfopt_value_order(*new, old) != 1 && r->step_mode == DFOPT_STEP_MULTIPLY)
        return true; /* dividing is already geometric */
    return lengthen(l, k, a, old, new);
}

/* The value that passes the gates, if there is one to plan (PLANNED). */
static enum dfopt_verdict
next_value(const struct dfopt_look *l, const struct dfopt_tag_response *tr,
           const struct dfopt_place *place, struct dfopt_value old,
           struct dfopt_value *new, struct dfopt_compared *c)
{
    const struct dfopt_planner *p = l->pass->p;
    const struct dfopt_switches *on = &p->policy->on;
    *c = (struct dfopt_compared){dfopt_value_as_double(old), NAN};
    const enum dfopt_verdict verdict = dfopt_step_next(
        p->dict, on, &p->registry.knobs[tr->knob], &tr->r, old, l->f, new);
    if (verdict != DFOPT_VERDICT_PLANNED)
        return verdict;
    if (l->site && new->kind != DFOPT_KIND_NULL && !grow(l, tr, old, new))
        return DFOPT_VERDICT_UNSUPPORTED;
    if (new->kind == DFOPT_KIND_NULL)
        return DFOPT_VERDICT_UNSUPPORTED;
    const bool moves = !dfopt_value_equal(p->dict, *new, old) &&
                       !against_direction(on, tr->r.direction, old, *new);
    if (moves && place->taken && place->position >= DFOPT_POSITION_END)
        return DFOPT_VERDICT_UNSUPPORTED; /* no ids left */
    if (moves && l->site && l->site->n_adjustments >= DFOPT_ADJUSTMENTS_MAX &&
        !dfopt_site_adjustment(p, l->node, tr->knob))
        return DFOPT_VERDICT_UNSUPPORTED;
    *c = (struct dfopt_compared){dfopt_value_as_double(*new),
                                 dfopt_value_as_double(old)};
    return moves ? DFOPT_VERDICT_PLANNED : DFOPT_VERDICT_NO_CHANGE;
}

/* ---- the plan ---- */

/* Adds the move to this window's trial, or opens one. */
static void join_trial(const struct dfopt_look *l,
                       const struct dfopt_tag_response *tr, struct dfopt_value old,
                       struct dfopt_value new)
{
    const struct dfopt_move m = {.old = old,
                                 .new = new,
                                 .tag = tr->r.tag,
                                 .apply_when = tr->r.apply_when,
                                 .knob = tr->knob,
                                 .direction = (uint8_t)tr->r.direction};
    struct dfopt_trial *t = l->site->trial;
    if (!t)
        t = dfopt_trial_open(l->pass, l->node, DFOPT_TRIAL_DEMAND, l->f,
                             l->site->since);
    if (!t)
        return;
    t->opening = true;
    dfopt_trial_add(l->pass, t, l->f, &m);
}

static void make_plan(const struct dfopt_look *l, const struct dfopt_key *key,
                      const struct dfopt_response *r, uint32_t position,
                      struct dfopt_value old, struct dfopt_value new)
{
    const struct dfopt_finding *f = l->f;
    const struct dfopt_plan plan = {.position = position,
                                    .apply_when = r->apply_when,
                                    .finding_type = f->type,
                                    .tag = r->tag,
                                    .motif = f->motif,
                                    .trend = f->trend_text,
                                    .scope = f->scope,
                                    .old_value = old,
                                    .new_value = new,
                                    .severity = f->severity,
                                    .window = f->window,
                                    .persistence = f->persistence,
                                    .why = DFOPT_WHY_FINDING};
    dfopt_look_plan(l, key, &plan);
}

void dfopt_look_plan(const struct dfopt_look *l, const struct dfopt_key *key,
                     const struct dfopt_plan *draft)
{
    if (l->mode == DFOPT_MODE_SHADOW)
        dfopt_pass_withhold(l->pass, key, draft);
    else
        dfopt_pass_plan(l->pass, key, draft);
}

/* ---- operator holds ---- */

/* Why a plan that passed the gates is held back; PLANNED: it may be made. */
static enum dfopt_verdict hold(const struct dfopt_look *l,
                               const struct dfopt_key *key,
                               struct dfopt_compared *c)
{
    const struct dfopt_planner *p = l->pass->p;
    struct dfopt_rate rate;
    if (dfopt_operator_frozen(p, l->f->window))
        return DFOPT_VERDICT_FROZEN;
    if (!dfopt_operator_full(p, key, l->f->window, 1, &rate))
        return DFOPT_VERDICT_PLANNED;
    *c = (struct dfopt_compared){(double)rate.is, (double)rate.most};
    return DFOPT_VERDICT_RATE;
}

static enum dfopt_verdict propose(const struct dfopt_look *l,
                                  const struct dfopt_key *key,
                                  const struct dfopt_tag_response *tr,
                                  uint32_t position, struct dfopt_value old,
                                  struct dfopt_value new)
{
    const struct dfopt_proposal x = {.id = l->pass->seq * DFOPT_PLANS_PER_EVENT +
                                           position,
                                     .f = *l->f,
                                     .old = old,
                                     .new = new,
                                     .tag = tr->r.tag,
                                     .apply_when = tr->r.apply_when,
                                     .direction = tr->r.direction};
    dfopt_pass_fail(l->pass, dfopt_operator_propose(l->pass->p, key, &x));
    return DFOPT_VERDICT_PROPOSED;
}

/* Whether a proposal for the knob is waiting. */
static bool waits(const struct dfopt_look *l, const struct dfopt_key *key,
                  struct dfopt_compared *c)
{
    const struct dfopt_proposal *x =
        dfopt_operator_waits(l->pass->p, key, l->mode, l->f->window);
    if (x)
        *c = (struct dfopt_compared){dfopt_value_as_double(x->new),
                                     dfopt_value_as_double(x->old)};
    return x != NULL;
}

/* Makes, proposes or withholds the plan of a value that nothing holds back. */
static enum dfopt_verdict move(struct dfopt_look *l, const struct dfopt_key *key,
                               const struct dfopt_tag_response *tr,
                               struct dfopt_value new, struct dfopt_place *place,
                               struct dfopt_compared *c)
{
    const struct dfopt_planner *p = l->pass->p;
    const struct dfopt_value old = dfopt_planner_value(p, key);
    if (l->site) {
        struct dfopt_value fits = new;
        if (!dfopt_budget_fit(p, l->node, tr->knob, old, &fits)) {
            *c = DFOPT_NOT_COMPARED;
            return l->mode == DFOPT_MODE_ADVISE
                       ? DFOPT_VERDICT_BUDGET
                       : dfopt_trade(l, tr, old, new, place, c);
        }
        new = fits;
        c->value = dfopt_value_as_double(new);
    }
    if (l->mode == DFOPT_MODE_ADVISE)
        return propose(l, key, tr, dfopt_place_take(l, place), old, new);
    if (l->site)
        join_trial(l, tr, old, new);
    if (!l->pass->e)
        make_plan(l, key, &tr->r, dfopt_place_take(l, place), old, new);
    return l->mode == DFOPT_MODE_SHADOW ? DFOPT_VERDICT_WOULD_PLAN
                                        : DFOPT_VERDICT_PLANNED;
}

enum dfopt_verdict dfopt_respond(struct dfopt_look *l,
                                 const struct dfopt_tag_response *tr,
                                 struct dfopt_place *place,
                                 struct dfopt_compared *c)
{
    struct dfopt_planner *p = l->pass->p;
    struct dfopt_key key = {.knob = tr->knob, .node = l->node};
    const bool left = p->registry.states[tr->knob].left;
    enum dfopt_verdict v = DFOPT_VERDICT_PLANNED;
    l->mode = dfopt_operator_mode(p, tr->knob, tr->r.tag);
    if (left)
        v = DFOPT_VERDICT_UNREGISTERED;
    else if (l->mode == DFOPT_MODE_OFF)
        v = DFOPT_VERDICT_OFF;
    else if (l->site)
        v = control_gates(l, tr->knob, tr->r.direction);
    if (l->site && v != DFOPT_VERDICT_PLANNED)
        return v;
    key.slot = dfopt_slots_at(&p->slots, l->node, tr->knob);
    if (!key.slot) {
        dfopt_pass_fail(l->pass, DFOPT_ERR_NOMEM);
        return DFOPT_VERDICT_UNSUPPORTED;
    }
    if (!l->site)
        see_window(l, &key);
    if (v != DFOPT_VERDICT_PLANNED)
        return v;
    if (in_flight(l, &key, c))
        return DFOPT_VERDICT_PENDING;
    if (waits(l, &key, c))
        return DFOPT_VERDICT_AWAITING_APPROVAL;
    v = gates(l, &key, &tr->r, c);
    if (v != DFOPT_VERDICT_PLANNED)
        return v;
    struct dfopt_value new;
    v = next_value(l, tr, place, dfopt_planner_value(p, &key), &new, c);
    if (v == DFOPT_VERDICT_PLANNED)
        v = hold(l, &key, c);
    return v == DFOPT_VERDICT_PLANNED ? move(l, &key, tr, new, place, c) : v;
}
