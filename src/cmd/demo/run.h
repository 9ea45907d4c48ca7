/* Runs the loader: fetches, computes, sends findings, applies plans, in windows. */
#ifndef DFOPT_CMD_DEMO_RUN_H
#define DFOPT_CMD_DEMO_RUN_H

#include "cmd/demo/options.h"

#include <signal.h>

/* Runs as configured until *interrupted is not 0. Returns the exit code; errors
 * have been reported on standard error. */
int demo_run(const struct demo_options *o,
             const volatile sig_atomic_t *interrupted);

enum demo_exit {
    DEMO_EXIT_FINE = 0,
    DEMO_EXIT_TROUBLE = 1,
    DEMO_EXIT_INTERRUPTED = 3,
    DEMO_EXIT_FELL_SHORT = 4
};

#endif
