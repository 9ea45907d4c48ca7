/* The process's file descriptors: each peer of a service needs one, and without a
 * free one libzmq lets further peers wait, silently. */
#ifndef DFOPT_CMD_MPI_DESCRIPTORS_H
#define DFOPT_CMD_MPI_DESCRIPTORS_H

#include "base/log.h"
#include "metrics/board.h"

/* Zero-initialise it. */
struct dfopt_descriptors {
    int64_t looked_ns;
    bool used_up;
};

/* Raises the limit as far as the process may (ulimit -n to ulimit -Hn). */
void dfopt_descriptors_raise(void);

/* Looks once a second whether one is free; if not, logs one warning until there is,
 * and adds it to the health. */
void dfopt_descriptors_look(struct dfopt_descriptors *d, struct dfopt_log *log,
                            struct dfopt_health *h);

#endif
