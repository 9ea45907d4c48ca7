/* Blocks of variants. A chunk of findings takes half of a cache of a megabyte, the
 * state of the variant that it runs through the other. */
#include "engine/sweep/block.h"

#include <stdlib.h>

#define CHUNK_FINDINGS  4096
#define BLOCK_MOST      64       /* more would not use a block better */
#define BLOCK_DECISIONS 20000000 /* a second or so: what a kill may lose */

enum dfopt_err dfopt_variant_block_begin(struct dfopt_variant_block *w,
                                         const struct dfopt_variant_world *world,
                                         const struct dfopt_policy *const *policies,
                                         const uint64_t *numbers, size_t n)
{
    w->world = world;
    w->variants = calloc(n ? n : 1, sizeof *w->variants);
    if (!w->variants)
        return DFOPT_ERR_NOMEM;
    w->n = n;
    w->next = 0;
    w->done = false;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = dfopt_variant_start(&w->variants[i], world, policies[i], numbers[i]);
    return e;
}

enum dfopt_err dfopt_variant_block_step(struct dfopt_variant_block *w)
{
    const size_t all = dfopt_recording_findings(w->world->recording);
    const size_t end =
        all - w->next > CHUNK_FINDINGS ? w->next + CHUNK_FINDINGS : all;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < w->n && !e; i++)
        e = dfopt_variant_run(&w->variants[i], w->world, w->next, end, false,
                              &w->scratch);
    w->next = end;
    w->done = end == all;
    return e;
}

void dfopt_variant_block_end(struct dfopt_variant_block *w)
{
    for (size_t i = 0; i < w->n; i++)
        dfopt_variant_end(&w->variants[i]);
    free(w->variants);
    w->variants = NULL;
    w->n = 0;
}

void dfopt_variant_block_free(struct dfopt_variant_block *w)
{
    dfopt_variant_block_end(w);
    dfopt_decisions_free(&w->scratch);
}

static size_t at_most(size_t n, uint64_t most)
{
    return n > most ? (size_t)most : n;
}

size_t dfopt_variant_block_size(const struct dfopt_variant_world *world,
                                size_t left, size_t ranks, uint64_t memory_bytes)
{
    const size_t findings = dfopt_recording_findings(world->recording);
    size_t n = at_most(BLOCK_MOST, left / (4 * ranks));
    n = at_most(n, BLOCK_DECISIONS / (findings + 1));
    n = at_most(n, memory_bytes / dfopt_variant_bytes(world));
    return n ? n : 1;
}
