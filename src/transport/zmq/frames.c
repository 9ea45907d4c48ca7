#include "transport/zmq/frames.h"

#include <errno.h>
#include <stdbool.h>
#include <zmq.h>

static int send_frame(void *socket, struct dfopt_zmq_bytes frame, bool last)
{
    int rc;
    do
        rc = zmq_send(socket, frame.data, frame.len,
                      ZMQ_DONTWAIT | (last ? 0 : ZMQ_SNDMORE));
    while (rc < 0 && errno == EINTR);
    return rc;
}

/* If the peer goes away between two frames, libzmq takes the first ones back and
 * swallows the others: send them all anyway, and the message again later. */
enum dfopt_zmq_sent
dfopt_zmq_send_frames(void *socket, const struct dfopt_zmq_bytes *frames, int n)
{
    bool lost = false;
    for (int i = 0; i < n; i++) {
        if (send_frame(socket, frames[i], i == n - 1) >= 0)
            continue;
        if (errno != EAGAIN)
            return DFOPT_ZMQ_FAILED;
        if (i == 0)
            return DFOPT_ZMQ_BLOCKED;
        lost = true;
    }
    return lost ? DFOPT_ZMQ_BLOCKED : DFOPT_ZMQ_SENT;
}
