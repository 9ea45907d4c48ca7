/* Opens a run's input: as a source for rank 0 and, if all ranks can read it, as
 * splits. */
#ifndef DFOPT_CMD_MPI_INPUTS_H
#define DFOPT_CMD_MPI_INPUTS_H

#include "cmd/mpi/options.h"
#include "codec/codec.h"
#include "transport/file/split.h"

struct dfopt_inputs {
    struct dfopt_source *source; /* owned */
    struct dfopt_splits *splits; /* owned; NULL: rank 0 reads */
};

/* *in must be zeroed. Opens the configured input; checks that no output is an
 * input. OK, NOMEM, ARG or IO; close it in any case. */
enum dfopt_err dfopt_inputs_open(struct dfopt_inputs *in,
                                 const struct dfopt_options *o,
                                 struct dfopt_error *err);
void dfopt_inputs_close(struct dfopt_inputs *in);

/* Whether the input is an event log, by its first decodable record. Returns OK;
 * STATE while there is no record yet (retry); or why an input cannot be read, which
 * the source then skips without reporting it again. */
enum dfopt_err dfopt_inputs_kind(struct dfopt_inputs *in,
                                 const struct dfopt_options *o,
                                 struct dfopt_codec *codec, bool *event_log,
                                 struct dfopt_error *err);

#endif
