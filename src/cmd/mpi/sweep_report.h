/* Reports and writes the results of a sweep. For the files of the sweep only. */
#ifndef DFOPT_CMD_MPI_SWEEP_REPORT_H
#define DFOPT_CMD_MPI_SWEEP_REPORT_H

#include "cmd/mpi/progress.h"
#include "cmd/mpi/run.h"
#include "declog/sweep_file.h"
#include "engine/sweep/sweep.h"
#include "engine/sweep/checkpoint.h"

struct dfopt_sweep_run {
    const struct dfopt_session *session;
    struct dfopt_buf text; /* of the sweep file */
    struct dfopt_sweep_variants variants;
    char **policies;                    /* owned; by variant: JSON */
    struct dfopt_registration *initial; /* owned; members are the session's */
    bool *chosen;                       /* owned; by variant: keep its decisions */
    uint64_t config_digest;
    char *journal_path; /* owned */
    bool resumes;
    struct dfopt_sweep_journal *journal;
    struct dfopt_recording recording;
    struct dfopt_variant_world world;
    size_t n_knobs;
    struct dfopt_buf *results; /* owned; by variant */
    size_t n_results, n_resumed;
    struct dfopt_progress_line line;
};

/* Writes the output with the decisions of the chosen variants. OK, NOMEM or IO. */
enum dfopt_err dfopt_sweep_report(struct dfopt_sweep_run *s,
                                  struct dfopt_error *err);

#endif
