/* Iterates over a table of a log in row order, with bounded memory: a block of rows
 * at a time. */
#ifndef DFOPT_DECLOG_CURSOR_H
#define DFOPT_DECLOG_CURSOR_H

#include "declog/reader.h"

struct dfopt_cursor {
    struct dfopt_declog_reader *reader; /* borrowed */
    enum dfopt_declog_table table;
    size_t row_size;
    uint64_t columns;      /* to read; all after init */
    struct dfopt_buf rows; /* a block of them */
    uint64_t first, end;   /* of the block, in the table */
    uint64_t next;         /* row that comes next; end of table: none */
};

/* A cursor on the table's first row. Allocates nothing yet. */
void dfopt_cursor_init(struct dfopt_cursor *c, struct dfopt_declog_reader *r,
                       enum dfopt_declog_table table);
void dfopt_cursor_free(struct dfopt_cursor *c); /* a zeroed one is fine */

/* *row is the next row, or NULL at the end (which moves on when the reader is
 * refreshed); borrowed until the cursor moves. Does not move by itself: c->next++
 * does, and while c->next < c->end the rows lie behind each other. Errors: those
 * of dfopt_declog_reader_read. */
enum dfopt_err dfopt_cursor_row(struct dfopt_cursor *c, const void **row,
                                struct dfopt_error *err);

/* Moves to the first row whose seq (a uint64_t at the offset) is not below;
 * quick where that is not far ahead of the row that comes next. */
enum dfopt_err dfopt_cursor_seek(struct dfopt_cursor *c, size_t seq_offset,
                                 uint64_t seq, struct dfopt_error *err);

#endif
