/* Writes the file through which applications find a service: its endpoints, as
 * reachable from other hosts, and its public key. */
#ifndef DFOPT_CMD_MPI_ENDPOINTS_H
#define DFOPT_CMD_MPI_ENDPOINTS_H

#include "cmd/mpi/live.h"

/* Whether a service may write it there: the path is free, or holds endpoints of a
 * service that has ended. OK, FORMAT, or STATE (a running service's); the text
 * names the file. NULL is fine. */
enum dfopt_err dfopt_endpoints_check(const char *path, struct dfopt_error *err);

/* Writes it atomically, mode 0600, and locks it. *fd is the open file, which the
 * caller gives to dfopt_endpoints_remove. OK, NOMEM or IO; the text names the
 * file. */
enum dfopt_err dfopt_endpoints_write(const struct dfopt_live *l,
                                     const struct dfopt_options *o, int *fd,
                                     struct dfopt_error *err);

/* Removes the file, unless the path names another one now, and closes it. -1 is
 * fine. */
void dfopt_endpoints_remove(const char *path, int fd);

#endif
