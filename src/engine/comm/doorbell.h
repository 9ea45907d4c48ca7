/* A doorbell in shared memory: one process sleeps until others ring it. An idle
 * rank costs nothing and still wakes at once. Uses Linux futexes; each doorbell
 * has one waiter. */
#ifndef DFOPT_ENGINE_COMM_DOORBELL_H
#define DFOPT_ENGINE_COMM_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

/* The waiting process zeroes it before others know it. Alone in its cache line. */
struct dfopt_doorbell {
    uint32_t rung;   /* ring count, modulo 2^32 */
    uint32_t asleep; /* the waiter is asleep or about to sleep */
    uint32_t unused[14];
};

/* Call after making the work visible. Any process. */
void dfopt_doorbell_ring(struct dfopt_doorbell *b);

/* For the waiter, in this order: announces that it is about to sleep; checks once
 * more for work; then sleeps until a ring, a signal or the timeout, or stays
 * awake. A ring since the announcement ends the sleep at once. sleep returns
 * whether it was rung. */
uint32_t dfopt_doorbell_announce(struct dfopt_doorbell *b);
bool dfopt_doorbell_sleep(struct dfopt_doorbell *b, uint32_t announced,
                          int64_t timeout_ns);
void dfopt_doorbell_stay_awake(struct dfopt_doorbell *b);

#endif
