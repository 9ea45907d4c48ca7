/* Log lines about a run, under the event names that users of DFOptimizer know.
 * `text` is scratch memory. A level that is off costs nothing. */
#ifndef DFOPT_ENGINE_EMIT_EVENTS_H
#define DFOPT_ENGINE_EMIT_EVENTS_H

#include "engine/batch/run.h"
#include "engine/batch/batch.h"

/* optimizer.plan (info) */
void dfopt_events_plan(const struct dfopt_run_config *c, const struct dfopt_plan *p,
                       struct dfopt_buf *text);

/* Under control by effect: optimizer.rollback (info) of a plan that takes a change
 * back, optimizer.trial.opened (debug) of any other of our own. */
void dfopt_events_trial(const struct dfopt_run_config *c,
                        const struct dfopt_plan *p, struct dfopt_buf *text);

/* optimizer.registry.received (info) */
void dfopt_events_registration(const struct dfopt_run_config *c,
                               const struct dfopt_registration *r,
                               struct dfopt_buf *text);

/* optimizer.record.invalid (warning). *shown counts them: after a hundred, only
 * debugging shows more. */
void dfopt_events_reject(const struct dfopt_run_config *c,
                         const struct dfopt_declog_reject_row *row,
                         uint64_t *shown);

/* Of a decided batch: optimizer.suppression.*, optimizer.registry.received and
 * optimizer.trial.judged (info), optimizer.ack.received and optimizer.gate.rejected
 * (debug). */
void dfopt_events_batch(const struct dfopt_run_config *c,
                        const struct dfopt_batch *r, struct dfopt_buf *text);

#endif
