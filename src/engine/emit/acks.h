/* Acks of several processes for the same plans: counted, and a contradiction
 * logged. */
#ifndef DFOPT_ENGINE_EMIT_ACKS_H
#define DFOPT_ENGINE_EMIT_ACKS_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"

/* Counts the acks of a merged batch in config->tally (NULL: none is counted), and
 * warns of a plan of whose processes one contradicts another, once. *kinds gets one
 * uint32_t an ack, enum dfopt_ack_tally. Adds to totals. OK or NOMEM. */
enum dfopt_err dfopt_acks_count(const struct dfopt_run_config *config,
                                const struct dfopt_batch *r,
                                struct dfopt_totals *totals,
                                struct dfopt_buf *kinds);

#endif
