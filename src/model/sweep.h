/* A sweep: many variants of one policy, and the metrics of each. Plain data.
 * docs/sweeps.md defines every metric. */
#ifndef DFOPT_MODEL_SWEEP_H
#define DFOPT_MODEL_SWEEP_H

#include "model/decision.h"
#include "model/policy.h"

#define DFOPT_SWEEP_VARIANTS_MAX ((size_t)100000)

/* ---- what is varied ---- */

/* The value that a variant gives a parameter: JSON text at an offset into `texts`,
 * and its number (true 1, false 0; NaN if it is not a number or not set). */
struct dfopt_sweep_setting {
    size_t text;
    double number;
};

struct dfopt_sweep_variants {
    char **paths; /* of the parameters: switches.X, responses.T.F; owned */
    size_t n_parameters;
    struct dfopt_policy *policies; /* by variant; owned */
    size_t n;
    struct dfopt_sweep_setting *settings; /* by variant, then parameter; owned */
    struct dfopt_buf texts;               /* NUL-terminated; "": not set */
};

void dfopt_sweep_variants_free(struct dfopt_sweep_variants *v);

/* The JSON text of a setting. */
static inline const char *
dfopt_sweep_setting_text(const struct dfopt_sweep_variants *v, size_t variant,
                         size_t parameter)
{
    return v->texts.data + v->settings[variant * v->n_parameters + parameter].text;
}

/* ---- what is measured ---- */

/* X(member, C type, kind, which is better, meaning) */
#define DFOPT_SWEEP_METRIC_LIST(X)                                                 \
    X(plans, uint64_t, COUNT, LESS, "plans made")                                  \
    X(raised, uint64_t, COUNT, LESS, "plans that raise a number")                  \
    X(lowered, uint64_t, COUNT, LESS, "plans that lower a number")                 \
    X(set, uint64_t, COUNT, LESS, "plans about values that have no order")         \
    X(reversals, uint64_t, COUNT, LESS, "plans that lower what the last raised")   \
    X(rebounds, uint64_t, COUNT, LESS, "plans that raise what the last lowered")   \
    X(longest_run, uint64_t, COUNT, MORE,                                          \
      "plans in a row of one knob and node without a reversal, at most")           \
    X(episodes_planned, uint64_t, COUNT, MORE, "episodes that led to a plan")      \
    X(onset_windows_sum, uint64_t, COUNT, LESS,                                    \
      "windows from onset to first plan, over the episodes with one")              \
    X(onset_windows_max, uint64_t, COUNT, LESS, "the longest of these")            \
    X(onset_windows_mean, double, REAL, LESS, "their mean; NaN if there is none")  \
    X(unattended_findings, uint64_t, COUNT, LESS,                                  \
      "findings with a tag for which nothing moved, was in flight or cooled down") \
    X(unattended_severity, double, REAL, LESS, "the severities of these, added up")

/* The metrics of one variant. Without padding. */
struct dfopt_sweep_metrics {
    uint64_t variant;
#define DFOPT_SWEEP_MEMBER(member, type, kind, better, meaning) type member;
    DFOPT_SWEEP_METRIC_LIST(DFOPT_SWEEP_MEMBER)
#undef DFOPT_SWEEP_MEMBER
    uint64_t verdicts[DFOPT_VERDICT_COUNT];
};

enum dfopt_sweep_kind { DFOPT_SWEEP_COUNT, DFOPT_SWEEP_REAL };
enum dfopt_sweep_better { DFOPT_SWEEP_LESS, DFOPT_SWEEP_MORE };

struct dfopt_sweep_metric_info {
    char name[40];              /* the member's; verdict_NAME for a verdict */
    size_t offset;              /* in struct dfopt_sweep_metrics */
    enum dfopt_sweep_kind kind; /* uint64_t or double */
    enum dfopt_sweep_better better;
    const char *meaning;
};

#define DFOPT_SWEEP_METRICS_MAX 64

/* Fills `table` with all metrics and returns their number. */
size_t dfopt_sweep_metric_table(
    struct dfopt_sweep_metric_info table[DFOPT_SWEEP_METRICS_MAX]);

/* The result of one variant for one knob; knobs in order of first registration.
 * Without padding. */
struct dfopt_sweep_knob {
    uint64_t raised, lowered, set, reversals; /* plans */
    double job;            /* the job's final value; NaN: not a number */
    double min, mean, max; /* over the nodes; likewise */
    uint64_t overrides;    /* nodes with their own value */
};

/* A variant's result as bytes: metrics, knobs, and for each knob the job's
 * final value as NUL-terminated JSON. Sent and stored as it is. */
struct dfopt_sweep_result {
    const struct dfopt_sweep_metrics *metrics; /* borrowed from the bytes */
    const struct dfopt_sweep_knob *knobs;
    const char *texts; /* one after another */
};

/* Parses a result for n_knobs knobs (bytes aligned to 8). Returns whether it is
 * valid. */
bool dfopt_sweep_result_open(const void *bytes, size_t len, size_t n_knobs,
                             struct dfopt_sweep_result *out);

#endif
