/* The two ends of a live service over Mofka. */
#ifndef DFOPT_CMD_MPI_LIVE_MOFKA_H
#define DFOPT_CMD_MPI_LIVE_MOFKA_H

#include "cmd/mpi/live.h"

/* Opens both, like dfopt_live_open. */
enum dfopt_err dfopt_live_mofka_open(struct dfopt_live *l,
                                     const struct dfopt_options *o,
                                     struct dfopt_error *err);

/* Closes the link after both ends. If Mofka's client hangs, the process will exit
 * without its destructors, which would hang as well. */
void dfopt_live_mofka_close(struct dfopt_live *l);

void dfopt_live_mofka_announce(const struct dfopt_live *l,
                               const struct dfopt_options *o);

#endif
