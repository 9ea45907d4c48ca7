/* The policy: switches that choose between the two presets' behaviours, and
 * overrides of response fields. Plain data; docs/policies.md explains each. */
#ifndef DFOPT_MODEL_POLICY_H
#define DFOPT_MODEL_POLICY_H

#include "model/knob.h"

enum dfopt_preset {
    DFOPT_PRESET_DEFAULT, /* what users should get */
    DFOPT_PRESET_UPSTREAM /* DFOptimizer 0.1.0, bit for bit */
};

/* The choices; 0 is the default preset's. */
enum dfopt_ack_match { DFOPT_ACK_MATCH_PLAN_ID, DFOPT_ACK_MATCH_KNOB_NODE };
enum dfopt_ack_window { DFOPT_ACK_WINDOW_SEEN, DFOPT_ACK_WINDOW_NONE };
enum dfopt_reject { DFOPT_REJECT_PREVIOUS, DFOPT_REJECT_UPSTREAM };
enum dfopt_reregister { DFOPT_REREGISTER_REPLACE, DFOPT_REREGISTER_APPEND };
enum dfopt_enum_step { DFOPT_ENUM_STEP_NEIGHBOUR, DFOPT_ENUM_STEP_UPSTREAM };

/* Every switch: X(field, kind, names of choices 0 and 1, default, upstream). A
 * WINDOWS switch is a count, 0 = never. */
#define DFOPT_SWITCH_LIST(X)                                                       \
    X(ack_match, CHOICE, "plan_id", "knob_node", 0, 1)                             \
    X(ack_window, CHOICE, "seen", "none", 0, 1)                                    \
    X(reject, CHOICE, "previous", "upstream", 0, 1)                                \
    X(reject_cooldown, BOOL, NULL, NULL, 1, 0)                                     \
    X(reregister, CHOICE, "replace", "append", 0, 1)                               \
    X(enum_step, CHOICE, "neighbour", "upstream", 0, 1)                            \
    X(global_exempt, BOOL, NULL, NULL, 1, 0)                                       \
    X(strict_direction, BOOL, NULL, NULL, 1, 0)                                    \
    X(strict_types, BOOL, NULL, NULL, 1, 0)                                        \
    X(global_overrides_nodes, BOOL, NULL, NULL, 1, 0)                              \
    X(suppress_before_registration, BOOL, NULL, NULL, 1, 0)                        \
    X(evidence_probe, BOOL, NULL, NULL, 1, 1)                                      \
    X(pending_timeout_windows, WINDOWS, NULL, NULL, 0, 0)                          \
    X(suppression_ttl_windows, WINDOWS, NULL, NULL, 0, 0)

struct dfopt_switches {
#define DFOPT_SWITCH_FIELD(field, kind, zero, one, dflt, upstream) int64_t field;
    DFOPT_SWITCH_LIST(DFOPT_SWITCH_FIELD)
#undef DFOPT_SWITCH_FIELD
};

enum dfopt_switch_kind {
    DFOPT_SWITCH_CHOICE,
    DFOPT_SWITCH_BOOL,
    DFOPT_SWITCH_WINDOWS
};

/* One switch, for whoever reads, writes or documents policies. */
struct dfopt_switch_info {
    const char *name;
    size_t offset; /* of an int64_t in struct dfopt_switches */
    enum dfopt_switch_kind kind;
    const char *choice[2]; /* CHOICE: the names of 0 and 1 */
    int64_t preset[2];     /* by enum dfopt_preset */
};

/* All switches; *n their number. Static storage. */
const struct dfopt_switch_info *dfopt_switch_table(size_t *n);

/* Response fields, as bits of dfopt_override.fields. */
enum dfopt_response_field {
    DFOPT_RF_DIRECTION = 1 << 0,
    DFOPT_RF_STEP = 1 << 1,
    DFOPT_RF_STEP_MODE = 1 << 2,
    DFOPT_RF_SET_TO = 1 << 3,
    DFOPT_RF_MIN_SEVERITY = 1 << 4,
    DFOPT_RF_MIN_PERSISTENCE = 1 << 5,
    DFOPT_RF_COOLDOWN_WINDOWS = 1 << 6,
    DFOPT_RF_APPLY_WHEN = 1 << 7,
    DFOPT_RF_EFFECTIVENESS_THRESHOLD = 1 << 8
};

/* Copies the named fields of src over dst. */
void dfopt_response_merge(struct dfopt_response *dst,
                          const struct dfopt_response *src, uint32_t fields);

enum dfopt_override_target { /* in the order in which they are applied */
                             DFOPT_OVERRIDE_ALL,
                             DFOPT_OVERRIDE_TAG,
                             DFOPT_OVERRIDE_KNOB
};

struct dfopt_override {
    uint32_t target; /* enum dfopt_override_target */
    dfopt_sym name;  /* TAG, KNOB: which */
    uint32_t fields; /* bits of enum dfopt_response_field */
    uint32_t reserved;
    struct dfopt_response to;
};

struct dfopt_policy {
    struct dfopt_switches on;
    struct dfopt_override *overrides; /* owned */
    size_t n_overrides;
};

/* Sets the switches of a preset; no overrides. What *p owned is not freed. */
void dfopt_policy_preset(struct dfopt_policy *p, enum dfopt_preset preset);

/* *to is owned: dfopt_policy_clear; its array has room for `more` overrides. OK or
 * NOMEM. */
enum dfopt_err dfopt_policy_copy(struct dfopt_policy *to,
                                 const struct dfopt_policy *from, size_t more);
void dfopt_policy_clear(struct dfopt_policy *p);

/* Applies the overrides that fit to a response of the knob: `*`, then its
 * tag's, then the knob's. */
void dfopt_policy_apply(const struct dfopt_policy *p, dfopt_sym knob,
                        struct dfopt_response *r);

#endif
