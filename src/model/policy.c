/* Presets, the table of switches, and overrides. */
#include "model/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct dfopt_budget_term) == 24, "no padding");
_Static_assert(sizeof(struct dfopt_budget) == 24, "no padding");
_Static_assert(sizeof(struct dfopt_guard) == 32, "no padding");

#define INFO(field, kind, zero, one, two, dflt, upstream)                          \
    {#field,                                                                       \
     offsetof(struct dfopt_switches, field),                                       \
     DFOPT_SWITCH_##kind,                                                          \
     {zero, one, two},                                                             \
     {dflt, upstream}},

static const struct dfopt_switch_info table[] = {DFOPT_SWITCH_LIST(INFO)};

const struct dfopt_switch_info *dfopt_switch_table(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}

void dfopt_policy_preset(struct dfopt_policy *p, enum dfopt_preset preset)
{
    *p = (struct dfopt_policy){0};
    p->objective_metric.metric = DFOPT_METRIC_NONE;
    p->limits.plans_per_window = DFOPT_LIMIT_NONE;
    p->limits.nodes_in_flight_per_knob = DFOPT_LIMIT_NONE;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        void *at = (char *)&p->on + table[i].offset;
        if (table[i].kind == DFOPT_SWITCH_REAL)
            *(double *)at = table[i].preset[preset];
        else
            *(int64_t *)at = (int64_t)table[i].preset[preset];
    }
}

void dfopt_policy_clear(struct dfopt_policy *p)
{
    free(p->overrides);
    free(p->budgets);
    free(p->terms);
    free(p->guards);
    free(p->names);
    *p = (struct dfopt_policy){0};
}

static bool copy_array(void *out, const void *src, size_t n, size_t more,
                       size_t size)
{
    void *copy = calloc(n + more ? n + more : 1, size);
    if (copy && n)
        memcpy(copy, src, n * size);
    *(void **)out = copy;
    return copy != NULL;
}

enum dfopt_err dfopt_policy_copy(struct dfopt_policy *out,
                                 const struct dfopt_policy *src, size_t more)
{
    struct dfopt_policy p = *src;
    bool ok = copy_array(&p.overrides, src->overrides, src->n_overrides, more,
                         sizeof *p.overrides);
    ok &=
        copy_array(&p.budgets, src->budgets, src->n_budgets, 0, sizeof *p.budgets);
    ok &= copy_array(&p.terms, src->terms, src->n_terms, 0, sizeof *p.terms);
    ok &= copy_array(&p.guards, src->guards, src->n_guards, 0, sizeof *p.guards);
    ok &= copy_array(&p.names, src->names, src->n_names, 0, sizeof *p.names);
    if (!ok) {
        dfopt_policy_clear(&p);
        return DFOPT_ERR_NOMEM;
    }
    *out = p;
    return DFOPT_OK;
}

void dfopt_response_merge(struct dfopt_response *dst,
                          const struct dfopt_response *src, uint32_t fields)
{
    if (fields & DFOPT_RF_DIRECTION)
        dst->direction = src->direction;
    if (fields & DFOPT_RF_STEP)
        dst->step = src->step;
    if (fields & DFOPT_RF_STEP_MODE)
        dst->step_mode = src->step_mode;
    if (fields & DFOPT_RF_SET_TO)
        dst->set_to = src->set_to;
    if (fields & DFOPT_RF_MIN_SEVERITY)
        dst->min_severity = src->min_severity;
    if (fields & DFOPT_RF_MIN_PERSISTENCE)
        dst->min_persistence = src->min_persistence;
    if (fields & DFOPT_RF_COOLDOWN_WINDOWS)
        dst->cooldown_windows = src->cooldown_windows;
    if (fields & DFOPT_RF_APPLY_WHEN)
        dst->apply_when = src->apply_when;
    if (fields & DFOPT_RF_EFFECTIVENESS_THRESHOLD)
        dst->effectiveness_threshold = src->effectiveness_threshold;
}

void dfopt_policy_apply(const struct dfopt_policy *p, dfopt_sym knob,
                        struct dfopt_response *r)
{
    for (uint32_t target = DFOPT_OVERRIDE_ALL; target <= DFOPT_OVERRIDE_KNOB;
         target++)
        for (size_t i = 0; i < p->n_overrides; i++) {
            const struct dfopt_override *o = &p->overrides[i];
            if (o->target == target &&
                (target == DFOPT_OVERRIDE_ALL ||
                 o->name == (target == DFOPT_OVERRIDE_TAG ? r->tag : knob)))
                dfopt_response_merge(r, &o->to, o->fields);
        }
}

enum dfopt_err dfopt_registration_check(const struct dfopt_registration *r,
                                        const struct dfopt_policy *p,
                                        struct dfopt_error *err)
{
    static const char *const texts[] = {
        [DFOPT_FLAW_NODE] = "node is not a string",
        [DFOPT_FLAW_INSTANCE] = "instance is not a string",
        [DFOPT_FLAW_NAMESPACE] = "namespace is not a string",
        [DFOPT_FLAW_FUNCTION] = "function_name is not a string",
        [DFOPT_FLAW_UNREGISTER] = "unregister must be true or false",
        [DFOPT_FLAW_DUPLICATE] = "duplicate knob id",
        [DFOPT_FLAW_KNOBS] = "the knobs are unusable",
    };
    const bool of_carry = r->flaw == DFOPT_FLAW_KNOBS;
    const bool carry = p->on.registration == DFOPT_REGISTRATION_CARRY;
    if (r->flaw == DFOPT_FLAW_NONE || of_carry != carry)
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s",
                           r->flaw < sizeof texts / sizeof *texts ? texts[r->flaw]
                                                                  : "unknown flaw");
}

size_t dfopt_policy_guard(const struct dfopt_policy *p, dfopt_sym type,
                          const uint8_t state[DFOPT_METRIC_COUNT],
                          const double metric[DFOPT_METRIC_COUNT], double *x)
{
    size_t i = 0;
    for (; i < p->n_guards; i++) {
        const struct dfopt_guard *g = &p->guards[i];
        const bool has = g->metric != DFOPT_METRIC_NONE &&
                         state[g->metric] == DFOPT_METRIC_NUMBER;
        *x = has ? metric[g->metric] : NAN;
        if ((g->finding_type == DFOPT_SYM_NONE || g->finding_type == type) &&
            (g->metric == DFOPT_METRIC_NONE || (has && *x > g->above)))
            break;
    }
    return i;
}
