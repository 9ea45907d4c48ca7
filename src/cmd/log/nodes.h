/* The nodes of a run by the names of their hosts (docs/planner.md, Nodes): plans
 * and verdicts have a node's first name, findings and registrations the one they
 * came with. */
#ifndef DFOPT_CMD_LOG_NODES_H
#define DFOPT_CMD_LOG_NODES_H

#include "planner/state/hosts.h"

#include <stdbool.h>

struct dl_nodes {
    const struct dfopt_dict *dict;
    bool by_host; /* false: each name is a node */
    struct dfopt_hosts hosts;
    dfopt_sym *called; /* by string number: 1 + the node's first name; 0: unknown */
};

/* *n must be zeroed; free it even after a failure. OK or NOMEM. */
enum dfopt_err dl_nodes_init(struct dl_nodes *n, const struct dfopt_dict *dict,
                             bool by_host);
void dl_nodes_free(struct dl_nodes *n);

/* A name comes up: *node is the first name of its node. Call it in the order of
 * events. OK or NOMEM. */
enum dfopt_err dl_nodes_enter(struct dl_nodes *n, dfopt_sym name, dfopt_sym *node);

/* The same for a name that may be unknown: it is its own node then. */
dfopt_sym dl_nodes_find(const struct dl_nodes *n, dfopt_sym name);

#endif
