/* dfopt/client_group.h over MPI. Header-only, so that the library does not depend
 * on MPI: it is compiled with the MPI of the application.
 *
 *     struct dfopt_client_agreed p[4];
 *     size_t n;
 *     dfopt_client_at_boundary_all(c, comm, NULL, "epoch_boundary", p, 4, &n);
 *     for (size_t i = 0; i < n; i++) {
 *         bool all;
 *         ... set p[i].plan.parameter to p[i].plan.new_value.i ...
 *         dfopt_client_ack_all(c, comm, &p[i], NULL, epoch, &all);
 *         if (!all)
 *             ... restore the previous value ...
 *     }
 *
 * Collective over comm. Rank 0 passes the client, the others NULL. Use a separate
 * communicator (MPI_Comm_dup) if other collectives may be in flight. */
#ifndef DFOPT_CLIENT_MPI_H
#define DFOPT_CLIENT_MPI_H

#include "dfopt/client_group.h"

#include <mpi.h>

static inline int dfopt_client_mpi_broadcast(void *comm, void *bytes, size_t n)
{
    return MPI_Bcast(bytes, (int)n, MPI_BYTE, 0, *(MPI_Comm *)comm);
}

static inline int dfopt_client_mpi_maximum(void *comm, int64_t *values, int n)
{
    return MPI_Allreduce(MPI_IN_PLACE, values, n, MPI_INT64_T, MPI_MAX,
                         *(MPI_Comm *)comm);
}

/* Returns a group of the ranks of *comm, which it borrows while it is used. Set
 * wait_ms to wait at boundaries. Local. */
static inline struct dfopt_client_group dfopt_client_mpi_group(MPI_Comm *comm)
{
    struct dfopt_client_group group = {0};
    group.arg = comm;
    group.broadcast = dfopt_client_mpi_broadcast;
    group.maximum = dfopt_client_mpi_maximum;
    MPI_Comm_rank(*comm, &group.rank);
    return group;
}

/* dfopt_client_at_boundary_group. Collective. */
static inline enum dfopt_err
dfopt_client_at_boundary_all(dfopt_client *c, MPI_Comm comm, const char *function,
                             const char *boundary, struct dfopt_client_agreed *out,
                             size_t max, size_t *n)
{
    const struct dfopt_client_group group = dfopt_client_mpi_group(&comm);
    return dfopt_client_at_boundary_group(c, &group, function, boundary, out, max,
                                          n);
}

/* dfopt_client_ack_group. Collective. */
static inline enum dfopt_err
dfopt_client_ack_all(dfopt_client *c, MPI_Comm comm,
                     const struct dfopt_client_agreed *plan, const char *why_not,
                     int64_t window_index, bool *all)
{
    const struct dfopt_client_group group = dfopt_client_mpi_group(&comm);
    return dfopt_client_ack_group(c, &group, plan, why_not, window_index, all);
}

#endif
