/* A finding of DFDiagnoser, reduced to what a decision or its record needs.
 * Fixed-size plain data: strings and tag lists are interned. Fields are in wire
 * order; defaults as documented in docs/messages.md. */
#ifndef DFOPT_MODEL_FINDING_H
#define DFOPT_MODEL_FINDING_H

#include "base/dict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The key metrics that a step of mode "evidence" reads, one slot each. They are
 * followed by slots for the metrics that the policy's guards and
 * objective_metric name; dfopt_policy.metrics lists those. */
#define DFOPT_METRIC_LIST(X)                                                       \
    X(FETCH, "fetch_frac")                                                         \
    X(FETCH_PARENT, "fetch_iter_time_frac_parent")                                 \
    X(COMPUTE, "compute_frac")                                                     \
    X(COMPUTE_PARENT, "compute_time_frac_parent")

enum dfopt_metric {
#define DFOPT_METRIC_ENUM(name, text) DFOPT_METRIC_##name,
    DFOPT_METRIC_LIST(DFOPT_METRIC_ENUM)
#undef DFOPT_METRIC_ENUM
        DFOPT_METRIC_KNOWN,
    DFOPT_METRIC_NAMED = 4, /* the most that a policy may add */
    DFOPT_METRIC_COUNT = DFOPT_METRIC_KNOWN + DFOPT_METRIC_NAMED
};

enum dfopt_metric_state {
    DFOPT_METRIC_ABSENT, /* absent or null */
    DFOPT_METRIC_NUMBER, /* a finite number */
    DFOPT_METRIC_BAD     /* present, but not a finite number */
};

enum dfopt_trend {
    DFOPT_TREND_OTHER,
    DFOPT_TREND_IMPROVING,
    DFOPT_TREND_STABLE,
    DFOPT_TREND_WORSENING
};

struct dfopt_finding {
    dfopt_sym type, scope;
    dfopt_sym node; /* DFOPT_SYM_EMPTY: the whole job */
    dfopt_sym motif;
    dfopt_sym trend_text;
    dfopt_list tags, suppresses;
    uint8_t trend;  /* enum dfopt_trend */
    uint8_t global; /* scope is `global` or `global:global` */
    uint8_t metric_state[DFOPT_METRIC_COUNT];
    uint8_t reserved[2];               /* zero: no padding bytes in checksums */
    double severity;                   /* severity_score; finite */
    double confidence, prevalence;     /* NaN where not a number; recorded only */
    int64_t persistence, window;       /* windows; -2^53 .. 2^53 */
    double metric[DFOPT_METRIC_COUNT]; /* 0 unless NUMBER */
};

/* A finding with its event number: a row of the decision log. */
struct dfopt_finding_row {
    uint64_t seq;
    struct dfopt_finding f;
};

/* The node of a scope: `node:NAME` and `node:NAME:rest` give NAME, anything
 * else the empty text. *node points into scope. */
void dfopt_scope_node(const char *scope, size_t len, const char **node,
                      size_t *node_len);

/* Whether a scope is exactly `global` or `global:global`. */
bool dfopt_scope_is_global(const char *scope, size_t len);

/* Sets the fields derived from scope and trend_text: node, global, trend.
 * Returns OK or NOMEM. */
enum dfopt_err dfopt_finding_derive(struct dfopt_dict *dict,
                                    struct dfopt_finding *f);

#endif
