/* The leader of an online run: ingests and numbers events, scatters them in
 * batches, and emits the decisions in event order. */
#ifndef DFOPT_ENGINE_ONLINE_LEADER_H
#define DFOPT_ENGINE_ONLINE_LEADER_H

#include "engine/batch/run.h"
#include "engine/comm/comm.h"

/* Local, on rank 0; the others are in dfopt_worker_serve until dismissed. Runs to
 * the end of the input and leaves the state in *out (zero it before; free its
 * buffers, on failure too). Returns OK, or why the run could not continue (strict:
 * the first bad record); everything decided before that is emitted. */
enum dfopt_err dfopt_online_run(struct dfopt_comm *comm,
                                const struct dfopt_run_config *config,
                                struct dfopt_run_result *out,
                                struct dfopt_error *err);

#endif
