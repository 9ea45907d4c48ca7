/* Acks from several processes for the same plans: counts them and logs
 * contradictions. */
#ifndef DFOPT_ENGINE_EMIT_ACKS_H
#define DFOPT_ENGINE_EMIT_ACKS_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"

/* Counts the acks of a merged batch in config->tally (NULL: does nothing), and
 * warns once about each plan whose processes contradict each other. *kinds gets
 * one uint32_t per ack, enum dfopt_ack_tally. Adds to totals. OK or NOMEM. */
enum dfopt_err dfopt_acks_count(const struct dfopt_run_config *config,
                                const struct dfopt_batch *r,
                                struct dfopt_totals *totals,
                                struct dfopt_buf *kinds);

#endif
