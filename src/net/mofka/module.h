/* The border to Mofka's client: what the loadable module (module.cpp, C++) gives to
 * the C files beside it, which know nothing of Mofka's headers. No exception
 * crosses. The module starts no threads but the client's own, keeps no time, and
 * waits for as long as the client does: its caller must not let a call that never
 * returns hold up anything else.
 *
 * Which thread may call what stands beside each function. None may be called in a
 * child after fork(). */
#ifndef DFOPT_NET_MOFKA_MODULE_H
#define DFOPT_NET_MOFKA_MODULE_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DFOPT_MOFKA_ABI    2
#define DFOPT_MOFKA_SYMBOL "dfopt_mofka_module"

/* What services tell one another (transport/mofka/presence.h); no record. */
#define DFOPT_MOFKA_PRESENCE "dfopt_presence"

struct dfopt_mofka_broker;   /* a connection to the service of a group file */
struct dfopt_mofka_topic;    /* an open topic */
struct dfopt_mofka_consumer; /* of all partitions of a topic */
struct dfopt_mofka_producer;

/* One event. Owned by whom pull gave it to: event_free. */
struct dfopt_mofka_event {
    struct dfopt_mofka_event *next; /* the caller's */
    uint64_t mark;                  /* the caller's */
    const char *data;               /* until data_free; NULL if len is 0 */
    size_t len;
    size_t full_len;    /* more than len: the event was longer than allowed */
    uint64_t id;        /* counts from 0 in each partition */
    uint32_t partition; /* index */
    bool stop; /* metadata {"name":"end"} or {"type":"stop"}: nothing to decide */
    bool presence; /* metadata {"type": DFOPT_MOFKA_PRESENCE}: of another service */
};

enum dfopt_mofka_pulled {
    DFOPT_MOFKA_EVENT,   /* *out is owned */
    DFOPT_MOFKA_NOTHING, /* not within timeout_ms */
    DFOPT_MOFKA_END,     /* the topic is marked complete */
    DFOPT_MOFKA_FAILED   /* *err is set; an event is lost to this consumer */
};

/* How much a consumer may hold; beyond it the data of further events is not
 * fetched. */
struct dfopt_mofka_bounds {
    size_t events;      /* pulled, and their data held */
    size_t bytes;       /* of data held */
    size_t event_bytes; /* of one event; of a longer one so much is fetched */
    size_t batch;       /* events that the broker announces at once */
    size_t batches;     /* whose data is fetched at once */
};

struct dfopt_mofka_module {
    unsigned abi; /* DFOPT_MOFKA_ABI */

    /* ---- on the one thread that opens, which must outlive everything ---- */

    /* Connects. Returns OK; ARG (the group file cannot be read or is none); IO (no
     * such process or no answer). Owned, but never given back: leaving it to the
     * end of the process is what ends cleanly. */
    enum dfopt_err (*connect)(struct dfopt_mofka_broker **out,
                              const char *group_file, struct dfopt_error *err);

    /* Opens a topic of at least one partition. Returns OK; ARG (there is none of
     * that name); IO. Owned like a connection. */
    enum dfopt_err (*topic_open)(struct dfopt_mofka_topic **out,
                                 struct dfopt_mofka_broker *b, const char *name,
                                 struct dfopt_error *err);

    /* Creates a topic with so many partitions in the memory of the broker, unless
     * there is one of the name. */
    enum dfopt_err (*topic_create)(struct dfopt_mofka_broker *b, const char *name,
                                   size_t partitions, struct dfopt_error *err);

    /* Prepares a consumer that asks for nothing yet. Returns OK, NOMEM or IO.
     * Owned: consumer_close. */
    enum dfopt_err (*consumer_prepare)(struct dfopt_mofka_consumer **out,
                                       struct dfopt_mofka_topic *t,
                                       const char *name,
                                       const struct dfopt_mofka_bounds *bounds,
                                       struct dfopt_error *err);

    /* ---- any thread ---- */

    /* Whether the broker can still be there, as far as this machine knows. Waits
     * for nothing. Returns OK or IO. */
    enum dfopt_err (*check)(const struct dfopt_mofka_broker *b,
                            struct dfopt_error *err);

    /* One exchange with the broker. Returns OK or IO. */
    enum dfopt_err (*ping)(struct dfopt_mofka_broker *b, struct dfopt_error *err);

    /* Removes what the client leaves behind on this machine when it is not closed;
     * at the end of the process, which does so by itself unless it leaves by _exit.
     */
    void (*remove_traces)(void);

    size_t (*partitions)(const struct dfopt_mofka_topic *t);

    /* Its UUID; lives as long as the topic. */
    const char *(*partition_uuid)(const struct dfopt_mofka_topic *t, size_t i);

    /* Makes the client's consumer and waits for consumer_release before it asks
     * the broker for events; then until the broker has taken note. Returns OK or
     * IO. Once, on the thread that pulls. */
    enum dfopt_err (*consumer_subscribe)(struct dfopt_mofka_consumer *c,
                                         struct dfopt_error *err);

    /* Whether consumer_subscribe has come as far as it can without
     * consumer_release. (Making a consumer while another one of the process is
     * receiving crashes; so all are made before the first is released.) */
    bool (*consumer_is_made)(struct dfopt_mofka_consumer *c);
    void (*consumer_release)(struct dfopt_mofka_consumer *c);

    /* Waits for the next event, 1..2000 ms. On the thread that subscribed. */
    enum dfopt_mofka_pulled (*pull)(struct dfopt_mofka_consumer *c, int timeout_ms,
                                    struct dfopt_mofka_event **out,
                                    struct dfopt_error *err);

    /* Nothing more is fetched; what is in flight is dropped. Before close. */
    void (*consumer_stop)(struct dfopt_mofka_consumer *c);

    /* Unsubscribes and frees; on the thread that subscribed. Events that it gave
     * stay valid. */
    void (*consumer_close)(struct dfopt_mofka_consumer *c);

    /* Makes the next consumer of that name begin after this event.
     * Returns OK or IO. */
    enum dfopt_err (*acknowledge)(const struct dfopt_mofka_event *e,
                                  struct dfopt_error *err);

    /* Frees the data, not the event; it no longer counts for the bounds. */
    void (*data_free)(struct dfopt_mofka_event *e);
    void (*event_free)(struct dfopt_mofka_event *e); /* NULL is fine */

    /* All three on one thread. Owned like a connection. A batch is at most
     * DFOPT_MOFKA_BATCH events. */
    enum dfopt_err (*producer_create)(struct dfopt_mofka_producer **out,
                                      struct dfopt_mofka_topic *t,
                                      struct dfopt_error *err);

    /* Adds one event to the batch; `body` must stay until the batch is flushed. It
     * goes to partition `where` modulo their number. Returns OK, ARG (metadata is
     * no JSON) or IO. */
    enum dfopt_err (*push)(struct dfopt_mofka_producer *p, const char *metadata,
                           size_t metadata_len, const char *body, size_t body_len,
                           size_t where, struct dfopt_error *err);

    /* Waits 1..2000 ms until the broker has the batch. Returns OK; STATE: not yet,
     * call again; IO: the broker refused it. */
    enum dfopt_err (*flush)(struct dfopt_mofka_producer *p, int timeout_ms,
                            struct dfopt_error *err);
};

/* Events pushed between two flushes. More than 1023 with data in one batch crash a
 * broker on na+sm. */
#define DFOPT_MOFKA_BATCH 256

#ifdef __cplusplus
}
#endif
#endif
