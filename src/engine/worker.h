/* A rank that plans: it is told how to decide, decides the events of each
 * batch that are its share, and reports; until it is told to leave. */
#ifndef DFOPT_ENGINE_WORKER_H
#define DFOPT_ENGINE_WORKER_H

#include "engine/comm/comm.h"

/* Local, on every rank but 0. Serves rank 0 until it says stop. Returns the
 * exit code that rank 0 gave. A failure here is reported to rank 0, which then
 * says stop; if that cannot be, all ranks are ended. */
int dfopt_worker_serve(struct dfopt_comm *comm);

/* Local, on rank 0, once: tells every other rank to leave with an exit code. */
void dfopt_worker_dismiss(struct dfopt_comm *comm, int exit_code);

#endif
