/* Shuffles and deflates one chunk. */
#include "declog/pack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The largest chunk of any column, in bytes; see layout.c. */
#define CHUNK_BYTES_MAX 65536

#define REST_CHUNKS 31 /* chunks to skip for a column that compresses badly */

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

/* HDF5's shuffle filter: the first bytes of all elements, then the second. */
static void shuffle_bytes(const unsigned char *plain, size_t n, size_t size,
                          unsigned char *out)
{
    for (size_t b = 0; b < size; b++)
        for (size_t i = 0; i < n; i++)
            *out++ = plain[i * size + b];
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAVE_SHUFFLEVECTOR
#endif
#endif

#ifdef HAVE_SHUFFLEVECTOR
typedef unsigned char bytes16 __attribute__((vector_size(16)));

#define LOW_HALVES(a, b)                                                           \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, \
                            7, 23)
#define HIGH_HALVES(a, b)                                                          \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,    \
                            14, 30, 15, 31)

/* Shuffles 16 elements of `size` bytes at a time. Bytes are interleaved like a
 * riffle shuffle, the first half with the second: four passes turn 16 rows of
 * bytes into columns. */
#define DEAL(size)                                                                 \
    do {                                                                           \
        bytes16 x[size], y[size];                                                  \
        memcpy(x, plain + i * (size), sizeof x);                                   \
        for (int times = 0; times < 4; times++) {                                  \
            for (int k = 0; k < (size) / 2; k++) {                                 \
                y[2 * k] = LOW_HALVES(x[k], x[k + (size) / 2]);                    \
                y[2 * k + 1] = HIGH_HALVES(x[k], x[k + (size) / 2]);               \
            }                                                                      \
            memcpy(x, y, sizeof x);                                                \
        }                                                                          \
        for (int b = 0; b < (size); b++)                                           \
            memcpy(out + (size_t)b * n + i, &x[b], sizeof x[b]);                   \
    } while (0)

static void shuffle(const unsigned char *plain, size_t n, size_t size,
                    unsigned char *out)
{
    if (n % 16 != 0 || (size != 4 && size != 8)) {
        shuffle_bytes(plain, n, size, out);
        return;
    }
    for (size_t i = 0; i < n; i += 16) {
        if (size == 4)
            DEAL(4);
        else
            DEAL(8);
    }
}
#else
#define shuffle shuffle_bytes
#endif

/* Whether all elements of the column are equal. */
static bool is_constant(const void *in, size_t size, size_t len)
{
    return memcmp(in, (const char *)in + size, len - size) == 0;
}

static const struct dfopt_packed_constant *
find_constant(const struct dfopt_packer *p, const void *in, size_t size, size_t len)
{
    for (size_t i = 0; i < DFOPT_PACKED_CONSTANTS && i < p->n_constants; i++) {
        const struct dfopt_packed_constant *c = &p->constants[i];
        if (c->size == size && c->plain == len && memcmp(c->element, in, size) == 0)
            return c;
    }
    return NULL;
}

static void keep_constant(struct dfopt_packer *p, const void *in, size_t size,
                          size_t len, size_t packed)
{
    struct dfopt_packed_constant *c =
        &p->constants[p->n_constants % DFOPT_PACKED_CONSTANTS];
    if (packed == 0 || packed > sizeof c->bytes || size > sizeof c->element)
        return;
    c->size = size;
    c->plain = len;
    c->len = packed;
    memcpy(c->element, in, size);
    memcpy(c->bytes, p->packed, packed);
    p->n_constants++;
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
    out.filters_off = size > 1 ? 3u : 1u; /* shuffle and deflate; deflate only */
    uint8_t *resting = &p->resting[l - dfopt_layout_of(0)][column];
    if (deflate && p->level == 1 && full && *resting > 0) {
        --*resting;
        deflate = false;
    }
    if (!deflate)
        return out;
    const void *plain = in;
    const bool constant = full && is_constant(in, size, len);
    const struct dfopt_packed_constant *known =
        constant ? find_constant(p, in, size, len) : NULL;
    if (known)
        return (struct dfopt_packed){known->bytes, known->len, 0};
    if (size > 1) {
        shuffle(in, l->chunk_rows, size, p->shuffled);
        in = p->shuffled;
    }
    const size_t packed = dfopt_deflate_run(p->deflate, in, len, p->packed, len);
    if (constant)
        keep_constant(p, plain, size, len, packed);
    if (full && (packed == 0 || packed > len / 3))
        *resting = REST_CHUNKS;
    if (packed && packed < len)
        out = (struct dfopt_packed){p->packed, packed, 0};
    return out;
}
