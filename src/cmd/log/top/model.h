/* The state of a run that `dfopt-log top` shows, built from the rows of its log.
 * Memory grows with the number of knobs and nodes, not with the run's length. */
#ifndef DFOPT_CMD_LOG_TOP_MODEL_H
#define DFOPT_CMD_LOG_TOP_MODEL_H

#include "base/symmap.h"
#include "cmd/log/outcomes.h"
#include "cmd/log/rows.h"

#define TOP_TREND  64  /* means of a knob over time */
#define TOP_RECENT 256 /* verdicts of a knob, to find what blocks it */
#define TOP_PLANS  512 /* the latest */

/* A plan's latest known state. */
enum top_fate {
    TOP_SENT,
    TOP_APPLIED,
    TOP_REJECTED,
    TOP_GIVEN_UP, /* no ack came */
    TOP_KEPT,
    TOP_REVERTED,
    TOP_WITHDRAWN
};

struct top_plan {
    uint64_t id; /* 0: relayed */
    int64_t window;
    dfopt_sym knob, node;
    uint32_t targets; /* nodes of a relayed plan; 0: `node` alone */
    struct dfopt_value was, becomes;
    struct dfopt_declog_text rationale;
    uint32_t fate;
    uint32_t verdict;      /* KEPT or REVERTED, which ended its trial */
    struct dl_claim claim; /* likewise */
};

struct top_knob {
    dfopt_sym knob;
    struct dfopt_value first; /* from its registration */
    struct dfopt_value text;  /* the last value, if not a number */
    double lo, hi;            /* bounds; lo > hi: none */
    uint64_t plans, kept, reverted, neutral;
    struct top_plan last; /* the latest whose trial ended; id 0: none */
    /* numbers: the job's value, or over nodes with their own */
    double min, median, max; /* NaN: unknown */
    uint32_t nodes;          /* with their own value */
    double job, sum;         /* the job's; sum over the nodes' own numbers */
    double trend[TOP_TREND]; /* means; the latest is last */
    uint32_t n_trend, per_point, in_point; /* windows per point */
    /* ring of the latest verdicts; UINT8_MAX: none */
    uint8_t recent[TOP_RECENT];
    uint32_t next, of[DFOPT_VERDICT_COUNT];
};

struct top_node {
    dfopt_sym node;      /* EMPTY: the whole job */
    int64_t window;      /* of its latest finding; -1: none */
    double severity;     /* highest in that window */
    dfopt_sym type, tag; /* of that finding; its first tag */
    double objective;    /* latest; NaN: none */
    uint64_t plans, findings;
    dfopt_sym knob;   /* of its latest verdict on a knob */
    uint32_t verdict; /* DFOPT_VERDICT_COUNT: none */
};

struct top_slot { /* the value of a knob at a node */
    dfopt_sym knob, node;
    struct dfopt_value value;
    bool own; /* false: same as the job's */
};

struct top_model {
    const struct dfopt_dict *dict; /* borrowed */
    struct dfopt_buf knobs;        /* struct top_knob, by first mention */
    struct dfopt_buf nodes;        /* struct top_node, likewise */
    struct dfopt_buf slots;        /* struct top_slot */
    struct dfopt_symmap knob_of, node_of;
    uint32_t *slot_of; /* open addressing: 1 + index; owned */
    size_t cap_slots;
    struct top_plan plans[TOP_PLANS]; /* a ring; the latest is before next_plan */
    uint64_t n_plans;                 /* all; next_plan is n_plans % TOP_PLANS */
    uint64_t findings, acks, kept, reverted, neutral;
    int64_t window; /* latest of findings and objectives; -1: none */
    double first_objective, objective; /* of the job, or the nodes' mean */
    int64_t goal;
    bool values_stale; /* min, median and max must be recomputed */
};

void top_model_init(struct top_model *m, const struct dfopt_dict *dict);
void top_model_free(struct top_model *m);

/* Adds a row of the log; irrelevant kinds are ignored. A dl_see, with the model as
 * its argument. OK or NOMEM. */
enum dfopt_err top_model_row(void *model, enum dl_kind kind, const void *row);

/* Recomputes the totals over nodes. OK or NOMEM. */
enum dfopt_err top_model_settle(struct top_model *m);

/* What blocks a knob: the most frequent of its latest verdicts without a plan, and
 * its share of those. DFOPT_VERDICT_COUNT: nothing does. */
uint32_t top_blocked_by(const struct top_knob *k, double *share);

size_t top_knobs(const struct top_model *m);
struct top_knob *top_knob_at(const struct top_model *m, size_t i);
size_t top_nodes(const struct top_model *m);
struct top_node *top_node_at(const struct top_model *m, size_t i);

/* The i-th latest plan; NULL: not known. */
const struct top_plan *top_plan_at(const struct top_model *m, size_t i);

/* "kept", "reverted", ... */
const char *top_fate_name(uint32_t fate);

#endif
