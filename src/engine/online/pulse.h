/* The pulse of the ranks: rank 0 asks each a few times a second how it is, so that
 * one that does not answer is known although nothing is to be decided, and collects
 * the figures for monitoring. Local, on rank 0. */
#ifndef DFOPT_ENGINE_ONLINE_PULSE_H
#define DFOPT_ENGINE_ONLINE_PULSE_H

#include "engine/batch/run.h"
#include "engine/comm/comm.h"
#include "engine/comm/frame.h"
#include "engine/online/figures.h"

#define DFOPT_PULSE_EVERY_NS INT64_C(400000000)

struct dfopt_pulse;

/* `here`: the planner of this rank, if it is alone; else NULL. Borrows all. Returns
 * owned: destroy. OK or NOMEM. */
enum dfopt_err dfopt_pulse_create(struct dfopt_pulse **out, struct dfopt_comm *comm,
                                  const struct dfopt_dict *dict,
                                  const struct dfopt_shard *here);
void dfopt_pulse_destroy(struct dfopt_pulse *p); /* NULL is fine */

/* A frame was sent to a rank that it will answer; it has answered one. NULL is
 * fine, as below. */
void dfopt_pulse_sent(struct dfopt_pulse *p, int rank);
void dfopt_pulse_answered(struct dfopt_pulse *p, int rank);

/* Asks the ranks that have answered the last time, if it is time. */
enum dfopt_err dfopt_pulse_ask(struct dfopt_pulse *p, struct dfopt_error *err);

/* Whether an answer is awaited. */
bool dfopt_pulse_awaits(const struct dfopt_pulse *p);

/* Takes a FIGURES frame. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_pulse_take(struct dfopt_pulse *p, int from,
                                struct dfopt_frame_reader *in,
                                struct dfopt_error *err);

/* The rank that owes an answer, and has not given any, for the longest time. *rank
 * -1: none. */
void dfopt_pulse_silent(const struct dfopt_pulse *p, int64_t now_ns, int *rank,
                        int64_t *since_ns);

/* Fills in what is known of ranks and values of knobs. */
void dfopt_pulse_counts(struct dfopt_pulse *p, struct dfopt_counts *c);

/* ---- on a worker ---- */

/* Puts its figures in a frame. OK or NOMEM. */
enum dfopt_err dfopt_pulse_put(struct dfopt_frame *f, struct dfopt_figures_watch *w,
                               const struct dfopt_shard *shard);

#endif
