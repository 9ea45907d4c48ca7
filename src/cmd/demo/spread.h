/* How much the latencies of reads differ: the ratio of a high to a low percentile.
 * Where storage serves all readers alike it is little above 1; where readers
 * contend, some wait long and others do not. */
#ifndef DFOPT_CMD_DEMO_SPREAD_H
#define DFOPT_CMD_DEMO_SPREAD_H

#include <stdatomic.h>
#include <stdint.h>

#define DEMO_SPREAD_STEPS 16 /* a power of two */
#define DEMO_SPREAD_BINS  (60 * DEMO_SPREAD_STEPS)
#define DEMO_SPREAD_TAIL  40 /* one read of so many is left out at each end */

/* How many reads took how long. Zeroed it is empty. */
struct demo_spread {
    atomic_uint counts[DEMO_SPREAD_BINS];
};

/* Adds a read. Any threads at once: one addition, and no lock. */
void demo_spread_add(struct demo_spread *s, int64_t ns);

/* Empties it. Returns the ratio, to 6 %, of the slowest read to the fastest when
 * the slowest and the fastest 2.5 % are left out, so that a few reads that the
 * machine held up do not count; 0: there were fewer than DEMO_SPREAD_TAIL reads.
 * One thread. */
double demo_spread_take(struct demo_spread *s);

#endif
