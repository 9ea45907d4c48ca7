/* A bounded queue of plans that wait for a peer. Plans leave by lanes, each
 * first in, first out. When the queue is full, it drops the oldest plan of the
 * same key, else the oldest of all. */
#ifndef DFOPT_TRANSPORT_ZMQ_PEERS_QUEUE_H
#define DFOPT_TRANSPORT_ZMQ_PEERS_QUEUE_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfopt_zmq_queue;
struct dfopt_zmq_group; /* a lane, or the plans of a key */

/* Bytes, borrowed or owned by the holder. */
struct dfopt_zmq_bytes {
    const char *data;
    size_t len;
};

struct dfopt_zmq_item {
    struct dfopt_zmq_bytes metadata, body;
    int64_t since_ns; /* when it was queued */
};

enum dfopt_zmq_evicted {
    DFOPT_ZMQ_EVICTED_NONE,
    DFOPT_ZMQ_EVICTED_SAME_KEY,
    DFOPT_ZMQ_EVICTED_OLDEST
};

/* Returns OK or NOMEM. max is at least 1. Returns owned: destroy. */
enum dfopt_err dfopt_zmq_queue_create(struct dfopt_zmq_queue **out, size_t max);
void dfopt_zmq_queue_destroy(struct dfopt_zmq_queue *q); /* NULL is fine */

/* Appends a copy of the item to a lane; (node, knob) is its key. Returns OK, or
 * NOMEM: nothing changed. */
enum dfopt_err dfopt_zmq_queue_push(struct dfopt_zmq_queue *q, const char *lane,
                                    const char *node, const char *knob,
                                    const struct dfopt_zmq_item *item,
                                    enum dfopt_zmq_evicted *evicted);

size_t dfopt_zmq_queue_length(const struct dfopt_zmq_queue *q);

/* Whether anything waits in this lane. */
bool dfopt_zmq_queue_has_lane(const struct dfopt_zmq_queue *q, const char *lane);

#define DFOPT_ZMQ_LANE_OF_ALL "*"

/* Whether anything waits that a client taking a node's plans may get: in the
 * lane of that host, under any form of its name, of all, or without a name. */
bool dfopt_zmq_queue_holds(const struct dfopt_zmq_queue *q, const char *node);

/* The first lane, or the one after a lane; NULL: no more. Lanes are never
 * empty: a lane disappears with its last item, so fetch the next one first. */
struct dfopt_zmq_group *dfopt_zmq_queue_lane(const struct dfopt_zmq_queue *q,
                                             const struct dfopt_zmq_group *after);

/* Marks a lane. Returns whether it was unmarked. */
bool dfopt_zmq_lane_mark(struct dfopt_zmq_group *lane);

const char *dfopt_zmq_lane_name(const struct dfopt_zmq_group *lane);
const struct dfopt_zmq_item *
dfopt_zmq_lane_first(const struct dfopt_zmq_group *lane);

/* Removes the first item of a lane. Returns whether the lane still exists. */
bool dfopt_zmq_lane_pop(struct dfopt_zmq_queue *q, struct dfopt_zmq_group *lane);

#endif
