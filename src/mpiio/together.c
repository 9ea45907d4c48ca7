#include "mpiio/together.h"

#include "dfopt/client_mpi.h"

bool dfopt_together_all(MPI_Comm comm, bool yes)
{
    int64_t no = !yes;
    return dfopt_client_mpi_maximum(&comm, &no, 1) == MPI_SUCCESS && no == 0;
}

/* This rank's seconds within MPI-IO; nonblocking calls count the whole window. */
static double spent(const struct dfopt_file *f, double now)
{
    const double all = now - f->opened;
    return f->counts.nonblocking > 0 || f->seconds > all ? all : f->seconds;
}

bool dfopt_together_add_up(const struct dfopt_file *f, double now,
                           struct dfopt_io_window *w)
{
    const int n = sizeof f->counts / sizeof(double);
    const double mine = spent(f, now);
    int rank = -1;
    *w = (struct dfopt_io_window){.name = f->name,
                                  .hints = &f->hints,
                                  .generation = f->generation,
                                  .opened = f->opened,
                                  .closed = now};
    return PMPI_Comm_rank(f->comm, &rank) == MPI_SUCCESS &&
           PMPI_Comm_size(f->comm, &w->ranks) == MPI_SUCCESS &&
           PMPI_Reduce(&f->counts, &w->counts, n, MPI_DOUBLE, MPI_SUM, 0,
                       f->comm) == MPI_SUCCESS &&
           PMPI_Reduce(&mine, &w->seconds, 1, MPI_DOUBLE, MPI_MAX, 0, f->comm) ==
               MPI_SUCCESS &&
           rank == 0;
}

double dfopt_together_bytes(const struct dfopt_file *f)
{
    double all = 0;
    return PMPI_Allreduce(&f->counts.bytes, &all, 1, MPI_DOUBLE, MPI_SUM,
                          f->comm) == MPI_SUCCESS
               ? all
               : 0;
}
