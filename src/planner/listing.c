/* The state as rows. */
#include "planner/planner.h"

#include "planner/state/internal.h"

static enum dfopt_err list_slot(const struct dfopt_planner *p,
                                const struct dfopt_key *key, struct dfopt_buf *rows)
{
    const struct dfopt_slot *slot = key->slot;
    bool has_value = key->node == DFOPT_JOB_NODE
                         ? slot->has_value
                         : dfopt_planner_has_override(p, key);
    uint32_t flags =
        (has_value ? DFOPT_STATE_VALUE : 0u) |
        (slot->has_pending ? DFOPT_STATE_PENDING : 0u) |
        (slot->has_pending && slot->pending.had ? DFOPT_STATE_HAD : 0u) |
        (slot->has_cooldown ? DFOPT_STATE_COOLDOWN : 0u) |
        (slot->has_seen ? DFOPT_STATE_SEEN : 0u);
    if (flags == 0)
        return DFOPT_OK;
    struct dfopt_state_row *row = dfopt_buf_grow(rows, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    row->knob = p->registry.knobs[key->knob].id;
    row->node = dfopt_slots_node_name(&p->slots, key->node);
    row->flags = flags;
    row->ordinal = key->knob;
    if (has_value)
        row->value = slot->value;
    if (slot->has_pending) {
        row->plan_id = slot->pending.plan_id;
        row->plan_severity = slot->pending.severity;
        row->plan_window = slot->pending.window;
        row->plan_old = slot->pending.old;
    }
    if (slot->has_cooldown) {
        row->cooldown_window = slot->cooldown_window;
        row->cooldown_severity = slot->cooldown_severity;
    }
    if (slot->has_seen)
        row->seen = slot->seen;
    return DFOPT_OK;
}

enum dfopt_err dfopt_planner_state(const struct dfopt_planner *p, bool job,
                                   struct dfopt_buf *rows,
                                   struct dfopt_buf *suppressions)
{
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t node = job ? 0 : 1; node < p->slots.n_nodes && !e; node++)
        for (uint32_t knob = 0; knob < p->registry.n_knobs && !e &&
                                (!node || dfopt_planner_reports(p, node));
             knob++) {
            struct dfopt_key key = {knob, node,
                                    dfopt_slots_find(&p->slots, node, knob)};
            if (key.slot)
                e = list_slot(p, &key, rows);
        }
    for (uint32_t i = 0; job && i < p->n_suppressed && !e; i++) {
        const struct dfopt_tag *t = &p->registry.tags[p->suppressed[i]];
        struct dfopt_suppression_state *row =
            dfopt_buf_grow(suppressions, sizeof *row);
        if (!row)
            return DFOPT_ERR_NOMEM;
        *row = (struct dfopt_suppression_state){t->name, t->by_type, t->window,
                                                t->severity};
    }
    return e;
}
