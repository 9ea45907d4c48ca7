/* Output to Mofka: a producer for a topic, its thread, and a queue. Only flush
 * and destroy wait for the broker, and no longer than an answer may take.
 *
 * All calls come from one thread. */
#ifndef DFOPT_NET_MOFKA_OUTBOX_H
#define DFOPT_NET_MOFKA_OUTBOX_H

#include "net/mofka/link.h"

struct dfopt_mofka_outbox;

/* Opens a topic for sending. Returns what dfopt_mofka_link_open does. The link
 * must outlive it. Owned: dfopt_mofka_outbox_destroy. */
enum dfopt_err dfopt_mofka_outbox_create(struct dfopt_mofka_outbox **out,
                                         struct dfopt_mofka_link *l,
                                         const char *group_file, const char *topic,
                                         struct dfopt_error *err);

/* A message: metadata and body, both JSON; borrowed. */
struct dfopt_mofka_message {
    const char *metadata, *body;
    size_t metadata_len, body_len;
    size_t where; /* goes to partition `where` modulo their number */
};

/* Queues a copy. Returns OK; NOMEM; IO: sending has failed for good. */
enum dfopt_err dfopt_mofka_outbox_send(struct dfopt_mofka_outbox *b,
                                       const struct dfopt_mofka_message *m,
                                       struct dfopt_error *err);

/* The number of messages queued that the broker does not have yet. */
size_t dfopt_mofka_outbox_pending(struct dfopt_mofka_outbox *b);

/* Waits until the broker has everything sent so far, as long as it keeps
 * accepting events. Returns OK, or IO. */
enum dfopt_err dfopt_mofka_outbox_flush(struct dfopt_mofka_outbox *b,
                                        struct dfopt_error *err);

/* Ends the thread, which sends what is queued for at most linger_ms, and frees
 * everything. Returns false if it does not return: nothing was freed, and the
 * link is stuck. NULL is fine: true. */
bool dfopt_mofka_outbox_destroy(struct dfopt_mofka_outbox *b, int linger_ms);

#endif
