/* Interned strings and lists. One table serves both: a list is stored as the bytes
 * of its items' numbers. Invariant: an entry found by its number is also found by
 * its bytes, unless a local entry had those bytes first (the authority's number
 * then replaces the local one in the table).
 *
 * With millions of names every memory access is a cache miss. A look-up makes two:
 * the slot, whose hash decides whether to read the entry, and the entry. */
#include "base/buf.h"
#include "base/dict.h"

#include <stdlib.h>
#include <string.h>

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#define LOCAL_BASE  0x80000000u
#define SLOTS_MIN   64u
#define BLOCK_BYTES ((size_t)64 << 10)

struct entry {
    uint32_t id;
    uint32_t len;
    char bytes[]; /* that many, then a NUL */
};

struct slot {
    uint32_t hash;
    struct entry *entry; /* NULL: free */
};

struct by_id {
    struct entry **at;
    uint32_t n, cap;
};

struct block { /* capacity in entries */
    struct block *next;
    size_t used, size;
    char bytes[];
};

/* One kind of interned thing. */
struct pool {
    struct slot *slots; /* a power of two; the next free slot takes a collision */
    uint32_t n_slots, n_used;
    struct by_id global, local;
    struct block *blocks; /* owned; the first one has room */
};

struct dfopt_dict {
    struct pool strings, lists;
    bool replica;
};

static uint32_t hash_of(const void *bytes, size_t len)
{
    return (uint32_t)XXH3_64bits(bytes, len);
}

/* Allocates an entry, in a block of its own if it is large. */
static struct entry *entry_room(struct pool *p, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    struct block *b = p->blocks;
    if (!b || b->size - b->used < size) {
        const size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        b = malloc(sizeof *b + room);
        if (!b)
            return NULL;
        *b = (struct block){.next = p->blocks, .size = room};
        p->blocks = b;
    }
    struct entry *e = (struct entry *)(void *)(b->bytes + b->used);
    b->used += size;
    return e;
}

static struct entry *entry_create(struct pool *p, const void *bytes, size_t len)
{
    if (len > UINT32_MAX - sizeof(struct entry) - 1)
        return NULL;
    struct entry *e = entry_room(p, sizeof *e + len + 1);
    if (e) {
        e->len = (uint32_t)len;
        if (len)
            memcpy(e->bytes, bytes, len);
        e->bytes[len] = '\0';
    }
    return e;
}

static bool by_id_reserve(struct by_id *v, uint32_t index)
{
    struct entry **at = dfopt_array_reserve(v->at, &v->cap, index, sizeof *at);
    if (at)
        v->at = at;
    return at != NULL;
}

/* The slot that holds these bytes, or the free one for them. */
static struct slot *pool_slot(const struct pool *p, uint32_t hash,
                              const void *bytes, size_t len)
{
    for (uint32_t i = hash;; i++) {
        struct slot *s = &p->slots[i & (p->n_slots - 1)];
        if (!s->entry || (s->hash == hash && s->entry->len == len &&
                          memcmp(s->entry->bytes, bytes, len) == 0))
            return s;
    }
}

static struct entry *pool_find(const struct pool *p, const void *bytes, size_t len)
{
    return p->n_slots ? pool_slot(p, hash_of(bytes, len), bytes, len)->entry : NULL;
}

/* Makes room for one more slot; half of the slots stay free. */
static bool slots_reserve(struct pool *p)
{
    if (p->n_used < p->n_slots / 2)
        return true;
    const uint32_t n = p->n_slots ? p->n_slots * 2 : SLOTS_MIN;
    struct slot *slots = n ? calloc(n, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (uint32_t k = 0; k < p->n_slots; k++) {
        uint32_t i = p->slots[k].hash;
        if (!p->slots[k].entry)
            continue;
        while (slots[i & (n - 1)].entry)
            i++;
        slots[i & (n - 1)] = p->slots[k];
    }
    free(p->slots);
    p->slots = slots;
    p->n_slots = n;
    return true;
}

static struct entry *pool_at(const struct pool *p, uint32_t id)
{
    const struct by_id *v = id & LOCAL_BASE ? &p->local : &p->global;
    uint32_t i = id & ~LOCAL_BASE;
    return i < v->n ? v->at[i] : NULL;
}

/* Adds an entry; it replaces one with the same bytes. */
static bool pool_insert(struct pool *p, const void *bytes, size_t len, uint32_t id)
{
    struct by_id *v = id & LOCAL_BASE ? &p->local : &p->global;
    const uint32_t i = id & ~LOCAL_BASE, hash = hash_of(bytes, len);
    struct entry *e = by_id_reserve(v, i) && slots_reserve(p)
                          ? entry_create(p, bytes, len)
                          : NULL;
    if (!e)
        return false;
    e->id = id;
    struct slot *s = pool_slot(p, hash, bytes, len);
    p->n_used += s->entry == NULL;
    *s = (struct slot){hash, e};
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
    return pool_insert(p, bytes, len, next) ? next : UINT32_MAX;
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
        return DFOPT_ERR_ARG; /* the text already has another number */
    /* a local entry is still found by its number */
    return pool_insert(p, bytes, len, id) ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

static void pool_free(struct pool *p)
{
    while (p->blocks) {
        struct block *b = p->blocks;
        p->blocks = b->next;
        free(b);
    }
    free(p->slots);
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
