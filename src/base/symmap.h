/* A map from interned strings to small numbers: an array indexed by the
 * string's number, so a look-up is one load. Zero-initialise. */
#ifndef DFOPT_BASE_SYMMAP_H
#define DFOPT_BASE_SYMMAP_H

#include "base/dict.h"

#define DFOPT_SYMMAP_NONE UINT32_MAX

struct dfopt_symmap_half {
    uint32_t *at; /* value + 1; 0: none */
    uint32_t n;
};

struct dfopt_symmap {
    struct dfopt_symmap_half half[2]; /* the authority's numbers; local ones */
};

static inline uint32_t dfopt_symmap_get(const struct dfopt_symmap *m, dfopt_sym s)
{
    const struct dfopt_symmap_half *h = &m->half[s >> 31];
    uint32_t i = s & 0x7fffffffu;
    return i < h->n ? h->at[i] - 1 : DFOPT_SYMMAP_NONE;
}

/* Returns OK or NOMEM. s must not be DFOPT_SYM_NONE. */
enum dfopt_err dfopt_symmap_set(struct dfopt_symmap *m, dfopt_sym s,
                                uint32_t value);

void dfopt_symmap_free(struct dfopt_symmap *m);

#endif
