/* Blocks of variants. A chunk of findings takes half of a 1 MB cache; the state of
 * the variant being run takes the other half. */
#include "engine/sweep/block.h"

#include <stdlib.h>

#define CHUNK_FINDINGS  4096
#define BLOCK_MOST      64       /* beyond this a block gains nothing */
#define BLOCK_DECISIONS 20000000 /* about a second: what a kill may lose */

enum dfopt_err dfopt_variant_block_begin(struct dfopt_variant_block *b,
                                         const struct dfopt_variant_world *world,
                                         const struct dfopt_policy *const *policies,
                                         const uint64_t *numbers, size_t n)
{
    b->world = world;
    b->variants = calloc(n ? n : 1, sizeof *b->variants);
    if (!b->variants)
        return DFOPT_ERR_NOMEM;
    b->n = n;
    b->next = 0;
    b->done = false;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = dfopt_variant_start(&b->variants[i], world, policies[i], numbers[i]);
    return e;
}

enum dfopt_err dfopt_variant_block_step(struct dfopt_variant_block *b)
{
    const size_t all = dfopt_recording_findings(b->world->recording);
    const size_t end =
        all - b->next > CHUNK_FINDINGS ? b->next + CHUNK_FINDINGS : all;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < b->n && !e; i++)
        e = dfopt_variant_run(&b->variants[i], b->world, b->next, end, false,
                              &b->scratch);
    b->next = end;
    b->done = end == all;
    return e;
}

void dfopt_variant_block_end(struct dfopt_variant_block *b)
{
    for (size_t i = 0; i < b->n; i++)
        dfopt_variant_end(&b->variants[i]);
    free(b->variants);
    b->variants = NULL;
    b->n = 0;
}

void dfopt_variant_block_free(struct dfopt_variant_block *b)
{
    dfopt_variant_block_end(b);
    dfopt_decisions_free(&b->scratch);
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
