/* Runs the loader: fetches and computes in windows, sends findings, applies plans.
 */
#ifndef DFOPT_CMD_DEMO_RUN_H
#define DFOPT_CMD_DEMO_RUN_H

#include "cmd/demo/options.h"

#include <signal.h>

/* Runs as the options say, until *interrupted is not 0. Returns the program's exit
 * code; trouble has been reported on standard error. */
int demo_run(const struct demo_options *o,
             const volatile sig_atomic_t *interrupted);

enum demo_exit {
    DEMO_EXIT_FINE = 0,
    DEMO_EXIT_TROUBLE = 1,
    DEMO_EXIT_INTERRUPTED = 3,
    DEMO_EXIT_FELL_SHORT = 4
};

#endif
