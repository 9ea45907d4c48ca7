/* The spread of read latencies: the ratio of a high to a low percentile. It is
 * slightly above 1 if storage serves all readers alike, and large under contention,
 * where some readers wait long and others do not. */
#ifndef DFOPT_CMD_DEMO_SPREAD_H
#define DFOPT_CMD_DEMO_SPREAD_H

#include <stdatomic.h>
#include <stdint.h>

#define DEMO_SPREAD_STEPS 16 /* a power of two */
#define DEMO_SPREAD_BINS  (60 * DEMO_SPREAD_STEPS)
#define DEMO_SPREAD_TAIL  40 /* one read in this many is dropped at each end */

/* A histogram of read times. Zeroed: empty. */
struct demo_spread {
    atomic_uint counts[DEMO_SPREAD_BINS];
};

/* Adds a read. Thread-safe: one atomic addition, no lock. */
void demo_spread_add(struct demo_spread *s, int64_t ns);

/* Empties it. Returns the ratio, within 6 %, of the slowest to the fastest read
 * without the slowest and the fastest 2.5 %, so that a few reads stalled by the
 * machine do not count; 0: fewer than DEMO_SPREAD_TAIL reads. One thread only. */
double demo_spread_take(struct demo_spread *s);

#endif
