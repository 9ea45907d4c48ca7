/* A table or pool being written: the rows of the chunk that is being filled, in
 * memory, and the datasets that receive full chunks and, on a flush, the
 * partial one.
 *
 * Chunks are shuffled and deflated here and given to HDF5 in their final form.
 * So HDF5 needs no chunk caches, and a partial chunk can be written plain. That
 * matters because HDF5 in SWMR mode never reuses space: a chunk flushed every
 * second row and deflated, to a new size each time, would leave a copy behind
 * each time. Here it may leave behind at most one plain chunk; from then on it
 * is rewritten plain, in place, until it is full. This bounds the file's size,
 * however often it is flushed. */
#ifndef DFOPT_DECLOG_STORE_H
#define DFOPT_DECLOG_STORE_H

#include "declog/pack.h"

struct dfopt_series { /* one column */
    hid_t dataset;
    uint64_t extent;
    size_t stored;      /* size of the current chunk as last written */
    size_t left_behind; /* bytes still occupied by its earlier versions */
};

struct dfopt_store {
    const struct dfopt_layout *layout;
    struct dfopt_series *series; /* owned; one per column; NULL: not open */
    struct dfopt_chunk chunk;    /* the one being filled */
    uint64_t base;               /* rows in earlier chunks */
    size_t on_file;              /* rows of this chunk in the file */
};

/* Creates the group, if missing, and the datasets. Returns OK, NOMEM, or IO
 * (HDF5's error stack has the reason). */
enum dfopt_err dfopt_store_create(struct dfopt_store *s,
                                  const struct dfopt_layout *l, hid_t file,
                                  int level);
void dfopt_store_close(struct dfopt_store *s);

/* Appends n rows; full chunks go to the file. Returns OK, NOMEM or IO. */
enum dfopt_err dfopt_store_add(struct dfopt_store *s, struct dfopt_packer *p,
                               const void *rows, size_t n);

/* Appends a chunk packed elsewhere; the rows before it must end at a chunk
 * boundary (else FORMAT). Returns OK, FORMAT or IO. */
enum dfopt_err dfopt_store_add_chunk(struct dfopt_store *s,
                                     const struct dfopt_packed *columns);

/* Writes what is not yet in the file. */
enum dfopt_err dfopt_store_write(struct dfopt_store *s, struct dfopt_packer *p);

uint64_t dfopt_store_rows(const struct dfopt_store *s);

#endif
