/* Owners in a hash table, the nodes of each in another. Invariant: an owner's
 * count is the sum over its nodes, and a node without instances is not kept. */
#include "planner/state/instances.h"

#include "base/symmap.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct instance_node {
    UT_hash_handle hh;
    dfopt_sym node;
    uint32_t n, cap;
    dfopt_sym *instances; /* owned; oldest first */
};

struct dfopt_instance_name {
    UT_hash_handle hh;
    dfopt_sym name, node;
};

struct dfopt_instance_owner {
    UT_hash_handle hh;
    struct dfopt_owner owner;
    uint64_t count;
    struct instance_node *nodes;
};

static struct dfopt_instance_owner *find_owner(const struct dfopt_instances *x,
                                               struct dfopt_owner owner)
{
    struct dfopt_instance_owner *o = NULL;
    HASH_FIND(hh, x->owners, &owner, sizeof owner, o);
    return o;
}

static struct instance_node *find_node(const struct dfopt_instance_owner *o,
                                       dfopt_sym node)
{
    struct instance_node *n = NULL;
    if (o)
        HASH_FIND(hh, o->nodes, &node, sizeof node, n);
    return n;
}

static void forget_node(struct dfopt_instance_owner *o, struct instance_node *n)
{
    o->count -= n->n;
    HASH_DEL(o->nodes, n);
    free(n->instances);
    free(n);
}

static void forget_nodes(struct dfopt_instance_owner *o)
{
    struct instance_node *n, *next;
    HASH_ITER(hh, o->nodes, n, next)
    {
        forget_node(o, n);
    }
}

void dfopt_instances_free(struct dfopt_instances *x)
{
    struct dfopt_instance_owner *o, *next;
    HASH_ITER(hh, x->owners, o, next)
    {
        forget_nodes(o);
        HASH_DEL(x->owners, o);
        free(o);
    }
    struct dfopt_instance_name *n, *next_name;
    HASH_ITER(hh, x->names, n, next_name)
    {
        HASH_DEL(x->names, n);
        free(n);
    }
    dfopt_hosts_free(&x->hosts);
}

/* ---- names of nodes ---- */

static const struct dfopt_instance_name *find_name(const struct dfopt_instances *x,
                                                   dfopt_sym name)
{
    struct dfopt_instance_name *n = NULL;
    HASH_FIND(hh, x->names, &name, sizeof name, n);
    return n;
}

dfopt_sym dfopt_instances_node(const struct dfopt_instances *x, dfopt_sym name)
{
    const struct dfopt_instance_name *n = find_name(x, name);
    if (n || !x->dict || name == DFOPT_SYM_EMPTY)
        return n ? n->node : name;
    const uint32_t at = dfopt_hosts_find(&x->hosts, x->dict, name);
    return at == DFOPT_SYMMAP_NONE ? name : at;
}

enum dfopt_err dfopt_instances_enter(struct dfopt_instances *x, dfopt_sym name,
                                     dfopt_sym *node)
{
    *node = dfopt_instances_node(x, name);
    if (!x->dict || name == DFOPT_SYM_EMPTY || find_name(x, name))
        return DFOPT_OK;
    struct dfopt_instance_name *n = calloc(1, sizeof *n);
    if (!n)
        return DFOPT_ERR_NOMEM;
    n->name = name;
    n->node = *node;
    HASH_ADD(hh, x->names, name, sizeof n->name, n);
    if (!n->hh.tbl) {
        free(n);
        return DFOPT_ERR_NOMEM;
    }
    return dfopt_hosts_add(&x->hosts, x->dict, name, *node);
}

/* ---- instances ---- */

static uint32_t index_of(const struct instance_node *n, dfopt_sym instance)
{
    uint32_t i = 0;
    while (n && i < n->n && n->instances[i] != instance)
        i++;
    return i;
}

bool dfopt_instances_know(const struct dfopt_instances *x, struct dfopt_owner owner,
                          dfopt_sym node, dfopt_sym instance)
{
    const struct instance_node *n = find_node(find_owner(x, owner), node);
    return n && index_of(n, instance) < n->n;
}

static struct dfopt_instance_owner *make_owner(struct dfopt_instances *x,
                                               struct dfopt_owner owner)
{
    struct dfopt_instance_owner *o = find_owner(x, owner);
    if (o)
        return o;
    o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->owner = owner;
    HASH_ADD(hh, x->owners, owner, sizeof o->owner, o);
    if (!o->hh.tbl) {
        free(o);
        return NULL;
    }
    return o;
}

static struct instance_node *make_node(struct dfopt_instance_owner *o,
                                       dfopt_sym node)
{
    struct instance_node *n = find_node(o, node);
    if (n || !o)
        return n;
    n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->node = node;
    HASH_ADD(hh, o->nodes, node, sizeof n->node, n);
    if (!n->hh.tbl) {
        free(n);
        return NULL;
    }
    return n;
}

enum dfopt_err dfopt_instances_add(struct dfopt_instances *x,
                                   struct dfopt_owner owner, dfopt_sym node,
                                   dfopt_sym instance)
{
    struct dfopt_instance_owner *o = make_owner(x, owner);
    struct instance_node *n = make_node(o, node);
    if (!n)
        return DFOPT_ERR_NOMEM;
    if (n->n == DFOPT_INSTANCES_MAX) {
        memmove(n->instances, n->instances + 1, (n->n - 1) * sizeof *n->instances);
        n->n--;
        o->count--;
    }
    if (n->n == n->cap) {
        const uint32_t cap = n->cap ? n->cap * 2 : 2;
        dfopt_sym *more = realloc(n->instances, cap * sizeof *more);
        if (!more)
            return DFOPT_ERR_NOMEM;
        n->instances = more;
        n->cap = cap;
    }
    n->instances[n->n++] = instance;
    o->count++;
    return DFOPT_OK;
}

void dfopt_instances_remove(struct dfopt_instances *x, struct dfopt_owner owner,
                            dfopt_sym node, dfopt_sym instance)
{
    struct dfopt_instance_owner *o = find_owner(x, owner);
    if (!o)
        return;
    if (instance == DFOPT_SYM_EMPTY && node == DFOPT_SYM_EMPTY) {
        forget_nodes(o);
        return;
    }
    struct instance_node *n = find_node(o, node);
    if (!n)
        return;
    const uint32_t at = index_of(n, instance);
    if (instance != DFOPT_SYM_EMPTY && at < n->n) {
        memmove(n->instances + at, n->instances + at + 1,
                (n->n - at - 1) * sizeof *n->instances);
        n->n--;
        o->count--;
    }
    if (instance == DFOPT_SYM_EMPTY || n->n == 0)
        forget_node(o, n);
}

bool dfopt_instances_any(const struct dfopt_instances *x, struct dfopt_owner owner)
{
    const struct dfopt_instance_owner *o = find_owner(x, owner);
    return o && o->count > 0;
}
