/* One planner and how events reach it, the same on rank 0 alone and on a worker:
 * its index among the planners determines which decisions it reports. */
#ifndef DFOPT_ENGINE_BATCH_SHARD_H
#define DFOPT_ENGINE_BATCH_SHARD_H

#include "engine/batch/route.h"

struct dfopt_shard {
    struct dfopt_planner *planner; /* owned */
    struct dfopt_router router;
    uint32_t index;   /* among the planners */
    uint64_t decided; /* events */
};

/* Zero *s before. Creates the planner. `policy` and `dict` are borrowed until
 * dfopt_shard_end. *s must not move in between. OK or NOMEM. */
enum dfopt_err dfopt_shard_start(struct dfopt_shard *s, struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 bool assumed_acks, dfopt_sym relay_hostname,
                                 uint32_t index, uint32_t planners);
void dfopt_shard_end(struct dfopt_shard *s);

/* Decides an event and appends what this planner must report: the speaker the
 * job's decisions, each planner those of its nodes. OK or NOMEM. */
enum dfopt_err dfopt_shard_event(struct dfopt_shard *s, uint64_t seq,
                                 const struct dfopt_event *event,
                                 struct dfopt_decisions *out);

/* Decides an event, or restores state, from a frame. OK, NOMEM or FORMAT. */
enum dfopt_err dfopt_shard_item(struct dfopt_shard *s,
                                const struct dfopt_item *item,
                                struct dfopt_decisions *out);

/* Appends its part of the whole state; only the speaker adds the job's rows. */
enum dfopt_err dfopt_shard_state(const struct dfopt_shard *s,
                                 struct dfopt_buf *rows,
                                 struct dfopt_buf *suppressions);
enum dfopt_err dfopt_shard_commanded(const struct dfopt_shard *s,
                                     struct dfopt_buf *rows);

#endif
