/* Blocks of rows. */
#include "declog/cursor.h"

#include "declog/layout.h"

#include <string.h>

#define BLOCK 4096 /* rows; half a chunk of the big tables */

void dfopt_cursor_init(struct dfopt_cursor *c, struct dfopt_declog_reader *r,
                       enum dfopt_declog_table table)
{
    *c = (struct dfopt_cursor){.reader = r,
                               .table = table,
                               .row_size = dfopt_layout_of(table)->row_size,
                               .columns = DFOPT_DECLOG_ALL_COLUMNS};
}

void dfopt_cursor_free(struct dfopt_cursor *c)
{
    dfopt_buf_free(&c->rows);
}

/* Blocks end at multiples of BLOCK, so that each chunk is unpacked once. */
static enum dfopt_err read_block(struct dfopt_cursor *c, uint64_t total,
                                 struct dfopt_error *err)
{
    uint64_t n = BLOCK - c->next % BLOCK;
    struct dfopt_declog_part part = {
        .table = c->table,
        .columns = c->columns,
        .first = c->next,
        .n = (size_t)(n < total - c->next ? n : total - c->next)};
    dfopt_buf_clear(&c->rows);
    if (dfopt_buf_reserve(&c->rows, part.n * c->row_size))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e =
        dfopt_declog_reader_read_part(c->reader, &part, c->rows.data, err);
    c->first = c->next;
    c->end = e ? c->next : c->next + part.n;
    return e;
}

enum dfopt_err dfopt_cursor_row(struct dfopt_cursor *c, const void **row,
                                struct dfopt_error *err)
{
    uint64_t total = dfopt_declog_reader_rows(c->reader, c->table);
    if (c->next >= total) {
        *row = NULL;
        return DFOPT_OK;
    }
    if (c->next < c->first || c->next >= c->end) {
        enum dfopt_err e = read_block(c, total, err);
        if (e)
            return e;
    }
    *row = c->rows.data + (size_t)(c->next - c->first) * c->row_size;
    return DFOPT_OK;
}

/* The seq of a row: from the block if it is there, else read separately. */
static enum dfopt_err seq_of_row(struct dfopt_cursor *c, size_t offset,
                                 uint64_t row, uint64_t *seq,
                                 struct dfopt_error *err)
{
    union {
        char bytes[512];
        uint64_t align;
    } one;
    const char *at = one.bytes;
    if (row >= c->first && row < c->end) {
        at = c->rows.data + (size_t)(row - c->first) * c->row_size;
    } else {
        struct dfopt_declog_part part = {
            .table = c->table,
            .columns = dfopt_declog_columns(c->table, 1, &offset),
            .first = row,
            .n = 1};
        enum dfopt_err e =
            dfopt_declog_reader_read_part(c->reader, &part, one.bytes, err);
        if (e)
            return e;
    }
    memcpy(seq, at + offset, sizeof *seq);
    return DFOPT_OK;
}

enum dfopt_err dfopt_cursor_seek(struct dfopt_cursor *c, size_t seq_offset,
                                 uint64_t seq, struct dfopt_error *err)
{
    uint64_t total = dfopt_declog_reader_rows(c->reader, c->table);
    uint64_t low = c->next < total ? c->next : total, high = total;
    for (uint64_t step = 1; low + step < high; step *= 2) { /* gallop */
        uint64_t at;
        enum dfopt_err e = seq_of_row(c, seq_offset, low + step, &at, err);
        if (e)
            return e;
        if (at >= seq)
            high = low + step;
        else
            low += step;
    }
    while (low < high) {
        uint64_t at, middle = low + (high - low) / 2;
        enum dfopt_err e = seq_of_row(c, seq_offset, middle, &at, err);
        if (e)
            return e;
        if (at < seq)
            low = middle + 1;
        else
            high = middle;
    }
    c->next = low;
    return DFOPT_OK;
}
