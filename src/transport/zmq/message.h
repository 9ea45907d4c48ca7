/* Receives one message of two frames from a socket. */
#ifndef DFOPT_TRANSPORT_ZMQ_MESSAGE_H
#define DFOPT_TRANSPORT_ZMQ_MESSAGE_H

#include "transport/zmq/zmq.h"

#include <zmq.h>

enum dfopt_zmq_got {
    DFOPT_ZMQ_GOT_MESSAGE,
    DFOPT_ZMQ_GOT_STOP,    /* a message whose metadata is a stop sentinel */
    DFOPT_ZMQ_GOT_REFUSED, /* a message of another shape; *why tells what */
    DFOPT_ZMQ_GOT_NOTHING,
    DFOPT_ZMQ_GOT_ERROR /* errno */
};

/* Receives one message without waiting. *body, an initialised message, is replaced
 * when there is a second frame. A frame longer than max_bytes is TOO_LARGE. *stream
 * is that of a MESSAGE's or STOP's type (enum dfopt_stream); -1: of none. */
enum dfopt_zmq_got dfopt_zmq_message_receive(void *socket, size_t max_bytes,
                                             zmq_msg_t *body, int *stream,
                                             enum dfopt_zmq_note *why);

#endif
