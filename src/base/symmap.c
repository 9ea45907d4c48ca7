/* Interned strings to small numbers. */
#include "base/symmap.h"

#include <stdlib.h>
#include <string.h>

enum dfopt_err dfopt_symmap_set(struct dfopt_symmap *m, dfopt_sym s, uint32_t value)
{
    struct dfopt_symmap_half *h = &m->half[s >> 31];
    uint32_t i = s & 0x7fffffffu;
    if (i >= h->n) {
        uint32_t n = h->n ? h->n : 64;
        while (n <= i)
            n *= 2;
        uint32_t *at = realloc(h->at, n * sizeof *at);
        if (!at)
            return DFOPT_ERR_NOMEM;
        memset(at + h->n, 0, (n - h->n) * sizeof *at);
        h->at = at;
        h->n = n;
    }
    h->at[i] = value + 1;
    return DFOPT_OK;
}

void dfopt_symmap_free(struct dfopt_symmap *m)
{
    free(m->half[0].at);
    free(m->half[1].at);
    *m = (struct dfopt_symmap){0};
}
