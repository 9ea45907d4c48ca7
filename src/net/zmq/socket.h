/* libzmq sockets with every option set that bounds waiting and growth. */
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
    int high_water;        /* messages per peer and direction; > 0 */
    int64_t cut_off_bytes; /* peers with longer frames are cut off */
    bool
        verbose_subscriptions; /* XPUB: reports all of them, and blocks when full */
    bool heartbeat;            /* drops peers that do not answer */
    int gone_ms;               /* after this time; 0 or above 30 s: 30 s */
    bool count_peers;          /* maintain watch.peers, on a bound socket */
};

struct dfopt_zmq_socket {
    void *handle;                            /* NULL: none */
    char endpoint[DFOPT_ZMQ_ENDPOINT_SIZE];  /* as resolved */
    struct dfopt_zmq_watch watch;            /* of a connecting socket */
    struct dfopt_zmq_socket_options options; /* for its replacement */
    struct dfopt_zmq_keys keys;
};

/* Creates a socket and binds or connects it. keys: from dfopt_zmq_keys_load;
 * copied. Linger is 0. Returns OK, ARG (a bad endpoint or option) or IO; the
 * text names the endpoint. */
enum dfopt_err dfopt_zmq_socket_open(struct dfopt_zmq_socket *s,
                                     struct dfopt_zmq_context *c,
                                     const struct dfopt_zmq_socket_options *o,
                                     const char *endpoint,
                                     const struct dfopt_zmq_keys *keys,
                                     struct dfopt_error *err);

/* Replaces a socket that libzmq has abandoned. Call it when nothing can be
 * received, no later than the time that the last call returned (INT64_MAX: no
 * limit), and when watch.events is readable. *replaced: whether it did; the
 * handle is then new, or NULL until a later call. */
int64_t dfopt_zmq_socket_tend(struct dfopt_zmq_socket *s,
                              struct dfopt_zmq_context *c, int64_t now,
                              bool *replaced);

/* Closes it; libzmq sends pending messages for at most linger_ms. {0} is fine. */
void dfopt_zmq_socket_close(struct dfopt_zmq_socket *s, int linger_ms);

/* Sets an option of type int. Returns OK or ARG; the text names the endpoint. */
enum dfopt_err dfopt_zmq_set_int(struct dfopt_zmq_socket *s, int option, int value,
                                 struct dfopt_error *err);

#endif
