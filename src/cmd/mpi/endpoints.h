/* Writes the file through which applications find a service: its endpoints, as
 * reachable from other hosts, and its public key. */
#ifndef DFOPT_CMD_MPI_ENDPOINTS_H
#define DFOPT_CMD_MPI_ENDPOINTS_H

#include "cmd/mpi/live.h"

/* Writes it atomically, mode 0600. OK, NOMEM or IO; the text names the file. */
enum dfopt_err dfopt_endpoints_write(const struct dfopt_live *l,
                                     const struct dfopt_options *o,
                                     struct dfopt_error *err);

#endif
