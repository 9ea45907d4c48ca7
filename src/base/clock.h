/* The only access to the operating system's clocks, for the programs, the
 * engine and transports that wait. Decisions never depend on the clock. */
#ifndef DFOPT_BASE_CLOCK_H
#define DFOPT_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970-01-01 UTC. */
int64_t dfopt_clock_wall_ns(void);

/* Nanoseconds since an arbitrary fixed point; never decreases. */
int64_t dfopt_clock_monotonic_ns(void);

/* A source of wall-clock time, so that tests can pass their own. */
typedef int64_t (*dfopt_clock_fn)(void);

#endif
