/* The pulse of the ranks: rank 0 asks each rank for its figures a few times a
 * second, for monitoring, so that a rank that does not answer is noticed even if
 * there is nothing to decide. Local, on rank 0. */
#ifndef DFOPT_ENGINE_ONLINE_PULSE_H
#define DFOPT_ENGINE_ONLINE_PULSE_H

#include "engine/batch/run.h"
#include "engine/comm/comm.h"
#include "engine/comm/frame.h"
#include "engine/online/figures.h"

#define DFOPT_PULSE_EVERY_NS INT64_C(400000000)

struct dfopt_pulse;

/* `here`: this rank's planner, if it is the only rank; else NULL. Borrows all.
 * Returns owned: destroy. OK or NOMEM. */
enum dfopt_err dfopt_pulse_create(struct dfopt_pulse **out, struct dfopt_comm *comm,
                                  const struct dfopt_dict *dict,
                                  const struct dfopt_shard *here);
void dfopt_pulse_destroy(struct dfopt_pulse *p); /* NULL is fine */

/* A frame that a rank must answer was sent; the rank answered one. NULL is fine,
 * as below. */
void dfopt_pulse_sent(struct dfopt_pulse *p, int rank);
void dfopt_pulse_answered(struct dfopt_pulse *p, int rank);

/* Asks the ranks that answered the last time, if it is time. */
enum dfopt_err dfopt_pulse_ask(struct dfopt_pulse *p, struct dfopt_error *err);

/* Whether an answer is outstanding. */
bool dfopt_pulse_awaits(const struct dfopt_pulse *p);

/* Takes a FIGURES frame. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_pulse_take(struct dfopt_pulse *p, int from,
                                struct dfopt_frame_reader *in,
                                struct dfopt_error *err);

/* The rank that has owed an answer, without giving any, for the longest time.
 * *rank -1: none. */
void dfopt_pulse_silent(const struct dfopt_pulse *p, int64_t now_ns, int *rank,
                        int64_t *since_ns);

/* Fills in the figures of ranks and knob values. */
void dfopt_pulse_counts(struct dfopt_pulse *p, struct dfopt_counts *c);

/* ---- on a worker ---- */

/* Puts this worker's figures in a frame. OK or NOMEM. */
enum dfopt_err dfopt_pulse_put(struct dfopt_frame *f, struct dfopt_figures_watch *w,
                               const struct dfopt_shard *shard);

#endif
