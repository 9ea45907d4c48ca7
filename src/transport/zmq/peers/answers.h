/* Clients that asked to be told when their records are decided: how far that is
 * and, for PUB, which of them are subscribed. An answer waits while a plan for its
 * client does, or until the client subscribes; a newer answer replaces it. */
#ifndef DFOPT_TRANSPORT_ZMQ_PEERS_ANSWERS_H
#define DFOPT_TRANSPORT_ZMQ_PEERS_ANSWERS_H

#include "base/buf.h"
#include "transport/transport.h"

#include <stdbool.h>

struct dfopt_zmq_client;

/* {0} is empty. At most 65536 clients. */
struct dfopt_zmq_answers {
    struct dfopt_zmq_client *table, *waiting;
};

/* Processes one message of an XPUB socket with ZMQ_XPUB_VERBOSER: 1 or 0, then
 * the topic. Returns whether the topic is one of answers. */
bool dfopt_zmq_answers_subscribed(struct dfopt_zmq_answers *a, const void *message,
                                  size_t n);

/* The client's records of a stream are decided up to a number: it now waits to
 * be told, since `now` unless it already did. Returns the client, valid until
 * it has been told; NULL: no memory, or too many. */
struct dfopt_zmq_client *dfopt_zmq_answers_note(struct dfopt_zmq_answers *a,
                                                int stream,
                                                const struct dfopt_ask *ask,
                                                int64_t now);

/* The first waiting client, or the one after a client; NULL: no more. */
struct dfopt_zmq_client *dfopt_zmq_answers_next(const struct dfopt_zmq_answers *a,
                                                struct dfopt_zmq_client *after);

/* The client has been told, or will not be; this may free it. */
void dfopt_zmq_answers_told(struct dfopt_zmq_answers *a,
                            struct dfopt_zmq_client *c);

const char *dfopt_zmq_client_topic(const struct dfopt_zmq_client *c);
const char *dfopt_zmq_client_node(const struct dfopt_zmq_client *c);
bool dfopt_zmq_client_is_there(const struct dfopt_zmq_client *c); /* PUB */
int64_t dfopt_zmq_client_since(const struct dfopt_zmq_client *c);

/* Appends the answer. OK or NOMEM. */
enum dfopt_err dfopt_zmq_client_json(const struct dfopt_zmq_client *c,
                                     struct dfopt_buf *metadata,
                                     struct dfopt_buf *body);

void dfopt_zmq_answers_free(struct dfopt_zmq_answers *a);

#endif
