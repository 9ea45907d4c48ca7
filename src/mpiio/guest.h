/* The guest in the process: rank 0's part of every open and close. It holds the
 * client, the hints in force, and the number of the window. Only the process that
 * is rank 0 of MPI_COMM_WORLD, in a job that nobody spawned, has anything to say;
 * and it says that in the one message that all ranks of an open get. Any thread. */
#ifndef DFOPT_MPIIO_GUEST_H
#define DFOPT_MPIIO_GUEST_H

#include "mpiio/files.h"

#define DFOPT_AGREED_MAGIC UINT32_C(0x64666d32) /* of this layout */

/* What rank 0 tells at an open or a view. Zeroed: nothing is to be done. */
struct dfopt_agreed {
    uint32_t magic;
    uint32_t tuned;    /* the file is measured, and gets the hints */
    uint32_t changed;  /* at a view: by plans that are in them */
    double view_bytes; /* a view ends a window of so many; 0: none does */
    uint64_t generation;
    struct dfopt_hints hints;
};

/* The plans that were taken for an open or a view, until it is known what became of
 * it. */
struct dfopt_taken {
    struct dfopt_client_plan plans[DFOPT_HINTS_MAX];
    size_t n;
    struct dfopt_hints before;
    bool first; /* the client is made after this open */
};

/* Rank 0 of the communicator, before the open. Sets both. */
void dfopt_guest_decide(const char *name, struct dfopt_agreed *agreed,
                        struct dfopt_taken *taken);

/* Rank 0, after it. why_not: the hints were not taken, and are given up; NULL: they
 * were. file: MPI_FILE_NULL if the open failed; ranks: that opened it. */
void dfopt_guest_opened(struct dfopt_taken *taken, const char *why_not,
                        MPI_File file, int ranks);

/* A window that has ended: what all ranks did to a file, from its open or a view to
 * a view or its close. */
struct dfopt_io_window {
    const char *name;
    const struct dfopt_hints *hints;
    uint64_t generation;
    struct dfopt_io_counts counts; /* the sums */
    double opened, closed;         /* when it began and ended, MPI_Wtime */
    double seconds;                /* within MPI-IO, of the slowest rank */
    int ranks;
};

/* Rank 0, before a view that ends the window: reports it, and decides as at an
 * open, about what a view can change. dfopt_guest_opened comes after it, too. */
void dfopt_guest_viewed(const struct dfopt_io_window *w,
                        struct dfopt_agreed *agreed, struct dfopt_taken *taken);

/* Rank 0: reports it. */
void dfopt_guest_closed(const struct dfopt_io_window *w);

/* The process ends: sends what waits, for a moment, and stops. Any rank. */
void dfopt_guest_end(void);

#endif
