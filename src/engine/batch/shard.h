/* One planner and how events reach it, the same on rank 0 alone and on a
 * worker: which decisions it reports depends on its place among the planners. */
#ifndef DFOPT_ENGINE_BATCH_SHARD_H
#define DFOPT_ENGINE_BATCH_SHARD_H

#include "model/message.h"
#include "planner/planner.h"
#include "engine/comm/frame.h"
#include "engine/comm/partition.h"

struct dfopt_shard {
    struct dfopt_planner *planner; /* owned */
    const struct dfopt_dict *dict;
    uint32_t index, planners; /* its place; how many there are */
};

/* Zero *d before. Creates the planner. `policy` and `dict` are borrowed until
 * dfopt_shard_end. *d must not move in between. OK or NOMEM. */
enum dfopt_err dfopt_shard_start(struct dfopt_shard *d, struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 bool assumed_acks, dfopt_sym relay_hostname,
                                 uint32_t index, uint32_t planners);
void dfopt_shard_end(struct dfopt_shard *d);

/* Decide one event and append what this planner is to report: all of it if the
 * event is about a node of its own or it is the speaker, else nothing; of an
 * ack, also a match. OK or NOMEM. */
enum dfopt_err dfopt_shard_finding(struct dfopt_shard *d, uint64_t seq,
                                   const struct dfopt_finding *f,
                                   struct dfopt_decisions *out);
enum dfopt_err dfopt_shard_ack(struct dfopt_shard *d, uint64_t seq,
                               const struct dfopt_ack *a,
                               struct dfopt_decisions *out);
enum dfopt_err dfopt_shard_global_plan(struct dfopt_shard *d, uint64_t seq,
                                       const struct dfopt_global_plan *g,
                                       struct dfopt_decisions *out);

/* Decides an event, or restores state, out of a frame. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_shard_item(struct dfopt_shard *d,
                                const struct dfopt_item *item,
                                struct dfopt_decisions *out);

/* Appends its part of the whole state: the job's rows only from the speaker. */
enum dfopt_err dfopt_shard_state(const struct dfopt_shard *d,
                                 struct dfopt_buf *rows,
                                 struct dfopt_buf *suppressions);

#endif
