/* Monitoring figures of a run: counts of decided batches, and the state of the
 * outputs. Does nothing without config->counts. */
#ifndef DFOPT_ENGINE_EMIT_MEASURE_H
#define DFOPT_ENGINE_EMIT_MEASURE_H

#include "engine/emit/output.h"

/* Notes that the batch's next record without a time was received now. OK or
 * NOMEM. */
enum dfopt_err dfopt_measure_received(const struct dfopt_run_config *config,
                                      struct dfopt_batch *r);

/* Counts a merged batch whose plans have been handed over. */
void dfopt_measure_batch(const struct dfopt_run_config *config,
                         const struct dfopt_batch *r);

/* Fills in the figures of totals and files. */
void dfopt_measure_outputs(const struct dfopt_output *o);

#endif
