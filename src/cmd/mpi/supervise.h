/* Makes a live service observable: status lines, metrics over HTTP, notifications
 * to systemd. */
#ifndef DFOPT_CMD_MPI_SUPERVISE_H
#define DFOPT_CMD_MPI_SUPERVISE_H

#include "cmd/mpi/live.h"
#include "cmd/mpi/status.h"

struct dfopt_supervision;

/* Starts serving metrics if requested; reports "not ready" until the service runs.
 * Borrows the options, the log and the ends. Returns owned: destroy. OK, NOMEM, ARG
 * or IO (the text names the address). */
enum dfopt_err dfopt_supervise_create(struct dfopt_supervision **out,
                                      const struct dfopt_options *o,
                                      const struct dfopt_live *live,
                                      struct dfopt_log *log,
                                      struct dfopt_error *err);
void dfopt_supervise_destroy(struct dfopt_supervision *s); /* NULL is fine */

/* Logs where metrics are served, and subscribes to the run's reports. */
void dfopt_supervise_start(struct dfopt_supervision *s,
                           struct dfopt_run_config *config, bool assumed_acks);

/* The run is over; outputs are about to be closed. */
void dfopt_supervise_stop(struct dfopt_supervision *s);

#endif
