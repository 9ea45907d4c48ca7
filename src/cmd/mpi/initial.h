/* Loads a run's input before its first event: the policy, and knobs registered from
 * a file or the environment. Reading a FIFO ends when *stop is set (NULL: never).
 */
#ifndef DFOPT_CMD_MPI_INITIAL_H
#define DFOPT_CMD_MPI_INITIAL_H

#include "cmd/mpi/options.h"
#include "codec/codec.h"
#include "engine/batch/run.h"

#include <signal.h>

/* Loads the configured policy: the preset, then the file on top. *out must be
 * cleared even after a failure. */
enum dfopt_err dfopt_policy_load(struct dfopt_policy *out,
                                 const struct dfopt_options *o,
                                 struct dfopt_dict *dict,
                                 const volatile sig_atomic_t *stop,
                                 struct dfopt_error *err);

struct dfopt_initials {          /* zero-initialise */
    struct dfopt_initial *items; /* owned; their bodies point into bodies */
    size_t n;
    struct dfopt_buf bodies; /* one per line */
};

/* Loads the registrations of the registry file or, if it has no knobs, of the
 * environment. OK, NOMEM, or the text names the file; free it in any case. */
enum dfopt_err
dfopt_initial_load(struct dfopt_initials *p, const struct dfopt_options *o,
                   struct dfopt_codec *codec, const struct dfopt_policy *policy,
                   const volatile sig_atomic_t *stop, struct dfopt_error *err);

/* Drops the registrations but keeps the bodies. */
void dfopt_initial_drop(struct dfopt_initials *p);
void dfopt_initial_free(struct dfopt_initials *p);

#endif
