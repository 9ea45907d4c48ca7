/* Which processes of which function are known on which node. Private to the
 * planner.
 *
 * A node may be named differently each time (hosts.h). Only names in registrations
 * identify it: every planner gets all of those, but not all other names, so all
 * planners know the same. */
#ifndef DFOPT_PLANNER_STATE_INSTANCES_H
#define DFOPT_PLANNER_STATE_INSTANCES_H

#include "planner/state/hosts.h"

#define DFOPT_INSTANCES_MAX 64 /* remembered per function and node */

struct dfopt_owner {
    dfopt_sym name_space, function;
};

struct dfopt_instances {
    const struct dfopt_dict *dict; /* NULL: each name is a node of its own */
    /* private; zero-initialise */
    struct dfopt_instance_owner *owners;
    struct dfopt_instance_name *names;
    struct dfopt_hosts hosts;
};

void dfopt_instances_free(struct dfopt_instances *x);

/* The name of a node here, from its first registration. Pass it to the calls
 * below. */
dfopt_sym dfopt_instances_node(const struct dfopt_instances *x, dfopt_sym name);

/* The same for a node that registers: records the name. OK or NOMEM. */
enum dfopt_err dfopt_instances_enter(struct dfopt_instances *x, dfopt_sym name,
                                     dfopt_sym *node);

bool dfopt_instances_know(const struct dfopt_instances *x, struct dfopt_owner owner,
                          dfopt_sym node, dfopt_sym instance);

/* Adds an instance, unless known; may forget the oldest for it. OK or NOMEM. */
enum dfopt_err dfopt_instances_add(struct dfopt_instances *x,
                                   struct dfopt_owner owner, dfopt_sym node,
                                   dfopt_sym instance);

/* Forgets an instance; DFOPT_SYM_EMPTY: all instances of the node; without a node,
 * all. */
void dfopt_instances_remove(struct dfopt_instances *x, struct dfopt_owner owner,
                            dfopt_sym node, dfopt_sym instance);

/* Whether any instance is known, on any node. */
bool dfopt_instances_any(const struct dfopt_instances *x, struct dfopt_owner owner);

#endif
