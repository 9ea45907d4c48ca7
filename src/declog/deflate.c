/* Two compressors behind one interface. */
#include "declog/deflate.h"

#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef DFOPT_HAVE_ISAL
#include <isa-l/igzip_lib.h>

struct fast {
    struct isal_zstream stream;
    uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

static size_t run_fast(struct fast *f, const void *in, size_t n, void *out,
                       size_t room)
{
    struct isal_zstream *s = &f->stream;
    isal_deflate_stateless_init(s);
    s->level = 1;
    s->level_buf = f->level_buf;
    s->level_buf_size = sizeof f->level_buf;
    s->gzip_flag = IGZIP_ZLIB;
    s->end_of_stream = 1;
    s->next_in = (uint8_t *)(uintptr_t)in; /* only read */
    s->avail_in = (uint32_t)n;
    s->next_out = out;
    s->avail_out = room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
    return isal_deflate_stateless(s) == COMP_OK && s->avail_in == 0 ? s->total_out
                                                                    : 0;
}
#else
struct fast {
    int unused;
};

static size_t run_fast(struct fast *f, const void *in, size_t n, void *out,
                       size_t room)
{
    (void)f, (void)in, (void)n, (void)out, (void)room;
    return 0;
}
#endif

struct dfopt_deflate {
    struct fast *fast; /* exactly one is set */
    struct libdeflate_compressor *small;
};

enum dfopt_err dfopt_deflate_create(struct dfopt_deflate **out, int level)
{
    struct dfopt_deflate *d = calloc(1, sizeof *d);
    if (!d)
        return DFOPT_ERR_NOMEM;
#ifdef DFOPT_HAVE_ISAL
    if (level == 1)
        d->fast = calloc(1, sizeof *d->fast);
#endif
    if (!d->fast)
        d->small = libdeflate_alloc_compressor(level);
    if (!d->fast && !d->small) {
        free(d);
        return DFOPT_ERR_NOMEM;
    }
    *out = d;
    return DFOPT_OK;
}

void dfopt_deflate_destroy(struct dfopt_deflate *d)
{
    if (!d)
        return;
    if (d->small)
        libdeflate_free_compressor(d->small);
    free(d->fast);
    free(d);
}

size_t dfopt_deflate_run(struct dfopt_deflate *d, const void *in, size_t n,
                         void *out, size_t room)
{
    return d->fast ? run_fast(d->fast, in, n, out, room)
                   : libdeflate_zlib_compress(d->small, in, n, out, room);
}
