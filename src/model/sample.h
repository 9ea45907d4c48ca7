/* Samples of a unit cube, for sweeps: a function of the seed alone, identical
 * on every machine. */
#ifndef DFOPT_MODEL_SAMPLE_H
#define DFOPT_MODEL_SAMPLE_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

enum dfopt_sample_method {
    DFOPT_SAMPLE_RANDOM,         /* each coordinate independently */
    DFOPT_SAMPLE_LATIN_HYPERCUBE /* each of n slices of a coordinate exactly once */
};

/* Fills u[point * dimensions + dimension] with numbers in [0, 1). OK or NOMEM. */
enum dfopt_err dfopt_sample_fill(enum dfopt_sample_method method, uint64_t seed,
                                 size_t points, size_t dimensions, double *u);

#endif
