/* Column chunks in the form of a decision log: shuffled and deflated, as HDF5's
 * own filters would. Independent of HDF5: any rank may pack. */
#ifndef DFOPT_DECLOG_PACK_H
#define DFOPT_DECLOG_PACK_H

#include "declog/chunk.h"
#include "declog/deflate.h"

/* A packed chunk of equal elements. */
struct dfopt_packed_constant {
    unsigned char element[8];
    size_t size, plain, len; /* of the element; of the chunk, plain and packed */
    unsigned char bytes[512];
};

#define DFOPT_PACKED_CONSTANTS 8

/* One for all columns of a file; one thread. A zeroed one packs nothing.
 *
 * Level 1 is for speed: if a chunk does not shrink to a third (digits of
 * measured numbers), its column is left plain for the next chunks, then tried
 * again. Higher levels are for space: every column is deflated. Chunks of equal
 * elements (metrics that nobody sends) are packed once and cached. */
struct dfopt_packer {
    int level; /* deflate level; 0: chunks stay plain */
    uint8_t resting[DFOPT_STORE_COUNT][DFOPT_COLUMNS_MAX]; /* chunks left to skip */
    struct dfopt_deflate *deflate;
    unsigned char *shuffled, *packed;
    struct dfopt_packed_constant constants[DFOPT_PACKED_CONSTANTS];
    size_t n_constants; /* so far; the oldest is replaced */
};

/* A column of one chunk, ready to write. */
struct dfopt_packed {
    const void *bytes; /* borrowed from the chunk, or from the packer until its
                        * next call */
    size_t len;
    uint32_t filters_off; /* HDF5's mask of skipped filters */
};

enum dfopt_err dfopt_packer_init(struct dfopt_packer *p, int level);
void dfopt_packer_free(struct dfopt_packer *p); /* a zeroed one is fine */

/* Packs a column of the chunk, which must have a row. `deflate` false: leaves
 * it plain. */
struct dfopt_packed dfopt_pack(struct dfopt_packer *p,
                               const struct dfopt_chunk *chunk, size_t column,
                               bool deflate);

#endif
