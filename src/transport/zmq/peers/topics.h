/* Tracks the topics subscribed to, as an XPUB socket reports them, and matches them
 * to nodes: applications name their host in one form (n1.cluster.example), findings
 * in another (n1). */
#ifndef DFOPT_TRANSPORT_ZMQ_PEERS_TOPICS_H
#define DFOPT_TRANSPORT_ZMQ_PEERS_TOPICS_H

#include <stddef.h>

struct dfopt_zmq_topic;
struct dfopt_zmq_host;

/* {0} is empty. */
struct dfopt_zmq_topics {
    struct dfopt_zmq_topic *table;
    struct dfopt_zmq_host *hosts; /* topics by the first label of the host */
};

/* Processes one message of an XPUB socket with ZMQ_XPUB_VERBOSER: 1 or 0 and the
 * topic. Others are ignored, and subscriptions beyond 65536 topics. */
void dfopt_zmq_topics_note(struct dfopt_zmq_topics *t, const void *message,
                           size_t n);

/* How many subscriptions a message with this topic meets: those that it starts
 * with. A peer with several counts several times. */
size_t dfopt_zmq_topics_matching(const struct dfopt_zmq_topics *t,
                                 const char *topic);

#define DFOPT_ZMQ_TOPIC_FORMS 8

/* The topics under which a plan for `topic` (a node, or "*") has to be sent so that
 * everybody who subscribed to a form of that host's name gets it, by
 * base/hostname.h, and, as far as can be, once: at most DFOPT_ZMQ_TOPIC_FORMS,
 * borrowed until the next note. A short name is nobody's where two full names that
 * are subscribed to begin with it. Who subscribes to everything gets any. Returns
 * how many; 0: nobody wants it now. */
size_t dfopt_zmq_topics_forms(const struct dfopt_zmq_topics *t, const char *topic,
                              const char *forms[DFOPT_ZMQ_TOPIC_FORMS]);

/* Appends to a text of `size` bytes which topics look like one that nobody wants:
 * "n1.a.example, n1.b.example"; or those that there are. "" if there are none. */
void dfopt_zmq_topics_like(const struct dfopt_zmq_topics *t, const char *topic,
                           char *text, size_t size);

void dfopt_zmq_topics_free(struct dfopt_zmq_topics *t);

#endif
