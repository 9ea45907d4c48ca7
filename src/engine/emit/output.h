/* Emits decided batches to the decision log, the plan sinks, log lines and totals.
 * Ingested records go to the recording and the journal. */
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
    bool journal_waits; /* a write failed (a full disk, for example); retried */
    bool failed;        /* an output is incomplete */
    struct dfopt_declog_position end; /* of the last emitted batch */
    int64_t flushed_ns, progress_ns;  /* monotonic */
    uint64_t flushed_seq; /* the decision log has flushed rows before it */
    int64_t lagging_ns;   /* unflushed rows exist since then; 0: none */
    struct dfopt_output_faults faults;
    struct dfopt_buf json; /* scratch */
    struct dfopt_buf metadata, text;
    struct dfopt_buf tallies; /* uint32_t per ack of the batch */
};

/* Zero-initialises *o and starts its clocks. */
void dfopt_output_init(struct dfopt_output *o,
                       const struct dfopt_run_config *config,
                       struct dfopt_totals *totals);

/* Whether the decision log is due for a flush; if so, restarts the interval. */
bool dfopt_output_flush_due(struct dfopt_output *o);

/* Whether a progress report is wanted and due. */
bool dfopt_output_progress_due(const struct dfopt_output *o);

/* Reports progress if wanted and due, or if `last`. Fills in the totals. */
void dfopt_output_progress(struct dfopt_output *o,
                           const struct dfopt_run_progress *p, bool last);

/* Logs the initial registrations. */
enum dfopt_err dfopt_output_initial(struct dfopt_output *o,
                                    struct dfopt_error *err);

/* Emits a merged batch. `flush`: make it durable in the decision log. If an output
 * fails and the run is not strict, logs the failure and returns OK. */
enum dfopt_err dfopt_output_batch(struct dfopt_output *o,
                                  const struct dfopt_batch *r, bool flush,
                                  struct dfopt_error *err);

/* Writes a record to the recording and the journal, if any; as above. */
enum dfopt_err dfopt_output_record(struct dfopt_output *o,
                                   const struct dfopt_recorded *r,
                                   struct dfopt_error *err);

/* Writes the journal; plans that follow from the records so far may then be sent.
 * Lines that cannot be written wait in memory and are retried. */
enum dfopt_err dfopt_output_journal(struct dfopt_output *o,
                                    struct dfopt_error *err);

/* Empties the journal: every recorded event is in the decision log, on disk. */
enum dfopt_err dfopt_output_cut_journal(struct dfopt_output *o,
                                        struct dfopt_error *err);

/* Flushes the buffers of the sinks and the recording. */
enum dfopt_err dfopt_output_flush(struct dfopt_output *o, struct dfopt_error *err);

/* The same; also makes everything emitted so far durable in the decision log. */
enum dfopt_err dfopt_output_settle(struct dfopt_output *o, struct dfopt_error *err);

/* Sends held-back plans without waiting; returns how many remain. */
size_t dfopt_output_pump(struct dfopt_output *o);

/* Age of the oldest row that the decision log has not flushed; 0: none. */
int64_t dfopt_output_lag_ns(const struct dfopt_output *o);

void dfopt_output_free(struct dfopt_output *o);

#endif
