/* Interned strings and lists. One table serves both: a list is kept as the
 * bytes of its items' numbers. Invariant: an entry found by its number is also
 * found by its bytes, unless a local entry had those bytes first (the number
 * of the authority then replaces the local one in the table). */
#include "base/dict.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define HASH_NONFATAL_OOM              1
#define HASH_FUNCTION(key, len, hashv) ((hashv) = (unsigned)XXH3_64bits(key, len))
#include <uthash.h>

#define LOCAL_BASE 0x80000000u

struct entry {
    UT_hash_handle hh;
    uint32_t id;
    uint32_t len;
    char bytes[]; /* len of them, then a NUL */
};

struct by_id {
    struct entry **at;
    uint32_t n, cap;
};

/* One kind of interned thing. */
struct pool {
    struct entry *by_bytes;
    struct by_id global, local;
};

struct dfopt_dict {
    struct pool strings, lists;
    bool replica;
};

static struct entry *entry_create(const void *bytes, size_t len)
{
    if (len > UINT32_MAX - sizeof(struct entry) - 1)
        return NULL;
    struct entry *e = calloc(1, sizeof *e + len + 1);
    if (e) {
        e->len = (uint32_t)len;
        if (len)
            memcpy(e->bytes, bytes, len);
    }
    return e;
}

static bool by_id_reserve(struct by_id *v, uint32_t index)
{
    if (index < v->cap)
        return true;
    uint32_t cap = v->cap ? v->cap : 64;
    while (cap <= index)
        cap *= 2;
    struct entry **at = realloc(v->at, cap * sizeof *at);
    if (!at)
        return false;
    memset(at + v->cap, 0, (cap - v->cap) * sizeof *at);
    v->at = at;
    v->cap = cap;
    return true;
}

static struct entry *pool_find(const struct pool *p, const void *bytes, size_t len)
{
    struct entry *e = NULL;
    HASH_FIND(hh, p->by_bytes, bytes, len, e);
    return e;
}

static struct entry *pool_at(const struct pool *p, uint32_t id)
{
    const struct by_id *v = id & LOCAL_BASE ? &p->local : &p->global;
    uint32_t i = id & ~LOCAL_BASE;
    return i < v->n ? v->at[i] : NULL;
}

/* Takes e; frees it on failure. */
static bool pool_insert(struct pool *p, struct entry *e, uint32_t id)
{
    struct by_id *v = id & LOCAL_BASE ? &p->local : &p->global;
    uint32_t i = id & ~LOCAL_BASE;
    if (!by_id_reserve(v, i)) {
        free(e);
        return false;
    }
    e->id = id;
    HASH_ADD_KEYPTR(hh, p->by_bytes, e->bytes, e->len, e);
    if (!e->hh.tbl) {
        free(e);
        return false;
    }
    v->at[i] = e;
    if (i >= v->n)
        v->n = i + 1;
    return true;
}

static uint32_t pool_intern(struct pool *p, bool replica, const void *bytes,
                            size_t len)
{
    struct entry *e = pool_find(p, bytes, len);
    if (e)
        return e->id;
    uint32_t next = replica ? p->local.n | LOCAL_BASE : p->global.n;
    if ((next & ~LOCAL_BASE) >= LOCAL_BASE - 2)
        return UINT32_MAX;
    e = entry_create(bytes, len);
    return e && pool_insert(p, e, next) ? next : UINT32_MAX;
}

static enum dfopt_err pool_define(struct pool *p, uint32_t id, const void *bytes,
                                  size_t len)
{
    struct entry *old = pool_at(p, id);
    if (old)
        return old->len == len && memcmp(old->bytes, bytes, len) == 0
                   ? DFOPT_OK
                   : DFOPT_ERR_ARG;
    struct entry *local = pool_find(p, bytes, len);
    if (local && !(local->id & LOCAL_BASE))
        return DFOPT_ERR_ARG; /* the text has another number already */
    struct entry *e = entry_create(bytes, len);
    if (!e)
        return DFOPT_ERR_NOMEM;
    if (local)
        HASH_DELETE(hh, p->by_bytes, local); /* still found by its number */
    return pool_insert(p, e, id) ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

static void pool_free(struct pool *p)
{
    HASH_CLEAR(hh, p->by_bytes);
    for (uint32_t i = 0; i < p->global.n; i++)
        free(p->global.at[i]);
    for (uint32_t i = 0; i < p->local.n; i++)
        free(p->local.at[i]);
    free(p->global.at);
    free(p->local.at);
}

enum dfopt_err dfopt_dict_create(struct dfopt_dict **out, bool replica)
{
    struct dfopt_dict *d = calloc(1, sizeof *d);
    if (!d)
        return DFOPT_ERR_NOMEM;
    d->replica = replica;
    if (pool_intern(&d->strings, false, "", 0) != DFOPT_SYM_EMPTY ||
        pool_intern(&d->lists, false, "", 0) != DFOPT_LIST_EMPTY) {
        dfopt_dict_destroy(d);
        return DFOPT_ERR_NOMEM;
    }
    *out = d;
    return DFOPT_OK;
}

void dfopt_dict_destroy(struct dfopt_dict *d)
{
    if (!d)
        return;
    pool_free(&d->strings);
    pool_free(&d->lists);
    free(d);
}

dfopt_sym dfopt_dict_intern(struct dfopt_dict *d, const char *text, size_t len)
{
    return pool_intern(&d->strings, d->replica, text, len);
}

dfopt_sym dfopt_dict_intern_z(struct dfopt_dict *d, const char *text)
{
    return dfopt_dict_intern(d, text, strlen(text));
}

dfopt_sym dfopt_dict_find(const struct dfopt_dict *d, const char *text, size_t len)
{
    struct entry *e = pool_find(&d->strings, text, len);
    return e ? e->id : DFOPT_SYM_NONE;
}

const char *dfopt_dict_text(const struct dfopt_dict *d, dfopt_sym s, size_t *len)
{
    struct entry *e = pool_at(&d->strings, s);
    if (len)
        *len = e ? e->len : 0;
    return e ? e->bytes : "";
}

bool dfopt_dict_same(const struct dfopt_dict *d, dfopt_sym a, dfopt_sym b)
{
    if (a == b)
        return true;
    if (!dfopt_sym_is_local(a) && !dfopt_sym_is_local(b))
        return false;
    struct entry *x = pool_at(&d->strings, a), *y = pool_at(&d->strings, b);
    return x && y && x->len == y->len && memcmp(x->bytes, y->bytes, x->len) == 0;
}

dfopt_list dfopt_dict_intern_list(struct dfopt_dict *d, const dfopt_sym *items,
                                  size_t n)
{
    return pool_intern(&d->lists, d->replica, n ? (const void *)items : "",
                       n * sizeof *items);
}

const dfopt_sym *dfopt_dict_items(const struct dfopt_dict *d, dfopt_list l,
                                  size_t *n)
{
    struct entry *e = pool_at(&d->lists, l);
    *n = e ? e->len / sizeof(dfopt_sym) : 0;
    return e ? (const dfopt_sym *)(const void *)e->bytes : NULL;
}

uint32_t dfopt_dict_strings(const struct dfopt_dict *d)
{
    return d->strings.global.n;
}

uint32_t dfopt_dict_lists(const struct dfopt_dict *d)
{
    return d->lists.global.n;
}

uint32_t dfopt_dict_local_strings(const struct dfopt_dict *d)
{
    return d->strings.local.n;
}

uint32_t dfopt_dict_local_lists(const struct dfopt_dict *d)
{
    return d->lists.local.n;
}

enum dfopt_err dfopt_dict_define(struct dfopt_dict *d, dfopt_sym s,
                                 const char *text, size_t len)
{
    if (!d->replica || s & LOCAL_BASE)
        return DFOPT_ERR_ARG;
    return pool_define(&d->strings, s, text, len);
}

enum dfopt_err dfopt_dict_define_list(struct dfopt_dict *d, dfopt_list l,
                                      const dfopt_sym *items, size_t n)
{
    if (!d->replica || l & LOCAL_BASE)
        return DFOPT_ERR_ARG;
    return pool_define(&d->lists, l, n ? (const void *)items : "",
                       n * sizeof *items);
}
