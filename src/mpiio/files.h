/* Tracks the open files that are tuned, by handle, and what was done to each. One
 * table per process; any thread. */
#ifndef DFOPT_MPIIO_FILES_H
#define DFOPT_MPIIO_FILES_H

#include "mpiio/hints.h"

#define DFOPT_FILE_NAME_SIZE 200
#define DFOPT_NO_GENERATION  UINT64_MAX /* opened without the hints in force */

/* What this process did to a file in a window. Sums of doubles, so that
 * one reduction adds up those of all ranks. */
struct dfopt_io_counts {
    double bytes;           /* asked for */
    double written;         /* of them */
    double calls;           /* reads and writes */
    double collective;      /* of them */
    double scattered_bytes; /* through a view with gaps */
    double nonblocking;     /* calls whose time is not known */
};

struct dfopt_file {
    MPI_File handle;
    MPI_Comm comm; /* owned: of the ranks that opened it */
    struct dfopt_hints hints;
    uint64_t generation; /* of the hints */
    double view_bytes; /* of all ranks; a view ends a window of so many. 0: never */
    int64_t views;     /* since the window began; -1: opened since */
    double opened;     /* when that was: seconds, MPI_Wtime */
    double seconds;    /* within MPI-IO */
    bool has_gaps;     /* the view */
    struct dfopt_io_counts counts;
    char name[DFOPT_FILE_NAME_SIZE];
    struct dfopt_file *next;
};

/* Takes a file into the table. Takes *f, which malloc made. */
void dfopt_files_add(struct dfopt_file **f);

/* Takes it out: returned owned (free), or NULL if it is not there. */
struct dfopt_file *dfopt_files_remove(MPI_File handle);

/* Whether the table may hold anything: cheap, and no lock. */
bool dfopt_files_any(void);

/* A view more. Returns whether the file is there; *copy is as it is now. */
bool dfopt_files_count_view(MPI_File handle, struct dfopt_file *copy);

/* Begins another window of the file, with hints of its own. */
void dfopt_files_begin(MPI_File handle, const struct dfopt_hints *hints,
                       uint64_t generation, double now);

/* Adds the time of a call on the file, which may not be there. */
void dfopt_files_spent(MPI_File handle, double seconds);

/* The file has another view. */
void dfopt_files_view(MPI_File handle, bool has_gaps, double seconds);

/* One call that reads or writes. */
struct dfopt_io_call {
    double bytes, seconds;
    bool writes, collective, nonblocking;
};
void dfopt_files_count(MPI_File handle, const struct dfopt_io_call *call);

/* Frees what is left: files that nobody closed. Returns their number. */
unsigned dfopt_files_drop(void);

#endif
