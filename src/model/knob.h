/* A knob that an application registered, and how it responds to opportunity
 * tags. Semantics follow DFOptimizer 0.1.0, dfoptimizer/types.py and
 * runtime/knob.py. */
#ifndef DFOPT_MODEL_KNOB_H
#define DFOPT_MODEL_KNOB_H

#include "base/dict.h"
#include "model/value.h"

#define DFOPT_KNOB_TYPE_LIST(X)                                                    \
    X(INT, "int") X(FLOAT, "float") X(STR, "str") X(BOOL, "bool")
#define DFOPT_DIRECTION_LIST(X)                                                    \
    X(INCREASE, "increase")                                                        \
    X(DECREASE, "decrease") X(SET, "set") X(UNKNOWN, "unknown")
#define DFOPT_STEP_MODE_LIST(X)                                                    \
    X(ADD, "add") X(MULTIPLY, "multiply") X(EVIDENCE, "evidence")

enum dfopt_knob_type {
#define DFOPT_KNOB_TYPE_ENUM(name, text) DFOPT_KNOB_##name,
    DFOPT_KNOB_TYPE_LIST(DFOPT_KNOB_TYPE_ENUM)
#undef DFOPT_KNOB_TYPE_ENUM
};

enum dfopt_direction {
#define DFOPT_DIRECTION_ENUM(name, text) DFOPT_DIRECTION_##name,
    DFOPT_DIRECTION_LIST(DFOPT_DIRECTION_ENUM)
#undef DFOPT_DIRECTION_ENUM
};

enum dfopt_step_mode {
#define DFOPT_STEP_MODE_ENUM(name, text) DFOPT_STEP_##name,
    DFOPT_STEP_MODE_LIST(DFOPT_STEP_MODE_ENUM)
#undef DFOPT_STEP_MODE_ENUM
};

/* How a knob moves when a finding has the tag. Plain data. */
struct dfopt_response {
    dfopt_sym tag, apply_when;
    uint32_t direction; /* enum dfopt_direction */
    uint32_t step_mode; /* enum dfopt_step_mode; an unknown name acts as ADD */
    struct dfopt_value step, set_to;
    double min_severity;            /* 0..1 */
    double min_persistence;         /* windows */
    double cooldown_windows;        /* windows */
    double effectiveness_threshold; /* share by which severity must fall */
};

/* A response with the wire format's defaults; apply_when is interned. */
struct dfopt_response dfopt_response_default(struct dfopt_dict *dict,
                                             dfopt_sym tag);

enum dfopt_range_state {
    DFOPT_RANGE_NONE, /* no bounds */
    DFOPT_RANGE_OK,   /* lo and hi are numbers or booleans */
    DFOPT_RANGE_BAD   /* present, but not two numbers: clamping is impossible */
};

struct dfopt_knob {
    dfopt_sym id, parameter, target_function, scope;
    uint32_t type;        /* enum dfopt_knob_type */
    uint32_t range_state; /* enum dfopt_range_state */
    uint32_t has_values;  /* an enumeration, possibly empty */
    uint32_t has_current;
    struct dfopt_value lo, hi, default_value, current;
    struct dfopt_value *values; /* owned */
    size_t n_values;
    struct dfopt_response *responses; /* owned; in message order */
    size_t n_responses;
};

/* Why a registration is unusable under some policies, which its decoder does
 * not know. The numbers travel between ranks. */
enum dfopt_registration_flaw {
    DFOPT_FLAW_NONE,
    DFOPT_FLAW_NODE, /* registration = interpret: not a string, */
    DFOPT_FLAW_INSTANCE,
    DFOPT_FLAW_NAMESPACE,
    DFOPT_FLAW_FUNCTION,
    DFOPT_FLAW_UNREGISTER, /* not a boolean, */
    DFOPT_FLAW_DUPLICATE,  /* a knob id given twice */
    DFOPT_FLAW_KNOBS       /* registration = carry: unregister is true and the
                            * knobs, which then count, are unusable */
};

/* What one application function registers, or the exit of one of its processes.
 * node, instance, unregister and all flaws but the last are used only with
 * registration = interpret. */
struct dfopt_registration {
    dfopt_sym name_space, function;
    dfopt_sym node;           /* DFOPT_SYM_EMPTY: none named */
    dfopt_sym instance;       /* the process; DFOPT_SYM_EMPTY: none named */
    uint32_t unregister;      /* 1: it leaves; no other field is used */
    uint32_t flaw;            /* enum dfopt_registration_flaw */
    struct dfopt_knob *knobs; /* owned */
    size_t n_knobs;
};

/* Frees what a knob or registration owns and zeroes it. A zeroed one is fine. */
void dfopt_knob_clear(struct dfopt_knob *k);
void dfopt_registration_clear(struct dfopt_registration *r);

/* Deep-copies src into *out, values and responses included. Returns OK or NOMEM. */
enum dfopt_err dfopt_knob_copy(struct dfopt_knob *out,
                               const struct dfopt_knob *src);

const char *dfopt_knob_type_name(uint32_t type);
const char *dfopt_direction_name(uint32_t direction);
const char *dfopt_step_mode_name(uint32_t mode);

/* Whether the scope of a knob's registration gives it a value per node;
 * otherwise it has one for the job. */
bool dfopt_knob_is_per_node(const struct dfopt_dict *dict,
                            const struct dfopt_knob *k);

#endif
