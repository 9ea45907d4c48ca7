/* Rank 0 scatters events over the planners (itself alone, or the other ranks) and
 * collects their decisions, batch by batch. All functions are Local and called on
 * rank 0 only. */
#ifndef DFOPT_ENGINE_ONLINE_SCATTER_H
#define DFOPT_ENGINE_ONLINE_SCATTER_H

#include "engine/batch/batch.h"
#include "engine/batch/run.h"
#include "engine/online/pulse.h"

struct dfopt_scatter;

/* Returns owned: dfopt_scatter_destroy. Borrows `config` for the scatter's life;
 * its dict is an authority. */
enum dfopt_err dfopt_scatter_create(struct dfopt_scatter **out,
                                    struct dfopt_comm *comm,
                                    const struct dfopt_run_config *config,
                                    struct dfopt_error *err);
void dfopt_scatter_destroy(struct dfopt_scatter *s);

uint32_t dfopt_scatter_planners(const struct dfopt_scatter *s);

/* Sends the planners their initial state (engine/batch/start.h), before the events
 * of the first batch. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_scatter_start(struct dfopt_scatter *s, struct dfopt_batch *b,
                                   struct dfopt_error *err);

/* Has the planners decide the resumed log's events again, if needed: after the
 * batch of dfopt_scatter_start, which is sent. */
enum dfopt_err dfopt_scatter_feed(struct dfopt_scatter *s, struct dfopt_batch *b,
                                  struct dfopt_error *err);

/* Gives the next event of the batch to the planners on its route. The events of a
 * batch come in order and are counted by these calls. OK or NOMEM. */
enum dfopt_err dfopt_scatter_event(struct dfopt_scatter *s, struct dfopt_batch *b,
                                   uint64_t seq, const struct dfopt_event *event);

/* Sends the shares of a batch. */
enum dfopt_err dfopt_scatter_send(struct dfopt_scatter *s, struct dfopt_batch *b,
                                  struct dfopt_error *err);

/* Receives answers until every share of batch b is answered or, without wait,
 * until no more have arrived. `batches` holds the n batches in flight. */
enum dfopt_err dfopt_scatter_collect(struct dfopt_scatter *s, struct dfopt_batch *b,
                                     struct dfopt_batch *batches, size_t n,
                                     bool wait, struct dfopt_error *err);

/* After a failure: drops every share in flight, so that nothing waits for it. A
 * failed rank receives and ignores what is sent to it. */
void dfopt_scatter_forget(struct dfopt_scatter *s, struct dfopt_batch *batches,
                          size_t n);

/* Asks the ranks for their figures, if config->pulse is set and it is time; takes
 * the answers that have arrived. Does not wait. Not while dfopt_scatter_collect
 * waits. */
enum dfopt_err dfopt_scatter_pulse(struct dfopt_scatter *s,
                                   struct dfopt_batch *batches, size_t n,
                                   struct dfopt_error *err);

/* The pulse of the ranks; NULL: no monitoring. Borrowed. */
struct dfopt_pulse *dfopt_scatter_ranks(struct dfopt_scatter *s);

/* Appends the whole state to *out; no batch may be in flight. */
enum dfopt_err dfopt_scatter_state(struct dfopt_scatter *s,
                                   struct dfopt_run_result *out,
                                   struct dfopt_error *err);

#endif
