/* Merges tables. */
#include "state/rows.h"

#include <string.h>

enum dfopt_err dfopt_fold_next(struct dfopt_fold_table *tables, size_t n,
                               size_t *which, const void **row,
                               struct dfopt_error *err)
{
    uint64_t best = 0;
    *which = n;
    for (size_t i = 0; i < n; i++) {
        const void *at;
        uint64_t seq;
        if (tables[i].off)
            continue;
        enum dfopt_err e = dfopt_cursor_row(&tables[i].cursor, &at, err);
        if (e)
            return e;
        if (!at)
            continue;
        memcpy(&seq, (const char *)at + tables[i].seq, sizeof seq);
        if (*which == n || seq < best) {
            *which = i;
            *row = at;
            best = seq;
        }
    }
    if (*which < n)
        tables[*which].cursor.next++;
    return DFOPT_OK;
}
