/* Guards of the policy. Private to the planner. */
#ifndef DFOPT_PLANNER_GUARD_H
#define DFOPT_PLANNER_GUARD_H

#include "planner/control/pass.h"

/* Rolls back the last step if a guard matches. type: the finding's;
 * DFOPT_SYM_NONE: an objective. */
void dfopt_guards_check(struct dfopt_pass *s, uint32_t node, dfopt_sym type,
                        const uint8_t state[DFOPT_METRIC_COUNT],
                        const double metric[DFOPT_METRIC_COUNT], int64_t window);

#endif
