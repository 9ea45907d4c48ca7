/* Sends findings over a ZMQ PUSH socket or to a topic of Mofka.
 *
 * Never waits for the peer: a finding that cannot be sent at once is dropped, since
 * it ages.
 *
 * All calls come from one thread. */
#ifndef DFOPT_CMD_DEMO_PUBLISHER_H
#define DFOPT_CMD_DEMO_PUBLISHER_H

#include "dfopt/error.h"

#include <stdbool.h>

struct dfopt_mofka_link;
struct dfopt_mofka_outbox;

/* Zeroed it is closed. */
struct demo_publisher {
    void *context, *socket; /* of libzmq; NULL: over Mofka */
    struct dfopt_mofka_link *link;
    struct dfopt_mofka_outbox *outbox;
    char endpoint[256]; /* as it was resolved */
};

/* Returns OK; ARG or IO, the text names the endpoint; NOMEM. Owned: close. */
enum dfopt_err demo_publisher_open(struct demo_publisher *p, const char *endpoint,
                                   bool bind, struct dfopt_error *err);

/* The same into a topic of the Mofka service of a group file. Waits until it is
 * open. Returns STATE, too: this build is without Mofka. */
enum dfopt_err demo_publisher_open_topic(struct demo_publisher *p,
                                         const char *group_file, const char *topic,
                                         struct dfopt_error *err);

/* Waits at most linger_ms for what was sent to leave. A closed one is fine. Returns
 * whether all of it has ended: false: Mofka's client does not come back, and the
 * process has to end by _exit. */
bool demo_publisher_close(struct demo_publisher *p, int linger_ms);

bool demo_publisher_is_open(const struct demo_publisher *p);

/* Whether somebody is there to take a finding. */
bool demo_publisher_connected(struct demo_publisher *p);

/* Sends metadata and body, both JSON. Returns whether somebody takes them. */
bool demo_publisher_send(struct demo_publisher *p, const char *metadata,
                         const char *body);

#endif
