#include "cmd/demo/timing.h"

#include <errno.h>
#include <time.h>
#include <xxhash.h>

#define ROUND_BYTES 100000 /* hashed between checks of the clock, roughly */

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t demo_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

void demo_sleep_ns(int64_t ns)
{
    if (ns <= 0)
        return;
    const int64_t end = demo_now_ns() + ns;
    const struct timespec at = {(time_t)(end / 1000000000),
                                (long)(end % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        continue;
}

uint64_t demo_burn_ns(int64_t ns, const void *bytes, size_t len)
{
    const int64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
    const size_t rounds = 1 + ROUND_BYTES / (len + 1);
    uint64_t hash = 0;
    do {
        for (size_t i = 0; i < rounds; i++)
            hash = XXH3_64bits_withSeed(bytes, len, hash);
    } while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end);
    return hash;
}
