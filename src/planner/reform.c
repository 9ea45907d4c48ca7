/* A policy takes effect whole or not at all. Invariant: the finding metrics that a
 * run reads, and their slots, are those of its first policy. */
#include "planner/reform.h"

#include <stdlib.h>

/* ---- checks ---- */

static bool is_fixed(const struct dfopt_policy *a, const struct dfopt_policy *b)
{
    return a->on.ack_match == b->on.ack_match &&
           a->on.reregister == b->on.reregister && a->on.scope == b->on.scope &&
           a->on.registration == b->on.registration &&
           a->on.effect == b->on.effect && a->limits.given == b->limits.given;
}

/* The run's slot for a metric that the policy has in another slot;
 * DFOPT_METRIC_NONE: the run does not read it. */
static uint32_t slot_of(const struct dfopt_planner *p,
                        const struct dfopt_policy *policy, uint32_t metric)
{
    if (metric < DFOPT_METRIC_KNOWN)
        return metric;
    for (uint32_t i = 0; i < DFOPT_METRIC_NAMED; i++)
        if (p->policy->metrics.name[i] ==
            policy->metrics.name[metric - DFOPT_METRIC_KNOWN])
            return DFOPT_METRIC_KNOWN + i;
    return DFOPT_METRIC_NONE;
}

static bool has_metric(const struct dfopt_planner *p,
                       const struct dfopt_policy *policy, uint32_t metric)
{
    return metric == DFOPT_METRIC_NONE ||
           slot_of(p, policy, metric) != DFOPT_METRIC_NONE;
}

static bool has_metrics(const struct dfopt_planner *p,
                        const struct dfopt_policy *policy)
{
    bool all = has_metric(p, policy, policy->objective_metric.metric);
    for (size_t i = 0; i < policy->n_guards; i++)
        all &= has_metric(p, policy, policy->guards[i].metric);
    return all;
}

static bool knows_knobs(const struct dfopt_planner *p,
                        const struct dfopt_policy *policy,
                        const struct dfopt_name_range *r)
{
    bool all = true;
    for (uint32_t i = 0; i < r->n; i++)
        all &= dfopt_registry_knob(&p->registry, policy->names[r->first + i]) !=
               DFOPT_SYMMAP_NONE;
    return all;
}

static bool knows_all_knobs(const struct dfopt_planner *p,
                            const struct dfopt_policy *policy)
{
    bool all = true;
    for (size_t i = 0; i < policy->n_overrides; i++)
        if (policy->overrides[i].target == DFOPT_OVERRIDE_KNOB)
            all &= dfopt_registry_knob(&p->registry, policy->overrides[i].name) !=
                   DFOPT_SYMMAP_NONE;
    for (size_t i = 0; i < policy->n_terms; i++)
        all &= knows_knobs(p, policy, &policy->terms[i].knobs);
    for (size_t i = 0; i < policy->n_guards; i++)
        if (policy->guards[i].some_knobs)
            all &= knows_knobs(p, policy, &policy->guards[i].knobs);
    return all;
}

static bool knows_tags(const struct dfopt_planner *p,
                       const struct dfopt_policy *policy)
{
    bool all = true;
    for (size_t i = 0; i < policy->n_overrides; i++)
        if (policy->overrides[i].target == DFOPT_OVERRIDE_TAG)
            all &= dfopt_registry_answers(&p->registry, policy->overrides[i].name);
    return all;
}

uint32_t dfopt_planner_check(const struct dfopt_planner *p,
                             const struct dfopt_policy *policy)
{
    return !is_fixed(p->policy, policy)  ? DFOPT_COMMAND_FIXED
           : !has_metrics(p, policy)     ? DFOPT_COMMAND_METRIC
           : !knows_all_knobs(p, policy) ? DFOPT_COMMAND_UNKNOWN_KNOB
           : !knows_tags(p, policy)      ? DFOPT_COMMAND_UNKNOWN_TAG
                                         : DFOPT_COMMAND_DONE;
}

/* ---- taking effect ---- */

static void renumber_metrics(const struct dfopt_planner *p,
                             struct dfopt_policy *policy)
{
    struct dfopt_objective_metric *m = &policy->objective_metric;
    if (m->metric != DFOPT_METRIC_NONE)
        m->metric = slot_of(p, policy, m->metric);
    for (size_t i = 0; i < policy->n_guards; i++)
        if (policy->guards[i].metric != DFOPT_METRIC_NONE)
            policy->guards[i].metric = slot_of(p, policy, policy->guards[i].metric);
    policy->metrics = p->policy->metrics;
}

enum dfopt_err dfopt_planner_reform(struct dfopt_planner *p,
                                    const struct dfopt_policy *policy,
                                    uint32_t *outcome)
{
    *outcome = dfopt_planner_check(p, policy);
    if (*outcome != DFOPT_COMMAND_DONE)
        return DFOPT_OK;
    struct dfopt_policy *own = malloc(sizeof *own);
    if (!own || dfopt_policy_copy(own, policy, 0)) {
        free(own);
        return DFOPT_ERR_NOMEM;
    }
    renumber_metrics(p, own);
    if (p->own_policy)
        dfopt_policy_clear(p->own_policy);
    free(p->own_policy);
    p->own_policy = own;
    p->policy = own;
    return dfopt_registry_reform(&p->registry, own);
}
