/* Shuffle and deflate of one chunk. libdeflate writes what zlib reads, about
 * three times as fast as zlib does. */
#include "declog/pack.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

/* The largest chunk of any column, in bytes; see layout.c. */
#define CHUNK_BYTES_MAX 65536

#define REST_CHUNKS 31 /* a column that shrinks little is left alone for */

enum dfopt_err dfopt_packer_init(struct dfopt_packer *p, int level)
{
    struct dfopt_packer fresh = {.level = level};
    fresh.plain = malloc(CHUNK_BYTES_MAX);
    fresh.shuffled = malloc(CHUNK_BYTES_MAX);
    if (level > 0)
        fresh.deflate = libdeflate_alloc_compressor(level);
    fresh.packed_size = CHUNK_BYTES_MAX;
    fresh.packed = malloc(fresh.packed_size);
    if (!fresh.plain || !fresh.shuffled || !fresh.packed ||
        (level > 0 && !fresh.deflate)) {
        dfopt_packer_free(&fresh);
        return DFOPT_ERR_NOMEM;
    }
    *p = fresh;
    return DFOPT_OK;
}

void dfopt_packer_free(struct dfopt_packer *p)
{
    if (p->deflate)
        libdeflate_free_compressor(p->deflate);
    free(p->plain);
    free(p->shuffled);
    free(p->packed);
    *p = (struct dfopt_packer){.level = 0};
}

/* HDF5's shuffle filter: the first bytes of all elements, then the second. */
static void shuffle(const unsigned char *plain, size_t n, size_t size,
                    unsigned char *out)
{
    for (size_t b = 0; b < size; b++)
        for (size_t i = 0; i < n; i++)
            *out++ = plain[i * size + b];
}

struct dfopt_packed dfopt_pack(struct dfopt_packer *p, const struct dfopt_layout *l,
                               size_t column, const void *rows, size_t n,
                               bool deflate)
{
    const struct dfopt_column *c = &l->columns[column];
    const size_t size = dfopt_column_size(c), len = l->chunk_rows * size;
    dfopt_column_gather(c, rows, l->row_size, n, p->plain);
    memset(p->plain + n * size, 0, len - n * size);
    struct dfopt_packed out = {p->plain, len, 0};
    if (p->level == 0)
        return out;
    out.filters_off = size > 1 ? 3u : 1u; /* shuffle and deflate; deflate */
    uint8_t *resting = &p->resting[l - dfopt_layout_of(0)][column];
    if (deflate && p->level == 1 && n == l->chunk_rows && *resting > 0) {
        --*resting;
        deflate = false;
    }
    if (!deflate)
        return out;
    const unsigned char *in = p->plain;
    if (size > 1) {
        shuffle(p->plain, l->chunk_rows, size, p->shuffled);
        in = p->shuffled;
    }
    const size_t packed =
        libdeflate_zlib_compress(p->deflate, in, len, p->packed, p->packed_size);
    if (n == l->chunk_rows && (packed == 0 || packed > len / 3))
        *resting = REST_CHUNKS;
    if (packed && packed < len)
        out = (struct dfopt_packed){p->packed, packed, 0};
    return out;
}
