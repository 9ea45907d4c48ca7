/* A process's access to Mofka: the module, the opening thread, one connection
 * per group file, and the thread that watches them. Every call returns in time,
 * whatever the client library does. Calls that may hang run on a thread that is
 * then abandoned; from that moment the link is stuck and opens nothing more,
 * and the process should end by _exit.
 *
 * All calls on a link come from one thread, except set_stuck. */
#ifndef DFOPT_NET_MOFKA_LINK_H
#define DFOPT_NET_MOFKA_LINK_H

#include "net/mofka/watch.h"

struct dfopt_mofka_link;

/* A topic of a service. */
struct dfopt_mofka_at {
    struct dfopt_mofka_topic *topic;
    const char *name; /* valid as long as the link */
};

/* module_path: see dfopt_mofka_load. timeout_ms: the limit for one answer of a
 * broker. Returns OK, NOMEM, or STATE (no module). Owned:
 * dfopt_mofka_link_destroy. */
enum dfopt_err dfopt_mofka_link_create(struct dfopt_mofka_link **out,
                                       const char *module_path, int timeout_ms,
                                       struct dfopt_error *err);

/* Ends the threads, except the opening one, which lives on like the connections
 * until the process ends. Close everything opened first. Returns whether all
 * threads ended; false: stuck. NULL is fine: true. */
bool dfopt_mofka_link_destroy(struct dfopt_mofka_link *l);

const struct dfopt_mofka_module *
dfopt_mofka_link_module(const struct dfopt_mofka_link *l);
struct dfopt_mofka_watch *dfopt_mofka_link_watch(const struct dfopt_mofka_link *l);
int dfopt_mofka_link_timeout_ms(const struct dfopt_mofka_link *l);

/* Opens a topic of the service of a group file, connecting first if needed. If
 * a name with dots does not exist, tries underscores in their place:
 * DFOptimizer's names have dots, and Bedrock rejects them. Returns OK; ARG (no
 * such file or topic); IO (no answer); NOMEM. The text names the group file and
 * the topic. */
enum dfopt_err dfopt_mofka_link_open(struct dfopt_mofka_link *l,
                                     const char *group_file, const char *topic,
                                     struct dfopt_mofka_at *out,
                                     struct dfopt_error *err);

/* Prepares a consumer of a topic (struct dfopt_mofka_module). */
enum dfopt_err dfopt_mofka_link_consumer(struct dfopt_mofka_link *l,
                                         const struct dfopt_mofka_at *at,
                                         const char *name,
                                         const struct dfopt_mofka_bounds *bounds,
                                         struct dfopt_mofka_consumer **out,
                                         struct dfopt_error *err);

/* Reports that a thread did not return. Any thread. */
void dfopt_mofka_link_set_stuck(struct dfopt_mofka_link *l);

#endif
