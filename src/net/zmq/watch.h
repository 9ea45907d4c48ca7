/* Whether a socket that connects is still trying. libzmq abandons an endpoint
 * for good, silently, when the peer breaks the protocol: another program at
 * the port, no or wrong keys, a frame that is too long, or the socket's own other
 * end (a local port that happens to connect to itself). Such a socket has to be
 * replaced. */
#ifndef DFOPT_NET_ZMQ_WATCH_H
#define DFOPT_NET_ZMQ_WATCH_H

#include "dfopt/error.h"
#include "net/zmq/forked.h"

#include <stdbool.h>
#include <stdint.h>

/* {0} watches nothing. The connections of a socket that replaced another count on.
 */
struct dfopt_zmq_watch {
    void *events;    /* for zmq_poll: readable when something has happened */
    int64_t lost_ns; /* since when nobody has tried to connect; 0: all is well */
    uint64_t made;   /* connections that were made, as of the last read */
    bool connected;  /* the last of them stands */
    uint32_t peers;  /* of a socket that is bound: connections that stand */
    struct dfopt_zmq_forked forked; /* that of one that connects */
};

/* Starts to watch a socket that has not been connected or bound yet. `number` is
 * another one for each watch of a context. Returns OK or IO (errno). */
enum dfopt_err dfopt_zmq_watch_open(struct dfopt_zmq_watch *w, void *ctx,
                                    void *socket, unsigned number);

/* Reads what has happened. Returns when (monotonic clock) the socket is to be
 * replaced; INT64_MAX: it is not. */
int64_t dfopt_zmq_watch_read(struct dfopt_zmq_watch *w, int64_t now);

/* Before the socket is closed. {0} is fine. */
void dfopt_zmq_watch_close(struct dfopt_zmq_watch *w, void *socket);

#endif
