/* Findings on their way out, over a ZMQ PUSH socket. Nothing waits for the peer:
 * what nobody can take now is dropped, for a finding grows old. */
#ifndef DFOPT_DEMO_PUBLISHER_H
#define DFOPT_DEMO_PUBLISHER_H

#include "dfopt/error.h"

#include <stdbool.h>

struct demo_publisher {
    void *context, *socket; /* of libzmq */
    char endpoint[256];     /* as it was resolved */
};

/* Returns OK; ARG or IO, the text names the endpoint; NOMEM. Owned: close. */
enum dfopt_err demo_publisher_open(struct demo_publisher *p, const char *endpoint,
                                   bool bind, struct dfopt_error *err);

/* Waits at most linger_ms for what was sent to leave. A zeroed one is fine. */
void demo_publisher_close(struct demo_publisher *p, int linger_ms);

/* Whether somebody is there to take a finding. */
bool demo_publisher_connected(struct demo_publisher *p);

/* Sends metadata and body, both JSON. Returns whether somebody takes them. */
bool demo_publisher_send(struct demo_publisher *p, const char *metadata,
                         const char *body);

#endif
