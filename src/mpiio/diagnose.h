/* What the windows so far say about the job's MPI-IO: whether it is a part of the
 * time that is worth a change, and of which kind. */
#ifndef DFOPT_MPIIO_DIAGNOSE_H
#define DFOPT_MPIIO_DIAGNOSE_H

#include "mpiio/guest.h"

#include "dfopt/client_measure.h"

#define DFOPT_IO_TAGS 7 /* of a finding */

/* Zeroed: no window yet. Plain data. */
struct dfopt_io_diagnosis {
    double last_closed; /* when the window before ended */
    int64_t windows;    /* so far */
    int64_t seen[2];    /* of which each kind was found */
    int64_t run[2];     /* windows in a row */
    struct dfopt_client_metric metrics[5];
};

/* Bytes a second, in MB (10^6). */
double dfopt_io_rate(const struct dfopt_io_window *w);

/* Share of the time since the window before, or since this one was opened, that
 * was spent within MPI-IO: 0..1. */
double dfopt_io_share(const struct dfopt_io_diagnosis *d,
                      const struct dfopt_io_window *w);

/* Looks at the next window, whose number is `index`. Returns whether there is a
 * finding; it borrows from *d, until the next call. */
bool dfopt_io_diagnose(struct dfopt_io_diagnosis *d,
                       const struct dfopt_io_window *w, int64_t index,
                       struct dfopt_client_finding *out);

#endif
