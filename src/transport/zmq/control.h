/* The endpoint of dfopt-ctl: receives operators' requests and sends answers. No
 * client can stall the service: nothing blocks, and an answer that cannot be
 * sent is dropped. */
#ifndef DFOPT_TRANSPORT_ZMQ_CONTROL_H
#define DFOPT_TRANSPORT_ZMQ_CONTROL_H

#include "net/zmq/keys.h"
#include "transport/zmq/zmq.h"

struct dfopt_zmq_control_options {
    const char
        *endpoint; /* bound; the folder of ipc:// must be private to its owner */
    bool ipv6;
    size_t max_bytes; /* of a request; peers that exceed it are cut off */
    const struct dfopt_zmq_curve *curve; /* NULL: off */
    dfopt_zmq_note_fn note;              /* reports refused peers; may be NULL */
    void *note_arg;
};

/* Returns owned: its ops destroy it. OK, ARG, IO, NOMEM; the text names the
 * endpoint. */
enum dfopt_err dfopt_zmq_control_create(struct dfopt_port **out,
                                        const struct dfopt_zmq_control_options *o,
                                        struct dfopt_error *err);

/* As resolved. Borrowed. */
const char *dfopt_zmq_control_endpoint(const struct dfopt_port *port);

/* Connections that were refused, as their keys are not allowed ones. */
uint64_t dfopt_zmq_control_refused(const struct dfopt_port *port);

#endif
