/* Which nodes a planner decides for. */
#ifndef DFOPT_PLANNER_STATE_OWNS_H
#define DFOPT_PLANNER_STATE_OWNS_H

#include "base/dict.h"

#include <stdbool.h>

/* Whether this planner keeps a node's state. `node` is never empty. */
typedef bool (*dfopt_owns_fn)(void *arg, dfopt_sym node);

#endif
