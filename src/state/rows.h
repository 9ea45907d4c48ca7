/* Merges several tables of a log row by row, in event order. */
#ifndef DFOPT_STATE_ROWS_H
#define DFOPT_STATE_ROWS_H

#include "declog/cursor.h"

struct dfopt_fold_table {
    struct dfopt_cursor cursor;
    size_t seq; /* offset of a row's event number */
    bool off;   /* its rows are skipped */
};

/* The index of the table with the next row, n at the end; for rows of the same
 * event, the first such table. The row is borrowed until the next call. Errors:
 * those of dfopt_cursor_row. */
enum dfopt_err dfopt_fold_next(struct dfopt_fold_table *tables, size_t n,
                               size_t *which, const void **row,
                               struct dfopt_error *err);

#endif
