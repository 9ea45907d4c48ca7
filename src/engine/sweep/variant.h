/* One variant of a sweep: a planner with its own policy that decides a recording
 * and counts metrics as it decides. */
#ifndef DFOPT_ENGINE_SWEEP_VARIANT_H
#define DFOPT_ENGINE_SWEEP_VARIANT_H

#include "model/sweep.h"
#include "planner/planner.h"
#include "engine/sweep/recording.h"

/* Shared by all variants; everything is borrowed. */
struct dfopt_variant_world {
    const struct dfopt_recording *recording;
    struct dfopt_dict *dict;
    const struct dfopt_registration *initial; /* before the first record */
    size_t n_initial;
    bool assumed_acks;
    dfopt_sym relay_hostname;
};

struct dfopt_variant {
    struct dfopt_planner *planner; /* owned */
    bool control;                  /* by effect */
    struct dfopt_sweep_metrics metrics;
    struct dfopt_sweep_knob *knobs;   /* owned; by knob */
    struct dfopt_variant_move *moves; /* owned; by node, then knob */
    uint64_t *planned;                /* owned; one bit per episode */
    size_t next_other;                /* of the recording */
};

/* Zero *v before; call dfopt_variant_end in any case. `policy` is borrowed until
 * then. OK or NOMEM. */
enum dfopt_err dfopt_variant_start(struct dfopt_variant *v,
                                   const struct dfopt_variant_world *w,
                                   const struct dfopt_policy *policy,
                                   uint64_t number);
void dfopt_variant_end(struct dfopt_variant *v);

/* Decides findings first .. end-1 of the recording, and all other records up to
 * there (after the last finding: all that remain). With `keep`, appends the
 * decisions to *out, `invalid` records included; else *out is scratch. OK or
 * NOMEM. */
enum dfopt_err dfopt_variant_run(struct dfopt_variant *v,
                                 const struct dfopt_variant_world *w, size_t first,
                                 size_t end, bool keep,
                                 struct dfopt_decisions *out);

/* After the last finding: appends the result (struct dfopt_sweep_result). */
enum dfopt_err dfopt_variant_result(struct dfopt_variant *v,
                                    const struct dfopt_variant_world *w,
                                    struct dfopt_buf *out);

/* Maximum memory of a variant, in bytes. */
uint64_t dfopt_variant_bytes(const struct dfopt_variant_world *w);

#endif
