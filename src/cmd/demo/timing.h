/* Clocks, and spending time by waiting or computing. */
#ifndef DFOPT_CMD_DEMO_TIMING_H
#define DFOPT_CMD_DEMO_TIMING_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds since some fixed moment. */
int64_t demo_now_ns(void);

/* Sleeps for this long, also when signals come. 0 or less: not at all. */
void demo_sleep_ns(int64_t ns);

/* Hashes the bytes again and again until the calling thread has used this much
 * time of a processor. Returns the hash, so that the work cannot be left out. */
uint64_t demo_burn_ns(int64_t ns, const void *bytes, size_t len);

#endif
