/* Tracks the subscribed topics, as an XPUB socket reports them, and matches
 * them to nodes: applications use one form of their host's name
 * (n1.cluster.example), findings another (n1). */
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

/* Processes one message of an XPUB socket with ZMQ_XPUB_VERBOSER: 1 or 0, then
 * the topic. Ignores others, and subscriptions beyond 65536 topics. */
void dfopt_zmq_topics_note(struct dfopt_zmq_topics *t, const void *message,
                           size_t n);

/* How many subscriptions a message with this topic matches: those that are a
 * prefix of it. A peer with several counts several times. */
size_t dfopt_zmq_topics_matching(const struct dfopt_zmq_topics *t,
                                 const char *topic);

#define DFOPT_ZMQ_TOPIC_FORMS 8

/* The topics under which to send a plan for `topic` (a node, or "*") so that
 * every subscriber to a form of that host's name (base/hostname.h) gets it, if
 * possible once: at most DFOPT_ZMQ_TOPIC_FORMS, borrowed until the next note. A
 * short name matches nobody if two subscribed full names start with it.
 * Subscribers to everything get any topic. Returns how many; 0: no subscriber
 * now. */
size_t dfopt_zmq_topics_forms(const struct dfopt_zmq_topics *t, const char *topic,
                              const char *forms[DFOPT_ZMQ_TOPIC_FORMS]);

/* Appends to a text of `size` bytes the subscribed topics that resemble an unwanted
 * one: "n1.a.example, n1.b.example"; else any. "" if there are none. */
void dfopt_zmq_topics_like(const struct dfopt_zmq_topics *t, const char *topic,
                           char *text, size_t size);

void dfopt_zmq_topics_free(struct dfopt_zmq_topics *t);

#endif
