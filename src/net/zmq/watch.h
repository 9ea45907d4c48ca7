/* Detects that a connecting socket has stopped trying. libzmq silently abandons
 * an endpoint for good when the peer breaks the protocol: another program at
 * the port, missing or wrong keys, an oversized frame, or the socket's own
 * other end (a local port that happens to connect to itself). Such a socket
 * must be replaced. */
#ifndef DFOPT_NET_ZMQ_WATCH_H
#define DFOPT_NET_ZMQ_WATCH_H

#include "dfopt/error.h"
#include "net/zmq/forked.h"

#include <stdbool.h>
#include <stdint.h>

/* {0} watches nothing. `made` continues across replaced sockets. */
struct dfopt_zmq_watch {
    void *events;    /* for zmq_poll: readable when events are pending */
    int64_t lost_ns; /* since when nobody tries to connect; 0: all is well */
    uint64_t made;   /* connections made, as of the last read */
    bool connected;  /* the last one is still up */
    uint32_t peers;  /* of a bound socket: connections that are up */
    struct dfopt_zmq_forked forked; /* that of a connecting socket */
};

/* Starts to watch a socket before it connects or binds. `number` must be unique
 * among the watches of a context. Returns OK or IO (errno). */
enum dfopt_err dfopt_zmq_watch_open(struct dfopt_zmq_watch *w, void *ctx,
                                    void *socket, unsigned number);

/* Processes pending events. Returns the time (monotonic clock) at which to
 * replace the socket; INT64_MAX: never. */
int64_t dfopt_zmq_watch_read(struct dfopt_zmq_watch *w, int64_t now);

/* Call before closing the socket. {0} is fine. */
void dfopt_zmq_watch_close(struct dfopt_zmq_watch *w, void *socket);

#endif
