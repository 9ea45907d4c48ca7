/* gzip with zlib's inflate. Invariant: z.next_in and z.avail_in are the
 * unconsumed part of `packed`; in_member: a member has begun and not ended. */
#include "transport/file/gunzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define PACKED_BYTES ((size_t)128 << 10)
#define GZIP_ONLY    (16 + MAX_WBITS) /* for inflateInit2: gzip headers only */

struct dfopt_gunzip {
    z_stream z;
    bool in_member;
    char packed[PACKED_BYTES];
};

enum dfopt_err dfopt_gunzip_create(struct dfopt_gunzip **out)
{
    struct dfopt_gunzip *g = calloc(1, sizeof *g);
    if (!g)
        return DFOPT_ERR_NOMEM;
    if (inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
        free(g);
        return DFOPT_ERR_NOMEM;
    }
    *out = g;
    return DFOPT_OK;
}

void dfopt_gunzip_destroy(struct dfopt_gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    free(g);
}

char *dfopt_gunzip_space(struct dfopt_gunzip *g, size_t *cap)
{
    *cap = sizeof g->packed;
    return g->packed;
}

void dfopt_gunzip_filled(struct dfopt_gunzip *g, size_t n)
{
    g->z.next_in = (Bytef *)g->packed;
    g->z.avail_in = (uInt)n;
}

/* Between members: returns NULL; sets in_member if another one begins. */
static const char *begin_member(struct dfopt_gunzip *g)
{
    while (g->z.avail_in > 0 && *g->z.next_in == 0) {
        g->z.next_in++;
        g->z.avail_in--;
    }
    if (g->z.avail_in == 0)
        return NULL;
    if (*g->z.next_in != 0x1f)
        return "bytes after its end";
    g->in_member = inflateReset(&g->z) == Z_OK;
    return g->in_member ? NULL : "zlib cannot start again";
}

const char *dfopt_gunzip_run(struct dfopt_gunzip *g, char *out, size_t cap,
                             size_t *got)
{
    uInt room = cap > UINT_MAX ? UINT_MAX : (uInt)cap;
    const char *wrong = NULL;
    g->z.next_out = (Bytef *)out;
    g->z.avail_out = room;
    while (!wrong && g->z.avail_out > 0) {
        if (!g->in_member)
            wrong = begin_member(g);
        if (wrong || !g->in_member)
            break;
        int z = inflate(&g->z, Z_NO_FLUSH);
        if (z == Z_STREAM_END)
            g->in_member = false;
        else if (z == Z_BUF_ERROR || (z == Z_OK && g->z.avail_in == 0))
            break;
        else if (z != Z_OK)
            wrong = g->z.msg ? g->z.msg : zError(z);
    }
    *got = room - g->z.avail_out;
    /* Output before the damage goes first; inflate will report it again. */
    return *got > 0 ? NULL : wrong;
}

bool dfopt_gunzip_complete(const struct dfopt_gunzip *g)
{
    return !g->in_member;
}
