/* The two ends of a live service over Mofka. */
#ifndef DFOPT_CMD_MPI_LIVE_MOFKA_H
#define DFOPT_CMD_MPI_LIVE_MOFKA_H

#include "cmd/mpi/live.h"

/* Opens both, as dfopt_live_open. */
enum dfopt_err dfopt_live_mofka_open(struct dfopt_live *l,
                                     const struct dfopt_options *o,
                                     struct dfopt_error *err);

/* Ends the link, when both ends are closed. If Mofka's client does not come back
 * the process will end without its destructors, which would not either. */
void dfopt_live_mofka_close(struct dfopt_live *l);

void dfopt_live_mofka_announce(const struct dfopt_live *l,
                               const struct dfopt_options *o);

#endif
