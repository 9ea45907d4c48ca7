/* Shuffle and deflate of one chunk. */
#include "declog/pack.h"

#include <stdlib.h>
#include <string.h>

/* The largest chunk of any column, in bytes; see layout.c. */
#define CHUNK_BYTES_MAX 65536

#define REST_CHUNKS 31 /* a column that shrinks little is left alone for */

enum dfopt_err dfopt_packer_init(struct dfopt_packer *p, int level)
{
    struct dfopt_packer fresh = {.level = level};
    enum dfopt_err e =
        level > 0 ? dfopt_deflate_create(&fresh.deflate, level) : DFOPT_OK;
    fresh.shuffled = malloc(CHUNK_BYTES_MAX);
    fresh.packed = malloc(CHUNK_BYTES_MAX);
    if (e || !fresh.shuffled || !fresh.packed) {
        dfopt_packer_free(&fresh);
        return DFOPT_ERR_NOMEM;
    }
    *p = fresh;
    return DFOPT_OK;
}

void dfopt_packer_free(struct dfopt_packer *p)
{
    dfopt_deflate_destroy(p->deflate);
    free(p->shuffled);
    free(p->packed);
    *p = (struct dfopt_packer){.level = 0};
}

/* One byte of each of n numbers: a loop that compilers make vectors of. */
#define TAKE_BYTE(type)                                                            \
    do {                                                                           \
        const type *from = (const type *)plain;                                    \
        for (size_t i = 0; i < n; i++)                                             \
            out[i] = (unsigned char)(from[i] >> (8 * byte));                       \
    } while (0)

static void take_byte_4(const void *plain, size_t n, size_t byte,
                        unsigned char *restrict out)
{
    TAKE_BYTE(uint32_t);
}

static void take_byte_8(const void *plain, size_t n, size_t byte,
                        unsigned char *restrict out)
{
    TAKE_BYTE(uint64_t);
}

/* HDF5's shuffle filter: the first bytes of all elements, then the second. An
 * element has 4 or 8 bytes, little-endian. */
static void shuffle(const void *plain, size_t n, size_t size, unsigned char *out)
{
    for (size_t byte = 0; byte < size; byte++, out += n) {
        if (size == 4)
            take_byte_4(plain, n, byte, out);
        else
            take_byte_8(plain, n, byte, out);
    }
}

struct dfopt_packed dfopt_pack(struct dfopt_packer *p,
                               const struct dfopt_chunk *chunk, size_t column,
                               bool deflate)
{
    const struct dfopt_layout *l = chunk->layout;
    const size_t size = dfopt_column_size(&l->columns[column]);
    const size_t len = l->chunk_rows * size;
    const bool full = chunk->rows == l->chunk_rows;
    const void *in = dfopt_chunk_column(chunk, column);
    struct dfopt_packed out = {in, len, 0};
    if (p->level == 0)
        return out;
    out.filters_off = size > 1 ? 3u : 1u; /* shuffle and deflate; deflate */
    uint8_t *resting = &p->resting[l - dfopt_layout_of(0)][column];
    if (deflate && p->level == 1 && full && *resting > 0) {
        --*resting;
        deflate = false;
    }
    if (!deflate)
        return out;
    if (size > 1) {
        shuffle(in, l->chunk_rows, size, p->shuffled);
        in = p->shuffled;
    }
    const size_t packed = dfopt_deflate_run(p->deflate, in, len, p->packed, len);
    if (full && (packed == 0 || packed > len / 3))
        *resting = REST_CHUNKS;
    if (packed && packed < len)
        out = (struct dfopt_packed){p->packed, packed, 0};
    return out;
}
