/* The policy: switches that select each preset's behaviour, parameters of
 * control by effect, overrides of response fields, budgets and guards. Plain
 * data; docs/policies.md explains each. */
#ifndef DFOPT_MODEL_POLICY_H
#define DFOPT_MODEL_POLICY_H

#include "model/finding.h"
#include "model/knob.h"

enum dfopt_preset {
    DFOPT_PRESET_DEFAULT, /* the recommended preset */
    DFOPT_PRESET_UPSTREAM /* DFOptimizer 0.1.0, bit for bit */
};

/* The choices; 0 is the default preset's. */
enum dfopt_ack_match { DFOPT_ACK_MATCH_PLAN_ID, DFOPT_ACK_MATCH_KNOB_NODE };
enum dfopt_ack_window { DFOPT_ACK_WINDOW_SEEN, DFOPT_ACK_WINDOW_NONE };
enum dfopt_reject { DFOPT_REJECT_PREVIOUS, DFOPT_REJECT_UPSTREAM };
enum dfopt_reregister { DFOPT_REREGISTER_REPLACE, DFOPT_REREGISTER_APPEND };
enum dfopt_enum_step { DFOPT_ENUM_STEP_NEIGHBOUR, DFOPT_ENUM_STEP_UPSTREAM };
enum dfopt_effect {
    DFOPT_EFFECT_OBJECTIVE,
    DFOPT_EFFECT_TREND,
    DFOPT_EFFECT_SEVERITY
};
enum dfopt_scope_switch { DFOPT_SCOPE_INTERPRET, DFOPT_SCOPE_CARRY };
enum dfopt_registration_switch {
    DFOPT_REGISTRATION_INTERPRET,
    DFOPT_REGISTRATION_CARRY
};
enum dfopt_unmatched_ack { DFOPT_UNMATCHED_ACK_ADOPT, DFOPT_UNMATCHED_ACK_IGNORE };

/* Every switch: X(field, kind, names of choices 0, 1 and 2, default, upstream).
 * WINDOWS is a count of windows; REAL is finite and not negative. */
#define DFOPT_SWITCH_LIST(X)                                                       \
    X(ack_match, CHOICE, "plan_id", "knob_node", NULL, 0, 1)                       \
    X(ack_window, CHOICE, "seen", "none", NULL, 0, 1)                              \
    X(reject, CHOICE, "previous", "upstream", NULL, 0, 1)                          \
    X(reject_cooldown, BOOL, NULL, NULL, NULL, 1, 0)                               \
    X(reregister, CHOICE, "replace", "append", NULL, 0, 1)                         \
    X(enum_step, CHOICE, "neighbour", "upstream", NULL, 0, 1)                      \
    X(global_exempt, BOOL, NULL, NULL, NULL, 1, 0)                                 \
    X(strict_direction, BOOL, NULL, NULL, NULL, 1, 0)                              \
    X(strict_types, BOOL, NULL, NULL, NULL, 1, 0)                                  \
    X(global_overrides_nodes, BOOL, NULL, NULL, NULL, 1, 0)                        \
    X(suppress_before_registration, BOOL, NULL, NULL, NULL, 1, 0)                  \
    X(evidence_probe, BOOL, NULL, NULL, NULL, 1, 1)                                \
    X(pending_timeout_windows, WINDOWS, NULL, NULL, NULL, 0, 0)                    \
    X(suppression_ttl_windows, WINDOWS, NULL, NULL, NULL, 0, 0)                    \
    X(effect, CHOICE, "objective", "trend", "severity", 0, 2)                      \
    X(scope, CHOICE, "interpret", "carry", NULL, 0, 1)                             \
    X(registration, CHOICE, "interpret", "carry", NULL, 0, 1)                      \
    X(unmatched_ack, CHOICE, "adopt", "ignore", NULL, 0, 1)                        \
    X(settle_windows, WINDOWS, NULL, NULL, NULL, 1, 1)                             \
    X(verify_windows, WINDOWS, NULL, NULL, NULL, 6, 6)                             \
    X(min_effect, REAL, NULL, NULL, NULL, 0.04, 0.04)                              \
    X(noise_z, REAL, NULL, NULL, NULL, 2.0, 2.0)                                   \
    X(backoff_windows, WINDOWS, NULL, NULL, NULL, 24, 24)                          \
    X(release_windows, WINDOWS, NULL, NULL, NULL, 8, 8)                            \
    X(ack_timeout_windows, WINDOWS, NULL, NULL, NULL, 8, 8)                        \
    X(inconclusive_steps, WINDOWS, NULL, NULL, NULL, 4, 4)                         \
    X(inconclusive_factor, REAL, NULL, NULL, NULL, 8.0, 8.0)                       \
    X(approval_windows, WINDOWS, NULL, NULL, NULL, 24, 24)

#define DFOPT_SWITCH_TYPE_CHOICE  int64_t
#define DFOPT_SWITCH_TYPE_BOOL    int64_t
#define DFOPT_SWITCH_TYPE_WINDOWS int64_t
#define DFOPT_SWITCH_TYPE_REAL    double

struct dfopt_switches { /* eight bytes each, without padding */
#define DFOPT_SWITCH_FIELD(field, kind, zero, one, two, dflt, upstream)            \
    DFOPT_SWITCH_TYPE_##kind field;
    DFOPT_SWITCH_LIST(DFOPT_SWITCH_FIELD)
#undef DFOPT_SWITCH_FIELD
};

enum dfopt_switch_kind {
    DFOPT_SWITCH_CHOICE,
    DFOPT_SWITCH_BOOL,
    DFOPT_SWITCH_WINDOWS,
    DFOPT_SWITCH_REAL
};

/* One switch, for code that reads, writes or documents policies. */
struct dfopt_switch_info {
    const char *name;
    size_t offset; /* in struct dfopt_switches: double if REAL, else int64_t */
    enum dfopt_switch_kind kind;
    const char *choice[3]; /* CHOICE: the names of 0, 1 and, if not NULL, 2 */
    double preset[2];      /* by enum dfopt_preset */
};

/* All switches, *n of them. Static storage. */
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

enum dfopt_override_target { /* in order of application */
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

/* Names of knobs or finding types: policy.names from `first` on. */
struct dfopt_name_range {
    uint32_t first, n;
};

/* factor * product of the knobs' values */
struct dfopt_budget_term {
    struct dfopt_value factor; /* a number */
    struct dfopt_name_range knobs;
};

/* The sum of policy.terms from first_term on is at most capacity. */
struct dfopt_budget {
    double capacity;
    dfopt_sym name;
    uint32_t first_term, n_terms;
    uint32_t reserved; /* zero */
};

#define DFOPT_METRIC_NONE UINT32_MAX

/* A limit that reverts the last step when crossed. */
struct dfopt_guard {
    double above;
    dfopt_sym finding_type;        /* DFOPT_SYM_NONE: any */
    uint32_t metric;               /* slot; DFOPT_METRIC_NONE: no comparison */
    uint32_t some_knobs;           /* 1: only for `knobs` */
    struct dfopt_name_range knobs; /* these may not grow */
    uint32_t reserved;             /* zero */
};

/* The finding metric that serves as objective. */
struct dfopt_objective_metric {
    uint32_t metric;     /* slot; DFOPT_METRIC_NONE: none */
    int32_t goal;        /* 1: more is better; -1: less is better */
    uint32_t some_types; /* 1: only findings of `types` */
    struct dfopt_name_range types;
};

/* The metrics in the slots after DFOPT_METRIC_KNOWN. DFOPT_SYM_EMPTY: none. */
struct dfopt_metric_names {
    dfopt_sym name[DFOPT_METRIC_NAMED];
};

#define DFOPT_LIMIT_NONE ((int64_t)-1)

/* Limits on the number of plans, over all nodes. */
struct dfopt_limits {
    int64_t given;            /* 1: the policy has limits, though all may be NONE */
    int64_t plans_per_window; /* DFOPT_LIMIT_NONE: unlimited */
    int64_t nodes_in_flight_per_knob; /* likewise */
};

struct dfopt_policy {
    struct dfopt_switches on;
    struct dfopt_override *overrides; /* owned, like all arrays */
    size_t n_overrides;
    struct dfopt_budget *budgets;
    size_t n_budgets;
    struct dfopt_budget_term *terms;
    size_t n_terms;
    struct dfopt_guard *guards;
    size_t n_guards;
    dfopt_sym *names;
    size_t n_names;
    struct dfopt_objective_metric objective_metric;
    struct dfopt_metric_names metrics;
    struct dfopt_limits limits;
};

/* Sets the switches of a preset and nothing else. Does not free what *p owned. */
void dfopt_policy_preset(struct dfopt_policy *p, enum dfopt_preset preset);

void dfopt_policy_clear(struct dfopt_policy *p);

/* Copies src into *out, with room for `more` extra overrides. *out is owned:
 * dfopt_policy_clear. OK or NOMEM. */
enum dfopt_err dfopt_policy_copy(struct dfopt_policy *out,
                                 const struct dfopt_policy *src, size_t more);

/* Applies the overrides that match a response of the knob: `*`, then its tag's,
 * then the knob's. */
void dfopt_policy_apply(const struct dfopt_policy *p, dfopt_sym knob,
                        struct dfopt_response *r);

/* Whether a decoded registration is usable under the policy. OK or SCHEMA. */
enum dfopt_err dfopt_registration_check(const struct dfopt_registration *r,
                                        const struct dfopt_policy *p,
                                        struct dfopt_error *err);

/* The index of the first guard that a finding (type) or an objective
 * (DFOPT_SYM_NONE) matches; n_guards: none. Sets *x to its metric: NaN if the
 * guard has none or the metric is missing. An objective matches no guard that
 * names a finding type. */
size_t dfopt_policy_guard(const struct dfopt_policy *p, dfopt_sym type,
                          const uint8_t state[DFOPT_METRIC_COUNT],
                          const double metric[DFOPT_METRIC_COUNT], double *x);

#endif
