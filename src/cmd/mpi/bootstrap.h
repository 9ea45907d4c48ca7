/* Knobs requested by the environment if no application registers any:
 * DFOPTIMIZER_BOOTSTRAP_DLIO=1. Source: DFOptimizer 0.1.0, optimizer.py. */
#ifndef DFOPT_CMD_MPI_BOOTSTRAP_H
#define DFOPT_CMD_MPI_BOOTSTRAP_H

#include "base/buf.h"

#include <stdbool.h>

/* Whether the environment requests them. */
bool dfopt_bootstrap_wanted(void);

/* Appends the registration as JSON. Returns OK, NOMEM, or ARG if a variable is not
 * a valid number (the text names it). `cpus` is the default for the thread
 * maximum. */
enum dfopt_err dfopt_bootstrap_json(long cpus, struct dfopt_buf *out,
                                    struct dfopt_error *err);

#endif
