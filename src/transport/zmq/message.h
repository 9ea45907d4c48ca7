/* Receives one message of two frames from a socket. */
#ifndef DFOPT_TRANSPORT_ZMQ_MESSAGE_H
#define DFOPT_TRANSPORT_ZMQ_MESSAGE_H

#include "base/text.h"
#include "transport/zmq/zmq.h"

#include <zmq.h>

enum dfopt_zmq_got {
    DFOPT_ZMQ_GOT_MESSAGE,
    DFOPT_ZMQ_GOT_STOP,    /* a message whose metadata is a stop sentinel */
    DFOPT_ZMQ_GOT_REFUSED, /* a malformed message; *why says how */
    DFOPT_ZMQ_GOT_NOTHING,
    DFOPT_ZMQ_GOT_ERROR /* errno */
};

/* Both frames are initialised messages. The rest belongs to MESSAGE or STOP. */
struct dfopt_zmq_message {
    zmq_msg_t metadata, body;
    int stream;               /* by its type (enum dfopt_stream); -1: none */
    struct dfopt_text answer; /* the metadata's member, borrowed from it */
};

/* Receives one message without waiting; replaces the frames of *m by its
 * frames. A frame longer than max_bytes is TOO_LARGE. */
enum dfopt_zmq_got dfopt_zmq_message_receive(void *socket, size_t max_bytes,
                                             struct dfopt_zmq_message *m,
                                             enum dfopt_zmq_note *why);

#endif
