/* The planner's state at a moment, as rows of plain data without padding. */
#ifndef DFOPT_MODEL_STATE_H
#define DFOPT_MODEL_STATE_H

#include "model/value.h"

enum dfopt_state_flag {
    DFOPT_STATE_VALUE = 1 << 0, /* the job's value, or a node's override */
    DFOPT_STATE_PENDING = 1 << 1,
    DFOPT_STATE_COOLDOWN = 1 << 2
};

struct dfopt_state_row {  /* of one (knob, node) */
    dfopt_sym knob, node; /* node DFOPT_SYM_EMPTY: the whole job */
    uint32_t flags;
    uint32_t ordinal; /* of the knob, by first registration */
    struct dfopt_value value;
    uint64_t plan_id;
    double plan_severity;
    int64_t plan_window;
    int64_t cooldown_window;
    double cooldown_severity;
};

struct dfopt_suppression_state {
    dfopt_sym tag, finding_type;
    int64_t window;
    double severity;
};

#endif
