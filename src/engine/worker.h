/* A worker, in any mode: serves rank 0's frames until rank 0 dismisses it. */
#ifndef DFOPT_ENGINE_WORKER_H
#define DFOPT_ENGINE_WORKER_H

#include "engine/comm/comm.h"

/* Local, on every rank but 0. Serves rank 0 until STOP. Returns the exit code from
 * rank 0. Reports a failure here to rank 0, which then sends STOP; if it cannot be
 * reported, all ranks end (dfopt_comm_lost). */
int dfopt_worker_serve(struct dfopt_comm *comm);

/* Local, on rank 0, once: dismisses all workers with an exit code. */
void dfopt_worker_dismiss(struct dfopt_comm *comm, int exit_code);

#endif
