/* What the ranks that have opened a file find out together. All functions are
 * collective over the communicator. */
#ifndef DFOPT_MPIIO_TOGETHER_H
#define DFOPT_MPIIO_TOGETHER_H

#include "mpiio/guest.h"

/* Whether all ranks say yes. */
bool dfopt_together_all(MPI_Comm comm, bool yes);

/* Adds up what all ranks did to a file in the window that ends now (MPI_Wtime).
 * Returns whether this is rank 0, which has *w; it borrows from *f. */
bool dfopt_together_add_up(const struct dfopt_file *f, double now,
                           struct dfopt_io_window *w);

/* The bytes of all ranks, on each of them. */
double dfopt_together_bytes(const struct dfopt_file *f);

#endif
