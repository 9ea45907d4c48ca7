/* The new value of a knob: set, add, multiply or evidence, then the clamp.
 * Source: docs/planner.md; DFOptimizer 0.1.0, planner/planner.py. */
#ifndef DFOPT_PLANNER_STEP_STEP_H
#define DFOPT_PLANNER_STEP_STEP_H

#include "model/decision.h"
#include "model/policy.h"
#include "planner/step/number.h"

/* Computes what a knob moves to from `old` for a finding. Returns
 * DFOPT_VERDICT_PLANNED with *out set (it may equal old: the caller looks), or
 * UNSUPPORTED or NO_EVIDENCE with *out untouched. */
enum dfopt_verdict
dfopt_step_next(struct dfopt_dict *dict, const struct dfopt_switches *on,
                const struct dfopt_knob *k, const struct dfopt_response *r,
                struct dfopt_value old, const struct dfopt_finding *f,
                struct dfopt_value *out);

/* A number cut to the knob's range, in its type; for `values` an entry, or the
 * default. False if it cannot be. */
bool dfopt_step_clamp(struct dfopt_dict *dict, const struct dfopt_switches *on,
                      const struct dfopt_knob *k, struct dfopt_number n,
                      struct dfopt_value *out);

/* The value that a knob takes when it is told `wanted`: found in its values or
 * clamped to its range, in its type. False if it cannot be. */
bool dfopt_step_accept(struct dfopt_dict *dict, const struct dfopt_switches *on,
                       const struct dfopt_knob *k, struct dfopt_value wanted,
                       struct dfopt_value *out);

#endif
