/* A run: the configuration for the leader of every mode, and the result. */
#ifndef DFOPT_ENGINE_BATCH_RUN_H
#define DFOPT_ENGINE_BATCH_RUN_H

#include "base/log.h"
#include "codec/codec.h"
#include "declog/writer.h"
#include "journal/journal.h"
#include "metrics/counts.h"
#include "state/fold.h"
#include "state/tally.h"
#include "transport/transport.h"

#include <signal.h>

struct dfopt_put;

/* A registration made before the first event. */
struct dfopt_initial {
    enum dfopt_registration_source source;
    struct dfopt_registration registration;
    const char *body; /* compact JSON */
    size_t body_len;
};

/* What was ingested and decided. */
struct dfopt_totals {
    uint64_t records;                       /* all numbered records */
    uint64_t recognised;                    /* events already in the log: skipped */
    uint64_t by_stream[DFOPT_STREAM_COUNT]; /* usable ones, by stream */
    uint64_t invalid;                       /* unusable records */
    uint64_t skipped_inputs; /* files that could not be read to their end */
    uint64_t verdicts[DFOPT_VERDICT_COUNT];
    uint64_t plans, relays; /* made here; passed on for a global optimizer */
    uint64_t acks_unmatched, commands_refused;
    uint64_t acks_contradict; /* acks that contradict another process */
    uint64_t conflicts_told;  /* of the verdicts: refused knobs that a line named */
};

/* Progress of a run, for a progress line. */
struct dfopt_run_progress {
    const struct dfopt_totals *totals;
    struct dfopt_source_progress input;
    uint64_t undecided; /* records ingested, not yet emitted */
    uint64_t kept_back; /* plans that no peer has taken yet */
    uint64_t batches;   /* in flight */
    /* current fault of each output; code OK: none. NULL: unknown */
    const struct dfopt_output_faults *faults;
    int64_t log_lag_ns; /* age of the oldest row that the log has not flushed */
    int reloads;        /* how often a policy reload was requested ... */
    bool reloading;     /* ... and whether the last one is undecided */
    int silent_rank;    /* owes an answer for silent_ns; -1: none or unknown */
    int64_t silent_ns;
};

struct dfopt_output_faults {
    struct dfopt_error plans, recording, journal, log;
};

typedef void (*dfopt_run_progress_fn)(void *arg,
                                      const struct dfopt_run_progress *p);

#define DFOPT_SINKS_MAX 4

/* Everything is borrowed for the run. */
struct dfopt_run_config {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    const struct dfopt_policy *policy;
    bool assumed_acks;
    dfopt_sym relay_hostname;
    const struct dfopt_fold *resume; /* state of the resumed run; NULL: none */
    struct dfopt_tally *tally;       /* of acks; NULL: acks are not compared */
    const struct dfopt_initial *initial;
    size_t n_initial;
    struct dfopt_source *source;
    struct dfopt_port *port; /* of operators; NULL: none */
    /* NULL, or counts policy reload requests; and the function that reads the
     * policy file's text: OK, or what is wrong */
    const volatile sig_atomic_t *reload;
    enum dfopt_err (*read_policy)(void *arg, struct dfopt_buf *out,
                                  struct dfopt_error *err);
    void *read_policy_arg;
    /* NULL, or puts the members that tell an operator the endpoints and who is
     * connected */
    void (*describe)(void *arg, struct dfopt_put *p);
    void *describe_arg;
    bool restore;       /* when told to stop, restore the registered values, */
    int64_t restore_ms; /* and wait this long for acks */
    struct dfopt_sink *sinks[DFOPT_SINKS_MAX]; /* each gets every plan */
    size_t n_sinks;
    struct dfopt_sink *recording;  /* NULL, or records the input as an event log */
    size_t recording_max_line;     /* bytes; 0: no limit. See journal/line.h */
    struct dfopt_journal *journal; /* NULL, or records it before its results are
                                    * sent; emptied when the log has it */
    struct dfopt_declog **declog;  /* *declog NULL: none. Closed and NULLed when it
                                    * fails; the run continues */
    struct dfopt_log *log;         /* NULL: silent */
    bool outputs_count; /* a failed one ends the run: what it did not take must not
                         * be acknowledged */
    uint32_t run;       /* identity in ids of sent plans; 0: none (a replay) */
    struct dfopt_counts *counts; /* NULL, or counts for monitoring */
    bool pulse;            /* ask the ranks for figures, a few times a second */
    bool strict;           /* the first error ends the run */
    uint32_t batch_events; /* at most, per batch; 0: 4096 */
    uint32_t batches_in_flight; /* at most; 0: 4 */
    int64_t flush_interval_ns;  /* of the decision log */
    int wait_ms; /* at most, for input and to notice a signal; 0: 100 */
    const volatile sig_atomic_t *stop; /* nonzero: stop ingesting */
    dfopt_run_progress_fn progress;    /* NULL: none; called a few times a second */
    void *progress_arg;
};

/* How a run ended. */
struct dfopt_run_result {
    struct dfopt_totals totals;
    bool stopped;                  /* by *stop, before the end of the input */
    bool output_failed;            /* plans or log are incomplete; logged */
    struct dfopt_buf state;        /* struct dfopt_state_row */
    struct dfopt_buf suppressions; /* struct dfopt_suppression_state */
    struct dfopt_buf commanded;    /* struct dfopt_commanded_row */
};

#endif
