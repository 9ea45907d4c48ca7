/* Invariant: a column has room for a whole chunk, whatever it holds. */
#include "declog/chunk.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_ROWS 64 /* rows per step, of any table: they fit the L1 cache */

void dfopt_chunk_free(struct dfopt_chunk *c)
{
    free(c->columns);
    c->columns = NULL;
    c->rows = 0;
}

/* The offset of a column; past the last one: the total size. */
static size_t start_of(const struct dfopt_layout *l, size_t column)
{
    size_t at = 0;
    for (size_t i = 0; i < column; i++)
        at += l->chunk_rows * dfopt_column_size(&l->columns[i]);
    return at;
}

static void gather(struct dfopt_chunk *c, const char *rows, size_t n)
{
    const struct dfopt_layout *l = c->layout;
    unsigned char *column = c->columns;
    for (size_t i = 0; i < l->n_columns; i++) {
        const size_t size = dfopt_column_size(&l->columns[i]);
        dfopt_column_gather(&l->columns[i], rows, l->row_size, n,
                            column + c->rows * size);
        column += l->chunk_rows * size;
    }
    c->rows += n;
}

size_t dfopt_chunk_add(struct dfopt_chunk *c, const void *rows, size_t n)
{
    const struct dfopt_layout *l = c->layout;
    const size_t room = l->chunk_rows - c->rows;
    const char *at = rows;
    if (!c->columns)
        c->columns = malloc(start_of(l, l->n_columns));
    if (!c->columns)
        return 0;
    if (n > room)
        n = room;
    for (size_t left = n; left > 0;) {
        const size_t take = left < BATCH_ROWS ? left : BATCH_ROWS;
        gather(c, at, take);
        at += take * l->row_size;
        left -= take;
    }
    return n;
}

const void *dfopt_chunk_column(const struct dfopt_chunk *c, size_t column)
{
    const size_t size = dfopt_column_size(&c->layout->columns[column]);
    unsigned char *at = c->columns + start_of(c->layout, column);
    memset(at + c->rows * size, 0, (c->layout->chunk_rows - c->rows) * size);
    return at;
}
