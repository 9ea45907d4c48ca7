/* Measures how long no input has arrived, for idle timeouts. Time in which the
 * process did not run (SIGSTOP, a suspended machine) is excluded: each look counts
 * at most DFOPT_IDLE_LOOK_NS, so looks must come at least that often. */
#ifndef DFOPT_BASE_IDLE_H
#define DFOPT_BASE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define DFOPT_IDLE_LOOK_NS INT64_C(1000000000)

struct dfopt_idle { /* zero: nothing has come yet, and nothing is counted */
    int64_t spent_ns, at_ns; /* idle so far, as of then (0: not begun) */
};

/* Looks: `came`, something has since the last look. Returns the time idle. */
int64_t dfopt_idle_look(struct dfopt_idle *idle, int64_t now_ns, bool came);

#endif
