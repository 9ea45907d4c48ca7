/* Events of libzmq's socket monitor. After an ordinary loss libzmq announces at
 * once that it will retry; if it does not, it has given up. */
#include "net/zmq/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define REPLACE_AFTER_NS 1000000000

#define LOST                                                                       \
    (ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |               \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
#define TRIES                                                                      \
    (ZMQ_EVENT_CONNECT_DELAYED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CONNECTED | \
     ZMQ_EVENT_HANDSHAKE_SUCCEEDED)

enum dfopt_err dfopt_zmq_watch_open(struct dfopt_zmq_watch *w, void *ctx,
                                    void *socket, unsigned number)
{
    char endpoint[64];
    const int none = 0;
    snprintf(endpoint, sizeof endpoint, "inproc://dfopt-watch-%u", number);
    if (zmq_socket_monitor(socket, endpoint, LOST | TRIES | ZMQ_EVENT_ACCEPTED) !=
        0)
        return DFOPT_ERR_IO;
    w->lost_ns = 0;
    w->connected = false;
    w->events = zmq_socket(ctx, ZMQ_PAIR);
    /* no limit: at it, libzmq's own thread would wait for us */
    if (w->events &&
        zmq_setsockopt(w->events, ZMQ_LINGER, &none, sizeof none) == 0 &&
        zmq_setsockopt(w->events, ZMQ_RCVHWM, &none, sizeof none) == 0 &&
        zmq_connect(w->events, endpoint) == 0)
        return DFOPT_OK;
    const int why = zmq_errno();
    dfopt_zmq_watch_close(w, socket);
    errno = why;
    return DFOPT_ERR_IO;
}

/* The value of these events is the descriptor. */
static void follow_descriptor(struct dfopt_zmq_watch *w, uint16_t event, int fd)
{
    if (event == ZMQ_EVENT_CONNECTED)
        dfopt_zmq_forked_set(&w->forked, fd);
    else if (event == ZMQ_EVENT_DISCONNECTED)
        dfopt_zmq_forked_clear(&w->forked);
    if (event == ZMQ_EVENT_ACCEPTED)
        w->peers++;
    else if (event == ZMQ_EVENT_DISCONNECTED && w->peers > 0)
        w->peers--;
}

static void take(struct dfopt_zmq_watch *w, uint16_t event, int64_t now)
{
    if (event == ZMQ_EVENT_ACCEPTED)
        return;
    w->connected = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    w->made += w->connected;
    if (event & TRIES)
        w->lost_ns = 0;
    else if ((event & LOST) && w->lost_ns == 0)
        w->lost_ns = now;
}

int64_t dfopt_zmq_watch_read(struct dfopt_zmq_watch *w, int64_t now)
{
    unsigned char frame[256]; /* event (16 bits), value; then the endpoint */
    while (w->events) {
        const int n = zmq_recv(w->events, frame, sizeof frame, ZMQ_DONTWAIT);
        int more = 0;
        size_t len = sizeof more;
        uint16_t event = 0;
        int32_t value = 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        if (zmq_getsockopt(w->events, ZMQ_RCVMORE, &more, &len) != 0 || !more ||
            n < 6)
            continue;
        memcpy(&event, frame, sizeof event);
        memcpy(&value, frame + sizeof event, sizeof value);
        follow_descriptor(w, event, value);
        take(w, event, now);
    }
    return w->lost_ns ? w->lost_ns + REPLACE_AFTER_NS : INT64_MAX;
}

void dfopt_zmq_watch_close(struct dfopt_zmq_watch *w, void *socket)
{
    if (socket)
        (void)zmq_socket_monitor(socket, NULL, 0);
    if (w->events)
        zmq_close(w->events);
    w->events = NULL;
    w->peers = 0;
    dfopt_zmq_forked_clear(&w->forked);
}
