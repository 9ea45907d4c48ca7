/* Fisher-Yates with a hash of (epoch, place) for randomness: the only state is the
 * epoch number. */
#include "cmd/demo/shuffle.h"

#include <stdlib.h>
#include <xxhash.h>

/* A random number below n. */
static uint64_t below(const struct demo_shuffle *s, uint64_t place, uint64_t n)
{
    const uint64_t key[] = {s->epoch, place};
    uint64_t dice = XXH3_64bits_withSeed(key, sizeof key, s->seed);
    return (uint64_t)(((unsigned __int128)dice * n) >> 64);
}

static void deal(struct demo_shuffle *s)
{
    for (uint64_t i = s->n - 1; i > 0; i--) {
        uint64_t j = below(s, i, i + 1), other = s->order[j];
        s->order[j] = s->order[i];
        s->order[i] = other;
    }
    s->at = 0;
}

enum dfopt_err demo_shuffle_init(struct demo_shuffle *s, uint64_t n, uint64_t seed)
{
    uint64_t *order = malloc(n * sizeof *order);
    if (!order)
        return DFOPT_ERR_NOMEM;
    *s = (struct demo_shuffle){.order = order, .n = n, .seed = seed};
    for (uint64_t i = 0; i < n; i++)
        order[i] = i;
    deal(s);
    return DFOPT_OK;
}

void demo_shuffle_free(struct demo_shuffle *s)
{
    free(s->order);
    *s = (struct demo_shuffle){0};
}

uint64_t demo_shuffle_next(struct demo_shuffle *s)
{
    if (s->at == s->n) {
        s->epoch++;
        deal(s);
    }
    return s->order[s->at++];
}
