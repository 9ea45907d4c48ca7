/* Threads that may have to be abandoned, because a call in them may never
 * return, and waits with a deadline. */
#ifndef DFOPT_NET_MOFKA_THREAD_H
#define DFOPT_NET_MOFKA_THREAD_H

#include "dfopt/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread with all signals blocked. Returns OK or NOMEM. */
enum dfopt_err dfopt_mofka_thread_start(pthread_t *out, void *(*body)(void *),
                                        void *arg, struct dfopt_error *err);

/* Waits for its end until the deadline. Returns whether it ended; otherwise it
 * is abandoned. */
bool dfopt_mofka_thread_join(pthread_t thread, int64_t deadline_ns);

/* A condition variable with deadlines on the monotonic clock. */
void dfopt_mofka_cond_init(pthread_cond_t *c);

/* Waits for a signal until the deadline. Returns false once that has passed.
 * May wake spuriously, like any condition variable. */
bool dfopt_mofka_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock,
                           int64_t deadline_ns);

/* dfopt_clock_monotonic_ns `ms` milliseconds from now. */
int64_t dfopt_mofka_in_ms(int64_t ms);

#endif
