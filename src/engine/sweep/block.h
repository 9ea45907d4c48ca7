/* A block of variants: all decide one chunk of findings while it is in cache, then
 * the next chunk. */
#ifndef DFOPT_ENGINE_SWEEP_BLOCK_H
#define DFOPT_ENGINE_SWEEP_BLOCK_H

#include "engine/sweep/variant.h"

struct dfopt_variant_block {
    const struct dfopt_variant_world *world; /* borrowed */
    struct dfopt_variant *variants;          /* owned */
    size_t n;
    size_t next; /* finding */
    bool done;   /* every finding is decided */
    struct dfopt_decisions
        scratch; /* reused from block to block; dfopt_variant_block_free */
};

/* Zero *b before the first time. Starts the numbered variants with the policies
 * (borrowed until dfopt_variant_block_end). OK or NOMEM: end it in any case. */
enum dfopt_err dfopt_variant_block_begin(struct dfopt_variant_block *b,
                                         const struct dfopt_variant_world *world,
                                         const struct dfopt_policy *const *policies,
                                         const uint64_t *numbers, size_t n);

/* Runs the next chunk: a few milliseconds. OK or NOMEM. */
enum dfopt_err dfopt_variant_block_step(struct dfopt_variant_block *b);

static inline bool dfopt_variant_block_active(const struct dfopt_variant_block *b)
{
    return b->variants != NULL;
}

void dfopt_variant_block_end(struct dfopt_variant_block *b);
void dfopt_variant_block_free(struct dfopt_variant_block *b);

/* The block size for this many remaining variants, ranks and bytes of memory. At
 * least 1. */
size_t dfopt_variant_block_size(const struct dfopt_variant_world *world,
                                size_t left, size_t ranks, uint64_t memory_bytes);

#endif
