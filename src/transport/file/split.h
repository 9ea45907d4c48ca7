/* Files of JSON lines for parallel reading: the input is cut into splits at
 * whole records, and each split is read independently. The records and their
 * order are those of the file source. */
#ifndef DFOPT_TRANSPORT_FILE_SPLIT_H
#define DFOPT_TRANSPORT_FILE_SPLIT_H

#include "base/buf.h"
#include "transport/file/framer.h"

struct dfopt_splits;

/* A range of one file; its records are those that start within it. */
struct dfopt_split {
    uint32_t file;
    uint64_t start, len; /* bytes; len 0: no split */
};

/* Opens files for reading in splits. `paths` are copied. Returns OK with *out
 * NULL if one of them is not a regular file of plain JSON lines (an array,
 * gzip, a pipe): read them with the file source. OK, NOMEM or IO. */
enum dfopt_err dfopt_splits_open(struct dfopt_splits **out,
                                 const char *const *paths, size_t n,
                                 size_t max_record_bytes, struct dfopt_error *err);
void dfopt_splits_close(struct dfopt_splits *p);

/* A file's name and its size when opened; files in the given order. */
size_t dfopt_splits_files(const struct dfopt_splits *p);
const char *dfopt_splits_name(const struct dfopt_splits *p, uint32_t file);
uint64_t dfopt_splits_size(const struct dfopt_splits *p, uint32_t file);

/* Sets the size that splits are cut from, so that all readers of a growing file
 * cut it alike. */
void dfopt_splits_set_size(struct dfopt_splits *p, uint32_t file, uint64_t size);

/* The split of at most `most` bytes (at least 1) at *at (file and start);
 * advances *at past it. Returns a split of len 0 at the end. */
struct dfopt_split dfopt_splits_next(const struct dfopt_splits *p,
                                     struct dfopt_split *at, uint64_t most);

/* The records of a split, one by one. The split is read in blocks, so that
 * records are decoded while their bytes are in the processor's cache. */
struct dfopt_split_reader {
    struct dfopt_splits *splits; /* borrowed */
    struct dfopt_split split;
    const char *name;
    struct dfopt_buf bytes; /* the window and beyond; dfopt_buf_free */
    uint64_t offset;        /* in the file, of their first */
    struct dfopt_framer framer;
    struct dfopt_framer_window window;
    enum dfopt_err status; /* of the last read */
    struct dfopt_error err;
};

/* Starts a split. OK, NOMEM or IO. */
enum dfopt_err dfopt_split_load(struct dfopt_splits *p,
                                const struct dfopt_split *split,
                                struct dfopt_split_reader *r,
                                struct dfopt_error *err);

/* The next record; `line` counts from 1 at the split's first. Returns whether
 * there is one; if not, r->status tells whether everything was read (OK, NOMEM,
 * IO; r->err has the text). The record is borrowed until the next call. */
bool dfopt_split_next(struct dfopt_split_reader *r, struct dfopt_record *record);

/* After the last record: the number of lines in the split. */
uint64_t dfopt_split_lines(const struct dfopt_split_reader *r);

#endif
