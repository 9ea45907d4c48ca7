/* Control by effect: what happens at a site around the gates. For the planner's
 * own files only. */
#ifndef DFOPT_PLANNER_CONTROL_CONTROL_H
#define DFOPT_PLANNER_CONTROL_CONTROL_H

#include "planner/control/trial.h"

/* ---- judge.c ---- */

/* Judges the site's open trial, if it can be: after an objective of the window
 * (f is NULL) or a finding. */
void dfopt_judge(struct dfopt_pass *s, uint32_t node, int64_t window,
                 const struct dfopt_finding *f);

/* ---- verdict.c: after a verdict ---- */

/* Why a trial ended so: of a rollback's plan, the fields from `why` on. */
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

/* Plans back to the values before a trial that the site no longer has. */
void dfopt_roll_back(struct dfopt_pass *s, uint32_t node,
                     const struct dfopt_trial *t, int64_t window,
                     const struct dfopt_reason *reason);

/* ---- release.c ---- */

/* A quarter of what was added to a knob that nothing has shown to be needed. */
void dfopt_release(struct dfopt_pass *s, uint32_t node, int64_t window);

/* `by` less than now, but not below low; for `values` one entry less. */
struct dfopt_value dfopt_step_down(const struct dfopt_planner *p,
                                   const struct dfopt_knob *k,
                                   struct dfopt_value low, struct dfopt_value now,
                                   double by);

/* (now - low) / parts; 0 if either is no number. */
double dfopt_part_of(struct dfopt_value now, struct dfopt_value low, double parts);

/* ---- budget.c ---- */

/* Cuts *new to what every budget allows. Returns whether that is still above
 * old; if not, *new is undefined. */
bool dfopt_budget_fit(const struct dfopt_planner *p, uint32_t node, uint32_t knob,
                      struct dfopt_value old, struct dfopt_value *new);

#endif
