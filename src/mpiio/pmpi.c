/* The MPI functions that this library interposes: open, close, finalize. Views are
 * in view.c, reads and writes in access.c. Each calls the real function exactly as
 * the application asked, except for hints; results and errors are the real ones.
 * The added communication is collective where the function is:
 *
 *   open    one broadcast. If the file is tuned: a communicator of its own, for the
 *           application may free the one it gave, and two reductions if there are
 *           hints, so that all ranks have them or none.
 *   close   two reductions to rank 0, if the file is tuned. */
#include "mpiio/guest.h"
#include "mpiio/real.h"
#include "mpiio/together.h"

#include "dfopt/client_mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An open in progress, on one rank. */
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
    const char *why_not;       /* why the hints were not applied */
};

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

/* Opens with the hints if every rank can; retries without if they made it fail. */
static int open_with_hints(struct opening *o, MPI_File *fh)
{
    MPI_Info info = MPI_INFO_NULL;
    const bool made =
        dfopt_hints_merge(&o->agreed.hints, o->given, o->amode & MPI_MODE_CREATE,
                          &info) == DFOPT_OK;
    int rc = MPI_SUCCESS;
    if (!dfopt_together_all(o->own, made)) {
        o->why_not = "a rank cannot set them";
        rc = really_open(o, o->given, fh);
    } else {
        rc = really_open(o, info, fh);
        if (dfopt_together_all(o->own, rc != MPI_SUCCESS)) {
            const int again = really_open(o, o->given, fh);
            if (dfopt_together_all(o->own, again == MPI_SUCCESS))
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
    f->view_bytes = o->agreed.view_bytes;
    f->views = -1;
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
    if (!dfopt_together_all(o->comm, o->file && o->own != MPI_COMM_NULL)) {
        o->why_not = "a rank is out of memory";
        return really_open(o, o->given, fh);
    }
    const int rc =
        o->agreed.hints.n ? open_with_hints(o, fh) : really_open(o, o->given, fh);
    if (rc == MPI_SUCCESS)
        keep(o, *fh, begin);
    return rc;
}

/* Rank 0 decides and broadcasts. */
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

/* Handles only several ranks in one group. Everything else, errors included, is
 * left to the application and MPI. */
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

/* ---- close ---- */

static void end_window(struct dfopt_file *f, double closed)
{
    struct dfopt_io_window w;
    if (dfopt_together_add_up(f, closed, &w))
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
