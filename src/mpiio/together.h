/* Agreement between the ranks that opened a file. All functions are collective over
 * the communicator. */
#ifndef DFOPT_MPIIO_TOGETHER_H
#define DFOPT_MPIIO_TOGETHER_H

#include "mpiio/guest.h"

/* Whether `yes` is true on all ranks. */
bool dfopt_together_all(MPI_Comm comm, bool yes);

/* Sums what all ranks did to a file in the window that ends now (MPI_Wtime).
 * Returns whether this is rank 0, the only one with *w; *w borrows from *f. */
bool dfopt_together_add_up(const struct dfopt_file *f, double now,
                           struct dfopt_io_window *w);

/* Returns the bytes of all ranks, on every rank. */
double dfopt_together_bytes(const struct dfopt_file *f);

#endif
