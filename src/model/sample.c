/* Random numbers from splitmix64. Each dimension has its own stream, so that
 * adding a dimension leaves the others unchanged. */
#include "model/sample.h"

#include <stdlib.h>

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* In [0, 1), 53 bits. */
static double next_unit(uint64_t *state)
{
    return (double)(next(state) >> 11) * 0x1p-53;
}

/* A number below n; n is far below 2^32, so the bias is negligible. */
static size_t next_below(uint64_t *state, size_t n)
{
    return (size_t)(((next(state) >> 32) * n) >> 32);
}

static void shuffle(uint64_t *state, size_t *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        items[i] = i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = next_below(state, i), item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}

enum dfopt_err dfopt_sample_fill(enum dfopt_sample_method method, uint64_t seed,
                                 size_t points, size_t dimensions, double *u)
{
    size_t *slice = calloc(points ? points : 1, sizeof *slice);
    if (!slice)
        return DFOPT_ERR_NOMEM;
    for (size_t d = 0; d < dimensions; d++) {
        uint64_t state = seed + d * 0xd1342543de82ef95u;
        state = next(&state);
        if (method == DFOPT_SAMPLE_LATIN_HYPERCUBE)
            shuffle(&state, slice, points);
        for (size_t i = 0; i < points; i++) {
            const double r = next_unit(&state);
            u[i * dimensions + d] = method == DFOPT_SAMPLE_LATIN_HYPERCUBE
                                        ? ((double)slice[i] + r) / (double)points
                                        : r;
        }
    }
    free(slice);
    return DFOPT_OK;
}
