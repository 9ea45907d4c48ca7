/* A thread that talks to the brokers: it acknowledges events, and checks once a
 * second that each broker responds. Callers of dfopt_mofka_watch_health learn of a
 * broker that does not. */
#ifndef DFOPT_NET_MOFKA_WATCH_H
#define DFOPT_NET_MOFKA_WATCH_H

#include "net/mofka/module.h"

struct dfopt_mofka_watch;

/* timeout_ms: how long an answer may take. Returns OK or NOMEM. Owned:
 * dfopt_mofka_watch_destroy. */
enum dfopt_err dfopt_mofka_watch_create(struct dfopt_mofka_watch **out,
                                        const struct dfopt_mofka_module *module,
                                        int timeout_ms, struct dfopt_error *err);

/* Watches a broker, too; group_file is borrowed, and names it in messages. Returns
 * OK or NOMEM. */
enum dfopt_err dfopt_mofka_watch_add(struct dfopt_mofka_watch *w,
                                     struct dfopt_mofka_broker *b,
                                     const char *group_file,
                                     struct dfopt_error *err);

/* A place for an event to acknowledge: one for each partition. `topic` is borrowed
 * and names it in messages. Returns OK or NOMEM; slots count from 0. */
enum dfopt_err dfopt_mofka_watch_slot(struct dfopt_mofka_watch *w,
                                      const char *topic, size_t *slot,
                                      struct dfopt_error *err);

/* Takes an event to be acknowledged in the place of one that still waits in that
 * slot. Waits for nothing. */
void dfopt_mofka_watch_acknowledge(struct dfopt_mofka_watch *w, size_t slot,
                                   struct dfopt_mofka_event *e);

/* Waits until all is acknowledged, as long as an answer may take. Returns OK, or
 * IO: what is not. */
enum dfopt_err dfopt_mofka_watch_settle(struct dfopt_mofka_watch *w,
                                        struct dfopt_error *err);

/* Returns OK, or IO: a broker does not answer, or refused something. Waits for
 * nothing. Any thread. */
enum dfopt_err dfopt_mofka_watch_health(struct dfopt_mofka_watch *w,
                                        struct dfopt_error *err);

/* How long it is worth waiting for something of the brokers: as long as an answer
 * may take or, once one of them is gone, as a thread needs to come back. Any
 * thread. */
int dfopt_mofka_watch_patience_ms(struct dfopt_mofka_watch *w);

/* The same as a moment (dfopt_clock_monotonic_ns): an answer that is late already
 * gets no more time. Any thread. */
int64_t dfopt_mofka_watch_deadline_ns(struct dfopt_mofka_watch *w);

/* Ends the thread. Returns false if it did not come back: then nothing was freed.
 * NULL is fine: true. */
bool dfopt_mofka_watch_destroy(struct dfopt_mofka_watch *w);

#endif
