/* The member "answer" of a message's metadata: who asks to be told when the
 * message is decided. */
#ifndef DFOPT_TRANSPORT_ZMQ_ASK_H
#define DFOPT_TRANSPORT_ZMQ_ASK_H

#include "base/text.h"
#include "json/json.h"
#include "transport/transport.h"

/* Sizes include the NUL. A topic with an instance fits a subscription message. */
#define DFOPT_ZMQ_INSTANCE_SIZE 400
#define DFOPT_ZMQ_NODE_SIZE     256

struct dfopt_zmq_asked {
    struct dfopt_ask ask; /* its texts are the two buffers below */
    char instance[DFOPT_ZMQ_INSTANCE_SIZE], node[DFOPT_ZMQ_NODE_SIZE];
};

/* Reads the member. False: it is not a request that can be answered. */
bool dfopt_zmq_ask_read(struct dfopt_json_parser *parser, struct dfopt_text member,
                        struct dfopt_zmq_asked *out);

#endif
