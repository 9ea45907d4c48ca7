/* A merge of tables. */
#include "fold/rows.h"

#include <string.h>

#define BLOCK 1024

/* The table's next row; NULL at its end. */
static enum dfopt_err look(struct dfopt_declog_reader *r,
                           struct dfopt_fold_table *t, const char **row,
                           struct dfopt_error *err)
{
    const uint64_t rows = dfopt_declog_reader_rows(r, t->table);
    *row = NULL;
    if (t->next >= rows)
        return DFOPT_OK;
    if (t->next >= t->end) {
        const size_t n = rows - t->next < BLOCK ? (size_t)(rows - t->next) : BLOCK;
        if (dfopt_buf_reserve(&t->block, BLOCK * t->row_size))
            return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
        enum dfopt_err e =
            dfopt_declog_reader_read(r, t->table, t->next, n, t->block.data, err);
        if (e)
            return e;
        t->first = t->next;
        t->end = t->next + n;
    }
    *row = t->block.data + (size_t)(t->next - t->first) * t->row_size;
    return DFOPT_OK;
}

enum dfopt_err dfopt_fold_next(struct dfopt_declog_reader *r,
                               struct dfopt_fold_table *tables, size_t n,
                               size_t *which, const void **row,
                               struct dfopt_error *err)
{
    uint64_t best = 0;
    *which = n;
    for (size_t i = 0; i < n; i++) {
        const char *at;
        uint64_t seq;
        enum dfopt_err e = look(r, &tables[i], &at, err);
        if (e)
            return e;
        if (!at)
            continue;
        memcpy(&seq, at + tables[i].seq, sizeof seq);
        if (*which == n || seq < best) {
            *which = i;
            *row = at;
            best = seq;
        }
    }
    if (*which < n)
        tables[*which].next++;
    return DFOPT_OK;
}
