/* libzmq sockets with all options set that prevent unbounded waiting or growth. */
#ifndef DFOPT_NET_ZMQ_SOCKET_H
#define DFOPT_NET_ZMQ_SOCKET_H

#include "net/zmq/context.h"
#include "net/zmq/keys.h"
#include "net/zmq/watch.h"

#define DFOPT_ZMQ_ENDPOINT_SIZE 512

struct dfopt_zmq_socket_options {
    int type; /* ZMQ_PULL ... */
    bool bind;
    bool ipv6;
    int high_water;        /* messages a peer, either way; > 0 */
    int64_t cut_off_bytes; /* a peer with a longer frame is cut off */
    bool
        verbose_subscriptions; /* XPUB: reports each, and does not drop when full */
    bool heartbeat;            /* a peer that answers none is let go */
    int gone_ms;               /* after so long; 0, or more than 30 s: 30 s */
    bool count_peers;          /* watch.peers, of one that is bound */
};

struct dfopt_zmq_socket {
    void *handle;                            /* NULL: none */
    char endpoint[DFOPT_ZMQ_ENDPOINT_SIZE];  /* as it was resolved */
    struct dfopt_zmq_watch watch;            /* of one that connects */
    struct dfopt_zmq_socket_options options; /* for the one that replaces it */
    struct dfopt_zmq_keys keys;
};

/* Makes a socket and binds or connects it. keys: from dfopt_zmq_keys_load; copied.
 * Linger is 0. Returns OK, ARG (a bad endpoint or option) or IO; the text names the
 * endpoint. */
enum dfopt_err dfopt_zmq_socket_open(struct dfopt_zmq_socket *s,
                                     struct dfopt_zmq_context *c,
                                     const struct dfopt_zmq_socket_options *o,
                                     const char *endpoint,
                                     const struct dfopt_zmq_keys *keys,
                                     struct dfopt_error *err);

/* Replaces a socket that libzmq has abandoned. To be called when nothing can be
 * received and, at the latest, at the time that the last call returned
 * (INT64_MAX: none), or when watch.events is readable. *replaced: whether it did;
 * the handle is then another one, or NULL until a later call. */
int64_t dfopt_zmq_socket_tend(struct dfopt_zmq_socket *s,
                              struct dfopt_zmq_context *c, int64_t now,
                              bool *replaced);

/* Closes it; what libzmq holds is sent for at most linger_ms. {0} is fine. */
void dfopt_zmq_socket_close(struct dfopt_zmq_socket *s, int linger_ms);

/* Sets an option of type int. Returns OK or ARG; the text names the endpoint. */
enum dfopt_err dfopt_zmq_set_int(struct dfopt_zmq_socket *s, int option, int value,
                                 struct dfopt_error *err);

#endif
