/* Surveys the current values of a planner's nodes, for monitoring: for each knob,
 * each value with the number of nodes that have it. */
#ifndef DFOPT_PLANNER_SURVEY_H
#define DFOPT_PLANNER_SURVEY_H

#include "planner/planner.h"

#define DFOPT_SURVEY_VALUES 256 /* rows of a knob, at most */

enum dfopt_survey_bound { DFOPT_BOUND_LOW = 1, DFOPT_BOUND_HIGH = 2 };

/* Plain data. `nodes` is 0 in the row of a job's value that no node of a knob with
 * values for each node shows. */
struct dfopt_survey_row {
    dfopt_sym knob;
    uint32_t nodes;
    uint32_t bounds; /* of the knob that the value is at: enum dfopt_survey_bound */
    uint32_t has_bounds;
    double value;
};

struct dfopt_survey {
    struct dfopt_buf rows; /* struct dfopt_survey_row, by knob */
    uint64_t awaiting;     /* plans in flight */
    uint64_t trials;       /* that are open */
};

/* Appends the rows of all knobs whose values are numbers, and counts; what is the
 * job's only if `job`. Where a knob has more values than DFOPT_SURVEY_VALUES, each
 * row stands for as many nodes, with a value from their middle; the lowest and the
 * highest are there. OK or NOMEM. */
enum dfopt_err dfopt_planner_survey(const struct dfopt_planner *p, bool job,
                                    struct dfopt_survey *out);

#endif
