/* libzmq contexts, each with a thread that checks client keys. */
#ifndef DFOPT_NET_ZMQ_CONTEXT_H
#define DFOPT_NET_ZMQ_CONTEXT_H

#include "net/zmq/zap.h"

#include <stdint.h>

/* A context and, if clients are checked, the checking thread. */
struct dfopt_zmq_context {
    void *handle;
    struct dfopt_zmq_zap *zap;
    uint64_t refused; /* refused peers reported so far */
    unsigned watches; /* created so far */
};

/* Without client checks, {.handle = zmq_ctx_new()} and zmq_ctx_term will do. */

/* Makes a context; allowed_clients: a directory of public keys, or NULL: no
 * checks. Returns OK, NOMEM, ARG (a bad key) or IO. */
enum dfopt_err dfopt_zmq_context_open(struct dfopt_zmq_context *c,
                                      const char *allowed_clients,
                                      struct dfopt_error *err);

/* Ends it. Close all sockets first; waits while they send, up to their linger
 * time. {0} is fine. */
void dfopt_zmq_context_close(struct dfopt_zmq_context *c);

/* The number of peers refused since the last call. */
uint64_t dfopt_zmq_context_refused(struct dfopt_zmq_context *c);

#endif
