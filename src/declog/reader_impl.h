/* What the reader's two files share: reader.c (the file, its commits and names)
 * and reader_rows.c (rows and texts). */
#ifndef DFOPT_DECLOG_READER_IMPL_H
#define DFOPT_DECLOG_READER_IMPL_H

#include "declog/layout.h"
#include "declog/reader.h"

#define DFOPT_READER_BLOCK 8192 /* rows that are read at once */

struct dfopt_reader_series {
    hid_t dataset; /* 0: not open yet */
    uint64_t extent;
    uint64_t generation; /* of the reader, when last refreshed */
};

struct dfopt_reader_window { /* part of a pool */
    struct dfopt_buf buf;
    uint64_t start;
};

struct dfopt_declog_reader {
    char *path;
    hid_t file, commits;
    bool live; /* opened the SWMR way: it may grow */
    uint64_t generation;
    struct dfopt_declog_run run;
    struct dfopt_buf texts; /* of the run, one behind the other */
    struct dfopt_dict *dict;
    struct dfopt_reader_series series[DFOPT_STORE_COUNT][DFOPT_COLUMNS_MAX];
    struct dfopt_reader_window window[DFOPT_POOL_COUNT];
    struct dfopt_buf packed; /* scratch: a block of one column */
};

/* Fills *err with NOMEM and the path. */
enum dfopt_err dfopt_reader_no_memory(const struct dfopt_declog_reader *r,
                                      struct dfopt_error *err);

bool dfopt_reader_extent(hid_t dataset, uint64_t *extent);

/* Reads elements of a dataset as the memory type. */
bool dfopt_reader_elements(hid_t dataset, hid_t type, uint64_t first, size_t n,
                           void *out);

/* Whether each of the n strings is there. */
bool dfopt_reader_strings_exist(const struct dfopt_declog_reader *r,
                                const dfopt_sym *strings, size_t n);

/* "row R of /table/column names what is not there". */
enum dfopt_err dfopt_reader_bad_element(const struct dfopt_declog_reader *r,
                                        const struct dfopt_layout *l,
                                        const struct dfopt_column *c, uint64_t row,
                                        struct dfopt_error *err);

/* Points at elements of a pool: *at, borrowed until the next call for it. */
enum dfopt_err dfopt_reader_look_at(struct dfopt_declog_reader *r,
                                    enum dfopt_declog_pool pool,
                                    struct dfopt_declog_text text, const void **at,
                                    struct dfopt_error *err);

#endif
