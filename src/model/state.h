/* A snapshot of the planner's state, as rows of plain data without padding. */
#ifndef DFOPT_MODEL_STATE_H
#define DFOPT_MODEL_STATE_H

#include "model/value.h"

enum dfopt_state_flag {
    DFOPT_STATE_VALUE = 1 << 0, /* the job's value, or a node's override */
    DFOPT_STATE_PENDING = 1 << 1,
    DFOPT_STATE_COOLDOWN = 1 << 2,
    DFOPT_STATE_SEEN = 1 << 3,
    DFOPT_STATE_HAD = 1 << 4 /* PENDING: the node already had an override */
};

struct dfopt_state_row {  /* per (knob, node) */
    dfopt_sym knob, node; /* node DFOPT_SYM_EMPTY: the whole job */
    uint32_t flags;
    uint32_t ordinal; /* of the knob, by first registration */
    struct dfopt_value value;
    uint64_t plan_id;
    double plan_severity;
    int64_t plan_window;
    struct dfopt_value plan_old; /* the value before the plan */
    int64_t cooldown_window;
    double cooldown_severity;
    int64_t seen; /* largest window seen */
};

/* What commands have set, and what waits for one. */
struct dfopt_commanded_row {
    enum dfopt_commanded {
        DFOPT_COMMANDED_MODE,    /* target, mode, name */
        DFOPT_COMMANDED_FREEZE,  /* bounded, until */
        DFOPT_COMMANDED_PROPOSAL /* name (the knob), node, tag, id, old, new */
    } kind;
    uint32_t target, mode; /* enum dfopt_mode_target, enum dfopt_knob_mode */
    uint32_t bounded;
    dfopt_sym name, node, tag;
    uint32_t reserved;
    int64_t until;
    uint64_t id; /* as of a plan */
    struct dfopt_value old, new;
};

struct dfopt_suppression_state {
    dfopt_sym tag, finding_type;
    int64_t window;
    double severity;
};

#endif
