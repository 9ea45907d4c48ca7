/* Reverses pack.h: turns a chunk of a decision log into the elements of its column.
 * libdeflate reads a zlib stream about three times as fast as HDF5's own filter. */
#ifndef DFOPT_DECLOG_UNPACK_H
#define DFOPT_DECLOG_UNPACK_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfopt_unpacker;

/* One thread. Returns OK or NOMEM. */
enum dfopt_err dfopt_unpacker_create(struct dfopt_unpacker **out);
void dfopt_unpacker_destroy(struct dfopt_unpacker *u); /* NULL is fine */

struct dfopt_filters { /* of a dataset: applied in this order */
    bool shuffle, deflate;
};

struct dfopt_chunk_form { /* the unpacked form of a dataset's chunk */
    struct dfopt_filters filters;
    size_t n, size; /* number of elements; bytes of each */
};

/* Unpacks `len` bytes to the chunk's elements at `out`. `off` is HDF5's mask of
 * skipped filters. Returns OK, FORMAT (the bytes are not such a chunk) or
 * NOMEM. */
enum dfopt_err dfopt_unpack(struct dfopt_unpacker *u,
                            const struct dfopt_chunk_form *form, uint32_t off,
                            const void *packed, size_t len, void *out);

#endif
