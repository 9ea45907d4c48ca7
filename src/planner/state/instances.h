/* Which processes of which function are known on which node. For the planner's
 * own files only. */
#ifndef DFOPT_PLANNER_STATE_INSTANCES_H
#define DFOPT_PLANNER_STATE_INSTANCES_H

#include "base/dict.h"

#define DFOPT_INSTANCES_MAX 64 /* remembered for each function and node */

struct dfopt_owner {
    dfopt_sym name_space, function;
};

struct dfopt_instances {
    struct dfopt_instance_owner *owners; /* owned; zero-initialise */
};

void dfopt_instances_free(struct dfopt_instances *x);

bool dfopt_instances_know(const struct dfopt_instances *x, struct dfopt_owner owner,
                          dfopt_sym node, dfopt_sym instance);

/* Remembers one that is not known; the oldest may be forgotten for it. OK or
 * NOMEM. */
enum dfopt_err dfopt_instances_add(struct dfopt_instances *x,
                                   struct dfopt_owner owner, dfopt_sym node,
                                   dfopt_sym instance);

/* Forgets an instance; without one (DFOPT_SYM_EMPTY) all of the node, and without
 * a node all. */
void dfopt_instances_remove(struct dfopt_instances *x, struct dfopt_owner owner,
                            dfopt_sym node, dfopt_sym instance);

/* Whether any is known, on any node. */
bool dfopt_instances_any(const struct dfopt_instances *x, struct dfopt_owner owner);

#endif
