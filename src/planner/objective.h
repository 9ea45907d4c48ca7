/* Objectives of a site. For the planner's own files only. */
#ifndef DFOPT_PLANNER_OBJECTIVE_H
#define DFOPT_PLANNER_OBJECTIVE_H

#include "planner/control/pass.h"

/* An objective of a site that was advanced: `stale`, or ring, judging, shifts and
 * releases. */
void dfopt_objective_take(struct dfopt_pass *s, uint32_t node, int64_t window,
                          double value, int goal);

#endif
