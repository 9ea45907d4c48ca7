/* The HDF5 file that a sweep writes: variants, their policies and metrics;
 * docs/sweeps.md lists every dataset. Written in one go, and read as a whole. */
#ifndef DFOPT_DECLOG_SWEEP_FILE_H
#define DFOPT_DECLOG_SWEEP_FILE_H

#include "model/sweep.h"

#define DFOPT_SWEEP_FORMAT  "dfopt-sweep"
#define DFOPT_SWEEP_VERSION 1

/* Texts stored as attributes of the file. */
#define DFOPT_SWEEP_TEXT_LIST(X)                                                   \
    X(program_version)                                                             \
    X(mpi_library) X(command_line) X(preset) X(acks_mode) X(created) X(sweep)
/* Integers, likewise: of the run and the recording. */
#define DFOPT_SWEEP_FACT_LIST(X)                                                   \
    X(ranks) X(records) X(findings) X(invalid) X(nodes) X(episodes)

/* ---- writing ---- */

struct dfopt_sweep_report { /* everything is borrowed */
    const struct dfopt_sweep_variants *variants;
    const char *const *policies;              /* by variant: a policy file's text */
    const struct dfopt_sweep_result *results; /* by variant */
    const char *const *knobs;                 /* by knob: the id */
    size_t n_knobs;
#define DFOPT_SWEEP_TEXT(name) const char *name;
    DFOPT_SWEEP_TEXT_LIST(DFOPT_SWEEP_TEXT)
#undef DFOPT_SWEEP_TEXT
#define DFOPT_SWEEP_FACT(name) int64_t name;
    DFOPT_SWEEP_FACT_LIST(DFOPT_SWEEP_FACT)
#undef DFOPT_SWEEP_FACT
    double severity; /* the maximum that could go unattended */
};

struct dfopt_sweep_writer;

/* Whether a file may be written there: the path is free or holds an earlier
 * sweep. OK, FORMAT or IO. */
enum dfopt_err dfopt_sweep_file_check(const char *path, struct dfopt_error *err);

/* Creates the file beside `path` (borrowed) and writes the report. Close moves
 * it into place. Returns owned: close. OK, NOMEM or IO. */
enum dfopt_err dfopt_sweep_writer_create(struct dfopt_sweep_writer **out,
                                         const char *path,
                                         const struct dfopt_sweep_report *report,
                                         struct dfopt_error *err);

/* Appends verdicts and plans to those of a variant. */
enum dfopt_err dfopt_sweep_writer_decisions(struct dfopt_sweep_writer *w,
                                            uint64_t variant,
                                            const struct dfopt_decisions *d,
                                            struct dfopt_error *err);

/* Closes the file; `dict` holds the strings of the decisions (NULL: no
 * decisions). With `whole` it moves into place, otherwise it is removed. NULLs
 * *w. OK or IO: the path is then unchanged. */
enum dfopt_err dfopt_sweep_writer_close(struct dfopt_sweep_writer **w, bool whole,
                                        const struct dfopt_dict *dict,
                                        struct dfopt_error *err);

/* ---- reading ---- */

struct dfopt_sweep_table { /* owned: dfopt_sweep_table_free */
    size_t n;              /* variants */
    size_t n_parameters;
    char **paths;    /* by parameter */
    char **settings; /* by variant, then parameter: JSON; "": not set */
    double *numbers; /* the same as numbers; NaN: none */
    size_t n_metrics;
    struct dfopt_sweep_metric_info metrics[DFOPT_SWEEP_METRICS_MAX];
    double *values; /* by metric, then variant */
    int64_t findings;
    double severity;
};

/* Reads the tables. OK, NOMEM, IO or FORMAT. */
enum dfopt_err dfopt_sweep_table_read(struct dfopt_sweep_table *t, const char *path,
                                      struct dfopt_error *err);
void dfopt_sweep_table_free(struct dfopt_sweep_table *t);

/* Appends the policy of a variant and a newline. OK, NOMEM, IO, FORMAT, or ARG
 * (no such variant). */
enum dfopt_err dfopt_sweep_policy_read(const char *path, uint64_t variant,
                                       struct dfopt_buf *out,
                                       struct dfopt_error *err);

#endif
