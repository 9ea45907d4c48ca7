/* The rows of a decided batch for the decision log. */
#ifndef DFOPT_ENGINE_EMIT_RECORDS_H
#define DFOPT_ENGINE_EMIT_RECORDS_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"

/* Applies the overrides of the run's first policy to the responses, for the log.
 * The planners already have the registrations; applying them twice changes
 * nothing. */
void dfopt_records_overrides(const struct dfopt_policy *policy,
                             const struct dfopt_registration *g);

/* Appends the rows of *r to config->declog, which is open. tallies: uint32_t per
 * ack of the batch (engine/emit/acks.h). For the error see dfopt_declog_error. */
enum dfopt_err dfopt_records_log(const struct dfopt_run_config *config,
                                 const struct dfopt_buf *tallies,
                                 const struct dfopt_batch *r);

#endif
