/* The planners as rank 0 sees them: itself alone, or the other ranks. Events go
 * out by batch, each to the planner that owns its node or to all; results come
 * back by batch. All functions are Local and called on rank 0 only. */
#ifndef DFOPT_ENGINE_ONLINE_SCATTER_H
#define DFOPT_ENGINE_ONLINE_SCATTER_H

#include "state/fold.h"
#include "engine/batch/batch.h"

struct dfopt_scatter;

/* What the planners are to decide by; borrowed for the scatter's life. */
struct dfopt_scatter_config {
    const struct dfopt_policy *policy;
    bool assumed_acks;
    dfopt_sym relay_hostname;
};

/* Returns owned: dfopt_scatter_destroy. `dict` is an authority. */
enum dfopt_err dfopt_scatter_create(struct dfopt_scatter **out,
                                    struct dfopt_comm *comm,
                                    struct dfopt_dict *dict,
                                    const struct dfopt_scatter_config *config,
                                    struct dfopt_error *err);
void dfopt_scatter_destroy(struct dfopt_scatter *t);

uint32_t dfopt_scatter_planners(const struct dfopt_scatter *t);

/* Give an event of the batch to whom it concerns. The events of a batch come in
 * order and are counted by these calls. OK or NOMEM. */
enum dfopt_err dfopt_scatter_finding(struct dfopt_scatter *t, struct dfopt_batch *r,
                                     uint64_t seq, const struct dfopt_finding *f);
enum dfopt_err dfopt_scatter_ack(struct dfopt_scatter *t, struct dfopt_batch *r,
                                 uint64_t seq, const struct dfopt_ack *a);
enum dfopt_err dfopt_scatter_global_plan(struct dfopt_scatter *t,
                                         struct dfopt_batch *r, uint64_t seq,
                                         const struct dfopt_global_plan *g);
enum dfopt_err dfopt_scatter_registration(struct dfopt_scatter *t,
                                          struct dfopt_batch *r, uint64_t seq,
                                          const struct dfopt_registration *g);

/* Counts an event of the batch that no planner is given. */
enum dfopt_err dfopt_scatter_skip(struct dfopt_scatter *t, struct dfopt_batch *r);

/* A registration that is no event: before the first batch is sent. */
enum dfopt_err dfopt_scatter_initial(struct dfopt_scatter *t, struct dfopt_batch *r,
                                     const struct dfopt_registration *g);

/* The state of the run that is gone on with: before everything else. OK, NOMEM,
 * or FORMAT. */
enum dfopt_err dfopt_scatter_restore(struct dfopt_scatter *t, struct dfopt_batch *r,
                                     const struct dfopt_fold *state);

/* Sends the shares of a batch. */
enum dfopt_err dfopt_scatter_send(struct dfopt_scatter *t, struct dfopt_batch *r,
                                  struct dfopt_error *err);

/* Takes in answers until every share of the batch is answered, or, without
 * wait, until none is there. `batches` are the n batches in flight. */
enum dfopt_err dfopt_scatter_collect(struct dfopt_scatter *t, struct dfopt_batch *r,
                                     struct dfopt_batch *batches, size_t n,
                                     bool wait, struct dfopt_error *err);

/* After a failure: drops every share that is still out, so that nothing waits
 * for it. A rank that has failed takes in, and ignores, what is sent to it. */
void dfopt_scatter_forget(struct dfopt_scatter *t, struct dfopt_batch *batches,
                          size_t n);

/* The whole state; no batch may be in flight. Appends to the two buffers. */
enum dfopt_err dfopt_scatter_state(struct dfopt_scatter *t, struct dfopt_buf *rows,
                                   struct dfopt_buf *suppressions,
                                   struct dfopt_error *err);

#endif
