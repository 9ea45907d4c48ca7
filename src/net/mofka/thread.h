/* Threads that may have to be abandoned because a call in them may never return,
 * and waiting with a deadline. */
#ifndef DFOPT_NET_MOFKA_THREAD_H
#define DFOPT_NET_MOFKA_THREAD_H

#include "dfopt/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread that takes no signals. Returns OK or NOMEM. */
enum dfopt_err dfopt_mofka_thread_start(pthread_t *out, void *(*body)(void *),
                                        void *arg, struct dfopt_error *err);

/* Waits for it to end, at most until the deadline. Returns whether it did; else it
 * is left to itself. */
bool dfopt_mofka_thread_join(pthread_t thread, int64_t deadline_ns);

/* A condition variable whose deadlines are on the monotonic clock. */
void dfopt_mofka_cond_init(pthread_cond_t *c);

/* Waits for a signal, at most until the deadline. Returns false when that is past.
 * As with all of these: a signal may come for no reason. */
bool dfopt_mofka_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock,
                           int64_t deadline_ns);

/* dfopt_clock_monotonic_ns in so many milliseconds. */
int64_t dfopt_mofka_in_ms(int64_t ms);

#endif
