/* Control by effect: what a site does around the gates. Private to the planner. */
#ifndef DFOPT_PLANNER_CONTROL_CONTROL_H
#define DFOPT_PLANNER_CONTROL_CONTROL_H

#include "planner/control/trial.h"

/* ---- judge.c ---- */

/* Judges the site's open trial, if possible: after an objective of the window (f
 * is NULL) or a finding. */
void dfopt_judge(struct dfopt_pass *s, uint32_t node, int64_t window,
                 const struct dfopt_finding *f);

/* ---- verdict.c: after a verdict ---- */

/* Why a trial ended: the fields of a rollback's plan from `why` on. */
struct dfopt_reason {
    enum dfopt_why why;
    dfopt_sym other, trend;
    uint32_t count;
    double figures[4];
};

/* Closes the open trial with a verdict: rows, what is kept or learned, rollbacks
 * or follow-ups. */
void dfopt_trial_close(struct dfopt_pass *s, uint32_t node,
                       enum dfopt_verdict verdict, int64_t window,
                       struct dfopt_compared c,
                       const struct dfopt_outcome_row *judged,
                       const struct dfopt_reason *reason);

/* Plans the return to the values before a trial already detached from the site. */
void dfopt_roll_back(struct dfopt_pass *s, uint32_t node,
                     const struct dfopt_trial *t, int64_t window,
                     const struct dfopt_reason *reason);

/* ---- release.c ---- */

/* Gives up a quarter of what was added to a knob without proof of need. */
void dfopt_release(struct dfopt_pass *s, uint32_t node, int64_t window);

/* Lowers a value by `by`, not below low; for `values`, by one entry. */
struct dfopt_value dfopt_step_down(const struct dfopt_planner *p,
                                   const struct dfopt_knob *k,
                                   struct dfopt_value low, struct dfopt_value now,
                                   double by);

/* (now - low) / parts; 0 if either is not a number. */
double dfopt_part_of(struct dfopt_value now, struct dfopt_value low, double parts);

/* ---- budget.c ---- */

/* Cuts *new to what every budget allows. Returns whether it is still above old; if
 * not, *new is undefined. */
bool dfopt_budget_fit(const struct dfopt_planner *p, uint32_t node, uint32_t knob,
                      struct dfopt_value old, struct dfopt_value *new);

#endif
