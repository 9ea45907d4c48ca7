/* How a run is going: reports of its progress, and what monitoring is told, if
 * there is config->counts: counts of decided batches, and the state of the outputs.
 */
#ifndef DFOPT_ENGINE_BATCH_MEASURE_H
#define DFOPT_ENGINE_BATCH_MEASURE_H

#include "engine/batch/output.h"

/* The plans of a merged batch have been handed over. */
void dfopt_measure_batch(const struct dfopt_run_config *config,
                         const struct dfopt_batch *r);

/* Whether it is time to report progress, if the configuration wants it. */
bool dfopt_output_progress_due(const struct dfopt_output *o);

/* Reports progress if the configuration wants it and it is due, or if `last`. Fills
 * in the totals. */
void dfopt_output_progress(struct dfopt_output *o,
                           const struct dfopt_run_progress *p, bool last);

#endif
