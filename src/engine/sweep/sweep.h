/* Sweeps: one recording decided under many policies. Every rank reads and decodes
 * the whole input; rank 0 hands out blocks of variants as ranks become free,
 * decides blocks itself in between, and collects the results. One rank decides a
 * variant from beginning to end, so its result does not depend on the number of
 * ranks.
 *
 *   SWEEP         0 -> r: rules, input, all strings so far
 *   SWEEP_READY   r -> 0: it has the recording: size, digest
 *   SWEEP_BLOCK   0 -> r: variants, each with its policy; two blocks at a time
 *   SWEEP_RESULT  r -> 0: the results of a block
 *   SWEEP_END     0 -> r: drop all blocks
 *   SWEEP_LEFT    r -> 0: its last frame
 * A worker that fails sends FAILED instead, and then waits for STOP. */
#ifndef DFOPT_ENGINE_SWEEP_SWEEP_H
#define DFOPT_ENGINE_SWEEP_SWEEP_H

#include "engine/comm/frame.h"
#include "engine/comm/comm.h"
#include "engine/sweep/variant.h"

/* Everything is borrowed for the run. */
struct dfopt_sweep_config {
    const struct dfopt_variant_world *world; /* its recording: *recording below */
    struct dfopt_codec *codec;
    struct dfopt_recording_source input;
    const struct dfopt_policy *policies; /* by variant */
    size_t n_variants;
    uint64_t memory_bytes; /* for a rank's concurrent variants */
    /* Called once, when all ranks have the recording: sets done[i] for variants
     * that need no deciding. */
    enum dfopt_err (*loaded)(void *arg, const struct dfopt_recording *r, bool *done,
                             struct dfopt_error *err);
    /* Called with each result (struct dfopt_sweep_result, aligned), in any order.
     */
    enum dfopt_err (*keep)(void *arg, const void *result, size_t len,
                           struct dfopt_error *err);
    /* Called a few times a second. `decided`: in this run. */
    void (*progress)(void *arg, size_t decided, size_t left);
    void *arg;
};

/* Local, on rank 0; the others are in dfopt_worker_serve. The caller zeroes
 * *recording, this fills it, and the caller frees it in any case. OK; INTERRUPTED
 * if input.stop ended it before all was decided; or the failure. Results that
 * arrived are kept in any case. */
enum dfopt_err dfopt_sweep_run(struct dfopt_comm *comm,
                               const struct dfopt_sweep_config *config,
                               struct dfopt_recording *recording,
                               struct dfopt_error *err);

/* Local, on another rank: takes part, from the SWEEP frame to the end. OK, or the
 * failure, which the caller reports. */
enum dfopt_err dfopt_sweep_serve(struct dfopt_comm *comm,
                                 struct dfopt_frame_reader *frame,
                                 struct dfopt_error *err);

#endif
