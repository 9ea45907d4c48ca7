/* Which sockets may have something to receive. libzmq's own zmq_poll queries
 * every socket several times; here one poll(2) of their descriptors (ZMQ_FD)
 * suffices. Such a descriptor only signals changes: a ready socket stays so
 * until a non-blocking receive finds nothing (EAGAIN). */
#ifndef DFOPT_TRANSPORT_ZMQ_READY_H
#define DFOPT_TRANSPORT_ZMQ_READY_H

#include "dfopt/error.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define DFOPT_ZMQ_READY_MAX 10

struct dfopt_zmq_ready {
    struct pollfd fds[DFOPT_ZMQ_READY_MAX]; /* fd -1: none */
    bool ready[DFOPT_ZMQ_READY_MAX];
    size_t n;
};

/* n places without a descriptor. */
void dfopt_zmq_ready_init(struct dfopt_zmq_ready *r, size_t n);

/* Puts an ordinary descriptor, or -1, in a place. Not ready initially. */
void dfopt_zmq_ready_set_fd(struct dfopt_zmq_ready *r, size_t place, int fd);

/* Puts a socket (NULL: none) in a place. Ready, as it is still untested. */
void dfopt_zmq_ready_set_socket(struct dfopt_zmq_ready *r, size_t place,
                                void *socket);

/* Waits up to ms (negative: for ever) for a change, and marks what is ready.
 * Returns poll(2)'s result. */
int dfopt_zmq_ready_look(struct dfopt_zmq_ready *r, int ms);

#endif
