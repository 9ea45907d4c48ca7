/* Brings a planner to a state without deciding: event by event, as a decision log
 * recorded the decisions, or at once, from the rows that dfopt_planner_state
 * lists. Knobs are registered, and acks handled, as usual.
 *
 * Rows do not carry the state of control, known processes or settled plans: to
 * restore that, give a planner the same events again and drop its decisions. */
#ifndef DFOPT_PLANNER_RESTORE_H
#define DFOPT_PLANNER_RESTORE_H

#include "planner/planner.h"

/* Each applies a past decision to the state. OK, NOMEM (the state is then
 * undefined), or FORMAT: that cannot have been decided in this state. */
enum dfopt_err dfopt_planner_redo_plan(struct dfopt_planner *p,
                                       const struct dfopt_plan *plan);
enum dfopt_err
dfopt_planner_redo_suppression(struct dfopt_planner *p,
                               const struct dfopt_suppression_row *row);
enum dfopt_err dfopt_planner_redo_timeout(struct dfopt_planner *p,
                                          const struct dfopt_timeout_row *row);
enum dfopt_err dfopt_planner_redo_seen(struct dfopt_planner *p,
                                       const struct dfopt_seen_row *row);

/* Whether a knob's owner has left. */
bool dfopt_planner_has_left(const struct dfopt_planner *p, dfopt_sym knob);

/* Loads rows of another planner's state; skips rows of nodes that this one does
 * not own. The knobs must be registered, and nothing else may have happened since.
 * Returns as above. */
enum dfopt_err dfopt_planner_take_state(struct dfopt_planner *p,
                                        const struct dfopt_state_row *rows,
                                        size_t n);
enum dfopt_err dfopt_planner_take_suppressions(
    struct dfopt_planner *p, const struct dfopt_suppression_state *rows, size_t n);

#endif
