/* Measures the time without input, for idle timeouts. Time in which the process
 * did not run (SIGSTOP, a suspended machine) is excluded: each look counts at
 * most DFOPT_IDLE_LOOK_NS, so looks must come at least that often. */
#ifndef DFOPT_BASE_IDLE_H
#define DFOPT_BASE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define DFOPT_IDLE_LOOK_NS INT64_C(1000000000)

struct dfopt_idle {          /* zero: no input yet, the clock has not started */
    int64_t spent_ns, at_ns; /* idle time as of that look (0: not started) */
};

/* Looks; `came`: there was input since the last look. Returns the idle time. */
int64_t dfopt_idle_look(struct dfopt_idle *idle, int64_t now_ns, bool came);

#endif
