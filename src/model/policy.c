/* Presets, the table of switches, and overrides. */
#include "model/policy.h"

#include <stdlib.h>
#include <string.h>

#define INFO(field, kind, zero, one, dflt, upstream)                               \
    {#field,                                                                       \
     offsetof(struct dfopt_switches, field),                                       \
     DFOPT_SWITCH_##kind,                                                          \
     {zero, one},                                                                  \
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
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        *(int64_t *)(void *)((char *)&p->on + table[i].offset) =
            table[i].preset[preset];
}

enum dfopt_err dfopt_policy_copy(struct dfopt_policy *to,
                                 const struct dfopt_policy *from, size_t more)
{
    struct dfopt_override *all = calloc(from->n_overrides + more + 1, sizeof *all);
    if (!all)
        return DFOPT_ERR_NOMEM;
    if (from->n_overrides)
        memcpy(all, from->overrides, from->n_overrides * sizeof *all);
    *to = *from;
    to->overrides = all;
    return DFOPT_OK;
}

void dfopt_policy_clear(struct dfopt_policy *p)
{
    free(p->overrides);
    *p = (struct dfopt_policy){0};
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
