/* Surveys the current values at a planner's nodes, for monitoring: each value of
 * each knob, with the number of nodes that have it. */
#ifndef DFOPT_PLANNER_SURVEY_H
#define DFOPT_PLANNER_SURVEY_H

#include "planner/planner.h"

#define DFOPT_SURVEY_VALUES 256 /* rows per knob, at most */

enum dfopt_survey_bound { DFOPT_BOUND_LOW = 1, DFOPT_BOUND_HIGH = 2 };

/* Plain data. `nodes` is 0 in the row of a job value that no node of a per-node
 * knob has. */
struct dfopt_survey_row {
    dfopt_sym knob;
    uint32_t nodes;
    uint32_t bounds; /* the knob's bounds it is at: enum dfopt_survey_bound */
    uint32_t has_bounds;
    double value;
};

struct dfopt_survey {
    struct dfopt_buf rows; /* struct dfopt_survey_row, by knob */
    uint64_t awaiting;     /* plans in flight */
    uint64_t trials;       /* open trials */
};

/* Appends the rows of all knobs with numeric values, and the counts; what belongs
 * to the job only if `job`. A knob with more than DFOPT_SURVEY_VALUES values gets
 * rows for equal numbers of nodes, each with a value from their middle; the lowest
 * and highest values are always included. OK or NOMEM. */
enum dfopt_err dfopt_planner_survey(const struct dfopt_planner *p, bool job,
                                    struct dfopt_survey *out);

#endif
