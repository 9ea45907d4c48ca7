/* When the application has started again (docs/planner.md, Restarts): a known knob
 * is registered, and then the windows of a node jump. Unless the registration named
 * the node, what the node had of its own is gone. No row says so. A process that
 * reconnects meanwhile is taken for a new one. */
#ifndef DFOPT_CMD_LOG_RESTARTS_H
#define DFOPT_CMD_LOG_RESTARTS_H

#include "cmd/log/common.h"

struct dl_restarts {
    uint64_t generation; /* registrations that name no node, so far */
    bool *known;         /* by string number of a knob: it has been registered */
    struct dl_restart_site *sites; /* by string number of a node */
};

/* *r must be zeroed; free it even after a failure. OK or NOMEM. */
enum dfopt_err dl_restarts_init(struct dl_restarts *r,
                                const struct dfopt_dict *dict);
void dl_restarts_free(struct dl_restarts *r);

/* A knob is registered, by a registration that names a node or none
 * (DFOPT_SYM_EMPTY); of_node: the values are that node's. told: with a value. */
void dl_restarts_knob(struct dl_restarts *r, dfopt_sym knob, dfopt_sym node,
                      bool of_node, bool told);

/* A finding or objective of a node. True: the node follows the job again. */
bool dl_restarts_event(struct dl_restarts *r, dfopt_sym node, int64_t window);

#endif
