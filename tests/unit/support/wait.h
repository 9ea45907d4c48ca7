/* Waiting for a condition, with a deadline: never for a time. */
#ifndef DFOPT_TESTS_WAIT_H
#define DFOPT_TESTS_WAIT_H

#include "support/unit.h"

#include <time.h>

#define DEADLINE_MS 60000 /* for what must happen; machines are slow at times */

/* The monotonic clock. */
static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Evaluates the condition until it holds. */
#define wait_until(condition)                                                      \
    do {                                                                           \
        int64_t until_ = now_ms() + DEADLINE_MS;                                   \
        while (!(condition)) {                                                     \
            assert_true(now_ms() < until_);                                        \
            pause_ms(1);                                                           \
        }                                                                          \
    } while (0)

#endif
