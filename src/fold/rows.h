/* Several tables of a log, row by row in the order of events. */
#ifndef DFOPT_FOLD_ROWS_H
#define DFOPT_FOLD_ROWS_H

#include "declog/reader.h"

/* A table that is being gone through; a block of its rows is in memory. */
struct dfopt_fold_table {
    enum dfopt_declog_table table;
    size_t row_size, seq; /* offset of a row's number */
    struct dfopt_buf block;
    uint64_t first, end, next; /* rows of the block; the row that comes next */
};

/* The index of the table whose row comes first; n at the end. Of rows of the same
 * event that of the first table. The row is borrowed until the next call. */
enum dfopt_err dfopt_fold_next(struct dfopt_declog_reader *r,
                               struct dfopt_fold_table *tables, size_t n,
                               size_t *which, const void **row,
                               struct dfopt_error *err);

#endif
