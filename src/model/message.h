/* The other input messages: objectives, acknowledgements and plans of a global
 * optimizer. */
#ifndef DFOPT_MODEL_MESSAGE_H
#define DFOPT_MODEL_MESSAGE_H

#include "model/finding.h"
#include "model/knob.h"

#define DFOPT_STREAM_LIST(X)                                                       \
    X(FINDING, "finding")                                                          \
    X(REGISTRATION, "registration")                                                \
    X(ACK, "ack")                                                                  \
    X(GLOBAL_PLAN, "global_plan")                                                  \
    X(OBJECTIVE, "objective") X(CONTROL, "control")

enum dfopt_stream {
#define DFOPT_STREAM_ENUM(name, text) DFOPT_STREAM_##name,
    DFOPT_STREAM_LIST(DFOPT_STREAM_ENUM)
#undef DFOPT_STREAM_ENUM
        DFOPT_STREAM_COUNT
};

#define DFOPT_ACK_STATUS_LIST(X)                                                   \
    X(APPLIED, "applied")                                                          \
    X(REJECTED, "rejected") X(DEFERRED, "deferred") X(OTHER, "other")

enum dfopt_ack_status {
#define DFOPT_ACK_STATUS_ENUM(name, text) DFOPT_ACK_##name,
    DFOPT_ACK_STATUS_LIST(DFOPT_ACK_STATUS_ENUM)
#undef DFOPT_ACK_STATUS_ENUM
};

#define DFOPT_WINDOW_NONE ((int64_t)-1) /* ack or global plan without a window */

/* An acknowledgement of a plan by an application. Plain data. */
struct dfopt_ack {
    uint64_t plan_id;    /* valid if known_form */
    uint32_t known_form; /* plan_id is `plan_` and 16 hex digits */
    uint32_t status;     /* enum dfopt_ack_status */
    dfopt_sym knob;      /* DFOPT_SYM_EMPTY if absent */
    dfopt_sym node;      /* first of target_nodes, or DFOPT_SYM_EMPTY */
    uint32_t has_nodes;  /* target_nodes is present, perhaps empty */
    dfopt_sym instance;  /* the sending process; DFOPT_SYM_EMPTY if absent */
    int64_t window;      /* DFOPT_WINDOW_NONE or any negative: none given */
    struct dfopt_value old_value, new_value; /* NULL: not given */
};

/* A plan of a global optimizer, to relay. Plain data. */
struct dfopt_global_plan {
    dfopt_sym plan_id, knob, target_function, apply_when, rationale, finding_type,
        tag;
    dfopt_list target_nodes;
    struct dfopt_value new_value;
    double severity;
    int64_t window; /* DFOPT_WINDOW_NONE if absent */
};

/* What the application achieved in one window. Plain data. */
struct dfopt_objective {
    dfopt_sym node; /* DFOPT_SYM_EMPTY: the whole job */
    int32_t goal;   /* 1: more is better; -1: less is better */
    int64_t window;
    double value; /* finite */
    uint8_t metric_state[DFOPT_METRIC_COUNT];
    double metric[DFOPT_METRIC_COUNT]; /* as in a finding */
};

/* An objective with its event number. */
struct dfopt_numbered_objective {
    uint64_t seq;
    struct dfopt_objective o;
};

const char *dfopt_stream_name(uint32_t stream);
const char *dfopt_ack_status_name(uint32_t status);

#endif
