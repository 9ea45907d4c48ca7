/* The interface to Mofka's client: the functions of the loadable module
 * (module.cpp, C++) for the C files beside it, which never see Mofka's headers.
 * No exception crosses it. The module starts no threads but the client's own,
 * has no timeouts, and waits as long as the client does: its caller must not
 * let a call that never returns block anything else.
 *
 * Each function states which threads may call it. None may be called in a child
 * after fork(). */
#ifndef DFOPT_NET_MOFKA_MODULE_H
#define DFOPT_NET_MOFKA_MODULE_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DFOPT_MOFKA_ABI    3
#define DFOPT_MOFKA_SYMBOL "dfopt_mofka_module"

/* Messages between services (transport/mofka/presence.h); not records. */
#define DFOPT_MOFKA_PRESENCE "dfopt_presence"

struct dfopt_mofka_broker;   /* a connection to the service of a group file */
struct dfopt_mofka_topic;    /* an open topic */
struct dfopt_mofka_consumer; /* of all partitions of a topic */
struct dfopt_mofka_producer;

/* One event. Owned by pull's caller: event_free. */
struct dfopt_mofka_event {
    struct dfopt_mofka_event *next; /* the caller's */
    uint64_t mark;                  /* the caller's */
    const char *data;               /* valid until data_free; NULL if len is 0 */
    size_t len;
    size_t full_len;    /* more than len: the event was truncated */
    uint64_t id;        /* counts from 0 in each partition */
    uint32_t partition; /* index */
    bool stop; /* metadata {"name":"end"} or {"type":"stop"}: not to be decided */
    bool presence; /* metadata {"type": DFOPT_MOFKA_PRESENCE}: not a record */
};

enum dfopt_mofka_pulled {
    DFOPT_MOFKA_EVENT,   /* *out is owned */
    DFOPT_MOFKA_NOTHING, /* not within timeout_ms */
    DFOPT_MOFKA_END,     /* the topic is marked complete */
    DFOPT_MOFKA_FAILED   /* *err is set; this consumer has lost an event */
};

/* Limits on what a consumer holds; beyond them it fetches no further data. */
struct dfopt_mofka_bounds {
    size_t events;      /* pulled events whose data is held */
    size_t bytes;       /* of data held */
    size_t event_bytes; /* of one event; longer ones are truncated to it */
    size_t batch;       /* events that the broker announces together */
    size_t batches;     /* whose data is fetched concurrently */
};

struct dfopt_mofka_module {
    unsigned abi; /* DFOPT_MOFKA_ABI */

    /* ---- on the one opening thread, which must outlive everything ---- */

    /* Connects. Returns OK; ARG (unreadable or invalid group file); IO (no such
     * process or no answer). Owned, but never freed: only leaving it to the end
     * of the process ends cleanly. */
    enum dfopt_err (*connect)(struct dfopt_mofka_broker **out,
                              const char *group_file, struct dfopt_error *err);

    /* Opens a topic, which must have a partition. Returns OK; ARG (no such
     * topic); IO. Owned like a connection. */
    enum dfopt_err (*topic_open)(struct dfopt_mofka_topic **out,
                                 struct dfopt_mofka_broker *b, const char *name,
                                 struct dfopt_error *err);

    /* Prepares a consumer that does not request events yet. Returns OK, NOMEM
     * or IO. Owned: consumer_close. */
    enum dfopt_err (*consumer_prepare)(struct dfopt_mofka_consumer **out,
                                       struct dfopt_mofka_topic *t,
                                       const char *name,
                                       const struct dfopt_mofka_bounds *bounds,
                                       struct dfopt_error *err);

    /* ---- any thread ---- */

    /* Whether the broker may still be alive, as far as this machine can tell.
     * Does not wait. Returns OK or IO. */
    enum dfopt_err (*check)(const struct dfopt_mofka_broker *b,
                            struct dfopt_error *err);

    /* One exchange with the broker. Returns OK or IO. */
    enum dfopt_err (*ping)(struct dfopt_mofka_broker *b, struct dfopt_error *err);

    /* Removes what an unclosed client leaves behind on this machine. Runs by
     * itself at the end of the process, unless that is by _exit. */
    void (*remove_traces)(void);

    size_t (*partitions)(const struct dfopt_mofka_topic *t);

    /* Its UUID; valid as long as the topic. */
    const char *(*partition_uuid)(const struct dfopt_mofka_topic *t, size_t i);

    /* Makes the client's consumer, waits for consumer_release before requesting
     * events, then until the broker has registered it. Returns OK or IO. Call
     * once, on the pulling thread. */
    enum dfopt_err (*consumer_subscribe)(struct dfopt_mofka_consumer *c,
                                         struct dfopt_error *err);

    /* Whether consumer_subscribe only waits for consumer_release now. (Making a
     * consumer while another one of the process receives crashes; so all are
     * made before the first is released.) */
    bool (*consumer_is_made)(struct dfopt_mofka_consumer *c);
    void (*consumer_release)(struct dfopt_mofka_consumer *c);

    /* Waits for the next event, 1..2000 ms. On the thread that subscribed. */
    enum dfopt_mofka_pulled (*pull)(struct dfopt_mofka_consumer *c, int timeout_ms,
                                    struct dfopt_mofka_event **out,
                                    struct dfopt_error *err);

    /* Stops fetching and drops what is in flight. Call before close. */
    void (*consumer_stop)(struct dfopt_mofka_consumer *c);

    /* Unsubscribes and frees; on the subscribing thread. Its events remain
     * valid. */
    void (*consumer_close)(struct dfopt_mofka_consumer *c);

    /* The next consumer of that name starts after this event. OK or IO. */
    enum dfopt_err (*acknowledge)(const struct dfopt_mofka_event *e,
                                  struct dfopt_error *err);

    /* Frees the data, not the event; it no longer counts towards the bounds. */
    void (*data_free)(struct dfopt_mofka_event *e);
    void (*event_free)(struct dfopt_mofka_event *e); /* NULL is fine */

    /* All three on one thread. Owned like a connection. A batch is at most
     * DFOPT_MOFKA_BATCH events. */
    enum dfopt_err (*producer_create)(struct dfopt_mofka_producer **out,
                                      struct dfopt_mofka_topic *t,
                                      struct dfopt_error *err);

    /* Adds one event to the batch; `body` must remain valid until the flush. It
     * goes to partition `where` modulo their number. Returns OK, ARG (metadata
     * is not JSON) or IO. */
    enum dfopt_err (*push)(struct dfopt_mofka_producer *p, const char *metadata,
                           size_t metadata_len, const char *body, size_t body_len,
                           size_t where, struct dfopt_error *err);

    /* Waits 1..2000 ms until the broker has the batch. Returns OK; STATE: not
     * yet, call again; IO: the broker rejected it. */
    enum dfopt_err (*flush)(struct dfopt_mofka_producer *p, int timeout_ms,
                            struct dfopt_error *err);
};

/* Maximum events between two flushes. More than 1023 with data in one batch
 * crash a broker on na+sm. */
#define DFOPT_MOFKA_BATCH 256

#ifdef __cplusplus
}
#endif
#endif
