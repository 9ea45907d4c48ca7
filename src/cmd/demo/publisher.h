/* Sends findings over a ZMQ PUSH socket or to a Mofka topic.
 *
 * Never waits for the peer: a finding that cannot be sent at once is dropped,
 * because it would become stale.
 *
 * All calls come from one thread. */
#ifndef DFOPT_CMD_DEMO_PUBLISHER_H
#define DFOPT_CMD_DEMO_PUBLISHER_H

#include "dfopt/error.h"

#include <stdbool.h>

struct dfopt_mofka_link;
struct dfopt_mofka_outbox;

/* Zeroed: closed. */
struct demo_publisher {
    void *context, *socket; /* libzmq's; NULL: over Mofka */
    struct dfopt_mofka_link *link;
    struct dfopt_mofka_outbox *outbox;
    char endpoint[256]; /* as resolved */
};

/* Returns OK; ARG or IO, the text names the endpoint; NOMEM. Owned: close. */
enum dfopt_err demo_publisher_open(struct demo_publisher *p, const char *endpoint,
                                   bool bind, struct dfopt_error *err);

/* The same to a topic of the Mofka service in a group file. Waits until it is open.
 * May also return STATE: this build has no Mofka. */
enum dfopt_err demo_publisher_open_topic(struct demo_publisher *p,
                                         const char *group_file, const char *topic,
                                         struct dfopt_error *err);

/* Waits at most linger_ms for sent findings to leave. Fine if closed. Returns false
 * if Mofka's client hangs: then the process must end with _exit. */
bool demo_publisher_close(struct demo_publisher *p, int linger_ms);

bool demo_publisher_is_open(const struct demo_publisher *p);

/* Whether there is a peer to take a finding. */
bool demo_publisher_connected(struct demo_publisher *p);

/* Sends metadata and body, both JSON. Returns whether a peer takes them. */
bool demo_publisher_send(struct demo_publisher *p, const char *metadata,
                         const char *body);

#endif
