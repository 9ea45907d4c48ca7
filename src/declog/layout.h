/* How the rows of format.h are laid out in a file: the columns of every table
 * and their types. A pool is described as another table, with one column. */
#ifndef DFOPT_DECLOG_LAYOUT_H
#define DFOPT_DECLOG_LAYOUT_H

#include "declog/format.h"

#include <hdf5.h>

/* The kind of a row member, which determines how it is stored. */
enum dfopt_column_type {
    DFOPT_COLUMN_BYTE, /* u8 */
    DFOPT_COLUMN_U32,
    DFOPT_COLUMN_U64,
    DFOPT_COLUMN_I64,
    DFOPT_COLUMN_F64,
    DFOPT_COLUMN_SYM,  /* u32; below the number of strings, or DFOPT_SYM_NONE */
    DFOPT_COLUMN_LIST, /* u32; below the number of lists, or DFOPT_LIST_NONE */
    DFOPT_COLUMN_FLAG, /* u32 in the row; u8 in the file, 0 or 1 */
    DFOPT_COLUMN_ENUM, /* u32 in the row; an HDF5 enumeration over u8 */
    DFOPT_COLUMN_TEXT, /* struct dfopt_declog_text; u64, the end in its pool */
    DFOPT_COLUMN_KIND, /* of a struct dfopt_value: an HDF5 enumeration over u8 */
    DFOPT_COLUMN_INT,  /* its integer or boolean, else 0: i64 */
    DFOPT_COLUMN_REAL, /* its number, rounded if need be, else NaN: f64 */
    DFOPT_COLUMN_STR   /* its string, else DFOPT_SYM_NONE: u32 */
};

struct dfopt_column {
    const char *name;
    enum dfopt_column_type type;
    size_t offset;            /* in the row */
    const char *const *names; /* ENUM, KIND: of 0, 1, ... */
    uint32_t n_names;
    enum dfopt_declog_pool pool; /* TEXT */
    int since;                   /* first format version with it; 0: since its
                                  * table exists */
    const char *units, *text;    /* for people */
};

struct dfopt_layout {
    const char *group; /* in the file; also the name of its count in /commits */
    const char *count;
    size_t row_size;
    uint32_t chunk_rows;
    const struct dfopt_column *columns;
    size_t n_columns;
};

/* Tables by enum dfopt_declog_table, then pools by enum dfopt_declog_pool. */
#define DFOPT_STORE_COUNT         (DFOPT_TABLE_COUNT + DFOPT_POOL_COUNT)
#define DFOPT_STORE_OF_POOL(pool) ((size_t)DFOPT_TABLE_COUNT + (size_t)(pool))
#define DFOPT_COLUMNS_MAX         40

const struct dfopt_layout *dfopt_layout_of(size_t store);

/* Bytes of one element of the column in the file. */
size_t dfopt_column_size(const struct dfopt_column *c);

/* Copies the column's members of n rows to a packed array, and back. Members of a
 * value must be scattered in the order kind, int, real, str. TEXT: ends only. */
void dfopt_column_gather(const struct dfopt_column *c, const void *rows,
                         size_t row_size, size_t n, void *packed);
void dfopt_column_scatter(const struct dfopt_column *c, const void *packed,
                          size_t n, void *rows, size_t row_size);

/* The column's type in the file. Returns owned: H5Tclose. Negative: failure. */
hid_t dfopt_column_hdf5_type(const struct dfopt_column *c);

/* The type of a row of /commits, which is struct dfopt_declog_commit_row. */
hid_t dfopt_commit_hdf5_type(void);

#endif
