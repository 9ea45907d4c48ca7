/* Inflates with libdeflate and undoes HDF5's shuffle. */
#include "declog/unpack.h"

#include "base/buf.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

struct dfopt_unpacker {
    struct libdeflate_decompressor *inflate;
    struct dfopt_buf shuffled; /* scratch */
};

enum dfopt_err dfopt_unpacker_create(struct dfopt_unpacker **out)
{
    struct dfopt_unpacker *u = calloc(1, sizeof *u);
    if (!u)
        return DFOPT_ERR_NOMEM;
    u->inflate = libdeflate_alloc_decompressor();
    if (!u->inflate) {
        free(u);
        return DFOPT_ERR_NOMEM;
    }
    *out = u;
    return DFOPT_OK;
}

void dfopt_unpacker_destroy(struct dfopt_unpacker *u)
{
    if (!u)
        return;
    libdeflate_free_decompressor(u->inflate);
    dfopt_buf_free(&u->shuffled);
    free(u);
}

/* Restores elements from the first bytes of all elements, then the second, and so
 * on. The sizes in use have their own loops, which the compiler optimises. */
static void unshuffle(const unsigned char *in, size_t n, size_t size, void *out)
{
    if (size == 4) {
        for (size_t i = 0; i < n; i++) {
            uint32_t v = (uint32_t)in[i] | (uint32_t)in[n + i] << 8 |
                         (uint32_t)in[2 * n + i] << 16 |
                         (uint32_t)in[3 * n + i] << 24;
            memcpy((char *)out + 4 * i, &v, 4);
        }
    } else if (size == 8) {
        for (size_t i = 0; i < n; i++) {
            uint64_t v = 0;
            for (size_t b = 0; b < 8; b++)
                v |= (uint64_t)in[b * n + i] << 8 * b;
            memcpy((char *)out + 8 * i, &v, 8);
        }
    } else {
        for (size_t b = 0; b < size; b++)
            for (size_t i = 0; i < n; i++)
                ((unsigned char *)out)[i * size + b] = *in++;
    }
}

enum dfopt_err dfopt_unpack(struct dfopt_unpacker *u,
                            const struct dfopt_chunk_form *form, uint32_t off,
                            const void *packed, size_t len, void *out)
{
    const struct dfopt_filters filters = form->filters;
    const size_t n = form->n, size = form->size;
    bool shuffled = filters.shuffle && !(off & 1u);
    bool deflated = filters.deflate && !(off & (filters.shuffle ? 2u : 1u));
    const void *plain = packed;
    if (deflated) {
        void *to = out;
        if (shuffled) {
            dfopt_buf_clear(&u->shuffled);
            to = dfopt_buf_grow(&u->shuffled, n * size);
            if (!to)
                return DFOPT_ERR_NOMEM;
        }
        if (libdeflate_zlib_decompress(u->inflate, packed, len, to, n * size,
                                       NULL) != LIBDEFLATE_SUCCESS)
            return DFOPT_ERR_FORMAT;
        plain = to;
    } else if (len != n * size) {
        return DFOPT_ERR_FORMAT;
    }
    if (shuffled)
        unshuffle(plain, n, size, out);
    else if (plain != out)
        memcpy(out, plain, n * size);
    return DFOPT_OK;
}
