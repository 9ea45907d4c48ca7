/* Clients that asked to be told when what they sent is decided: how far it is, and,
 * of PUB, who is there to be told. An answer waits while a plan for its client
 * does, or until the client is there; a later one takes its place. */
#ifndef DFOPT_TRANSPORT_ZMQ_PEERS_ANSWERS_H
#define DFOPT_TRANSPORT_ZMQ_PEERS_ANSWERS_H

#include "base/buf.h"
#include "transport/transport.h"

#include <stdbool.h>

struct dfopt_zmq_client;

/* {0} is empty. Knows at most 65536 clients. */
struct dfopt_zmq_answers {
    struct dfopt_zmq_client *table, *waiting;
};

/* Processes one message of an XPUB socket with ZMQ_XPUB_VERBOSER: 1 or 0 and the
 * topic. Returns whether it is about a topic of answers. */
bool dfopt_zmq_answers_subscribed(struct dfopt_zmq_answers *a, const void *message,
                                  size_t n);

/* The client's records of a stream are decided up to a number: it waits to be told,
 * since `now` if it did not. Returns the client, until it has been told; NULL: no
 * memory, or too many. */
struct dfopt_zmq_client *dfopt_zmq_answers_note(struct dfopt_zmq_answers *a,
                                                int stream,
                                                const struct dfopt_ask *ask,
                                                int64_t now);

/* The first client that waits, or the one after a client; NULL: no more. */
struct dfopt_zmq_client *dfopt_zmq_answers_next(const struct dfopt_zmq_answers *a,
                                                struct dfopt_zmq_client *after);

/* The client has been told, or is not to be; it may be gone. */
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
