/* How many subscribers a topic has, as an XPUB socket is told. */
#ifndef DFOPT_TRANSPORT_ZMQ_TOPICS_H
#define DFOPT_TRANSPORT_ZMQ_TOPICS_H

#include <stddef.h>

struct dfopt_zmq_topic;

/* {0} is empty. */
struct dfopt_zmq_topics {
    struct dfopt_zmq_topic *table;
};

/* Processes one message of an XPUB socket with ZMQ_XPUB_VERBOSER: 1 or 0 and the
 * topic. Others are ignored, and subscriptions beyond 65536 topics. */
void dfopt_zmq_topics_note(struct dfopt_zmq_topics *t, const void *message,
                           size_t n);

/* How many subscriptions a message with this topic meets: those that it starts
 * with. A peer with several counts several times. */
size_t dfopt_zmq_topics_matching(const struct dfopt_zmq_topics *t,
                                 const char *topic);

void dfopt_zmq_topics_free(struct dfopt_zmq_topics *t);

#endif
