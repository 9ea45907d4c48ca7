/* Input from Mofka: consumers of several topics, each with a pulling thread and
 * a queue from which the caller takes. All partitions of a topic are read;
 * their events interleave as they arrive, and keep their order within a
 * partition.
 *
 * All calls come from one thread, except wake. */
#ifndef DFOPT_NET_MOFKA_INBOX_H
#define DFOPT_NET_MOFKA_INBOX_H

#include "net/mofka/link.h"

#define DFOPT_MOFKA_INBOX_TOPICS 6

struct dfopt_mofka_inbox;

/* Returns OK or NOMEM. The link must outlive it. Owned:
 * dfopt_mofka_inbox_destroy. */
enum dfopt_err dfopt_mofka_inbox_create(struct dfopt_mofka_inbox **out,
                                        struct dfopt_mofka_link *l,
                                        struct dfopt_error *err);

struct dfopt_mofka_subscription {
    const char *group_file, *topic;
    const char *consumer; /* under this name it resumes where it left off */
    bool by_topic;        /* the topic's name, as opened, follows in that name */
    bool first;           /* read before the others: at startup until its backlog is
                           * empty, later up to a bounded share */
    size_t event_bytes;   /* longer events are truncated to this size */
};

/* Opens a topic, which `start` begins to read. Topics are numbered from 0 in
 * call order. Returns what dfopt_mofka_link_open does. */
enum dfopt_err dfopt_mofka_inbox_add(struct dfopt_mofka_inbox *in,
                                     const struct dfopt_mofka_subscription *what,
                                     struct dfopt_error *err);

/* Starts reading all topics. Returns OK, NOMEM, or IO (no answer). Call once. */
enum dfopt_err dfopt_mofka_inbox_start(struct dfopt_mofka_inbox *in,
                                       struct dfopt_error *err);

/* Takes the next event, waiting up to timeout_ms (0: not at all) or until
 * woken. NULL: no event. *topic is its topic's number. Owned by the caller. */
struct dfopt_mofka_event *dfopt_mofka_inbox_take(struct dfopt_mofka_inbox *in,
                                                 int timeout_ms, size_t *topic);

/* Ends the current wait in take, or the next one. Any thread. */
void dfopt_mofka_inbox_wake(struct dfopt_mofka_inbox *in);

/* Returns OK, or IO: a topic can no longer be read, or a broker does not
 * answer. Check it when take returns nothing. */
enum dfopt_err dfopt_mofka_inbox_health(struct dfopt_mofka_inbox *in,
                                        struct dfopt_error *err);

/* A topic's name and handle. */
const struct dfopt_mofka_at *
dfopt_mofka_inbox_at(const struct dfopt_mofka_inbox *in, size_t topic);

/* The name under which the topic is consumed. */
const char *dfopt_mofka_inbox_consumer(const struct dfopt_mofka_inbox *in,
                                       size_t topic);

/* Stops reading and frees everything. Returns false if a thread does not
 * return: nothing was freed, and the link is stuck. NULL is fine: true. */
bool dfopt_mofka_inbox_destroy(struct dfopt_mofka_inbox *in);

#endif
