/* Contexts of libzmq, and the thread that checks the keys of clients. */
#ifndef DFOPT_NET_ZMQ_CONTEXT_H
#define DFOPT_NET_ZMQ_CONTEXT_H

#include "net/zmq/zap.h"

#include <stdint.h>

/* A context and, when clients are checked, the thread that does it. */
struct dfopt_zmq_context {
    void *handle;
    struct dfopt_zmq_zap *zap;
    uint64_t refused; /* peers, reported so far */
    unsigned watches; /* made so far */
};

/* For a context without clients to check, {.handle = zmq_ctx_new()} will do, and
 * zmq_ctx_term. */

/* Makes a context; allowed_clients: a directory of public keys, or NULL: none are
 * checked. Returns OK, NOMEM, ARG (a bad key) or IO. */
enum dfopt_err dfopt_zmq_context_open(struct dfopt_zmq_context *c,
                                      const char *allowed_clients,
                                      struct dfopt_error *err);

/* Ends it. All sockets must be closed; waits for what they still send, for as long
 * as their linger allows. {0} is fine. */
void dfopt_zmq_context_close(struct dfopt_zmq_context *c);

/* How many peers were refused since the last call. */
uint64_t dfopt_zmq_context_refused(struct dfopt_zmq_context *c);

#endif
