/* Several tables of a log, row by row in the order of events. */
#ifndef DFOPT_STATE_ROWS_H
#define DFOPT_STATE_ROWS_H

#include "declog/cursor.h"

struct dfopt_fold_table {
    struct dfopt_cursor cursor;
    size_t seq; /* offset of a row's event number */
    bool off;   /* its rows are left out */
};

/* The index of the table whose row comes first; n at the end. Of rows of the same
 * event that of the first table. The row is borrowed until the next call. Errors:
 * those of dfopt_cursor_row. */
enum dfopt_err dfopt_fold_next(struct dfopt_fold_table *tables, size_t n,
                               size_t *which, const void **row,
                               struct dfopt_error *err);

#endif
