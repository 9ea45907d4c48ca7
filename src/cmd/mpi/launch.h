/* Detects from the environment of launchers how the program was started. */
#ifndef DFOPT_CMD_MPI_LAUNCH_H
#define DFOPT_CMD_MPI_LAUNCH_H

#include "base/log.h"

/* Whether this may be one of several ranks. */
bool dfopt_launch_is_by_launcher(void);

/* Logs a warning where a launcher has started several tasks and MPI, which does
 * not understand it, made each a program of its own: `size` is MPI's number of
 * ranks. Returns whether it did. */
bool dfopt_launch_check(int size, struct dfopt_log *log);

#endif
