/* A progress line on a terminal: records, rate, share of the input, time left. */
#ifndef DFOPT_CMD_MPI_PROGRESS_H
#define DFOPT_CMD_MPI_PROGRESS_H

#include "engine/batch/run.h"

struct dfopt_progress_line {
    FILE *out;
    int64_t start_ns; /* monotonic */
};

/* A dfopt_run_progress_fn; arg is a struct dfopt_progress_line. */
void dfopt_progress_show(void *arg, const struct dfopt_run_progress *p);

/* Erases the line. */
void dfopt_progress_end(const struct dfopt_progress_line *line);

/* The progress line of a sweep: variants decided by this run and those left, with
 * the approximate number of findings per variant. */
void dfopt_progress_sweep(const struct dfopt_progress_line *line, size_t decided,
                          size_t left, size_t findings);

#endif
