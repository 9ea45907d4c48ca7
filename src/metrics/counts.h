/* What a live service counts and measures, for monitoring. Plain data except the
 * names, which never change and are not freed while a copy is in use, so that a
 * copy of the struct is a snapshot. One thread counts; no decision depends on it.
 *
 * Knob names and reject reasons are label values of time series, whose number must
 * stay small: beyond DFOPT_LABELS of them, the rest counts as "other". */
#ifndef DFOPT_METRICS_COUNTS_H
#define DFOPT_METRICS_COUNTS_H

#include "base/symmap.h"
#include "model/decision.h"
#include "model/message.h"

#define DFOPT_LABELS      64 /* per kind, without "other" */
#define DFOPT_LABEL_BYTES 128
#define DFOPT_LABEL_OTHER 0 /* the row for names without one of their own */

/* Upper bounds of the buckets; the last bucket, beyond them, is unbounded. */
#define DFOPT_LATENCY_BUCKETS 16
#define DFOPT_GAIN_BUCKETS    13
extern const double dfopt_latency_bounds[DFOPT_LATENCY_BUCKETS]; /* seconds */
extern const double dfopt_gain_bounds[DFOPT_GAIN_BUCKETS];       /* shares */

/* Names by row; row 0 is "other". Zero-initialise by dfopt_counts_init. */
struct dfopt_labels {
    const char *name[DFOPT_LABELS + 1]; /* owned, except row 0 */
    uint32_t n;                         /* rows, 0 included */
    struct dfopt_symmap row_of;         /* by dictionary string */
};

/* How a plan's trial ended. */
#define DFOPT_ENDING_LIST(X)                                                       \
    X(KEPT, "kept") X(REVERTED, "reverted") X(NEUTRAL, "neutral")

enum dfopt_ending {
#define DFOPT_ENDING_ENUM(name, text) DFOPT_ENDING_##name,
    DFOPT_ENDING_LIST(DFOPT_ENDING_ENUM)
#undef DFOPT_ENDING_ENUM
        DFOPT_ENDING_COUNT
};

struct dfopt_knob_counts {
    uint64_t plans, endings[DFOPT_ENDING_COUNT];
    uint64_t gains[DFOPT_GAIN_BUCKETS + 1]; /* per bucket */
    uint32_t has_levels, has_bounds;
    double min, median, max; /* of the nodes' current values */
    double at_low, at_high;  /* share of nodes at each bound of the knob */
};

struct dfopt_rank_counts {
    uint64_t events; /* decided by the rank */
    uint64_t bytes;  /* of memory */
};

struct dfopt_counts {
    /* counters */
    uint64_t events[DFOPT_STREAM_COUNT]; /* usable events */
    uint64_t verdicts[DFOPT_VERDICT_COUNT];
    uint64_t acks[DFOPT_ACK_OUTCOME_COUNT], relays[DFOPT_RELAY_COUNT];
    uint64_t recognised;
    uint64_t rejects[DFOPT_LABELS + 1];               /* by reason */
    struct dfopt_knob_counts knobs[DFOPT_LABELS + 1]; /* by knob */
    uint64_t latency[DFOPT_LATENCY_BUCKETS + 1];      /* from finding to plan */
    double latency_sum_s;
    /* gauges */
    uint64_t undecided, batches, kept_back, awaiting, trials;
    uint64_t journal_bytes, journal_waiting_bytes;
    uint64_t log_bytes, log_free_bytes, log_lag_events;
    double log_lag_s;
    uint32_t has_log, has_journal;
    struct dfopt_rank_counts ranks[DFOPT_LABELS + 1]; /* rows from 1 on: the rank */
    uint32_t n_ranks; /* rows; those beyond DFOPT_LABELS are summed in row 0 */
    /* names */
    struct dfopt_labels knob_names, reasons;
};

void dfopt_counts_init(struct dfopt_counts *c);
void dfopt_counts_free(struct dfopt_counts *c);

/* The row of a name, added if there is room. Bytes that are not UTF-8 become '?',
 * and names longer than DFOPT_LABEL_BYTES are cut. */
uint32_t dfopt_label_row(struct dfopt_labels *l, const struct dfopt_dict *dict,
                         dfopt_sym name);

/* The row of a rank. */
struct dfopt_rank_counts *dfopt_counts_rank(struct dfopt_counts *c, uint32_t rank);

/* Counts a decided batch; the caller counts the event totals. */
void dfopt_counts_decisions(struct dfopt_counts *c, const struct dfopt_dict *dict,
                            const struct dfopt_decisions *d);

void dfopt_counts_reject(struct dfopt_counts *c, const struct dfopt_dict *dict,
                         dfopt_sym reason);

/* Records the latency from a finding's arrival to its plan's departure. */
void dfopt_counts_latency(struct dfopt_counts *c, int64_t ns);

const char *dfopt_ending_name(uint32_t ending);

#endif
