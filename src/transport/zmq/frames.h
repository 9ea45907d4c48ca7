/* Sends a message of several frames to a socket without waiting. */
#ifndef DFOPT_TRANSPORT_ZMQ_FRAMES_H
#define DFOPT_TRANSPORT_ZMQ_FRAMES_H

#include "transport/zmq/peers/queue.h"

enum dfopt_zmq_sent {
    DFOPT_ZMQ_SENT,
    DFOPT_ZMQ_BLOCKED,  /* a peer is full, or there is none */
    DFOPT_ZMQ_UNWANTED, /* nobody subscribes to it; never of dfopt_zmq_send_frames
                         */
    DFOPT_ZMQ_FAILED    /* errno */
};

/* Sends n frames as one message, all or none of them. */
enum dfopt_zmq_sent
dfopt_zmq_send_frames(void *socket, const struct dfopt_zmq_bytes *frames, int n);

#endif
