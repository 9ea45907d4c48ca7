/* A table or pool as it is being written: the rows of the chunk that is being
 * filled, in memory, and the datasets that full chunks, and at a flush the
 * part of one, are written to.
 *
 * Chunks are shuffled and deflated here and handed to HDF5 as they are to lie
 * in the file. So HDF5 needs no chunk caches, and a partly filled chunk can be
 * written plain. That matters because HDF5 in SWMR mode never reuses space: a
 * chunk that is flushed at every second row and deflated, to a new size each
 * time, would leave a copy behind each time. Here it may leave behind as much
 * as one plain chunk; from then on it is rewritten plain, in place, until it is
 * full. The file's size is so bounded, however often it is flushed. */
#ifndef DFOPT_DECLOG_STORE_H
#define DFOPT_DECLOG_STORE_H

#include "declog/pack.h"

struct dfopt_series { /* one column */
    hid_t dataset;
    uint64_t extent;
    size_t stored;      /* bytes of the chunk being filled, as last written */
    size_t left_behind; /* bytes that its earlier versions still occupy */
};

struct dfopt_store {
    const struct dfopt_layout *layout;
    struct dfopt_series *series; /* owned; one a column; NULL: not open */
    struct dfopt_chunk chunk;    /* the one being filled */
    uint64_t base;               /* rows in the chunks before it */
    size_t on_file;              /* of its rows */
};

/* Creates the group, if it is not there, and the datasets. Returns OK, NOMEM,
 * or IO (HDF5's error stack says why). */
enum dfopt_err dfopt_store_create(struct dfopt_store *s,
                                  const struct dfopt_layout *l, hid_t file,
                                  int level);
void dfopt_store_close(struct dfopt_store *s);

/* Appends n rows; full chunks go to the file. Returns OK, NOMEM or IO. */
enum dfopt_err dfopt_store_add(struct dfopt_store *s, struct dfopt_packer *p,
                               const void *rows, size_t n);

/* Appends a chunk that was packed elsewhere; the rows before it must end with a
 * chunk (else FORMAT). Returns OK, FORMAT or IO. */
enum dfopt_err dfopt_store_add_chunk(struct dfopt_store *s,
                                     const struct dfopt_packed *columns);

/* Writes what is not in the file yet. */
enum dfopt_err dfopt_store_write(struct dfopt_store *s, struct dfopt_packer *p);

uint64_t dfopt_store_rows(const struct dfopt_store *s);
bool dfopt_store_dirty(const struct dfopt_store *s);

#endif
