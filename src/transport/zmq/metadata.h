/* Parses as much of the metadata frame as a transport needs. */
#ifndef DFOPT_TRANSPORT_ZMQ_METADATA_H
#define DFOPT_TRANSPORT_ZMQ_METADATA_H

#include "base/text.h"

enum dfopt_zmq_metadata {
    DFOPT_ZMQ_METADATA_BAD,   /* not exactly one JSON object */
    DFOPT_ZMQ_METADATA_PLAIN, /* an object */
    DFOPT_ZMQ_METADATA_STOP   /* {"name":"end"} or {"type":"stop"}, possibly
                               * with more members */
};

/* As written, borrowed from the bytes; empty: absent. */
struct dfopt_zmq_members {
    struct dfopt_text type;   /* the string at "type" */
    struct dfopt_text answer; /* the object at "answer" */
};

/* Parses n bytes (any bytes; no NUL needed) by the grammar of json/grammar.h,
 * at most 32 levels below the object. Allocates nothing. The last of repeated
 * members counts. Keys and values are recognised only if written without
 * escapes. Sets *out unless the result is BAD. */
enum dfopt_zmq_metadata dfopt_zmq_metadata_scan(const void *bytes, size_t n,
                                                struct dfopt_zmq_members *out);

#endif
