/* The order in which records are read: each once per epoch, determined by seed and
 * epoch. Not thread-safe. */
#ifndef DFOPT_CMD_DEMO_SHUFFLE_H
#define DFOPT_CMD_DEMO_SHUFFLE_H

#include "dfopt/error.h"

#include <stddef.h>
#include <stdint.h>

struct demo_shuffle {
    uint64_t *order; /* owned: demo_shuffle_free */
    uint64_t n, at;
    uint64_t epoch, seed;
};

/* n records, at least 1. Returns OK or NOMEM. */
enum dfopt_err demo_shuffle_init(struct demo_shuffle *s, uint64_t n, uint64_t seed);
void demo_shuffle_free(struct demo_shuffle *s);

/* The next record; after the last one of an epoch, the next epoch starts. */
uint64_t demo_shuffle_next(struct demo_shuffle *s);

#endif
