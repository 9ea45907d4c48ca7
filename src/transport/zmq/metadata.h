/* Parses the metadata frame as far as a transport needs it. */
#ifndef DFOPT_TRANSPORT_ZMQ_METADATA_H
#define DFOPT_TRANSPORT_ZMQ_METADATA_H

#include "base/text.h"

enum dfopt_zmq_metadata {
    DFOPT_ZMQ_METADATA_BAD,   /* not one whole JSON object */
    DFOPT_ZMQ_METADATA_PLAIN, /* an object */
    DFOPT_ZMQ_METADATA_STOP   /* {"name":"end"} or {"type":"stop"}, perhaps with
                               * more members */
};

/* As they are spelt, borrowed from the bytes; empty: there is none. */
struct dfopt_zmq_members {
    struct dfopt_text type;   /* the string at "type" */
    struct dfopt_text answer; /* the object at "answer" */
};

/* Looks at n bytes (any bytes; no NUL needed) by the grammar of json/grammar.h, at
 * most 32 levels below the object. Allocates nothing. The last of repeated members
 * counts. Keys and values are recognised only when spelt without escapes. Unless it
 * is BAD, *out is what it has. */
enum dfopt_zmq_metadata dfopt_zmq_metadata_scan(const void *bytes, size_t n,
                                                struct dfopt_zmq_members *out);

#endif
