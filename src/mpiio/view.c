/* MPI_File_set_view, for files that stay open. A view after at least min_bytes of
 * reads and writes ends a window and applies the plans of knobs that a view can
 * change (apply_when "file_view").
 *
 * Views may be frequent, and only all ranks together know how much was read and
 * written. So only the first, second, fourth, eighth ... view of a window is
 * checked, with one reduction. Ending a window costs two more and a broadcast, and
 * two more if plans have arrived. Which views these are depends only on numbers
 * that all ranks share. */
#include "mpiio/real.h"
#include "mpiio/together.h"

#include "dfopt/client_mpi.h"

#include <stdlib.h>

/* A view in progress, on one rank. */
struct viewing {
    MPI_File file;
    MPI_Offset disp;
    MPI_Datatype etype, filetype;
    const char *datarep;
    MPI_Info given;
    struct dfopt_file was; /* a copy */
    struct dfopt_agreed agreed;
    struct dfopt_taken *taken; /* rank 0: else NULL */
    const char *why_not;       /* why the hints were not applied */
};

static bool has_gaps(MPI_Datatype type)
{
    MPI_Count size = 0, lower = 0, extent = 0;
    return type != MPI_DATATYPE_NULL &&
           PMPI_Type_size_x(type, &size) == MPI_SUCCESS &&
           PMPI_Type_get_extent_x(type, &lower, &extent) == MPI_SUCCESS &&
           extent != size;
}

static int really_view(const struct viewing *v, MPI_Info info)
{
    return DFOPT_REAL(File_set_view, v->file, v->disp, v->etype, v->filetype,
                      v->datarep, info);
}

/* Sets the view with hints over those of the application. */
static int view_with(const struct viewing *v, const struct dfopt_hints *hints)
{
    MPI_Info merged = MPI_INFO_NULL;
    if (!hints->n)
        return really_view(v, v->given);
    if (dfopt_hints_merge(hints, v->given, false, &merged) != DFOPT_OK)
        merged = MPI_INFO_NULL; /* the file keeps its hints */
    const int rc = really_view(v, merged);
    if (merged != MPI_INFO_NULL)
        PMPI_Info_free(&merged);
    return rc;
}

/* Sets the view with changed hints, if every rank can set them. */
static int view_anew(struct viewing *v)
{
    MPI_Info merged = MPI_INFO_NULL;
    const bool made =
        dfopt_hints_merge(&v->agreed.hints, v->given, false, &merged) == DFOPT_OK;
    int rc = MPI_SUCCESS;
    if (!dfopt_together_all(v->was.comm, made)) {
        v->why_not = "a rank cannot set them";
        rc = view_with(v, &v->was.hints);
    } else {
        rc = really_view(v, merged);
        if (dfopt_together_all(v->was.comm, rc != MPI_SUCCESS)) {
            v->why_not = "the view cannot be set with them";
            rc = view_with(v, &v->was.hints);
        }
    }
    if (made)
        PMPI_Info_free(&merged);
    return rc;
}

/* ---- the end of a window ---- */

static bool is_looked_at(const struct dfopt_file *f)
{
    return f->view_bytes > 0 && f->views > 0 && (f->views & (f->views - 1)) == 0;
}

/* Rank 0 reports the window, decides and broadcasts. Returns whether it decided. */
static bool agree(struct viewing *v, double now)
{
    struct dfopt_io_window w;
    if (dfopt_together_add_up(&v->was, now, &w)) {
        v->taken = calloc(1, sizeof *v->taken);
        if (v->taken)
            dfopt_guest_viewed(&w, &v->agreed, v->taken);
    }
    return dfopt_client_mpi_broadcast(&v->was.comm, &v->agreed, sizeof v->agreed) ==
               MPI_SUCCESS &&
           v->agreed.magic == DFOPT_AGREED_MAGIC && v->agreed.tuned;
}

static int view_agreed(struct viewing *v, double now)
{
    if (!agree(v, now)) {
        free(v->taken);
        return view_with(v, &v->was.hints);
    }
    const int rc =
        v->agreed.changed ? view_anew(v) : view_with(v, &v->agreed.hints);
    if (v->why_not)
        dfopt_files_begin(v->file, &v->was.hints, DFOPT_NO_GENERATION, now);
    else
        dfopt_files_begin(v->file, &v->agreed.hints, v->agreed.generation, now);
    if (v->taken)
        dfopt_guest_opened(v->taken, v->why_not, MPI_FILE_NULL, 0);
    free(v->taken);
    return rc;
}

int MPI_File_set_view(MPI_File fh, MPI_Offset disp, MPI_Datatype etype,
                      MPI_Datatype filetype, const char *datarep, MPI_Info info)
{
    struct viewing v = {.file = fh,
                        .disp = disp,
                        .etype = etype,
                        .filetype = filetype,
                        .datarep = datarep,
                        .given = info};
    if (!dfopt_files_count_view(fh, &v.was))
        return really_view(&v, info);
    const double begin = PMPI_Wtime();
    const bool ends =
        is_looked_at(&v.was) && dfopt_together_bytes(&v.was) >= v.was.view_bytes;
    const int rc = ends ? view_agreed(&v, begin) : view_with(&v, &v.was.hints);
    if (rc == MPI_SUCCESS)
        dfopt_files_view(fh, has_gaps(filetype), PMPI_Wtime() - begin);
    return rc;
}
DFOPT_SECOND_NAME(File_set_view);
