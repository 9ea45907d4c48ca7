/* Reads and writes: passed through unchanged, and counted if the file is tuned.
 * With no tuned file open this costs one atomic load. */
#include "mpiio/files.h"
#include "mpiio/real.h"

#include <string.h>

static double bytes_of(int count, MPI_Datatype type)
{
    MPI_Count size = 0;
    if (count <= 0 || type == MPI_DATATYPE_NULL ||
        PMPI_Type_size_x(type, &size) != MPI_SUCCESS || size < 0)
        return 0;
    return (double)count * (double)size;
}

/* ---- named by function ---- */

static bool is_collective(const char *name)
{
    return strstr(name, "_all") || strstr(name, "_ordered");
}

static bool is_write(const char *name)
{
    return strstr(name, "write") != NULL;
}

static bool is_nonblocking(const char *name)
{
    return strstr(name, "iread") || strstr(name, "iwrite") ||
           strstr(name, "_begin");
}

#define COUNTED(name, file, count, type, ...)                                      \
    {                                                                              \
        if (!dfopt_files_any())                                                    \
            return DFOPT_REAL(name, __VA_ARGS__);                                  \
        const double begin = PMPI_Wtime();                                         \
        const int rc = DFOPT_REAL(name, __VA_ARGS__);                              \
        const struct dfopt_io_call call = {                                        \
            .bytes = rc == MPI_SUCCESS ? bytes_of(count, type) : 0,                \
            .seconds = PMPI_Wtime() - begin,                                       \
            .writes = is_write(#name),                                             \
            .collective = is_collective(#name),                                    \
            .nonblocking = is_nonblocking(#name)};                                 \
        dfopt_files_count(file, &call);                                            \
        return rc;                                                                 \
    }                                                                              \
    DFOPT_SECOND_NAME(name)

/* Each with `last`, a status or a request. */
#define AT(name, buffer, last)                                                     \
    int MPI_##name(MPI_File fh, MPI_Offset at, buffer b, int n, MPI_Datatype type, \
                   last x) COUNTED(name, fh, n, type, fh, at, b, n, type, x)
#define HERE(name, buffer, last)                                                   \
    int MPI_##name(MPI_File fh, buffer b, int n, MPI_Datatype type, last x)        \
        COUNTED(name, fh, n, type, fh, b, n, type, x)
#define BEGIN_AT(name, buffer)                                                     \
    int MPI_##name(MPI_File fh, MPI_Offset at, buffer b, int n, MPI_Datatype type) \
        COUNTED(name, fh, n, type, fh, at, b, n, type)
#define BEGIN(name, buffer)                                                        \
    int MPI_##name(MPI_File fh, buffer b, int n, MPI_Datatype type)                \
        COUNTED(name, fh, n, type, fh, b, n, type)

typedef void *into;
typedef const void *from;
typedef MPI_Status *status;
typedef MPI_Request *request;

AT(File_read_at, into, status);
AT(File_read_at_all, into, status);
AT(File_write_at, from, status);
AT(File_write_at_all, from, status);
AT(File_iread_at, into, request);
AT(File_iread_at_all, into, request);
AT(File_iwrite_at, from, request);
AT(File_iwrite_at_all, from, request);

HERE(File_read, into, status);
HERE(File_read_all, into, status);
HERE(File_read_shared, into, status);
HERE(File_read_ordered, into, status);
HERE(File_write, from, status);
HERE(File_write_all, from, status);
HERE(File_write_shared, from, status);
HERE(File_write_ordered, from, status);
HERE(File_iread, into, request);
HERE(File_iread_all, into, request);
HERE(File_iread_shared, into, request);
HERE(File_iwrite, from, request);
HERE(File_iwrite_all, from, request);
HERE(File_iwrite_shared, from, request);

BEGIN_AT(File_read_at_all_begin, into);
BEGIN_AT(File_write_at_all_begin, from);
BEGIN(File_read_all_begin, into);
BEGIN(File_read_ordered_begin, into);
BEGIN(File_write_all_begin, from);
BEGIN(File_write_ordered_begin, from);

/* ---- functions that only add time ---- */

#define TIMED(name, file, ...)                                                     \
    {                                                                              \
        if (!dfopt_files_any())                                                    \
            return DFOPT_REAL(name, __VA_ARGS__);                                  \
        const double begin = PMPI_Wtime();                                         \
        const int rc = DFOPT_REAL(name, __VA_ARGS__);                              \
        dfopt_files_spent(file, PMPI_Wtime() - begin);                             \
        return rc;                                                                 \
    }                                                                              \
    DFOPT_SECOND_NAME(name)

#define END(name, buffer)                                                          \
    int MPI_##name(MPI_File fh, buffer b, status x) TIMED(name, fh, fh, b, x)

END(File_read_at_all_end, into);
END(File_write_at_all_end, from);
END(File_read_all_end, into);
END(File_read_ordered_end, into);
END(File_write_all_end, from);
END(File_write_ordered_end, from);

int MPI_File_sync(MPI_File fh) TIMED(File_sync, fh, fh);
