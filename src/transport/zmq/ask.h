/* The member "answer" of a message's metadata: who wants to be told when the
 * message is decided. */
#ifndef DFOPT_TRANSPORT_ZMQ_ASK_H
#define DFOPT_TRANSPORT_ZMQ_ASK_H

#include "base/text.h"
#include "json/json.h"
#include "transport/transport.h"

/* Bytes with the NUL. A topic with an instance fits what a socket reports. */
#define DFOPT_ZMQ_INSTANCE_SIZE 400
#define DFOPT_ZMQ_NODE_SIZE     256

struct dfopt_zmq_asked {
    struct dfopt_ask ask; /* its texts are the two below */
    char instance[DFOPT_ZMQ_INSTANCE_SIZE], node[DFOPT_ZMQ_NODE_SIZE];
};

/* Reads the member. False: it asks for nothing that can be answered. */
bool dfopt_zmq_ask_read(struct dfopt_json_parser *parser, struct dfopt_text member,
                        struct dfopt_zmq_asked *out);

#endif
