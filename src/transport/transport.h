/* Where events come from and where plans go: two ops tables, so that the
 * runtime knows neither files nor sockets. Only rank 0 holds a transport; all
 * calls come from one thread. Ops marked optional may be NULL. */
#ifndef DFOPT_TRANSPORT_TRANSPORT_H
#define DFOPT_TRANSPORT_TRANSPORT_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A client that wants to be told when a record is decided. Texts have no NUL. */
struct dfopt_ask {
    const char *instance; /* of the client; not "" */
    const char *node;     /* that it takes plans for; "": for the whole job alone */
    uint64_t number;      /* the client's; a later record of the stream has more */
};

/* One record as it came in: the bytes of a JSON value, not decoded. */
struct dfopt_record {
    const char *data;   /* borrowed: valid until the next call on the source */
    size_t len;         /* bytes; no newline; 0 only with a problem */
    int stream;         /* enum dfopt_stream, or -1: the record names it itself */
    const char *origin; /* file or endpoint, for messages; the source's */
    uint64_t line;   /* 1-based line (JSONL) or element (JSON array); 0: none; with
                      * EVENT_ID, that number */
    uint64_t offset; /* of the first byte in the (unpacked) input, or, by unit, the
                      * record's number, one more each time */
    enum dfopt_offset_unit {
        DFOPT_OFFSET_BYTE,
        DFOPT_OFFSET_RECEIVED, /* a number among those received since the start */
        DFOPT_OFFSET_EVENT_ID  /* a number that the origin keeps: a record has the
                                * same one whenever it comes */
    } unit;
    const char *problem; /* NULL, or why the record cannot be used (too long,
                          * input cut off ...): it takes a number all the same.
                          * data then holds the first bytes, or len is 0. Static. */
    const struct dfopt_ask *ask; /* NULL: nobody asks; borrowed, as data is */
};

enum dfopt_source_status {
    DFOPT_SOURCE_RECORD, /* *record is filled */
    DFOPT_SOURCE_WAIT,   /* nothing is ready within timeout_ms */
    DFOPT_SOURCE_END,    /* the input is at its end */
    DFOPT_SOURCE_ERROR   /* *err says why; the source may be called again and
                          * continues with what is left (the next file), or END */
};

/* How far a source is, for a progress line. Zero: not known. */
struct dfopt_source_progress {
    uint64_t bytes_done, bytes_total;
};

struct dfopt_source {
    const struct dfopt_source_ops *ops;
};

struct dfopt_source_ops {
    /* Fetches the next record. timeout_ms 0: do not wait. A file never waits;
     * a pipe on standard input may. */
    enum dfopt_source_status (*next)(struct dfopt_source *s, int timeout_ms,
                                     struct dfopt_record *record,
                                     struct dfopt_error *err);
    void (*progress)(const struct dfopt_source *s, struct dfopt_source_progress *p);
    /* Optional. The first n records that `next` has returned are decided, their
     * plans are published and flushed, and their rows are in the decision log on
     * disk: they may be acknowledged. n never falls. Does not wait. */
    void (*done)(struct dfopt_source *s, uint64_t n);
    void (*destroy)(struct dfopt_source *s); /* NULL is fine */
};

/* ---- requests of operators ---- */

#define DFOPT_PORT_STATUS "{\"request\":\"status\"}" /* all but a command */
#define DFOPT_PORT_STOP   "{\"request\":\"stop\"}"
/* The same, once the registered values are back. */
#define DFOPT_PORT_STOP_RESTORE "{\"request\":\"stop\",\"restore\":true}"

struct dfopt_port_request {
    unsigned char client[256]; /* whom to answer */
    size_t client_len;
    const char *data; /* borrowed: valid until the next request */
    size_t len;
};

struct dfopt_port {
    const struct dfopt_port_ops *ops;
};

struct dfopt_port_ops {
    /* Whether a request is there; does not wait. */
    bool (*next)(struct dfopt_port *p, struct dfopt_port_request *out);
    /* Does not wait; an answer that nobody takes is dropped. */
    void (*answer)(struct dfopt_port *p, const struct dfopt_port_request *to,
                   const char *text, size_t len);
    void (*destroy)(struct dfopt_port *p); /* NULL is fine */
};

/* ---- plans ---- */

/* A plan to publish; texts are borrowed for the call. */
struct dfopt_plan_message {
    const char *body; /* JSON, one line, no newline */
    size_t body_len;
    const char *metadata; /* JSON object: type, plan_id, knob_id ...; NULL: none */
    size_t metadata_len;
    const char *node; /* NULL: the whole job */
    const char *knob; /* id; NULL: unknown */
};

struct dfopt_sink {
    const struct dfopt_sink_ops *ops;
};

struct dfopt_sink_ops {
    /* Publishes one plan, in the order of the calls. May buffer. */
    enum dfopt_err (*publish)(struct dfopt_sink *s,
                              const struct dfopt_plan_message *m,
                              struct dfopt_error *err);
    /* Hands everything published to the operating system or the peer. */
    enum dfopt_err (*flush)(struct dfopt_sink *s, struct dfopt_error *err);
    /* Optional. Sends what can be sent now of what publish had to keep back,
     * without waiting; returns how many plans are still kept back. Called when
     * there is nothing else to do, and now and then when there is. */
    size_t (*pump)(struct dfopt_sink *s);
    /* Optional. The client's records of a stream (enum dfopt_stream) are decided,
     * up to that number, and their plans were published before: tells it when none
     * of them is kept back any more. Does not wait; an answer may be lost. */
    void (*answer)(struct dfopt_sink *s, int stream, const struct dfopt_ask *ask);
    /* Flushes and frees. NULL is fine. An error is about what was not written. */
    enum dfopt_err (*destroy)(struct dfopt_sink *s, struct dfopt_error *err);
};

#endif
