/* Rebuilds state from what is known of it. Invariant: every function changes the
 * fields as deciding would have (planner.c, feedback.c). */
#include "planner/restore.h"

#include "planner/state/internal.h"

/* The key of a registered knob. OK, NOMEM or FORMAT. */
static enum dfopt_err find_key(struct dfopt_planner *p, dfopt_sym knob,
                               dfopt_sym node, struct dfopt_key *key)
{
    key->knob = dfopt_registry_knob(&p->registry, knob);
    if (key->knob == DFOPT_SYMMAP_NONE || node == DFOPT_SYM_NONE)
        return DFOPT_ERR_FORMAT;
    key->node = dfopt_slots_node(&p->slots, node);
    if (key->node == DFOPT_SYMMAP_NONE)
        return DFOPT_ERR_NOMEM;
    key->slot = dfopt_slots_at(&p->slots, key->node, key->knob);
    return key->slot ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

static enum dfopt_err redo_relay(struct dfopt_planner *p,
                                 const struct dfopt_plan *plan)
{
    const struct dfopt_global_plan g = {.knob = plan->knob,
                                        .target_nodes = plan->targets,
                                        .severity = plan->severity,
                                        .window = plan->window};
    struct dfopt_key job;
    enum dfopt_err e = find_key(p, plan->knob, DFOPT_SYM_EMPTY, &job);
    return e ? e : dfopt_planner_follow(p, &job, &g, plan->new_value);
}

enum dfopt_err dfopt_planner_redo_plan(struct dfopt_planner *p,
                                       const struct dfopt_plan *plan)
{
    struct dfopt_key key;
    if (plan->relay_id != DFOPT_SYM_NONE)
        return redo_relay(p, plan);
    enum dfopt_err e = find_key(p, plan->knob, plan->node, &key);
    if (e)
        return e;
    if (key.slot->has_pending)
        return DFOPT_ERR_FORMAT;
    return dfopt_planner_put_in_force(p, &key, plan);
}

enum dfopt_err
dfopt_planner_redo_suppression(struct dfopt_planner *p,
                               const struct dfopt_suppression_row *row)
{
    if (row->action == DFOPT_SUPPRESSION_CLEARED) {
        dfopt_planner_unsuppress(p, row->tag);
        return DFOPT_OK;
    }
    struct dfopt_tag *t = dfopt_planner_suppress(p, row->tag);
    if (!t)
        return DFOPT_ERR_NOMEM;
    t->by_type = row->finding_type;
    t->window = row->window;
    t->severity = row->severity;
    return DFOPT_OK;
}

enum dfopt_err dfopt_planner_redo_timeout(struct dfopt_planner *p,
                                          const struct dfopt_timeout_row *row)
{
    struct dfopt_key key;
    enum dfopt_err e = find_key(p, row->knob, row->node, &key);
    if (e)
        return e;
    if (!key.slot->has_pending || key.slot->pending.plan_id != row->plan_id)
        return DFOPT_ERR_FORMAT;
    dfopt_planner_withdraw(p, &key);
    return DFOPT_OK;
}

enum dfopt_err dfopt_planner_redo_seen(struct dfopt_planner *p,
                                       const struct dfopt_seen_row *row)
{
    struct dfopt_key key;
    enum dfopt_err e = find_key(p, row->knob, row->node, &key);
    if (e)
        return e;
    key.slot->has_seen = true;
    key.slot->seen = row->window;
    return DFOPT_OK;
}

bool dfopt_planner_has_left(const struct dfopt_planner *p, dfopt_sym knob)
{
    const uint32_t at = dfopt_registry_knob(&p->registry, knob);
    return at != DFOPT_SYMMAP_NONE && p->registry.states[at].left;
}

static enum dfopt_err take_row(struct dfopt_planner *p,
                               const struct dfopt_state_row *row)
{
    struct dfopt_key key;
    enum dfopt_err e = find_key(p, row->knob, row->node, &key);
    if (e)
        return e;
    if (row->flags & DFOPT_STATE_VALUE)
        dfopt_planner_set_value(p, &key, row->value);
    if (row->flags & DFOPT_STATE_COOLDOWN) {
        key.slot->has_cooldown = true;
        key.slot->cooldown_window = row->cooldown_window;
        key.slot->cooldown_severity = row->cooldown_severity;
    }
    if (row->flags & DFOPT_STATE_SEEN &&
        !p->control) { /* control does not use it */
        key.slot->has_seen = true;
        key.slot->seen = row->seen;
    }
    if (!(row->flags & DFOPT_STATE_PENDING))
        return DFOPT_OK;
    const struct dfopt_pending pending = {.plan_id = row->plan_id,
                                          .window = row->plan_window,
                                          .severity = row->plan_severity,
                                          .old = row->plan_old,
                                          .had = row->flags & DFOPT_STATE_HAD};
    return dfopt_planner_launch(p, &key, &pending);
}

enum dfopt_err dfopt_planner_take_state(struct dfopt_planner *p,
                                        const struct dfopt_state_row *rows,
                                        size_t n)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++)
        if (dfopt_planner_decides(p, rows[i].node))
            e = take_row(p, &rows[i]);
    return e;
}

enum dfopt_err dfopt_planner_take_suppressions(
    struct dfopt_planner *p, const struct dfopt_suppression_state *rows, size_t n)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        const struct dfopt_suppression_row row = {.tag = rows[i].tag,
                                                  .finding_type =
                                                      rows[i].finding_type,
                                                  .action = DFOPT_SUPPRESSION_SET,
                                                  .window = rows[i].window,
                                                  .severity = rows[i].severity};
        e = dfopt_planner_redo_suppression(p, &row);
    }
    return e;
}
