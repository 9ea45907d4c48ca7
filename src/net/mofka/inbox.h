/* Input from Mofka: consumers of several topics, a thread for each that
 * pulls, and one queue a topic from which the caller takes. All partitions of a
 * topic are read; their events interleave as they come, those of one partition in
 * order.
 *
 * All calls come from one thread, but for wake. */
#ifndef DFOPT_NET_MOFKA_INBOX_H
#define DFOPT_NET_MOFKA_INBOX_H

#include "net/mofka/link.h"

#define DFOPT_MOFKA_INBOX_TOPICS 6

struct dfopt_mofka_inbox;

/* Returns OK or NOMEM. The link must live longer. Owned:
 * dfopt_mofka_inbox_destroy. */
enum dfopt_err dfopt_mofka_inbox_create(struct dfopt_mofka_inbox **out,
                                        struct dfopt_mofka_link *l,
                                        struct dfopt_error *err);

struct dfopt_mofka_subscription {
    const char *group_file, *topic;
    const char *consumer; /* name: it resumes where it left off */
    bool first; /* is read before the topics that are not: when it starts, until
                 * nothing more is there, and whenever both have something, but for
                 * a bounded share */
    size_t event_bytes; /* of a longer event so much is read */
};

/* Opens a topic, to be read from start on. Topics count from 0 in the order of the
 * calls. Returns what dfopt_mofka_link_open does. */
enum dfopt_err dfopt_mofka_inbox_add(struct dfopt_mofka_inbox *in,
                                     const struct dfopt_mofka_subscription *what,
                                     struct dfopt_error *err);

/* Begins to read all topics. Returns OK, NOMEM, or IO (no answer). Once. */
enum dfopt_err dfopt_mofka_inbox_start(struct dfopt_mofka_inbox *in,
                                       struct dfopt_error *err);

/* Takes the next event, waiting for one at most timeout_ms (0: not at all), and
 * less if woken. NULL: there is none. *topic is its topic's number. Owned by the
 * caller. */
struct dfopt_mofka_event *dfopt_mofka_inbox_take(struct dfopt_mofka_inbox *in,
                                                 int timeout_ms, size_t *topic);

/* Ends the current wait of take, or the next. Any thread. */
void dfopt_mofka_inbox_wake(struct dfopt_mofka_inbox *in);

/* Returns OK, or IO: a topic can no longer be read, or no broker answers. To be
 * asked when there is nothing to take. */
enum dfopt_err dfopt_mofka_inbox_health(struct dfopt_mofka_inbox *in,
                                        struct dfopt_error *err);

/* Of a topic: its name and where it is opened. */
const struct dfopt_mofka_at *
dfopt_mofka_inbox_at(const struct dfopt_mofka_inbox *in, size_t topic);

/* Ends reading, and frees all. Returns false if a thread does not come back: then
 * nothing was freed, and the link is stuck. NULL is fine: true. */
bool dfopt_mofka_inbox_destroy(struct dfopt_mofka_inbox *in);

#endif
