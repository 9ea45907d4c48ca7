/* Releases: what was added without proof of need is given up step by step, and the
 * objective shows whether that hurts. */
#include "planner/control/control.h"
#include "planner/operator/operator.h"

#include "planner/step/number.h"

double dfopt_part_of(struct dfopt_value now, struct dfopt_value low, double parts)
{
    struct dfopt_number d;
    if (!dfopt_value_is_number(now) || !dfopt_value_is_number(low) ||
        !dfopt_number_subtract(dfopt_number_from(now), dfopt_number_from(low), &d))
        return 0;
    return dfopt_number_as_double(d) / parts;
}

/* The index of the first entry that equals v; n_values: none. */
static size_t entry_of(const struct dfopt_planner *p, const struct dfopt_knob *k,
                       struct dfopt_value v)
{
    size_t i = 0;
    while (i < k->n_values && !dfopt_value_equal(p->dict, k->values[i], v))
        i++;
    return i;
}

struct dfopt_value dfopt_step_down(const struct dfopt_planner *p,
                                   const struct dfopt_knob *k,
                                   struct dfopt_value low, struct dfopt_value now,
                                   double by)
{
    const size_t i = entry_of(p, k, now), j = entry_of(p, k, low);
    if (k->has_values && i < k->n_values && j < k->n_values)
        return i > j ? k->values[i - 1] : now;
    if (!dfopt_value_is_number(now) || !dfopt_value_is_number(low))
        return low;
    if (dfopt_value_order(now, low) != 1)
        return now;
    struct dfopt_number less = dfopt_number_real(by);
    if (k->type == DFOPT_KNOB_INT &&
        (!dfopt_number_truncate(by, &less) ||
         !dfopt_number_max(dfopt_number_int(1), less, &less)))
        return now;
    struct dfopt_value out;
    const bool ok = dfopt_number_subtract(dfopt_number_from(now), less, &less) &&
                    dfopt_number_max(dfopt_number_from(low), less, &less) &&
                    dfopt_number_value(less, &out);
    return ok ? out : now;
}

static bool is_due(const struct dfopt_planner *p, uint32_t node, int64_t window)
{
    const struct dfopt_switches *on = &p->policy->on;
    const struct dfopt_site *site = p->slots.nodes[node].site;
    if (on->release_windows == 0 || site->trial || dfopt_job_tries(p, node) ||
        (on->backoff_windows && window % on->backoff_windows != 0) ||
        dfopt_operator_frozen(p, window))
        return false;
    const struct dfopt_series *r = site->series;
    return dfopt_site_has_objective(p, site) &&
           dfopt_series_count(r, site->since, 3) == 3 &&
           site->clock - site->rest >= on->release_windows;
}

static void plan_release(struct dfopt_pass *s, uint32_t node,
                         const struct dfopt_adjustment *a, struct dfopt_value now,
                         struct dfopt_value new, int64_t window)
{
    struct dfopt_planner *p = s->p;
    const struct dfopt_finding f = {.type = a->type,
                                    .scope = a->scope,
                                    .severity = a->severity,
                                    .window = window};
    const struct dfopt_move m = {.old = now,
                                 .new = new,
                                 .tag = a->tag,
                                 .apply_when = a->apply_when,
                                 .knob = a->knob,
                                 .direction = DFOPT_MOVE_RELEASE};
    const struct dfopt_key key = {.knob = a->knob,
                                  .node = node,
                                  .slot = dfopt_slots_at(&p->slots, node, a->knob)};
    struct dfopt_trial *t = dfopt_trial_open(s, node, DFOPT_TRIAL_RELEASE, &f,
                                             p->slots.nodes[node].site->since);
    if (!t || !dfopt_trial_add(s, t, &f, &m))
        return;
    const struct dfopt_plan plan = {.position = dfopt_pass_own(s, node),
                                    .apply_when = a->apply_when,
                                    .finding_type = a->type,
                                    .tag = a->tag,
                                    .old_value = now,
                                    .new_value = new,
                                    .severity = a->severity,
                                    .window = window,
                                    .why = DFOPT_WHY_RELEASE};
    const struct dfopt_about about = {a->tag, p->registry.knobs[a->knob].id,
                                      dfopt_slots_node_name(&p->slots, node)};
    const struct dfopt_compared c = {dfopt_value_as_double(new),
                                     dfopt_value_as_double(now)};
    const bool shadow =
        dfopt_operator_mode(p, a->knob, a->tag) == DFOPT_MODE_SHADOW;
    dfopt_pass_row(s, node, plan.position,
                   shadow ? DFOPT_VERDICT_WOULD_PLAN : DFOPT_VERDICT_RELEASE, about,
                   c);
    if (shadow)
        dfopt_pass_withhold(s, &key, &plan);
    else
        dfopt_pass_plan(s, &key, &plan);
    dfopt_trial_opened(p, node);
}

/* Whether the operator lets the planner release a knob at a site. */
static bool may_release(const struct dfopt_planner *p, uint32_t node,
                        const struct dfopt_adjustment *a, int64_t window)
{
    const enum dfopt_knob_mode mode = dfopt_operator_mode(p, a->knob, a->tag);
    const struct dfopt_key key = {.knob = a->knob, .node = node};
    return mode != DFOPT_MODE_OFF && mode != DFOPT_MODE_ADVISE &&
           !dfopt_operator_full(p, &key, window, 1, NULL);
}

void dfopt_release(struct dfopt_pass *s, uint32_t node, int64_t window)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_site *site = p->slots.nodes[node].site;
    if (!is_due(p, node, window))
        return;
    for (const struct dfopt_adjustment *a = dfopt_site_next(site, 0); a;
         a = dfopt_site_next(site, a->knob + 1)) {
        if (a->proven || p->registry.states[a->knob].left ||
            dfopt_site_in_flight(p, node, a->knob) ||
            dfopt_backed_off(a, DFOPT_MOVE_RELEASE, window) ||
            !may_release(p, node, a, window))
            continue;
        const struct dfopt_value now = dfopt_site_value(p, node, a->knob);
        const struct dfopt_value new =
            dfopt_step_down(p, &p->registry.knobs[a->knob], a->base, now,
                            dfopt_part_of(now, a->base, 4));
        if (!dfopt_value_equal(p->dict, new, now)) {
            plan_release(s, node, a, now, new, window);
            return;
        }
    }
}
