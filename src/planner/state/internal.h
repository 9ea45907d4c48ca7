/* The planner's internals. Private to the planner. */
#ifndef DFOPT_PLANNER_STATE_INTERNAL_H
#define DFOPT_PLANNER_STATE_INTERNAL_H

#include "model/decision.h"
#include "model/policy.h"
#include "model/state.h"
#include "planner/state/instances.h"
#include "planner/state/owns.h"
#include "planner/state/registry.h"
#include "planner/state/slots.h"

struct dfopt_operator;
struct dfopt_pending_ref; /* plan id -> slot, of every plan in flight */

struct dfopt_planner {
    struct dfopt_dict *dict;
    const struct dfopt_policy *policy;
    bool assumed_acks;
    dfopt_sym relay_hostname;
    dfopt_owns_fn owns; /* NULL: decides for every node and, with limits, reports
                         * those of `reports` (NULL: all) */
    dfopt_owns_fn reports;
    void *owns_arg;
    bool silent_job;
    bool control; /* effect is not severity */

    struct dfopt_registry registry;
    struct dfopt_slots slots;
    uint32_t *epoch; /* by ordinal: how often the overrides were dropped */
    uint32_t cap_epoch;
    uint32_t *suppressed; /* indices of the suppressed tags, in order */
    uint32_t n_suppressed, cap_suppressed;
    struct dfopt_pending_ref *in_flight;
    struct dfopt_instances instances;
    struct dfopt_operator *operator; /* owned */
    struct dfopt_policy *own_policy; /* owned: replaces the first, by a command */

    /* under control; sites are at their nodes in slots */
    struct dfopt_trial *trials; /* all open ones; borrowed */
    uint32_t generation;        /* registrations that may mean a restart */
    uint32_t job_changes;       /* how often the whole job changed, */
    int64_t job_since;          /* and the `since` of the last change */
    struct dfopt_view *views;   /* owned: findings about the whole job, by type */
    uint32_t n_views, cap_views;
};

/* The window of the last finding of a type without a node. */
struct dfopt_view {
    dfopt_sym type;
    int64_t window;
};

/* A (knob, node) with its slot. */
struct dfopt_key {
    uint32_t knob; /* ordinal */
    uint32_t node; /* index; DFOPT_JOB_NODE: the job */
    struct dfopt_slot *slot;
};

/* Whether this planner keeps the state of a node (DFOPT_SYM_EMPTY: the job). */
static inline bool dfopt_planner_decides(const struct dfopt_planner *p,
                                         dfopt_sym node)
{
    return node == DFOPT_SYM_EMPTY || !p->owns || p->owns(p->owns_arg, node);
}

/* Whether it reports decisions for a node. */
static inline bool dfopt_planner_reports(const struct dfopt_planner *p,
                                         uint32_t node)
{
    const bool job = node == DFOPT_JOB_NODE; /* unpredictable: no branch on it */
    if (!p->reports)
        return !(job & p->silent_job);
    return job ? !p->silent_job
               : p->reports(p->owns_arg, p->slots.nodes[node].name);
}

/* The value in force for a key: the node's override, else the job's. */
struct dfopt_value dfopt_planner_value(const struct dfopt_planner *p,
                                       const struct dfopt_key *key);

/* Sets the job's value or the node's override. */
void dfopt_planner_set_value(struct dfopt_planner *p, const struct dfopt_key *key,
                             struct dfopt_value v);

/* Whether the node has an override that is still valid. */
bool dfopt_planner_has_override(const struct dfopt_planner *p,
                                const struct dfopt_key *key);

/* Drops the overrides of a knob on all nodes, in constant time. */
void dfopt_planner_drop_overrides(struct dfopt_planner *p, uint32_t knob);

/* Restores the state before the plan. */
void dfopt_planner_restore(struct dfopt_planner *p, const struct dfopt_key *key,
                           const struct dfopt_pending *was);

/* Notes that a plan was applied in a window (negative: no cooldown starts).
 * `value`: the current value as the application reports it, or NULL. */
void dfopt_planner_applied(struct dfopt_planner *p, const struct dfopt_key *key,
                           double severity, const struct dfopt_value *value,
                           int64_t window);

/* Puts a plan of our own in force: it is then in flight or, with assumed acks,
 * applied. OK or NOMEM. */
enum dfopt_err dfopt_planner_put_in_force(struct dfopt_planner *p,
                                          const struct dfopt_key *key,
                                          const struct dfopt_plan *plan);

/* Puts a global optimizer's plan in force, for the job or its target nodes. OK or
 * NOMEM. */
enum dfopt_err dfopt_planner_follow(struct dfopt_planner *p,
                                    const struct dfopt_key *job,
                                    const struct dfopt_global_plan *g,
                                    struct dfopt_value new);

/* Marks a tag as suppressed; returns it to set its terms. NULL: out of memory. */
struct dfopt_tag *dfopt_planner_suppress(struct dfopt_planner *p, dfopt_sym tag);
void dfopt_planner_unsuppress(struct dfopt_planner *p, dfopt_sym tag);

/* Puts a plan in flight. OK or NOMEM. */
enum dfopt_err dfopt_planner_launch(struct dfopt_planner *p,
                                    const struct dfopt_key *key,
                                    const struct dfopt_pending *plan);

/* Takes a plan out of flight and settles it: a late ack is not adopted. */
void dfopt_planner_settle(struct dfopt_planner *p, const struct dfopt_key *key);

/* Iterates over a knob's plans in flight; *at is NULL before the first. Take
 * the key's plan out of flight before the next step. Returns whether there is one.
 */
bool dfopt_planner_next_plan(const struct dfopt_planner *p, void **at,
                             uint32_t knob, struct dfopt_key *key);

/* Takes a plan out of flight that will not be applied, and restores the state
 * before it. */
void dfopt_planner_withdraw(struct dfopt_planner *p, const struct dfopt_key *key);

/* The key of a plan in flight, by id. Returns whether there is one. */
bool dfopt_planner_find_plan(const struct dfopt_planner *p, uint64_t plan_id,
                             struct dfopt_key *key);

void dfopt_planner_free_refs(struct dfopt_planner *p);

#endif
