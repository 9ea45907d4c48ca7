/* Tracks the tuned open files by handle, and what was done to each. One table per
 * process; any thread. */
#ifndef DFOPT_MPIIO_FILES_H
#define DFOPT_MPIIO_FILES_H

#include "mpiio/hints.h"

#define DFOPT_FILE_NAME_SIZE 200
#define DFOPT_NO_GENERATION  UINT64_MAX /* opened without the hints in force */

/* What this process did to a file in a window. All are doubles, so that one
 * reduction sums those of all ranks. */
struct dfopt_io_counts {
    double bytes;           /* requested */
    double written;         /* of them */
    double calls;           /* reads and writes */
    double collective;      /* of them */
    double scattered_bytes; /* through a view with gaps */
    double nonblocking;     /* calls whose time is unknown */
};

struct dfopt_file {
    MPI_File handle;
    MPI_Comm comm; /* owned: of the ranks that opened it */
    struct dfopt_hints hints;
    uint64_t generation; /* of the hints */
    double view_bytes;   /* of all ranks, for a view to end a window; 0: never */
    int64_t views;       /* in this window; -1: opened in it */
    double opened;       /* when the window began: seconds, MPI_Wtime */
    double seconds;      /* within MPI-IO */
    bool has_gaps;       /* of the view */
    struct dfopt_io_counts counts;
    char name[DFOPT_FILE_NAME_SIZE];
    struct dfopt_file *next;
};

/* Adds a file to the table. Takes *f, allocated by malloc. */
void dfopt_files_add(struct dfopt_file **f);

/* Removes a file: returned owned (free), or NULL if it is not in the table. */
struct dfopt_file *dfopt_files_remove(MPI_File handle);

/* Whether the table may hold anything: cheap, lock-free. */
bool dfopt_files_any(void);

/* Counts a view. Returns whether the file is there; *copy is its state now. */
bool dfopt_files_count_view(MPI_File handle, struct dfopt_file *copy);

/* Begins a new window of the file, with these hints. */
void dfopt_files_begin(MPI_File handle, const struct dfopt_hints *hints,
                       uint64_t generation, double now);

/* Adds the time of a call on the file, if it is in the table. */
void dfopt_files_spent(MPI_File handle, double seconds);

/* Records a new view of the file. */
void dfopt_files_view(MPI_File handle, bool has_gaps, double seconds);

/* Records a call that reads or writes. */
struct dfopt_io_call {
    double bytes, seconds;
    bool writes, collective, nonblocking;
};
void dfopt_files_count(MPI_File handle, const struct dfopt_io_call *call);

/* Frees the files that nobody closed. Returns their number. */
unsigned dfopt_files_drop(void);

#endif
