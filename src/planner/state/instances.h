/* Which processes of which function are known on which node. For the planner's
 * own files only.
 *
 * A node may be called differently each time (hosts.h). It is found by the names
 * of registrations alone: every planner is told all of those, and not all other
 * names; so all of them know the same. */
#ifndef DFOPT_PLANNER_STATE_INSTANCES_H
#define DFOPT_PLANNER_STATE_INSTANCES_H

#include "planner/state/hosts.h"

#define DFOPT_INSTANCES_MAX 64 /* remembered for each function and node */

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

/* What a node is called here: as in its first registration. It is to be passed to
 * the calls below. */
dfopt_sym dfopt_instances_node(const struct dfopt_instances *x, dfopt_sym name);

/* The same, of a node that registers: the name stays with it. OK or NOMEM. */
enum dfopt_err dfopt_instances_enter(struct dfopt_instances *x, dfopt_sym name,
                                     dfopt_sym *node);

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
