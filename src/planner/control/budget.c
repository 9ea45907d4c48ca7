/* Budgets: what a plan may cost together with everything running beside it; and
 * trades, in which one knob makes room for another. */
#include "planner/control/control.h"
#include "planner/operator/operator.h"

#include "planner/step/number.h"
#include "planner/control/respond.h"

#include <math.h>

/* The cost of the values; `slope` is the cost per unit of one knob. */
struct cost {
    double fixed, slope;
};

/* The value a knob counts with: the larger one while a plan is in flight. */
static struct dfopt_number counted(const struct dfopt_planner *p, uint32_t node,
                                   dfopt_sym id)
{
    const uint32_t knob = dfopt_registry_knob(&p->registry, id);
    const struct dfopt_number none = dfopt_number_int(0);
    if (knob == DFOPT_SYMMAP_NONE || p->registry.states[knob].left)
        return none;
    const struct dfopt_value v = dfopt_site_value(p, node, knob);
    const uint32_t site = p->registry.states[knob].per_node ? node : DFOPT_JOB_NODE;
    const struct dfopt_slot *slot = dfopt_slots_find(&p->slots, site, knob);
    if (!dfopt_value_is_number(v))
        return none;
    struct dfopt_number n = dfopt_number_from(v);
    if (slot && slot->has_pending && dfopt_value_is_number(slot->pending.old))
        dfopt_number_max(n, dfopt_number_from(slot->pending.old), &n);
    return n;
}

/* a * b; integers stay exact while they fit. */
static struct dfopt_number product(struct dfopt_number a, struct dfopt_number b)
{
    const __int128 most = (__int128)1 << 62;
    if (a.kind == DFOPT_KIND_INT && (a.i > most || a.i < -most))
        a = dfopt_number_real(dfopt_number_as_double(a));
    dfopt_number_multiply(a, b, &a);
    return a;
}

static struct cost cost_of(const struct dfopt_planner *p,
                           const struct dfopt_budget *b, uint32_t node,
                           dfopt_sym skip)
{
    struct cost c = {0, 0};
    for (uint32_t i = 0; i < b->n_terms; i++) {
        const struct dfopt_budget_term *t = &p->policy->terms[b->first_term + i];
        struct dfopt_number x = dfopt_number_from(t->factor);
        bool skipped = false;
        for (uint32_t k = 0; k < t->knobs.n; k++) {
            const dfopt_sym id = p->policy->names[t->knobs.first + k];
            if (id == skip)
                skipped = true;
            else
                x = product(x, counted(p, node, id));
        }
        if (skipped)
            c.slope += dfopt_number_as_double(x);
        else
            c.fixed += dfopt_number_as_double(x);
    }
    return c;
}

/* The largest entry above old and at most *new and room; none: old. */
static void largest_entry(const struct dfopt_knob *k, struct dfopt_value old,
                          double room, struct dfopt_value *new)
{
    const struct dfopt_value limit = dfopt_value_real(room);
    struct dfopt_value best = old;
    for (size_t i = 0; i < k->n_values; i++) {
        const struct dfopt_value v = k->values[i];
        const int to_room = dfopt_value_order(v, limit);
        const int to_new = dfopt_value_order(v, *new);
        if (dfopt_value_order(v, best) == 1 && (to_room == -1 || to_room == 0) &&
            (to_new == -1 || to_new == 0))
            best = v;
    }
    *new = best;
}

bool dfopt_budget_fit(const struct dfopt_planner *p, uint32_t node, uint32_t knob,
                      struct dfopt_value old, struct dfopt_value *new)
{
    const struct dfopt_knob *k = &p->registry.knobs[knob];
    if (dfopt_value_order(*new, old) != 1)
        return true;
    for (size_t i = 0; i < p->policy->n_budgets; i++) {
        const struct dfopt_budget *b = &p->policy->budgets[i];
        const struct cost c = cost_of(p, b, node, k->id);
        if (c.slope <= 0 ||
            c.fixed + c.slope * dfopt_value_as_double(*new) <= b->capacity)
            continue;
        const double room = (b->capacity - c.fixed) / c.slope;
        struct dfopt_number n = dfopt_number_real(room);
        if (k->has_values)
            largest_entry(k, old, room, new);
        else if ((k->type == DFOPT_KNOB_INT &&
                  !dfopt_number_truncate(floor(room), &n)) ||
                 !dfopt_number_value(n, new))
            return false;
        if (dfopt_value_order(*new, old) != 1)
            return false;
    }
    return true;
}

/* ---- trades ---- */

static bool is_in_budget(const struct dfopt_planner *p,
                         const struct dfopt_budget *b, uint32_t knob)
{
    for (uint32_t i = 0; i < b->n_terms; i++) {
        const struct dfopt_name_range *r =
            &p->policy->terms[b->first_term + i].knobs;
        for (uint32_t k = 0; k < r->n; k++)
            if (p->policy->names[r->first + k] == p->registry.knobs[knob].id)
                return true;
    }
    return false;
}

/* Gives up half of what a knob has above the bottom of its range; *less is the
 * resulting value. Returns whether it has anything to give. */
static bool may_give(const struct dfopt_planner *p, uint32_t node,
                     const struct dfopt_adjustment *a, struct dfopt_value *less)
{
    const struct dfopt_knob *k = &p->registry.knobs[a->knob];
    const struct dfopt_value now = dfopt_site_value(p, node, a->knob);
    struct dfopt_value low = now;
    if (dfopt_value_is_number(now) && dfopt_value_is_number(a->base)) {
        if (dfopt_value_order(a->base, low) == -1)
            low = a->base;
        if (k->range_state == DFOPT_RANGE_OK && dfopt_value_order(k->lo, low) == -1)
            low = k->lo;
    }
    if (dfopt_value_equal(p->dict, low, now))
        return false;
    *less = dfopt_step_down(p, k, low, now, dfopt_part_of(now, low, 2));
    return !dfopt_value_equal(p->dict, *less, now) &&
           !dfopt_site_in_flight(p, node, a->knob);
}

/* The value the demanding knob can take once the giver has less. False: still no
 * room. */
static bool fit_with(struct dfopt_planner *p, const struct dfopt_key *giver,
                     struct dfopt_value less, uint32_t knob, struct dfopt_value old,
                     struct dfopt_value *new)
{
    const struct dfopt_pending before = {.old = dfopt_planner_value(p, giver),
                                         .had =
                                             dfopt_planner_has_override(p, giver)};
    dfopt_planner_set_value(p, giver, less);
    const bool fits = dfopt_budget_fit(p, giver->node, knob, old, new);
    dfopt_planner_restore(p, giver, &before);
    return fits;
}

/* Makes one of a trade's two moves, and its plan. */
static void plan_move(const struct dfopt_look *l, const struct dfopt_move *m,
                      uint32_t position, const struct dfopt_move *other, bool gives)
{
    struct dfopt_planner *p = l->pass->p;
    const struct dfopt_key key = {.knob = m->knob,
                                  .node = l->node,
                                  .slot =
                                      dfopt_slots_at(&p->slots, l->node, m->knob)};
    if (!key.slot || !dfopt_trial_add(l->pass, l->site->trial, l->f, m)) {
        dfopt_pass_fail(l->pass, DFOPT_ERR_NOMEM);
        return;
    }
    const struct dfopt_plan plan = {.position = position,
                                    .apply_when = m->apply_when,
                                    .finding_type = l->f->type,
                                    .tag = m->tag,
                                    .old_value = m->old,
                                    .new_value = m->new,
                                    .severity = l->f->severity,
                                    .window = l->f->window,
                                    .why = gives ? DFOPT_WHY_TRADE_GIVES
                                                 : DFOPT_WHY_TRADE_TAKES,
                                    .other = p->registry.knobs[other->knob].id,
                                    .other_tag = other->tag,
                                    .other_old = other->old,
                                    .other_new = other->new};
    dfopt_look_plan(l, &key, &plan);
}

static enum dfopt_verdict verdict_of(const struct dfopt_look *l)
{
    return l->mode == DFOPT_MODE_SHADOW ? DFOPT_VERDICT_WOULD_PLAN
                                        : DFOPT_VERDICT_TRADE;
}

static void make_trade(struct dfopt_look *l, const struct dfopt_move *giver,
                       const struct dfopt_move *taker, struct dfopt_place *place)
{
    const struct dfopt_planner *p = l->pass->p;
    const struct dfopt_compared c = {dfopt_value_as_double(giver->new),
                                     dfopt_value_as_double(giver->old)};
    if (!dfopt_trial_open(l->pass, l->node, DFOPT_TRIAL_TRADE, l->f,
                          l->site->since))
        return;
    const uint32_t position = dfopt_pass_own(l->pass, l->node);
    dfopt_look_row(l, position, verdict_of(l), giver->tag,
                   p->registry.knobs[giver->knob].id, c);
    plan_move(l, giver, position, taker, true);
    plan_move(l, taker, dfopt_place_take(l, place), giver, false);
}

/* Tries one giver. Returns whether it made room. */
static bool trade_with(struct dfopt_look *l, const struct dfopt_tag_response *tr,
                       const struct dfopt_adjustment *a, struct dfopt_value old,
                       struct dfopt_value *new, struct dfopt_place *place)
{
    struct dfopt_planner *p = l->pass->p;
    const struct dfopt_key key = {
        .knob = a->knob,
        .node = l->node,
        .slot = dfopt_slots_find(&p->slots, l->node, a->knob)};
    struct dfopt_value less;
    if (!may_give(p, l->node, a, &less) ||
        !fit_with(p, &key, less, tr->knob, old, new))
        return false;
    const struct dfopt_move giver = {.old = dfopt_planner_value(p, &key),
                                     .new = less,
                                     .tag = a->tag,
                                     .apply_when = a->apply_when,
                                     .knob = a->knob,
                                     .direction = DFOPT_MOVE_TRADE};
    const struct dfopt_move taker = {.old = old,
                                     .new = *new,
                                     .tag = tr->r.tag,
                                     .apply_when = tr->r.apply_when,
                                     .knob = tr->knob,
                                     .direction = DFOPT_MOVE_TRADE};
    make_trade(l, &giver, &taker, place);
    return true;
}

/* Whether the operator lets the knob move, in the same mode as the asking one. */
static bool may_move(const struct dfopt_look *l, const struct dfopt_adjustment *a)
{
    const struct dfopt_planner *p = l->pass->p;
    const struct dfopt_key key = {.knob = a->knob, .node = l->node};
    return dfopt_operator_mode(p, a->knob, a->tag) == l->mode &&
           !dfopt_operator_full(p, &key, l->f->window, 1, NULL);
}

enum dfopt_verdict dfopt_trade(struct dfopt_look *l,
                               const struct dfopt_tag_response *tr,
                               struct dfopt_value old, struct dfopt_value want,
                               struct dfopt_place *place, struct dfopt_compared *c)
{
    const struct dfopt_planner *p = l->pass->p;
    const struct dfopt_knob *k = &p->registry.knobs[tr->knob];
    const bool to_top = k->range_state == DFOPT_RANGE_OK && !k->has_values;
    const struct dfopt_key taker = {.knob = tr->knob, .node = l->node};
    if (l->site->trial || !dfopt_site_has_objective(p, l->site) ||
        dfopt_operator_full(p, &taker, l->f->window, 2, NULL) ||
        dfopt_backed_off(dfopt_site_adjustment(p, l->node, tr->knob),
                         DFOPT_MOVE_TRADE, l->f->window))
        return DFOPT_VERDICT_BUDGET;
    for (size_t i = 0; i < p->policy->n_budgets; i++) {
        const struct dfopt_budget *b = &p->policy->budgets[i];
        if (!is_in_budget(p, b, tr->knob))
            continue;
        for (const struct dfopt_adjustment *a = dfopt_site_next(l->site, 0); a;
             a = dfopt_site_next(l->site, a->knob + 1)) {
            struct dfopt_value new = to_top ? k->hi : want;
            if (a->knob == tr->knob || p->registry.states[a->knob].left ||
                !is_in_budget(p, b, a->knob) || !may_move(l, a) ||
                !trade_with(l, tr, a, old, &new, place))
                continue;
            *c = (struct dfopt_compared){dfopt_value_as_double(new),
                                         dfopt_value_as_double(old)};
            return verdict_of(l);
        }
    }
    return DFOPT_VERDICT_BUDGET;
}
