/* What rank 0 does: takes events in, numbers them, has them decided in batches,
 * and puts out what was decided, in the order of the events. */
#ifndef DFOPT_ENGINE_ONLINE_LEADER_H
#define DFOPT_ENGINE_ONLINE_LEADER_H

#include "engine/batch/run.h"
#include "engine/comm/comm.h"

/* Local, on rank 0; the others are in dfopt_worker_serve until dismissed. Runs
 * to the end of the input and leaves the state in *out (zero it before; free
 * its buffers, on failure too). Returns OK, or what made it impossible to go on
 * (strict: the first bad record); everything decided before is put out. */
enum dfopt_err dfopt_online_run(struct dfopt_comm *comm,
                                const struct dfopt_run_config *config,
                                struct dfopt_run_result *out,
                                struct dfopt_error *err);

#endif
