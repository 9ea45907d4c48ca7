/* A worker of an online run: decides its share of each batch and reports. Local,
 * on every rank but 0. */
#ifndef DFOPT_ENGINE_ONLINE_WORKER_H
#define DFOPT_ENGINE_ONLINE_WORKER_H

#include "engine/batch/shard.h"
#include "engine/comm/comm.h"
#include "engine/comm/frame.h"
#include "engine/online/figures.h"

/* Zero it except comm and dict; dfopt_online_free. */
struct dfopt_online_worker {
    struct dfopt_comm *comm;
    struct dfopt_dict *dict; /* a replica of rank 0's; borrowed */
    struct dfopt_policy policy;
    struct dfopt_shard shard;
    struct dfopt_decisions decisions;
    struct dfopt_figures_watch watch;
    struct dfopt_frame_known rank0; /* what it knows of this rank's local strings */
    struct dfopt_buf out;
    struct dfopt_send *sending;
};

/* Handles one item from rank 0: a string, the configuration, or an event to
 * decide. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_online_item(struct dfopt_online_worker *w,
                                 const struct dfopt_item *item);

/* Reports the decisions since the last batch. */
enum dfopt_err dfopt_online_results(struct dfopt_online_worker *w, uint64_t batch,
                                    struct dfopt_error *err);

/* Reports this rank's figures. */
enum dfopt_err dfopt_online_figures(struct dfopt_online_worker *w,
                                    struct dfopt_error *err);

/* Reports this rank's part of the state. */
enum dfopt_err dfopt_online_state(struct dfopt_online_worker *w,
                                  struct dfopt_error *err);

/* Reports why this worker cannot continue. */
enum dfopt_err dfopt_online_failure(struct dfopt_online_worker *w,
                                    const struct dfopt_error *why);

void dfopt_online_free(struct dfopt_online_worker *w);

#endif
