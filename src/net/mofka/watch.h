/* A thread that talks to the brokers: it acknowledges events and checks once a
 * second that each broker responds. dfopt_mofka_watch_health reports one that
 * does not. */
#ifndef DFOPT_NET_MOFKA_WATCH_H
#define DFOPT_NET_MOFKA_WATCH_H

#include "net/mofka/module.h"

struct dfopt_mofka_watch;

/* timeout_ms: the limit for an answer. Returns OK or NOMEM. Owned:
 * dfopt_mofka_watch_destroy. */
enum dfopt_err dfopt_mofka_watch_create(struct dfopt_mofka_watch **out,
                                        const struct dfopt_mofka_module *module,
                                        int timeout_ms, struct dfopt_error *err);

/* Also watches a broker; group_file is borrowed and names it in messages.
 * Returns OK or NOMEM. */
enum dfopt_err dfopt_mofka_watch_add(struct dfopt_mofka_watch *w,
                                     struct dfopt_mofka_broker *b,
                                     const char *group_file,
                                     struct dfopt_error *err);

/* Adds a slot for an event to acknowledge: one per partition. `topic` is borrowed
 * and names it in messages. Returns OK or NOMEM; slots are numbered from 0. */
enum dfopt_err dfopt_mofka_watch_slot(struct dfopt_mofka_watch *w,
                                      const char *topic, size_t *slot,
                                      struct dfopt_error *err);

/* Takes an event to acknowledge; it replaces one still waiting in that slot.
 * Does not wait. */
void dfopt_mofka_watch_acknowledge(struct dfopt_mofka_watch *w, size_t slot,
                                   struct dfopt_mofka_event *e);

/* Waits until everything is acknowledged, as long as an answer may take.
 * Returns OK, or IO: the text says what is not. */
enum dfopt_err dfopt_mofka_watch_settle(struct dfopt_mofka_watch *w,
                                        struct dfopt_error *err);

/* Returns OK, or IO: a broker does not answer or has rejected something. Does
 * not wait. Any thread. */
enum dfopt_err dfopt_mofka_watch_health(struct dfopt_mofka_watch *w,
                                        struct dfopt_error *err);

/* How long to wait for the brokers: as long as an answer may take or, once one
 * of them is gone, as a thread needs to return. Any thread. */
int dfopt_mofka_watch_patience_ms(struct dfopt_mofka_watch *w);

/* The same as a point in time (dfopt_clock_monotonic_ns): an overdue answer
 * gets no extra time. Any thread. */
int64_t dfopt_mofka_watch_deadline_ns(struct dfopt_mofka_watch *w);

/* Ends the thread. Returns false if it did not return: nothing was freed. NULL
 * is fine: true. */
bool dfopt_mofka_watch_destroy(struct dfopt_mofka_watch *w);

#endif
