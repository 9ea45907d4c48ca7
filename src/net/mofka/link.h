/* What a process has of Mofka: the module, the thread that opens, connections (one
 * for each group file), and the thread that watches them. Every call comes back in
 * time, whatever the client below does. What may take for ever runs on a thread
 * that is left behind then; from that moment on the link is stuck, opens nothing
 * more, and the process should end by _exit.
 *
 * All calls on a link come from one thread, but for set_stuck. */
#ifndef DFOPT_NET_MOFKA_LINK_H
#define DFOPT_NET_MOFKA_LINK_H

#include "net/mofka/watch.h"

struct dfopt_mofka_link;

/* A topic of a service. */
struct dfopt_mofka_at {
    struct dfopt_mofka_topic *topic;
    const char *name; /* lives as long as the link */
};

/* module_path: see dfopt_mofka_load. timeout_ms: how long a broker may take over
 * one answer. Returns OK, NOMEM, or STATE (no module). Owned:
 * dfopt_mofka_link_destroy. */
enum dfopt_err dfopt_mofka_link_create(struct dfopt_mofka_link **out,
                                       const char *module_path, int timeout_ms,
                                       struct dfopt_error *err);

/* Ends the threads; connections are left to the end of the process, and so is the
 * thread that opened them. What was opened must have been closed. Returns whether
 * all ended well; false: stuck. NULL is fine: true. */
bool dfopt_mofka_link_destroy(struct dfopt_mofka_link *l);

const struct dfopt_mofka_module *
dfopt_mofka_link_module(const struct dfopt_mofka_link *l);
struct dfopt_mofka_watch *dfopt_mofka_link_watch(const struct dfopt_mofka_link *l);
int dfopt_mofka_link_timeout_ms(const struct dfopt_mofka_link *l);

/* Opens a topic of the service of a group file, connecting to it first if need be.
 * Where there is none of a name with dots, the one with underscores in their place:
 * DFOptimizer's names have dots, and Bedrock refuses them.
 * Returns OK; ARG (no such file or topic); IO (no answer); NOMEM. The text names
 * the group file and the topic. */
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
