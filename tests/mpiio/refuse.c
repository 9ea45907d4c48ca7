/* An MPI library, for LD_PRELOAD behind libdfopt_mpiio, that opens no file with the
 * hint "refused". */
#include <mpi.h>

#include <dlfcn.h>

static int is_refused(MPI_Info info)
{
    char value[16];
    int found = 0;
    if (info != MPI_INFO_NULL)
        MPI_Info_get(info, "refused", sizeof value - 1, value, &found);
    return found;
}

__attribute__((visibility("default"))) int PMPI_File_open(MPI_Comm comm,
                                                          const char *name,
                                                          int amode, MPI_Info info,
                                                          MPI_File *fh)
{
    int (*real)(MPI_Comm, const char *, int, MPI_Info, MPI_File *) =
        (int (*)(MPI_Comm, const char *, int, MPI_Info, MPI_File *))dlsym(
            RTLD_NEXT, "PMPI_File_open");
    return is_refused(info) ? MPI_ERR_IO : real(comm, name, amode, info, fh);
}
