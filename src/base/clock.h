/* The only place that asks the operating system for the time: for the command
 * line, the runtime, and what waits in a transport. What is decided never depends
 * on it. */
#ifndef DFOPT_BASE_CLOCK_H
#define DFOPT_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970-01-01 UTC. */
int64_t dfopt_clock_wall_ns(void);

/* Nanoseconds since some fixed moment; never goes back. */
int64_t dfopt_clock_monotonic_ns(void);

/* A source of wall-clock time, so that tests can pass their own. */
typedef int64_t (*dfopt_clock_fn)(void);

#endif
