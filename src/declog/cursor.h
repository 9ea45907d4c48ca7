/* Iterates over a table of a log in row order with bounded memory: one block of
 * rows at a time. */
#ifndef DFOPT_DECLOG_CURSOR_H
#define DFOPT_DECLOG_CURSOR_H

#include "declog/reader.h"

struct dfopt_cursor {
    struct dfopt_declog_reader *reader; /* borrowed */
    enum dfopt_declog_table table;
    size_t row_size;
    uint64_t columns;      /* columns to read; all after init */
    struct dfopt_buf rows; /* a block of them */
    uint64_t first, end;   /* of the block, in the table */
    uint64_t next;         /* the next row; end of table: none */
};

/* A cursor on the table's first row. Allocates nothing yet. */
void dfopt_cursor_init(struct dfopt_cursor *c, struct dfopt_declog_reader *r,
                       enum dfopt_declog_table table);
void dfopt_cursor_free(struct dfopt_cursor *c); /* a zeroed one is fine */

/* *row is the next row, or NULL at the end (which a refresh of the reader may
 * move); borrowed until the cursor moves. Does not advance: the caller does
 * c->next++; while c->next < c->end the rows are contiguous. Errors: those of
 * dfopt_declog_reader_read. */
enum dfopt_err dfopt_cursor_row(struct dfopt_cursor *c, const void **row,
                                struct dfopt_error *err);

/* Moves to the first row whose seq (a uint64_t at the offset) is not below;
 * fast if that is close to the next row. */
enum dfopt_err dfopt_cursor_seek(struct dfopt_cursor *c, size_t seq_offset,
                                 uint64_t seq, struct dfopt_error *err);

#endif
