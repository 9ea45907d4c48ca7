/* Values, overrides, plans in flight, and the effect of applying or withdrawing a
 * plan. */
#include "planner/state/internal.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct dfopt_pending_ref {
    UT_hash_handle hh;
    uint64_t plan_id;
    uint32_t knob, node;
};

bool dfopt_planner_has_override(const struct dfopt_planner *p,
                                const struct dfopt_key *key)
{
    return key->node != DFOPT_JOB_NODE && key->slot->has_value &&
           key->slot->epoch == p->epoch[key->knob];
}

struct dfopt_value dfopt_planner_value(const struct dfopt_planner *p,
                                       const struct dfopt_key *key)
{
    if (dfopt_planner_has_override(p, key))
        return key->slot->value;
    return dfopt_slots_find(&p->slots, DFOPT_JOB_NODE, key->knob)->value;
}

void dfopt_planner_set_value(struct dfopt_planner *p, const struct dfopt_key *key,
                             struct dfopt_value v)
{
    key->slot->has_value = true;
    key->slot->value = v;
    key->slot->epoch = p->epoch[key->knob];
}

void dfopt_planner_drop_overrides(struct dfopt_planner *p, uint32_t knob)
{
    p->epoch[knob]++;
}

void dfopt_planner_restore(struct dfopt_planner *p, const struct dfopt_key *key,
                           const struct dfopt_pending *was)
{
    if (key->node == DFOPT_JOB_NODE || was->had)
        dfopt_planner_set_value(p, key, was->old);
    else
        key->slot->has_value = false;
}

void dfopt_planner_applied(struct dfopt_planner *p, const struct dfopt_key *key,
                           double severity, const struct dfopt_value *value,
                           int64_t window)
{
    if (value)
        dfopt_planner_set_value(p, key, *value);
    if (key->node == DFOPT_JOB_NODE && p->policy->on.global_overrides_nodes)
        dfopt_planner_drop_overrides(p, key->knob);
    if (window >= 0 && !p->control) {
        key->slot->has_cooldown = true;
        key->slot->cooldown_window = window;
        key->slot->cooldown_severity = severity;
    }
}

enum dfopt_err dfopt_planner_launch(struct dfopt_planner *p,
                                    const struct dfopt_key *key,
                                    const struct dfopt_pending *plan)
{
    if (p->policy->on.ack_match == DFOPT_ACK_MATCH_PLAN_ID ||
        p->policy->on.registration == DFOPT_REGISTRATION_INTERPRET ||
        p->policy->limits.given) {
        struct dfopt_pending_ref *ref = calloc(1, sizeof *ref);
        if (!ref)
            return DFOPT_ERR_NOMEM;
        ref->plan_id = plan->plan_id;
        ref->knob = key->knob;
        ref->node = key->node;
        HASH_ADD(hh, p->in_flight, plan_id, sizeof ref->plan_id, ref);
        if (!ref->hh.tbl) {
            free(ref);
            return DFOPT_ERR_NOMEM;
        }
    }
    key->slot->has_pending = true;
    key->slot->pending = *plan;
    return DFOPT_OK;
}

static struct dfopt_pending_ref *find_ref(const struct dfopt_planner *p,
                                          uint64_t id)
{
    struct dfopt_pending_ref *ref = NULL;
    HASH_FIND(hh, p->in_flight, &id, sizeof id, ref);
    return ref;
}

/* Takes a plan out of flight. */
static void land(struct dfopt_planner *p, const struct dfopt_key *key)
{
    struct dfopt_pending_ref *ref = find_ref(p, key->slot->pending.plan_id);
    if (ref) {
        HASH_DELETE(hh, p->in_flight, ref);
        free(ref);
    }
    key->slot->has_pending = false;
}

void dfopt_planner_settle(struct dfopt_planner *p, const struct dfopt_key *key)
{
    key->slot->settled = key->slot->pending.plan_id / DFOPT_PLANS_PER_EVENT + 1;
    land(p, key);
}

bool dfopt_planner_next_plan(const struct dfopt_planner *p, void **at,
                             uint32_t knob, struct dfopt_key *key)
{
    struct dfopt_pending_ref *ref = *at ? *at : p->in_flight;
    while (ref && ref->knob != knob)
        ref = ref->hh.next;
    if (!ref)
        return false;
    key->knob = knob;
    key->node = ref->node;
    key->slot = dfopt_slots_find(&p->slots, ref->node, knob);
    *at = ref->hh.next;
    return true;
}

void dfopt_planner_withdraw(struct dfopt_planner *p, const struct dfopt_key *key)
{
    const struct dfopt_pending was = key->slot->pending;
    land(p, key);
    dfopt_planner_restore(p, key, &was);
}

bool dfopt_planner_find_plan(const struct dfopt_planner *p, uint64_t plan_id,
                             struct dfopt_key *key)
{
    struct dfopt_pending_ref *ref = find_ref(p, plan_id);
    if (!ref)
        return false;
    key->knob = ref->knob;
    key->node = ref->node;
    key->slot = dfopt_slots_find(&p->slots, ref->node, ref->knob);
    return true;
}

enum dfopt_err dfopt_planner_put_in_force(struct dfopt_planner *p,
                                          const struct dfopt_key *key,
                                          const struct dfopt_plan *plan)
{
    const struct dfopt_pending pending = {
        .plan_id = plan->plan_id,
        .window = plan->window,
        .severity = plan->severity,
        .old = plan->old_value,
        .had = dfopt_planner_has_override(p, key),
    };
    dfopt_planner_set_value(p, key, plan->new_value);
    if (!p->assumed_acks)
        return dfopt_planner_launch(p, key, &pending);
    dfopt_planner_applied(p, key, plan->severity, NULL, plan->window);
    return DFOPT_OK;
}

void dfopt_planner_free_refs(struct dfopt_planner *p)
{
    struct dfopt_pending_ref *ref, *next;
    HASH_ITER(hh, p->in_flight, ref, next)
    {
        HASH_DELETE(hh, p->in_flight, ref);
        free(ref);
    }
}
