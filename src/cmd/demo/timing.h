/* Clocks, and spending time by sleeping or computing. */
#ifndef DFOPT_CMD_DEMO_TIMING_H
#define DFOPT_CMD_DEMO_TIMING_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds since an arbitrary fixed point. */
int64_t demo_now_ns(void);

/* Sleeps this long, even if signals arrive. Returns at once for 0 or less. */
void demo_sleep_ns(int64_t ns);

/* Hashes the bytes repeatedly until the calling thread has used this much CPU time.
 * Returns the hash, so that the work is not optimised away. */
uint64_t demo_burn_ns(int64_t ns, const void *bytes, size_t len);

#endif
