/* One run of dfopt-mpi on rank 0: from checked options to an exit code. */
#ifndef DFOPT_CMD_MPI_SESSION_H
#define DFOPT_CMD_MPI_SESSION_H

#include "cmd/mpi/options.h"
#include "engine/batch/run.h"
#include "engine/comm/comm.h"

/* Set by signal handlers. */
struct dfopt_signals {
    volatile sig_atomic_t stop;   /* not 0: stop cleanly */
    volatile sig_atomic_t reload; /* number of requests to re-read the policy */
};

/* Local, on rank 0; the other ranks serve. Opens everything, runs, logs the outcome
 * and closes everything. Returns an exit code (enum dfopt_exit); the ranks must
 * still be dismissed. */
int dfopt_session_run(struct dfopt_comm *comm, const struct dfopt_options *o,
                      int argc, char **argv, struct dfopt_log *log,
                      const struct dfopt_signals *signals);

#endif
