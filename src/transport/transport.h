/* Where events come from and where plans go: two ops tables, so that the engine
 * knows neither files nor sockets. Only rank 0 holds a transport; all calls
 * come from one thread. Ops marked optional may be NULL. */
#ifndef DFOPT_TRANSPORT_TRANSPORT_H
#define DFOPT_TRANSPORT_TRANSPORT_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A client that asks to be told when a record is decided. Texts contain no NUL. */
struct dfopt_ask {
    const char *instance; /* the client's; not "" */
    const char *node;     /* whose plans it takes; "": only the whole job's */
    uint64_t number;      /* the client's; increases with each record */
};

/* One record as received: the bytes of a JSON value, not decoded. */
struct dfopt_record {
    const char *data;   /* borrowed: valid until the next call on the source */
    size_t len;         /* bytes; no newline; 0 only with a problem */
    int stream;         /* enum dfopt_stream, or -1: the record names it itself */
    const char *origin; /* file or endpoint, for messages; the source's */
    uint64_t line;      /* 1-based line (JSONL) or element (JSON array); 0: none;
                         * with EVENT_ID, the event's number */
    uint64_t offset;    /* of the first byte in the (unpacked) input or, depending
                         * on unit, the record's consecutive number */
    enum dfopt_offset_unit {
        DFOPT_OFFSET_BYTE,
        DFOPT_OFFSET_RECEIVED, /* a number among those received since the start */
        DFOPT_OFFSET_EVENT_ID  /* a number assigned by the origin: the same
                                * however often the record is delivered */
    } unit;
    const char *problem; /* NULL, or why the record is unusable (too long, input
                          * cut off ...): it still takes a number. data then
                          * holds the first bytes, or len is 0. Static. */
    const struct dfopt_ask *ask; /* NULL: nobody asks; borrowed, like data */
};

enum dfopt_source_status {
    DFOPT_SOURCE_RECORD, /* *record is filled */
    DFOPT_SOURCE_WAIT,   /* nothing arrived within timeout_ms */
    DFOPT_SOURCE_END,    /* end of input */
    DFOPT_SOURCE_ERROR   /* see *err; call again to continue with what is left
                          * (the next file), or to get END */
};

/* Progress of a source, for a progress line. Zero: unknown. */
struct dfopt_source_progress {
    uint64_t bytes_done, bytes_total;
};

struct dfopt_source {
    const struct dfopt_source_ops *ops;
};

struct dfopt_source_ops {
    /* Fetches the next record. timeout_ms 0: do not wait. A file never waits; a
     * pipe on standard input may. */
    enum dfopt_source_status (*next)(struct dfopt_source *s, int timeout_ms,
                                     struct dfopt_record *record,
                                     struct dfopt_error *err);
    void (*progress)(const struct dfopt_source *s, struct dfopt_source_progress *p);
    /* Optional. The first n records returned by `next` are decided, their plans
     * published and flushed, and their rows on disk in the decision log: they
     * may be acknowledged. n never decreases. Does not wait. */
    void (*done)(struct dfopt_source *s, uint64_t n);
    void (*destroy)(struct dfopt_source *s); /* NULL is fine */
};

/* ---- operator requests ---- */

#define DFOPT_PORT_STATUS "{\"request\":\"status\"}" /* all but a command */
#define DFOPT_PORT_STOP   "{\"request\":\"stop\"}"
/* The same, after restoring the registered values. */
#define DFOPT_PORT_STOP_RESTORE "{\"request\":\"stop\",\"restore\":true}"

struct dfopt_port_request {
    unsigned char client[256]; /* where to send the answer */
    size_t client_len;
    const char *data; /* borrowed: valid until the next request */
    size_t len;
};

struct dfopt_port {
    const struct dfopt_port_ops *ops;
};

struct dfopt_port_ops {
    /* Takes a pending request, if any; does not wait. */
    bool (*next)(struct dfopt_port *p, struct dfopt_port_request *out);
    /* Does not wait; drops an answer that cannot be delivered. */
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
    /* Publishes one plan, in call order. May buffer. */
    enum dfopt_err (*publish)(struct dfopt_sink *s,
                              const struct dfopt_plan_message *m,
                              struct dfopt_error *err);
    /* Hands everything published to the operating system or the peer. */
    enum dfopt_err (*flush)(struct dfopt_sink *s, struct dfopt_error *err);
    /* Optional. Sends what it can of the plans that publish held back, without
     * waiting; returns how many are still held back. Called when idle, and now
     * and then under load. */
    size_t (*pump)(struct dfopt_sink *s);
    /* Optional. The client's records of a stream (enum dfopt_stream) up to that
     * number are decided, and their plans published: tells it once none of
     * those plans is held back. Does not wait; an answer may be lost. */
    void (*answer)(struct dfopt_sink *s, int stream, const struct dfopt_ask *ask);
    /* Flushes and frees. NULL is fine. An error concerns data not written. */
    enum dfopt_err (*destroy)(struct dfopt_sink *s, struct dfopt_error *err);
};

#endif
