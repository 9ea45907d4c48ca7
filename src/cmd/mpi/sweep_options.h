/* Options of a sweep: part of dfopt-mpi's command line (options.h), where they are
 * checked with the rest. */
#ifndef DFOPT_CMD_MPI_SWEEP_OPTIONS_H
#define DFOPT_CMD_MPI_SWEEP_OPTIONS_H

#include "cmd/option/option.h"

struct dfopt_sweep_options {
    const char *file;   /* NULL: no sweep */
    const char *output; /* NULL only with dry_run */
    bool dry_run, resume;
    int64_t memory_mib;  /* for a rank's variants */
    uint64_t *decisions; /* variants whose decisions to keep; owned */
    size_t n_decisions;
};

/* The table, and the defaults. */
extern const struct dfopt_option dfopt_sweep_options[];
void dfopt_sweep_options_init(struct dfopt_sweep_options *o);
void dfopt_sweep_options_free(struct dfopt_sweep_options *o);

/* Checks the options of a sweep by themselves. Returns 0, or EINVAL (reported). */
error_t dfopt_sweep_options_check(struct argp_state *state,
                                  const struct dfopt_sweep_options *o);

#endif
