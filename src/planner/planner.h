/* The planner: turns events into decisions. Pure: no I/O, clock or randomness; the
 * same events in the same order give the same decisions. Work per finding grows
 * with its tags and the knobs that respond to them, not with the number of nodes
 * or the length of the run.
 *
 * The planner keeps state for the whole job and for the nodes it owns. Several
 * planners that each see, in order, every registration, ack and global plan, every
 * finding that concerns the job, and all other findings and the objectives of the
 * nodes they own, together decide what one planner would.
 *
 * Semantics: docs/planner.md; after DFOptimizer 0.1.0, planner/planner.py. */
#ifndef DFOPT_PLANNER_PLANNER_H
#define DFOPT_PLANNER_PLANNER_H

#include "model/decision.h"
#include "model/policy.h"
#include "model/state.h"
#include "planner/state/owns.h"

struct dfopt_planner;

struct dfopt_planner_config {
    const struct dfopt_policy *policy; /* borrowed for the planner's life */
    bool assumed_acks;        /* every plan counts as applied in its own window */
    dfopt_sym relay_hostname; /* DFOPT_SYM_EMPTY: relay plans for any host */
    dfopt_owns_fn owns;       /* NULL: owns every node */
    void *owns_arg;
    /* If the policy has limits, the planner decides for all nodes, which must all
     * be routed to it, and `owns` selects those it reports. */
    /* Do not report decisions for the whole job (rows and plans of the job's site,
     * suppressions): another planner does. Acks and global plans are still
     * reported. */
    bool silent_job;
};

/* Returns owned: destroy. `dict` is borrowed for the planner's life. */
enum dfopt_err dfopt_planner_create(struct dfopt_planner **out,
                                    struct dfopt_dict *dict,
                                    const struct dfopt_planner_config *config);
void dfopt_planner_destroy(struct dfopt_planner *p);

/* Adds the knobs of a registration (copied; borrowed for the call), or notes that
 * a process leaves; appends conflicts and withdrawn plans. A registration that
 * dfopt_registration_check refuses is ignored. OK or NOMEM (the state is then
 * undefined: destroy the planner). */
enum dfopt_err dfopt_planner_register(struct dfopt_planner *p, uint64_t seq,
                                      const struct dfopt_registration *r,
                                      struct dfopt_decisions *out);

/* The same for registrations before the first event: reports nothing. */
enum dfopt_err dfopt_planner_preset(struct dfopt_planner *p,
                                    const struct dfopt_registration *r);

/* Decides one finding; appends verdicts, plans and suppression changes. OK or
 * NOMEM (the state is then undefined: destroy the planner). */
enum dfopt_err dfopt_planner_finding(struct dfopt_planner *p, uint64_t seq,
                                     const struct dfopt_finding *f,
                                     struct dfopt_decisions *out);

/* Whether a finding concerns the whole job, so that every planner must see it; any
 * other goes only to the owner of its node. Depends on registrations and the
 * policy only: a planner given only the registrations, in their places, answers
 * the same. */
bool dfopt_planner_concerns_job(const struct dfopt_planner *p,
                                const struct dfopt_finding *f);

/* Handles an objective of the job or a node; ignores it if the node is not owned
 * or the policy has no control. As above. */
enum dfopt_err dfopt_planner_objective(struct dfopt_planner *p, uint64_t seq,
                                       const struct dfopt_objective *o,
                                       struct dfopt_decisions *out);

/* Handles an ack; appends one row to out->acks. As above. */
enum dfopt_err dfopt_planner_ack(struct dfopt_planner *p, uint64_t seq,
                                 const struct dfopt_ack *a,
                                 struct dfopt_decisions *out);

/* Handles a plan of a global optimizer; appends one row to out->relays and, if
 * it is relayed, one to out->plans. As above. */
enum dfopt_err dfopt_planner_global_plan(struct dfopt_planner *p, uint64_t seq,
                                         const struct dfopt_global_plan *g,
                                         struct dfopt_decisions *out);

/* Executes an operator command; appends one row to out->commands, and plans.
 * policy: for DFOPT_COMMAND_ACTION_POLICY; copied. As above. */
enum dfopt_err dfopt_planner_command(struct dfopt_planner *p, uint64_t seq,
                                     const struct dfopt_command *c,
                                     const struct dfopt_policy *policy,
                                     struct dfopt_decisions *out);

size_t dfopt_planner_knobs(const struct dfopt_planner *p);

/* Approximate maximum size in bytes of a planner that has met this many nodes,
 * knobs and strings, with control and all knobs of each node adjusted; excludes
 * plans in flight. */
uint64_t dfopt_planner_bytes(uint64_t nodes, uint64_t knobs, uint64_t names);

/* Appends the job's rows (if `job`), then those of the owned nodes, to *rows
 * (struct dfopt_state_row) and, if `job`, the suppressions to *suppressions
 * (struct dfopt_suppression_state). Order unspecified. OK or NOMEM. */
enum dfopt_err dfopt_planner_state(const struct dfopt_planner *p, bool job,
                                   struct dfopt_buf *rows,
                                   struct dfopt_buf *suppressions);

/* Appends what commands have set (if `job`) and the proposals that can be approved
 * now, of the job (if `job`) and the owned nodes, to *rows (struct
 * dfopt_commanded_row). OK or NOMEM. */
enum dfopt_err dfopt_planner_commanded(const struct dfopt_planner *p, bool job,
                                       struct dfopt_buf *rows);

#endif
