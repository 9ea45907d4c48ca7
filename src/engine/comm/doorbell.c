/* A futex doorbell. The waiter sets `asleep`, then checks for work; the ringer
 * makes work visible, then checks `asleep`: with sequential consistency, at least
 * one of them sees the other. */
#include "engine/comm/doorbell.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void dfopt_doorbell_ring(struct dfopt_doorbell *b)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&b->asleep, __ATOMIC_SEQ_CST))
        return;
    __atomic_add_fetch(&b->rung, 1, __ATOMIC_SEQ_CST);
    (void)syscall(SYS_futex, &b->rung, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

uint32_t dfopt_doorbell_announce(struct dfopt_doorbell *b)
{
    const uint32_t rung = __atomic_load_n(&b->rung, __ATOMIC_SEQ_CST);
    __atomic_store_n(&b->asleep, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return rung;
}

bool dfopt_doorbell_sleep(struct dfopt_doorbell *b, uint32_t announced,
                          int64_t timeout_ns)
{
    const struct timespec t = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    (void)syscall(SYS_futex, &b->rung, FUTEX_WAIT, announced, &t, NULL, 0);
    dfopt_doorbell_stay_awake(b);
    return __atomic_load_n(&b->rung, __ATOMIC_SEQ_CST) != announced;
}

void dfopt_doorbell_stay_awake(struct dfopt_doorbell *b)
{
    __atomic_store_n(&b->asleep, 0, __ATOMIC_SEQ_CST);
}
