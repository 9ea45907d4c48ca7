/* Emits decided batches: to the decision log, the sinks of plans, log lines and
 * totals. Ingested records go to the recording and the journal. */
#ifndef DFOPT_ENGINE_EMIT_OUTPUT_H
#define DFOPT_ENGINE_EMIT_OUTPUT_H

#include "engine/batch/run.h"
#include "journal/line.h"
#include "engine/batch/batch.h"

struct dfopt_output {
    const struct dfopt_run_config *config;
    struct dfopt_totals *totals;
    uint64_t rejects_shown;
    bool sink_failed[DFOPT_SINKS_MAX];
    bool recording_failed, journal_failed;
    bool journal_waits; /* its disk is full, for example; it is tried again */
    bool failed;        /* an output is incomplete */
    struct dfopt_declog_position end; /* of the last batch that was emitted */
    int64_t flushed_ns, progress_ns;  /* monotonic */
    uint64_t flushed_seq; /* what the decision log has flushed ends before it */
    int64_t lagging_ns;   /* since when it has not flushed all; 0: it has */
    struct dfopt_output_faults faults;
    struct dfopt_buf json; /* scratch */
    struct dfopt_buf metadata, text;
    struct dfopt_buf tallies; /* uint32_t an ack of the batch */
};

/* Zero-initialises *o; its clocks begin now. */
void dfopt_output_init(struct dfopt_output *o,
                       const struct dfopt_run_config *config,
                       struct dfopt_totals *totals);

/* Whether it is time to flush the decision log; then it is flushed from now. */
bool dfopt_output_flush_due(struct dfopt_output *o);

/* Whether it is time to report progress, if the configuration wants it. */
bool dfopt_output_progress_due(const struct dfopt_output *o);

/* Reports progress if the configuration wants it and it is due, or if `last`. Fills
 * in the totals. */
void dfopt_output_progress(struct dfopt_output *o,
                           const struct dfopt_run_progress *p, bool last);

/* Logs the initial registrations. */
enum dfopt_err dfopt_output_initial(struct dfopt_output *o,
                                    struct dfopt_error *err);

/* Emits a merged batch. `flush`: make it durable in the decision log. Returns OK
 * also when an output fails and the run is not strict; the failure is logged. */
enum dfopt_err dfopt_output_batch(struct dfopt_output *o,
                                  const struct dfopt_batch *r, bool flush,
                                  struct dfopt_error *err);

/* Writes a record to recording and journal, where there are such; as above. */
enum dfopt_err dfopt_output_record(struct dfopt_output *o,
                                   const struct dfopt_recorded *r,
                                   struct dfopt_error *err);

/* Writes the journal: plans that follow from the records so far may leave
 * afterwards. Lines that cannot be written wait in memory, and are tried again. */
enum dfopt_err dfopt_output_journal(struct dfopt_output *o,
                                    struct dfopt_error *err);

/* Everything that was recorded is in the decision log, on disk. */
enum dfopt_err dfopt_output_cut_journal(struct dfopt_output *o,
                                        struct dfopt_error *err);

/* Hands over what the sinks and the recording have buffered. */
enum dfopt_err dfopt_output_flush(struct dfopt_output *o, struct dfopt_error *err);

/* The same, and makes everything emitted so far durable in the decision log. */
enum dfopt_err dfopt_output_settle(struct dfopt_output *o, struct dfopt_error *err);

/* Sends plans that had to be kept back, without waiting; how many still are. */
size_t dfopt_output_pump(struct dfopt_output *o);

/* How old the oldest row is that the decision log has not flushed; 0: there is
 * none. */
int64_t dfopt_output_lag_ns(const struct dfopt_output *o);

void dfopt_output_free(struct dfopt_output *o);

#endif
