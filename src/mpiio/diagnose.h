/* Diagnoses the job's MPI-IO from the windows so far: whether it takes enough of
 * the time to be worth a change, and of which kind. */
#ifndef DFOPT_MPIIO_DIAGNOSE_H
#define DFOPT_MPIIO_DIAGNOSE_H

#include "mpiio/guest.h"

#include "dfopt/client_measure.h"

#define DFOPT_IO_TAGS 7 /* per finding */

/* Zeroed: no window yet. Plain data. */
struct dfopt_io_diagnosis {
    double last_closed; /* when the previous window ended */
    int64_t windows;    /* so far */
    int64_t seen[2];    /* in which each kind was found */
    int64_t run[2];     /* the same, in a row */
    struct dfopt_client_metric metrics[5];
};

/* Bytes a second, in MB (10^6). */
double dfopt_io_rate(const struct dfopt_io_window *w);

/* Share of the time spent within MPI-IO since the previous window or the start of
 * this one, whichever is earlier: 0..1. */
double dfopt_io_share(const struct dfopt_io_diagnosis *d,
                      const struct dfopt_io_window *w);

/* Diagnoses the next window, whose number is `index`. Returns whether there is a
 * finding; *out borrows from *d until the next call. */
bool dfopt_io_diagnose(struct dfopt_io_diagnosis *d,
                       const struct dfopt_io_window *w, int64_t index,
                       struct dfopt_client_finding *out);

#endif
