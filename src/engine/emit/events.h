/* Log lines about a run, under DFOptimizer's event names. `text` is scratch
 * memory. A disabled level costs nothing. */
#ifndef DFOPT_ENGINE_EMIT_EVENTS_H
#define DFOPT_ENGINE_EMIT_EVENTS_H

#include "engine/batch/run.h"
#include "engine/batch/batch.h"

/* optimizer.plan (info) */
void dfopt_events_plan(const struct dfopt_run_config *c, const struct dfopt_plan *p,
                       struct dfopt_buf *text);

/* Under control by effect: optimizer.rollback (info) for a plan that undoes a
 * change, optimizer.trial.opened (debug) for any other plan of our own. */
void dfopt_events_trial(const struct dfopt_run_config *c,
                        const struct dfopt_plan *p, struct dfopt_buf *text);

/* optimizer.registry.received (info) */
void dfopt_events_registration(const struct dfopt_run_config *c,
                               const struct dfopt_registration *r,
                               struct dfopt_buf *text);

/* optimizer.record.invalid (warning). *shown counts them: beyond a hundred, they
 * are shown only at debug level. */
void dfopt_events_reject(const struct dfopt_run_config *c,
                         const struct dfopt_declog_reject_row *row,
                         uint64_t *shown);

/* optimizer.registry.conflict (warning) for each knob of an initial registration
 * that belongs to the function of an earlier one. */
void dfopt_events_initial_conflicts(const struct dfopt_run_config *c,
                                    size_t number);

/* For a decided batch: optimizer.suppression.*, optimizer.registry.received and
 * optimizer.trial.judged (info), optimizer.registry.conflict (warning; at most a
 * hundred, which *conflicts_shown counts), optimizer.ack.received and
 * optimizer.gate.rejected (debug). */
void dfopt_events_batch(const struct dfopt_run_config *c,
                        const struct dfopt_batch *r, struct dfopt_buf *text,
                        uint64_t *conflicts_shown);

#endif
