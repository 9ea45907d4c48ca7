/* The new value of a knob: set, add, multiply or evidence, then the clamp.
 * Source: docs/planner.md; DFOptimizer 0.1.0, planner/planner.py. */
#ifndef DFOPT_PLANNER_STEP_STEP_H
#define DFOPT_PLANNER_STEP_STEP_H

#include "model/decision.h"
#include "model/policy.h"
#include "planner/step/number.h"

/* Computes a knob's next value from `old` for a finding. Returns
 * DFOPT_VERDICT_PLANNED with *out set (possibly equal to old: the caller checks),
 * or UNSUPPORTED or NO_EVIDENCE with *out untouched. */
enum dfopt_verdict
dfopt_step_next(struct dfopt_dict *dict, const struct dfopt_switches *on,
                const struct dfopt_knob *k, const struct dfopt_response *r,
                struct dfopt_value old, const struct dfopt_finding *f,
                struct dfopt_value *out);

/* Clamps a number to the knob's range, in its type; for `values`: an entry, or the
 * default. False if impossible. */
bool dfopt_step_clamp(struct dfopt_dict *dict, const struct dfopt_switches *on,
                      const struct dfopt_knob *k, struct dfopt_number n,
                      struct dfopt_value *out);

/* The value a knob takes when told `wanted`: one of its values, or clamped to its
 * range, in its type. False if impossible. */
bool dfopt_step_accept(struct dfopt_dict *dict, const struct dfopt_switches *on,
                       const struct dfopt_knob *k, struct dfopt_value wanted,
                       struct dfopt_value *out);

#endif
