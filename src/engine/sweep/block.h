/* Variants that go through the recording together: a block of findings runs
 * through all of them while it is in the processor's cache, then the next. */
#ifndef DFOPT_ENGINE_SWEEP_BLOCK_H
#define DFOPT_ENGINE_SWEEP_BLOCK_H

#include "engine/sweep/variant.h"

struct dfopt_wave {
    const struct dfopt_variant_world *world; /* borrowed */
    struct dfopt_variant *variants;          /* owned */
    size_t n;
    size_t next;                    /* finding */
    bool done;                      /* every finding is decided */
    struct dfopt_decisions scratch; /* kept from wave to wave; dfopt_wave_free */
};

/* Zero *w before the first time. Starts variants of the numbers with the policies
 * (borrowed until dfopt_wave_end). OK or NOMEM: end it in any case. */
enum dfopt_err dfopt_wave_begin(struct dfopt_wave *w,
                                const struct dfopt_variant_world *world,
                                const struct dfopt_policy *const *policies,
                                const uint64_t *numbers, size_t n);

/* Runs the next block: a few milliseconds. OK or NOMEM. */
enum dfopt_err dfopt_wave_step(struct dfopt_wave *w);

static inline bool dfopt_wave_active(const struct dfopt_wave *w)
{
    return w->variants != NULL;
}

void dfopt_wave_end(struct dfopt_wave *w);
void dfopt_wave_free(struct dfopt_wave *w);

/* How many variants a wave should have where so many are left for so many ranks,
 * within so much memory. At least 1. */
size_t dfopt_wave_size(const struct dfopt_variant_world *world, size_t left,
                       size_t ranks, uint64_t memory_bytes);

#endif
