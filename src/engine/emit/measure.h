/* What monitoring is told of a run: counts of decided batches, and the state of the
 * outputs. Nothing happens without config->counts. */
#ifndef DFOPT_ENGINE_EMIT_MEASURE_H
#define DFOPT_ENGINE_EMIT_MEASURE_H

#include "engine/emit/output.h"

/* A record of the batch was received now, the next one without a time. OK or NOMEM.
 */
enum dfopt_err dfopt_measure_received(const struct dfopt_run_config *config,
                                      struct dfopt_batch *r);

/* The plans of a merged batch have been handed over. */
void dfopt_measure_batch(const struct dfopt_run_config *config,
                         const struct dfopt_batch *r);

/* Fills in what is known of totals and files. */
void dfopt_measure_outputs(const struct dfopt_output *o);

#endif
