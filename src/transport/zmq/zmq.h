/* ZMQ as a transport: findings, registrations, acknowledgements and objectives come
 * in over PULL sockets, plans go out over a PUSH or a PUB socket. No peer, present,
 * absent, slow or malicious, blocks a call or ends the service.
 *
 * A message is two frames, [metadata, body], both JSON; a PUB message has the
 * topic before them. A message of another shape is counted, reported to `note` and
 * dropped: it takes no sequence number.
 *
 * A source and a sink have their own ZMQ context and threads each. All calls on
 * one come from one thread. Not usable after fork() in the child. */
#ifndef DFOPT_TRANSPORT_ZMQ_ZMQ_H
#define DFOPT_TRANSPORT_ZMQ_ZMQ_H

#include "net/zmq/keys.h"
#include "transport/transport.h"

/* Used where the option is 0. */
#define DFOPT_ZMQ_HIGH_WATER        1000 /* messages a peer, incoming */
#define DFOPT_ZMQ_PLAN_HIGH_WATER   256  /* messages a peer, outgoing */
#define DFOPT_ZMQ_MAX_MESSAGE_BYTES ((size_t)16 << 20)
#define DFOPT_ZMQ_MAX_QUEUED        4096
#define DFOPT_ZMQ_LINGER_MS         1000
#define DFOPT_ZMQ_STALL_MS          5000
#define DFOPT_ZMQ_QUIET_MS          5000

/* The sockets that receive. record.stream has the same values, those of enum
 * dfopt_stream; but for APPLICATIONS, where the metadata's `type` tells it:
 * knob_registration, action_ack or objective. */
enum dfopt_zmq_stream {
    DFOPT_ZMQ_FINDINGS = 0,
    DFOPT_ZMQ_REGISTRATIONS = 1,
    DFOPT_ZMQ_ACKS = 2,
    DFOPT_ZMQ_APPLICATIONS = 3,
    DFOPT_ZMQ_OBJECTIVES = 4,
    DFOPT_ZMQ_STREAMS
};

/* What is counted and reported: name, text. */
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

/* Told of what was counted: at its first time at once, then at most once a second
 * for each kind, and at the end if something is still untold; `total` is the count
 * so far, `detail` about the last ("": nothing). Called within calls on the source
 * or sink, by their thread. Must not call them. Texts are borrowed for the call. */
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
    const char *applications;         /* likewise; all three in one */
    double idle_timeout_s;            /* 0: never */
    int wake_fds[DFOPT_ZMQ_WAKE_FDS]; /* `next` returns WAIT when one is readable;
                                       * the caller reads it empty. Borrowed */
    size_t n_wake_fds;
    int high_water;           /* messages a peer, beyond which it has to wait */
    size_t max_message_bytes; /* of a frame; larger ones are dropped. A peer that
                               * sends one of twice the size is cut off */
    bool ipv6;                /* names may stand for IPv6 addresses; an address in
                               * brackets does not need it */
    const struct dfopt_zmq_curve *curve; /* NULL: neither keys nor encryption */
    dfopt_zmq_note_fn note;              /* may be NULL */
    void *note_arg;
};

/* A source of what up to five sockets receive. Returns OK, NOMEM, ARG (no
 * endpoint, a bad one, a bad key) or IO (address in use ...); the text names the
 * endpoint. Returns owned: (*out)->ops->destroy, which does not wait for peers.
 *
 * Order: per socket and peer as sent. What applications send comes before findings
 * that are ready at the same moment, but for a bounded share: neither side starves.
 *
 * Records: `stream` is the socket's or its type's, `origin` the endpoint, `line` 0,
 * `offset` the number of messages accepted from that socket before this one. `data`
 * points into the message. An empty body is a record with a problem.
 *
 * `next` waits at most timeout_ms (negative: for ever) and returns WAIT also after
 * a signal, when a wake_fd is readable, and when a flood of malformed messages
 * would keep it. END comes, and stays,
 *  - after the stop sentinel, metadata {"name":"end"} or {"type":"stop"} on the
 *    findings socket, when what has been received is delivered (at most for a
 *    second: a peer that goes on sending does not keep the service);
 *  - when nothing has come for idle_timeout_s since the last message; this
 *    clock starts with the first finding, so that applications may register
 *    long before.
 * ERROR: libzmq failed in a way that it does not document; END follows. */
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

/* The endpoint of a stream as libzmq resolved it (the port of tcp://...:*), NULL
 * if it has no socket. Borrowed from the source. */
const char *dfopt_zmq_source_endpoint(const struct dfopt_source *s,
                                      enum dfopt_zmq_stream stream);

/* Whether the stream's socket connects, and to a peer that is there now. */
enum dfopt_zmq_connection {
    DFOPT_ZMQ_BOUND, /* or there is none */
    DFOPT_ZMQ_CONNECTING,
    DFOPT_ZMQ_CONNECTED
};
enum dfopt_zmq_connection dfopt_zmq_source_connection(const struct dfopt_source *s,
                                                      enum dfopt_zmq_stream stream);

/* The peers that are connected to a stream's socket, if it is bound. */
uint32_t dfopt_zmq_source_peers(struct dfopt_source *s,
                                enum dfopt_zmq_stream stream);

/* ---- sink ---- */

enum dfopt_zmq_pattern {
    DFOPT_ZMQ_PUSH, /* each plan to one of the peers, in turn; waits for one */
    DFOPT_ZMQ_PUB /* each plan to all subscribers of its topic, "*" or the node, in
                   * any form of its name (base/hostname.h) */
};

struct dfopt_zmq_sink_options {
    const char *endpoint; /* binds */
    enum dfopt_zmq_pattern pattern;
    size_t max_queued; /* plans that no peer can take now */
    int high_water;    /* plans a peer that libzmq holds besides; kept small,
                        * because a newer plan cannot replace them */
    int linger_ms; /* how long destroy may wait for peers; negative: not at all */
    int stall_ms;  /* PUB: how long a full subscriber may hold up a plan that
                    * others want, too; then it misses plans until it reads.
                    * Negative: not at all */
    int quiet_ms;  /* PUB: how long a plan waits for a subscriber before that is
                    * noted */
    bool ipv6;
    const struct dfopt_zmq_curve *curve;
    dfopt_zmq_note_fn note;
    void *note_arg;
};

/* A sink of plans. Returns OK, NOMEM, ARG or IO; the text names the endpoint.
 * Returns owned: (*out)->ops->destroy.
 *
 * publish never waits: a plan that no peer can take now is queued, and sent by a
 * later publish, flush or pump, in order for each node. A plan without metadata
 * gets {"type":"action_plan"}. In a full queue the oldest
 * plan of the same (node, knob) gives way, else the oldest of all. It returns OK
 * or NOMEM. A PUB plan without a subscriber waits as one without a peer, and
 * PLAN_UNWANTED names its node and subscribed names that are like it.
 * flush is pump: it does not wait and returns OK. destroy waits at most linger_ms
 * for plans to leave and returns OK: what is left then is told as
 * PLAN_UNDELIVERED. */
enum dfopt_err dfopt_zmq_sink_create(struct dfopt_sink **out,
                                     const struct dfopt_zmq_sink_options *o,
                                     struct dfopt_error *err);

/* As ops->pump, waiting for peers up to timeout_ms in all. A signal ends the wait
 * early. What libzmq holds is not counted. */
size_t dfopt_zmq_sink_drain(struct dfopt_sink *s, int timeout_ms);

/* Readable when pump may find something to do (a peer has come, or takes
 * plans again): one of the wake_fds of a source. After it woke pump must be called,
 * which makes it unreadable. Never read, write or close it. */
int dfopt_zmq_sink_fd(const struct dfopt_sink *s);

struct dfopt_zmq_sink_counts {
    uint64_t published; /* taken by publish */
    uint64_t sent; /* handed to libzmq for a peer; PUB: for each form of a name */
    uint64_t answered; /* answers handed to libzmq */
    uint64_t queued;   /* now */
    uint64_t queued_max;
    uint64_t noted[DFOPT_ZMQ_NOTE_COUNT];
};

void dfopt_zmq_sink_counts(const struct dfopt_sink *s,
                           struct dfopt_zmq_sink_counts *out);

/* The endpoint as libzmq resolved it. Borrowed from the sink. */
const char *dfopt_zmq_sink_endpoint(const struct dfopt_sink *s);

/* The peers that are connected to it. */
uint32_t dfopt_zmq_sink_peers(struct dfopt_sink *s);

#endif
