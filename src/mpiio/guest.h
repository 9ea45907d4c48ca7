/* The guest in the process: rank 0's part of every open and close. It holds the
 * client, the hints in force and the window number. Only rank 0 of MPI_COMM_WORLD,
 * in a job that was not spawned, decides anything; the broadcast of an open tells
 * all of its ranks. Any thread. */
#ifndef DFOPT_MPIIO_GUEST_H
#define DFOPT_MPIIO_GUEST_H

#include "mpiio/files.h"

#define DFOPT_AGREED_MAGIC UINT32_C(0x64666d32) /* identifies this layout */

/* Rank 0's message at an open or a view. Zeroed: nothing to do. */
struct dfopt_agreed {
    uint32_t magic;
    uint32_t tuned;    /* the file is measured and gets the hints */
    uint32_t changed;  /* at a view: the hints include new plans */
    double view_bytes; /* after which a view ends a window; 0: never */
    uint64_t generation;
    struct dfopt_hints hints;
};

/* Plans taken for an open or a view, until their outcome is known. */
struct dfopt_taken {
    struct dfopt_client_plan plans[DFOPT_HINTS_MAX];
    size_t n;
    struct dfopt_hints before;
    bool first; /* the client is created after this open */
};

/* Rank 0 of the communicator, before the open. Sets *agreed and *taken. */
void dfopt_guest_decide(const char *name, struct dfopt_agreed *agreed,
                        struct dfopt_taken *taken);

/* Rank 0, after it. why_not: why the hints were not applied, and are given up;
 * NULL: they were. file: MPI_FILE_NULL if the open failed; ranks: that opened
 * it. */
void dfopt_guest_opened(struct dfopt_taken *taken, const char *why_not,
                        MPI_File file, int ranks);

/* A finished window: what all ranks did to a file, from its open or a view to the
 * next view or its close. */
struct dfopt_io_window {
    const char *name;
    const struct dfopt_hints *hints;
    uint64_t generation;
    struct dfopt_io_counts counts; /* summed over ranks */
    double opened, closed;         /* when it began and ended, MPI_Wtime */
    double seconds;                /* within MPI-IO, of the slowest rank */
    int ranks;
};

/* Rank 0, before a view that ends the window: reports it and decides as at an open,
 * but only on what a view can change. Call dfopt_guest_opened afterwards, too. */
void dfopt_guest_viewed(const struct dfopt_io_window *w,
                        struct dfopt_agreed *agreed, struct dfopt_taken *taken);

/* Rank 0: reports a window. */
void dfopt_guest_closed(const struct dfopt_io_window *w);

/* The process ends: briefly flushes queued messages, then stops. Any rank. */
void dfopt_guest_end(void);

#endif
