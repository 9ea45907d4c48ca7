/* A sweep as the command line asks for it: the sweep file, the run, its journal
 * and the file that it leaves. */
#ifndef DFOPT_CMD_MPI_SWEEP_H
#define DFOPT_CMD_MPI_SWEEP_H

#include "cmd/mpi/options.h"
#include "codec/codec.h"
#include "engine/comm/comm.h"
#include "engine/online/leader.h"

/* What a session has read and checked; everything is borrowed. */
struct dfopt_sweep_setup {
    struct dfopt_comm *comm;
    const struct dfopt_options *o;
    int argc;
    char **argv;
    const volatile sig_atomic_t *stop;
    struct dfopt_log *log;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    const struct dfopt_policy *policy; /* of the preset and the policy file */
    bool assumed_acks;
    const struct dfopt_initial *initial;
    size_t n_initial;
};

/* Local, on rank 0. Runs the sweep, or lists its variants. Returns the exit code;
 * what went wrong is in the log. */
int dfopt_sweep_session(const struct dfopt_sweep_setup *setup);

#endif
