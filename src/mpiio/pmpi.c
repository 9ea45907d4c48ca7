/* The MPI functions that this library stands before: open, view, close, finalize.
 * Each calls the real one exactly as the application asked, but for hints; so
 * results and errors are its own. What is added is collective where the function
 * is:
 *
 *   open    one broadcast. If the file is tuned: a communicator of its own, for the
 *           application may free its own, and two reductions if there are hints, so
 *           that all ranks have them or none.
 *   view    nothing.
 *   close   two reductions to rank 0, if the file is tuned. */
#include "mpiio/guest.h"
#include "mpiio/real.h"

#include "dfopt/client_mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An open under way, on one rank. */
struct opening {
    MPI_Comm comm; /* the application's */
    const char *name;
    int amode;
    MPI_Info given;
    int rank, ranks;
    struct dfopt_agreed agreed;
    struct dfopt_taken *taken; /* rank 0: else NULL */
    MPI_Comm own;              /* MPI_COMM_NULL: none */
    struct dfopt_file *file;   /* owned; NULL: no memory */
    const char *why_not;       /* the hints are not taken */
};

/* Whether all ranks say yes. */
static bool all_ranks(MPI_Comm comm, bool yes)
{
    int64_t no = !yes;
    return dfopt_client_mpi_maximum(&comm, &no, 1) == MPI_SUCCESS && no == 0;
}

static int really_open(const struct opening *o, MPI_Info info, MPI_File *fh)
{
    return DFOPT_REAL(File_open, o->comm, o->name, o->amode, info, fh);
}

/* ---- open ---- */

static void make_own(struct opening *o)
{
    o->own = MPI_COMM_NULL;
    if (PMPI_Comm_dup(o->comm, &o->own) != MPI_SUCCESS)
        o->own = MPI_COMM_NULL;
    else
        PMPI_Comm_set_errhandler(o->own, MPI_ERRORS_RETURN);
    o->file = calloc(1, sizeof *o->file);
}

/* Opens with the hints, if every rank can; and without them if they are what it
 * fails by. */
static int open_with_hints(struct opening *o, MPI_File *fh)
{
    MPI_Info info = MPI_INFO_NULL;
    const bool made =
        dfopt_hints_merge(&o->agreed.hints, o->given, o->amode & MPI_MODE_CREATE,
                          &info) == DFOPT_OK;
    int rc = MPI_SUCCESS;
    if (!all_ranks(o->own, made)) {
        o->why_not = "a rank cannot set them";
        rc = really_open(o, o->given, fh);
    } else {
        rc = really_open(o, info, fh);
        if (all_ranks(o->own, rc != MPI_SUCCESS)) {
            const int again = really_open(o, o->given, fh);
            if (all_ranks(o->own, again == MPI_SUCCESS))
                o->why_not = "the file cannot be opened with them";
            rc = again;
        }
    }
    if (made)
        PMPI_Info_free(&info);
    return rc;
}

static void keep(struct opening *o, MPI_File fh, double begin)
{
    struct dfopt_file *f = o->file;
    f->handle = fh;
    f->comm = o->own;
    f->generation = o->agreed.generation;
    f->opened = begin;
    f->seconds = PMPI_Wtime() - begin;
    snprintf(f->name, sizeof f->name, "%s", o->name);
    if (o->why_not)
        f->generation = DFOPT_NO_GENERATION;
    else
        f->hints = o->agreed.hints;
    o->own = MPI_COMM_NULL;
    dfopt_files_add(&o->file);
}

static int open_tuned(struct opening *o, MPI_File *fh)
{
    const double begin = PMPI_Wtime();
    make_own(o);
    if (!all_ranks(o->comm, o->file && o->own != MPI_COMM_NULL)) {
        o->why_not = "a rank is out of memory";
        return really_open(o, o->given, fh);
    }
    const int rc =
        o->agreed.hints.n ? open_with_hints(o, fh) : really_open(o, o->given, fh);
    if (rc == MPI_SUCCESS)
        keep(o, *fh, begin);
    return rc;
}

/* Rank 0 decides, and all are told. */
static bool agree(struct opening *o)
{
    if (o->taken)
        dfopt_guest_decide(o->name, &o->agreed, o->taken);
    return dfopt_client_mpi_broadcast(&o->comm, &o->agreed, sizeof o->agreed) ==
               MPI_SUCCESS &&
           o->agreed.magic == DFOPT_AGREED_MAGIC && o->agreed.tuned;
}

static int open_agreed(struct opening *o, MPI_File *fh)
{
    if (!agree(o))
        return really_open(o, o->given, fh);
    const int rc = open_tuned(o, fh);
    if (o->taken)
        dfopt_guest_opened(o->taken, o->why_not,
                           rc == MPI_SUCCESS ? *fh : MPI_FILE_NULL, o->ranks);
    if (o->own != MPI_COMM_NULL)
        PMPI_Comm_free(&o->own);
    free(o->file);
    return rc;
}

/* Several ranks, in one group: what else there is, also what is wrong, is between
 * the application and MPI. */
static bool is_shared(MPI_Comm comm, const char *name, int *ranks)
{
    int inter = 1;
    return name && comm != MPI_COMM_NULL &&
           PMPI_Comm_test_inter(comm, &inter) == MPI_SUCCESS && !inter &&
           PMPI_Comm_size(comm, ranks) == MPI_SUCCESS && *ranks > 1;
}

int MPI_File_open(MPI_Comm comm, const char *filename, int amode, MPI_Info info,
                  MPI_File *fh)
{
    struct opening o = {.comm = comm,
                        .name = filename,
                        .amode = amode,
                        .given = info,
                        .own = MPI_COMM_NULL};
    if (!is_shared(comm, filename, &o.ranks))
        return really_open(&o, info, fh);
    struct dfopt_taken *taken = NULL;
    PMPI_Comm_rank(comm, &o.rank);
    if (o.rank == 0)
        o.taken = taken = calloc(1, sizeof *taken);
    const int rc = open_agreed(&o, fh);
    free(taken);
    return rc;
}
DFOPT_SECOND_NAME(File_open);

/* ---- view ---- */

static bool has_gaps(MPI_Datatype type)
{
    MPI_Count size = 0, lower = 0, extent = 0;
    return type != MPI_DATATYPE_NULL &&
           PMPI_Type_size_x(type, &size) == MPI_SUCCESS &&
           PMPI_Type_get_extent_x(type, &lower, &extent) == MPI_SUCCESS &&
           extent != size;
}

int MPI_File_set_view(MPI_File fh, MPI_Offset disp, MPI_Datatype etype,
                      MPI_Datatype filetype, const char *datarep, MPI_Info info)
{
    struct dfopt_hints hints;
    MPI_Info merged = MPI_INFO_NULL;
    if (!dfopt_files_hints(fh, &hints))
        return DFOPT_REAL(File_set_view, fh, disp, etype, filetype, datarep, info);
    const double begin = PMPI_Wtime();
    if (hints.n && dfopt_hints_merge(&hints, info, false, &merged) != DFOPT_OK)
        merged = MPI_INFO_NULL; /* and the file keeps those that it has */
    const int rc = DFOPT_REAL(File_set_view, fh, disp, etype, filetype, datarep,
                              hints.n ? merged : info);
    if (merged != MPI_INFO_NULL)
        PMPI_Info_free(&merged);
    if (rc == MPI_SUCCESS)
        dfopt_files_view(fh, has_gaps(filetype), PMPI_Wtime() - begin);
    return rc;
}
DFOPT_SECOND_NAME(File_set_view);

/* ---- close ---- */

/* Adds up what all ranks did. Returns whether this is rank 0, which has the sums.
 */
static bool add_up(const struct dfopt_file *f, struct dfopt_io_window *w)
{
    const double spent =
        f->counts.nonblocking > 0 || f->seconds > w->closed - w->opened
            ? w->closed - w->opened
            : f->seconds;
    int rank = -1;
    const int n = sizeof f->counts / sizeof(double);
    return PMPI_Comm_rank(f->comm, &rank) == MPI_SUCCESS &&
           PMPI_Comm_size(f->comm, &w->ranks) == MPI_SUCCESS &&
           PMPI_Reduce(&f->counts, &w->counts, n, MPI_DOUBLE, MPI_SUM, 0,
                       f->comm) == MPI_SUCCESS &&
           PMPI_Reduce(&spent, &w->seconds, 1, MPI_DOUBLE, MPI_MAX, 0, f->comm) ==
               MPI_SUCCESS &&
           rank == 0;
}

static void end_window(struct dfopt_file *f, double closed)
{
    struct dfopt_io_window w = {.name = f->name,
                                .hints = &f->hints,
                                .generation = f->generation,
                                .opened = f->opened,
                                .closed = closed};
    if (add_up(f, &w))
        dfopt_guest_closed(&w);
    PMPI_Comm_free(&f->comm);
}

int MPI_File_close(MPI_File *fh)
{
    struct dfopt_file *f = fh ? dfopt_files_remove(*fh) : NULL;
    if (!f)
        return DFOPT_REAL(File_close, fh);
    const double begin = PMPI_Wtime();
    const int rc = DFOPT_REAL(File_close, fh);
    const double end = PMPI_Wtime();
    f->seconds += end - begin;
    end_window(f, end);
    free(f);
    return rc;
}
DFOPT_SECOND_NAME(File_close);

/* ---- the end ---- */

int MPI_Finalize(void)
{
    dfopt_files_drop();
    dfopt_guest_end();
    return DFOPT_REAL(Finalize);
}
DFOPT_SECOND_NAME(Finalize);
