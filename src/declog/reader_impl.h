/* Shared by the reader's files: reader.c (the file, its commits and names),
 * reader_rows.c (rows and texts), reader_column.c (elements). */
#ifndef DFOPT_DECLOG_READER_IMPL_H
#define DFOPT_DECLOG_READER_IMPL_H

#include "declog/layout.h"
#include "declog/place.h"
#include "declog/reader.h"
#include "declog/unpack.h"

#define DFOPT_READER_BLOCK     8192      /* rows read at a time */
#define DFOPT_READER_CHUNK_MAX (1 << 24) /* bytes; larger ones are left to HDF5 */

struct dfopt_reader_series { /* a column */
    hid_t dataset;           /* 0: not open yet */
    uint64_t extent;
    uint64_t generation; /* the reader's, at the last refresh */
    bool raw;            /* we unpack its chunks ourselves */
    struct dfopt_filters filters;
    size_t chunk_rows;
    struct dfopt_buf unpacked; /* a chunk: elements first_unpacked .. */
    uint64_t first_unpacked, n_unpacked;
};

struct dfopt_reader_window { /* part of a pool */
    struct dfopt_buf buf;
    uint64_t start;
};

struct dfopt_declog_reader {
    char *path;
    struct dfopt_place place; /* what the path named when opened */
    hid_t file, commits;
    bool live; /* opened in SWMR mode: it may grow */
    uint64_t generation;
    struct dfopt_declog_run run;
    struct dfopt_buf texts; /* of the run, one after another */
    struct dfopt_dict *dict;
    struct dfopt_reader_series series[DFOPT_STORE_COUNT][DFOPT_COLUMNS_MAX];
    struct dfopt_reader_window window[DFOPT_POOL_COUNT];
    struct dfopt_unpacker *unpacker;
    struct dfopt_buf chunk;  /* scratch: as stored in the file */
    struct dfopt_buf packed; /* scratch: a block of one column */
    uint64_t bytes;          /* of the file, when last checked */
};

/* Whether logs of this version have the column. */
static inline bool dfopt_reader_has(const struct dfopt_declog_reader *r,
                                    const struct dfopt_column *c)
{
    return c->since <= r->run.format_version;
}

/* Fills *err with NOMEM and the path. */
enum dfopt_err dfopt_reader_no_memory(const struct dfopt_declog_reader *r,
                                      struct dfopt_error *err);

/* The number of elements of a table or pool that the last commit counts. */
uint64_t dfopt_reader_committed(const struct dfopt_declog_reader *r, size_t store);

/* Reads n > 0 committed elements of a column. */
enum dfopt_err dfopt_reader_column(struct dfopt_declog_reader *r, size_t store,
                                   size_t column, uint64_t first, size_t n,
                                   void *packed, struct dfopt_error *err);

/* Whether the chunk that starts with element `first`, or its first `bytes` bytes if
 * not 0, lies within the file. HDF5 reads zeros past the end of a file. */
bool dfopt_reader_in_file(struct dfopt_declog_reader *r, hid_t dataset,
                          uint64_t first, uint64_t bytes);

/* Whether the last committed rows lie within the file. */
bool dfopt_reader_end_in_file(struct dfopt_declog_reader *r, size_t store);

/* How many leading rows have all their chunks within the file. */
uint64_t dfopt_reader_whole_rows(struct dfopt_declog_reader *r, size_t store);

bool dfopt_reader_extent(hid_t dataset, uint64_t *extent);

/* Reads elements of a dataset as the memory type. */
bool dfopt_reader_elements(hid_t dataset, hid_t type, uint64_t first, size_t n,
                           void *out);

/* Whether all of the n strings exist. */
bool dfopt_reader_strings_exist(const struct dfopt_declog_reader *r,
                                const dfopt_sym *strings, size_t n);

/* Error: "row R of /table/column refers to a missing entry". */
enum dfopt_err dfopt_reader_bad_element(const struct dfopt_declog_reader *r,
                                        const struct dfopt_layout *l,
                                        const struct dfopt_column *c, uint64_t row,
                                        struct dfopt_error *err);

/* Points *at at elements of a pool; borrowed until the next call for that pool. */
enum dfopt_err dfopt_reader_look_at(struct dfopt_declog_reader *r,
                                    enum dfopt_declog_pool pool,
                                    struct dfopt_declog_text text, const void **at,
                                    struct dfopt_error *err);

#endif
