/* Objectives of a site. Private to the planner. */
#ifndef DFOPT_PLANNER_OBJECTIVE_H
#define DFOPT_PLANNER_OBJECTIVE_H

#include "planner/control/pass.h"

/* Handles an objective of an advanced site: `stale`, or ring, judging, shifts and
 * releases. */
void dfopt_objective_take(struct dfopt_pass *s, uint32_t node, int64_t window,
                          double value, int goal);

#endif
