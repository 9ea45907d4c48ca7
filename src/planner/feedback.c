/* What comes back to the planner: acks of applications and plans of a global
 * optimizer; and the listing of the state. */
#include "planner/planner_internal.h"

#include "planner/step.h"

/* ---- acks ---- */

/* The plan in flight that an ack is for. Returns whether there is one here. */
static bool match_ack(struct dfopt_planner *p, const struct dfopt_ack *a,
                      struct dfopt_key *key)
{
    if (p->policy->on.ack_match == DFOPT_ACK_MATCH_PLAN_ID)
        return a->known_form && dfopt_planner_find_plan(p, a->plan_id, key);
    key->knob = dfopt_registry_knob(&p->registry, a->knob);
    key->node = dfopt_slots_find_node(&p->slots, a->node);
    if (key->knob == DFOPT_SYMMAP_NONE || key->node == DFOPT_SYMMAP_NONE)
        return false;
    key->slot = dfopt_slots_find(&p->slots, key->node, key->knob);
    return key->slot && key->slot->has_pending;
}

static void reject(struct dfopt_planner *p, const struct dfopt_key *key,
                   const struct dfopt_pending *was, const struct dfopt_ack *a,
                   int64_t window)
{
    const struct dfopt_switches *on = &p->policy->on;
    if (on->reject == DFOPT_REJECT_PREVIOUS)
        dfopt_planner_restore(p, key, was);
    else if (key->node != DFOPT_JOB_NODE)
        key->slot->has_value = false;
    else if (a->old_value.kind != DFOPT_KIND_NULL)
        dfopt_planner_set_value(p, key, a->old_value);
    else
        dfopt_planner_set_value(p, key, p->registry.knobs[key->knob].default_value);
    if (on->reject_cooldown) { /* time only: there is no severity to compare */
        key->slot->has_cooldown = true;
        key->slot->cooldown_window = window;
        key->slot->cooldown_severity = 0.0;
    }
}

enum dfopt_err dfopt_planner_ack(struct dfopt_planner *p, uint64_t seq,
                                 const struct dfopt_ack *a,
                                 struct dfopt_decisions *out)
{
    struct dfopt_ack_row *row = dfopt_buf_grow(&out->acks, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    *row = (struct dfopt_ack_row){.seq = seq,
                                  .outcome = DFOPT_ACK_OUTCOME_UNMATCHED,
                                  .knob = DFOPT_SYM_EMPTY,
                                  .window = DFOPT_WINDOW_NONE};
    struct dfopt_key key;
    if (!match_ack(p, a, &key))
        return DFOPT_OK;
    const struct dfopt_pending was = key.slot->pending;
    dfopt_planner_land(p, &key);
    int64_t window = a->window;
    if (window < 0 && p->policy->on.ack_window == DFOPT_ACK_WINDOW_SEEN)
        window = was.window > key.slot->seen ? was.window : key.slot->seen;
    row->outcome = DFOPT_ACK_OUTCOME_CLEARED;
    if (a->status == DFOPT_ACK_APPLIED) {
        dfopt_planner_applied(
            p, &key, was.severity,
            a->new_value.kind == DFOPT_KIND_NULL ? NULL : &a->new_value, window);
        row->outcome = DFOPT_ACK_OUTCOME_APPLIED;
        row->window = window;
    } else if (a->status == DFOPT_ACK_REJECTED) {
        reject(p, &key, &was, a, window);
        row->outcome = DFOPT_ACK_OUTCOME_REJECTED;
        if (p->policy->on.reject_cooldown)
            row->window = window;
    }
    row->plan_id = was.plan_id;
    row->other_plan = !a->known_form || a->plan_id != was.plan_id;
    row->knob = p->registry.knobs[key.knob].id;
    row->node = dfopt_slots_node_name(&p->slots, key.node);
    row->value = dfopt_planner_value(p, &key);
    return DFOPT_OK;
}

/* ---- plans of a global optimizer ---- */

static bool contains(const dfopt_sym *items, size_t n, dfopt_sym s)
{
    for (size_t i = 0; i < n; i++)
        if (items[i] == s)
            return true;
    return false;
}

static void start_cooldown(struct dfopt_slot *slot,
                           const struct dfopt_global_plan *g)
{
    slot->has_cooldown = true;
    slot->cooldown_window = g->window;
    slot->cooldown_severity = g->severity;
}

/* Sets the value on the target nodes that this planner owns. */
static enum dfopt_err set_on_nodes(struct dfopt_planner *p, uint32_t knob,
                                   const struct dfopt_global_plan *g,
                                   const dfopt_sym *nodes, size_t n,
                                   struct dfopt_value new)
{
    for (size_t i = 0; i < n; i++) {
        if (p->owns && !p->owns(p->owns_arg, nodes[i]))
            continue;
        struct dfopt_key key = {.knob = knob};
        key.node = dfopt_slots_node(&p->slots, nodes[i]);
        if (key.node == DFOPT_SYMMAP_NONE)
            return DFOPT_ERR_NOMEM;
        key.slot = dfopt_slots_at(&p->slots, key.node, knob);
        if (!key.slot)
            return DFOPT_ERR_NOMEM;
        dfopt_planner_set_value(p, &key, new);
        start_cooldown(key.slot, g);
    }
    return DFOPT_OK;
}

static void set_for_job(struct dfopt_planner *p, const struct dfopt_key *key,
                        const struct dfopt_global_plan *g, struct dfopt_value new)
{
    if (p->policy->on.global_overrides_nodes)
        dfopt_planner_drop_overrides(p, key->knob);
    dfopt_planner_set_value(p, key, new);
    start_cooldown(key->slot, g);
}

enum dfopt_err dfopt_planner_follow(struct dfopt_planner *p,
                                    const struct dfopt_key *job,
                                    const struct dfopt_global_plan *g,
                                    struct dfopt_value new)
{
    size_t n;
    const dfopt_sym *nodes = dfopt_dict_items(p->dict, g->target_nodes, &n);
    if (n > 0 && p->policy->on.global_overrides_nodes)
        return set_on_nodes(p, job->knob, g, nodes, n, new);
    set_for_job(p, job, g, new);
    return DFOPT_OK;
}

/* Appends the plan that is passed on. */
static enum dfopt_err relay(uint64_t seq, const struct dfopt_global_plan *g,
                            struct dfopt_value old, struct dfopt_value new,
                            struct dfopt_decisions *out)
{
    struct dfopt_plan *plan = dfopt_buf_grow(&out->plans, sizeof *plan);
    if (!plan)
        return DFOPT_ERR_NOMEM;
    *plan = (struct dfopt_plan){
        .seq = seq,
        .relay_id = g->plan_id,
        .knob = g->knob,
        .target_function = g->target_function,
        .apply_when = g->apply_when,
        .finding_type = g->finding_type,
        .tag = g->tag,
        .targets = g->target_nodes,
        .rationale = g->rationale,
        .old_value = old,
        .new_value = new,
        .severity = g->severity,
        .window = g->window,
    };
    return DFOPT_OK;
}

static enum dfopt_err apply_global(struct dfopt_planner *p, uint64_t seq,
                                   const struct dfopt_global_plan *g,
                                   const dfopt_sym *nodes, size_t n,
                                   struct dfopt_decisions *out, uint32_t *outcome)
{
    struct dfopt_key job = {.knob = dfopt_registry_knob(&p->registry, g->knob),
                            .node = DFOPT_JOB_NODE};
    struct dfopt_value new;
    *outcome = DFOPT_RELAY_NOT_TARGETED;
    if (p->relay_hostname != DFOPT_SYM_EMPTY && n > 0 &&
        !contains(nodes, n, p->relay_hostname))
        return DFOPT_OK;
    *outcome = DFOPT_RELAY_UNKNOWN_KNOB;
    if (job.knob == DFOPT_SYMMAP_NONE)
        return DFOPT_OK;
    *outcome = DFOPT_RELAY_WRONG_VALUE;
    if (!dfopt_step_accept(p->dict, &p->policy->on, &p->registry.knobs[job.knob],
                           g->new_value, &new))
        return DFOPT_OK;
    job.slot = dfopt_slots_find(&p->slots, DFOPT_JOB_NODE, job.knob);
    const struct dfopt_value old = job.slot->value;
    const bool for_nodes = n > 0 && p->policy->on.global_overrides_nodes;
    *outcome = DFOPT_RELAY_SAME_VALUE;
    if (!for_nodes && dfopt_value_equal(p->dict, new, old))
        return DFOPT_OK;
    enum dfopt_err e = dfopt_planner_follow(p, &job, g, new);
    *outcome = DFOPT_RELAY_RELAYED;
    return e ? e : relay(seq, g, old, new, out);
}

enum dfopt_err dfopt_planner_global_plan(struct dfopt_planner *p, uint64_t seq,
                                         const struct dfopt_global_plan *g,
                                         struct dfopt_decisions *out)
{
    struct dfopt_relay_row *row = dfopt_buf_grow(&out->relays, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    *row = (struct dfopt_relay_row){
        .seq = seq,
        .plan_id = g->plan_id,
        .knob = g->knob,
        .targets = g->target_nodes,
        .new_value = g->new_value,
        .severity = g->severity,
        .window = g->window,
    };
    size_t n;
    const dfopt_sym *nodes = dfopt_dict_items(p->dict, g->target_nodes, &n);
    return apply_global(p, seq, g, nodes, n, out, &row->outcome);
}

/* ---- the state, listed ---- */

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
        for (uint32_t knob = 0; knob < p->registry.n_knobs && !e; knob++) {
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
