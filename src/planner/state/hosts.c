/* Labels in a hash table, the names with each in a short array. */
#include "planner/state/hosts.h"

#include "base/hostname.h"
#include "base/symmap.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct host_name {
    dfopt_sym name;
    uint32_t node;
};

struct dfopt_host_label {
    UT_hash_handle hh;
    struct host_name *names; /* owned, if more than `first` */
    struct host_name first;
    uint32_t n;
    char text[]; /* folded */
};

struct text {
    const char *at;
    size_t len;
};

static struct text text_of(const struct dfopt_dict *dict, dfopt_sym name)
{
    struct text t;
    t.at = dfopt_dict_text(dict, name, &t.len);
    return t;
}

static bool is_short(struct text t)
{
    return dfopt_hostname_is_short(t.at, t.len);
}

static const struct host_name *names_of(const struct dfopt_host_label *l)
{
    return l->names ? l->names : &l->first;
}

/* The folded label of a name; empty: the name is its only form. */
struct key {
    char text[DFOPT_HOSTNAME_KEY_MAX];
    size_t len;
};

static struct key key_of(struct text name)
{
    struct key k;
    k.len = dfopt_hostname_key(name.at, name.len, k.text);
    return k;
}

static struct dfopt_host_label *find_label(const struct dfopt_hosts *h,
                                           const struct key *k)
{
    struct dfopt_host_label *found = NULL;
    if (k->len)
        HASH_FIND(hh, h->labels, k->text, k->len, found);
    return found;
}

static bool has_full(const struct dfopt_host_label *l,
                     const struct dfopt_dict *dict, uint32_t node)
{
    const struct host_name *x = names_of(l);
    for (uint32_t i = 0; i < l->n; i++)
        if (x[i].node == node && !is_short(text_of(dict, x[i].name)))
            return true;
    return false;
}

/* The only node with a full name. */
static uint32_t only_full(const struct dfopt_host_label *l,
                          const struct dfopt_dict *dict)
{
    const struct host_name *x = names_of(l);
    uint32_t only = DFOPT_SYMMAP_NONE;
    for (uint32_t i = 0; i < l->n; i++) {
        if (is_short(text_of(dict, x[i].name)) || x[i].node == only)
            continue;
        if (only != DFOPT_SYMMAP_NONE)
            return DFOPT_SYMMAP_NONE;
        only = x[i].node;
    }
    return only;
}

/* The node with the short name and no full one. */
static uint32_t short_only(const struct dfopt_host_label *l,
                           const struct dfopt_dict *dict)
{
    const struct host_name *x = names_of(l);
    for (uint32_t i = 0; i < l->n; i++)
        if (is_short(text_of(dict, x[i].name)))
            return has_full(l, dict, x[i].node) ? DFOPT_SYMMAP_NONE : x[i].node;
    return DFOPT_SYMMAP_NONE;
}

uint32_t dfopt_hosts_find(const struct dfopt_hosts *h,
                          const struct dfopt_dict *dict, dfopt_sym name)
{
    const struct text t = text_of(dict, name);
    const struct key k = key_of(t);
    const struct dfopt_host_label *l = find_label(h, &k);
    if (!l)
        return DFOPT_SYMMAP_NONE;
    const struct host_name *x = names_of(l);
    for (uint32_t i = 0; i < l->n; i++) {
        const struct text other = text_of(dict, x[i].name);
        if (dfopt_hostname_equal(t.at, t.len, other.at, other.len))
            return x[i].node;
    }
    return is_short(t) ? only_full(l, dict) : short_only(l, dict);
}

static struct dfopt_host_label *add_label(struct dfopt_hosts *h,
                                          const struct key *k)
{
    struct dfopt_host_label *l = calloc(1, sizeof *l + k->len);
    if (!l)
        return NULL;
    memcpy(l->text, k->text, k->len);
    HASH_ADD_KEYPTR(hh, h->labels, l->text, k->len, l);
    if (l->hh.tbl)
        return l;
    free(l);
    return NULL;
}

enum dfopt_err dfopt_hosts_add(struct dfopt_hosts *h, const struct dfopt_dict *dict,
                               dfopt_sym name, uint32_t node)
{
    const struct key k = key_of(text_of(dict, name));
    if (k.len == 0)
        return DFOPT_OK;
    struct dfopt_host_label *l = find_label(h, &k);
    if (!l)
        l = add_label(h, &k);
    if (!l)
        return DFOPT_ERR_NOMEM;
    const struct host_name added = {name, node};
    if (l->n == 0) {
        l->first = added;
        l->n = 1;
        return DFOPT_OK;
    }
    struct host_name *more = realloc(l->names, (l->n + 1) * sizeof *more);
    if (!more)
        return DFOPT_ERR_NOMEM;
    if (!l->names)
        more[0] = l->first;
    more[l->n++] = added;
    l->names = more;
    return DFOPT_OK;
}

void dfopt_hosts_free(struct dfopt_hosts *h)
{
    struct dfopt_host_label *l, *next;
    HASH_ITER(hh, h->labels, l, next)
    {
        HASH_DEL(h->labels, l);
        free(l->names);
        free(l);
    }
}
