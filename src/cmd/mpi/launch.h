/* Detects from a launcher's environment how the program was started. */
#ifndef DFOPT_CMD_MPI_LAUNCH_H
#define DFOPT_CMD_MPI_LAUNCH_H

#include "base/log.h"

/* Whether this may be one of several ranks. */
bool dfopt_launch_is_by_launcher(void);

/* Warns if a launcher started several tasks but MPI, which does not support it,
 * made each a separate program: `size` is MPI's number of ranks. Returns whether it
 * did. */
bool dfopt_launch_check(int size, struct dfopt_log *log);

#endif
