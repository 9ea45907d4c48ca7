/* Maps interned strings to small numbers. */
#include "base/symmap.h"

#include "base/buf.h"

#include <stdlib.h>

enum dfopt_err dfopt_symmap_set(struct dfopt_symmap *m, dfopt_sym s, uint32_t value)
{
    struct dfopt_symmap_half *h = &m->half[s >> 31];
    uint32_t i = s & 0x7fffffffu;
    uint32_t *at = dfopt_array_reserve(h->at, &h->n, i, sizeof *at);
    if (!at)
        return DFOPT_ERR_NOMEM;
    h->at = at;
    h->at[i] = value + 1;
    return DFOPT_OK;
}

void dfopt_symmap_free(struct dfopt_symmap *m)
{
    free(m->half[0].at);
    free(m->half[1].at);
    *m = (struct dfopt_symmap){0};
}
