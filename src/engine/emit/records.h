/* The rows of a decided batch for the decision log. */
#ifndef DFOPT_ENGINE_EMIT_RECORDS_H
#define DFOPT_ENGINE_EMIT_RECORDS_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"

/* Responses are logged with the overrides of the run's first policy. What is
 * registered has been handed to the planners; doing it twice changes nothing. */
void dfopt_records_overrides(const struct dfopt_policy *policy,
                             const struct dfopt_registration *g);

/* Appends the rows of *r to config->declog, which is open. tallies: uint32_t an ack
 * of the batch (engine/emit/acks.h). What fails is in dfopt_declog_error. */
enum dfopt_err dfopt_records_log(const struct dfopt_run_config *config,
                                 const struct dfopt_buf *tallies,
                                 const struct dfopt_batch *r);

#endif
