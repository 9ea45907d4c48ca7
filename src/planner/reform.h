/* Replaces the policy while the planner runs. Private to the planner. */
#ifndef DFOPT_PLANNER_REFORM_H
#define DFOPT_PLANNER_REFORM_H

#include "planner/state/internal.h"

/* DONE, or what is wrong with a policy. */
uint32_t dfopt_planner_check(const struct dfopt_planner *p,
                             const struct dfopt_policy *policy);

/* Checks a policy and, if valid, puts a copy in force. *outcome: DONE, or what is
 * wrong with it. OK or NOMEM. */
enum dfopt_err dfopt_planner_reform(struct dfopt_planner *p,
                                    const struct dfopt_policy *policy,
                                    uint32_t *outcome);

#endif
