/* An MPI library, for LD_PRELOAD behind libdfopt_mpiio, that opens no file and sets
 * no view with the hint "refused". Each rank appends the hints that its views are
 * given to the file VIEWS_FILE.RANK, a line a view. */
#include <mpi.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define REAL(name) (__typeof__(&MPI_##name))dlsym(RTLD_NEXT, "PMPI_" #name)
#define SHOWN      __attribute__((visibility("default")))

static int has(MPI_Info info, const char *name, char value[64])
{
    int found = 0;
    if (info != MPI_INFO_NULL)
        MPI_Info_get(info, name, 63, value, &found);
    return found;
}

SHOWN int PMPI_File_open(MPI_Comm comm, const char *name, int amode, MPI_Info info,
                         MPI_File *fh)
{
    char value[64];
    return has(info, "refused", value)
               ? MPI_ERR_IO
               : (REAL(File_open))(comm, name, amode, info, fh);
}

static void note(MPI_Info info)
{
    static const char *const names[] = {"cb_nodes", "cb_buffer_size",
                                        "romio_cb_write", "refused"};
    char path[512], value[64];
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(path, sizeof path, "%s.%d", getenv("VIEWS_FILE"), rank);
    FILE *f = fopen(path, "a");
    for (int i = 0; f && i < 4; i++)
        if (has(info, names[i], value))
            fprintf(f, " %s=%s", names[i], value);
    if (f) {
        fputs("\n", f);
        fclose(f);
    }
}

SHOWN int PMPI_File_set_view(MPI_File fh, MPI_Offset disp, MPI_Datatype etype,
                             MPI_Datatype filetype, const char *datarep,
                             MPI_Info info)
{
    char value[64];
    if (getenv("VIEWS_FILE"))
        note(info);
    return has(info, "refused", value)
               ? MPI_ERR_IO
               : (REAL(File_set_view))(fh, disp, etype, filetype, datarep, info);
}
