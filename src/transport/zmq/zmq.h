/* ZMQ as a transport: findings, registrations, acknowledgements and objectives
 * arrive over PULL sockets, plans leave over a PUSH or PUB socket. No peer,
 * present, absent, slow or malicious, blocks a call or ends the service.
 *
 * A message is two frames, [metadata, body], both JSON; a PUB message has the
 * topic before them. Malformed messages are counted, reported to `note` and
 * dropped: they take no sequence number.
 *
 * A source and a sink each have their own ZMQ context and threads. All calls on
 * one come from one thread. Not usable after fork() in the child. */
#ifndef DFOPT_TRANSPORT_ZMQ_ZMQ_H
#define DFOPT_TRANSPORT_ZMQ_ZMQ_H

#include "net/zmq/keys.h"
#include "transport/transport.h"

/* Used where the option is 0. */
#define DFOPT_ZMQ_HIGH_WATER        1000 /* incoming messages per peer */
#define DFOPT_ZMQ_PLAN_HIGH_WATER   256  /* outgoing messages per peer */
#define DFOPT_ZMQ_MAX_MESSAGE_BYTES ((size_t)16 << 20)
#define DFOPT_ZMQ_MAX_QUEUED        4096
#define DFOPT_ZMQ_LINGER_MS         1000
#define DFOPT_ZMQ_STALL_MS          5000
#define DFOPT_ZMQ_QUIET_MS          5000

/* The receiving sockets. record.stream has the same values, those of enum
 * dfopt_stream; on APPLICATIONS the metadata's `type` selects it:
 * knob_registration, action_ack or objective. */
enum dfopt_zmq_stream {
    DFOPT_ZMQ_FINDINGS = 0,
    DFOPT_ZMQ_REGISTRATIONS = 1,
    DFOPT_ZMQ_ACKS = 2,
    DFOPT_ZMQ_APPLICATIONS = 3,
    DFOPT_ZMQ_OBJECTIVES = 4,
    DFOPT_ZMQ_STREAMS
};

/* Events that are counted and reported: name, text. */
#define DFOPT_ZMQ_NOTE_LIST(X)                                                     \
    X(EMPTY, "dropped a message without content")                                  \
    X(ONE_PART, "dropped a message of one part; it needs metadata and data")       \
    X(MANY_PARTS, "dropped a message of more than two parts")                      \
    X(TOO_LARGE, "dropped a message longer than --max-record-bytes allows")        \
    X(METADATA, "dropped a message: its metadata is not a JSON object")            \
    X(TYPE, "dropped a message: applications do not send its type")                \
    X(PEER_REFUSED, "refused a peer: its key is not in --zmq-curve-client-keys")   \
    X(PEER_BROKEN, "peer is not a diagnoser or presented an invalid key; "         \
                   "reconnecting")                                                 \
    X(PEER_QUIET, "no connection for 5 s; check host, port and that the peer "     \
                  "runs; still trying")                                            \
    X(PLAN_IN_TURN, "several processes receive plans in turn, one plan each; use " \
                    "--plans-pattern pub, or let one receive for all "             \
                    "(optimizer_context(comm=...), dfopt/client_mpi.h)")           \
    X(PLAN_UNWANTED, "a plan is waiting: no subscriber for its node")              \
    X(PLAN_REPLACED, "queue full: a newer plan of the same knob replaced one")     \
    X(PLAN_DROPPED, "queue full: dropped the oldest plan")                         \
    X(PLAN_FORCED, "published a plan although a subscriber has stalled")           \
    X(PLAN_UNDELIVERED, "peers did not take the last plans before the end")

enum dfopt_zmq_note {
#define DFOPT_ZMQ_NOTE_ENUM(name, text) DFOPT_ZMQ_NOTE_##name,
    DFOPT_ZMQ_NOTE_LIST(DFOPT_ZMQ_NOTE_ENUM)
#undef DFOPT_ZMQ_NOTE_ENUM
        DFOPT_ZMQ_NOTE_COUNT
};

/* The text of a note. Never NULL; static storage. */
const char *dfopt_zmq_note_text(enum dfopt_zmq_note note);

/* Receives counted events: the first of a kind at once, then at most once a second
 * per kind, and any pending ones at the end; `total` is the count so far, `detail`
 * about the last ("": nothing). Called within calls on the source or sink, on their
 * thread. Must not call them. Texts are borrowed for the call. */
typedef void (*dfopt_zmq_note_fn)(void *arg, enum dfopt_zmq_note note,
                                  const char *endpoint, const char *detail,
                                  uint64_t total);

/* ---- source ---- */

#define DFOPT_ZMQ_WAKE_FDS 4

struct dfopt_zmq_source_options {
    const char *findings; /* endpoint, as tcp://host:port; NULL or "": no socket */
    bool findings_bind;   /* else connects */
    const char *registrations, *acks; /* these bind; NULL or "": no socket */
    const char *objectives;           /* likewise */
    const char *applications;         /* likewise; all three on one socket */
    double idle_timeout_s;            /* 0: never */
    int wake_fds[DFOPT_ZMQ_WAKE_FDS]; /* `next` returns WAIT when one is readable;
                                       * the caller drains it. Borrowed */
    size_t n_wake_fds;
    int high_water;           /* messages per peer before it must wait */
    size_t max_message_bytes; /* of a frame; larger ones are dropped. Peers that
                               * send twice the size are cut off */
    bool ipv6;                /* names may resolve to IPv6 addresses; an address
                               * in brackets does not need it */
    const struct dfopt_zmq_curve *curve; /* NULL: no keys, no encryption */
    dfopt_zmq_note_fn note;              /* may be NULL */
    void *note_arg;
};

/* A source that receives from up to five sockets. Returns OK, NOMEM, ARG (no
 * endpoint, a bad one, a bad key) or IO (address in use ...); the text names the
 * endpoint. Returns owned: (*out)->ops->destroy, which does not wait for peers.
 *
 * Order: per socket and peer as sent. Application messages precede findings that
 * are ready at the same moment, up to a bounded share: neither side starves.
 *
 * Records: `stream` is the socket's or its type's, `origin` the endpoint, `line` 0,
 * `offset` the number of messages accepted from that socket before this one. `data`
 * points into the message. An empty body is a record with a problem.
 *
 * `next` waits at most timeout_ms (negative: for ever). It also returns WAIT after
 * a signal, when a wake_fd is readable, and when a flood of malformed messages
 * would occupy it. END comes, and stays,
 * - after the stop sentinel, metadata {"name":"end"} or {"type":"stop"} on the
 *   findings socket, once received messages are delivered (within a second: a peer
 *   that keeps sending does not keep the service alive);
 * - after idle_timeout_s without a message; the clock starts with the first
 *   finding, so that applications may register long before.
 * ERROR: libzmq failed in an undocumented way; END follows. */
enum dfopt_err dfopt_zmq_source_create(struct dfopt_source **out,
                                       const struct dfopt_zmq_source_options *o,
                                       struct dfopt_error *err);

struct dfopt_zmq_source_counts {
    uint64_t received[DFOPT_ZMQ_STREAMS]; /* records delivered */
    uint64_t bytes;                       /* their bodies */
    uint64_t stops;                       /* sentinels */
    uint64_t noted[DFOPT_ZMQ_NOTE_COUNT];
};

void dfopt_zmq_source_counts(const struct dfopt_source *s,
                             struct dfopt_zmq_source_counts *out);

/* The endpoint of a stream as libzmq resolved it (the port of tcp://...:*),
 * NULL if it has no socket. Borrowed from the source. */
const char *dfopt_zmq_source_endpoint(const struct dfopt_source *s,
                                      enum dfopt_zmq_stream stream);

/* Whether the stream's socket connects, and is connected now. */
enum dfopt_zmq_connection {
    DFOPT_ZMQ_BOUND, /* or there is none */
    DFOPT_ZMQ_CONNECTING,
    DFOPT_ZMQ_CONNECTED
};
enum dfopt_zmq_connection dfopt_zmq_source_connection(const struct dfopt_source *s,
                                                      enum dfopt_zmq_stream stream);

/* The number of peers connected to a stream's bound socket. */
uint32_t dfopt_zmq_source_peers(struct dfopt_source *s,
                                enum dfopt_zmq_stream stream);

/* ---- sink ---- */

enum dfopt_zmq_pattern {
    DFOPT_ZMQ_PUSH, /* each plan to one peer in turn; waits for a peer */
    DFOPT_ZMQ_PUB   /* each plan to all subscribers of its topic: "*" or the node,
                     * in any form of its name (base/hostname.h) */
};

struct dfopt_zmq_sink_options {
    const char *endpoint; /* binds */
    enum dfopt_zmq_pattern pattern;
    size_t max_queued; /* plans that no peer can take yet */
    int high_water;    /* additional plans per peer in libzmq; kept small,
                        * because newer plans cannot replace them */
    int linger_ms; /* how long destroy may wait for peers; negative: not at all */
    int stall_ms;  /* PUB: how long a full subscriber may delay a plan that
                    * others want; then it misses plans until it reads.
                    * Negative: not at all */
    int quiet_ms;  /* PUB: wait for a subscriber before a note */
    bool ipv6;
    const struct dfopt_zmq_curve *curve;
    dfopt_zmq_note_fn note;
    void *note_arg;
};

/* A sink of plans. Returns OK, NOMEM, ARG or IO; the text names the endpoint.
 * Returns owned: (*out)->ops->destroy.
 *
 * publish never waits: a plan that no peer can take now is queued, and sent by
 * a later publish, flush or pump, in order for each node. A plan without
 * metadata gets {"type":"action_plan"}. A full queue drops the oldest plan of
 * the same (node, knob), else the oldest of all. publish returns OK or NOMEM. A
 * PUB plan without a subscriber waits like one without a peer, and
 * PLAN_UNWANTED names its node and similar subscribed names. flush is pump: it
 * does not wait and returns OK. destroy waits at most linger_ms for plans to
 * leave and returns OK: the rest is reported as PLAN_UNDELIVERED. */
enum dfopt_err dfopt_zmq_sink_create(struct dfopt_sink **out,
                                     const struct dfopt_zmq_sink_options *o,
                                     struct dfopt_error *err);

/* As ops->pump, but waits for peers up to timeout_ms in total. A signal ends
 * the wait early. Plans held by libzmq are not counted. */
size_t dfopt_zmq_sink_drain(struct dfopt_sink *s, int timeout_ms);

/* Readable when pump may have work (a peer has connected, or takes plans
 * again): pass it as a wake_fd of a source. After it wakes call pump, which
 * makes it unreadable. Never read, write or close it. */
int dfopt_zmq_sink_fd(const struct dfopt_sink *s);

struct dfopt_zmq_sink_counts {
    uint64_t published; /* accepted by publish */
    uint64_t sent;      /* passed to libzmq for a peer; PUB: per form of a name */
    uint64_t answered;  /* answers passed to libzmq */
    uint64_t queued;    /* now */
    uint64_t queued_max;
    uint64_t noted[DFOPT_ZMQ_NOTE_COUNT];
};

void dfopt_zmq_sink_counts(const struct dfopt_sink *s,
                           struct dfopt_zmq_sink_counts *out);

/* The endpoint as libzmq resolved it. Borrowed from the sink. */
const char *dfopt_zmq_sink_endpoint(const struct dfopt_sink *s);

/* The number of peers connected to it. */
uint32_t dfopt_zmq_sink_peers(struct dfopt_sink *s);

#endif
