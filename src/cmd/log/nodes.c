/* A node's number among the hosts is that of its first name. */
#include "cmd/log/nodes.h"

#include "base/symmap.h"

#include <stdlib.h>

enum dfopt_err dl_nodes_init(struct dl_nodes *n, const struct dfopt_dict *dict,
                             bool by_host)
{
    n->dict = dict;
    n->by_host = by_host;
    n->called = calloc((size_t)dfopt_dict_strings(dict) + 1, sizeof *n->called);
    return n->called ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

void dl_nodes_free(struct dl_nodes *n)
{
    dfopt_hosts_free(&n->hosts);
    free(n->called);
    n->called = NULL;
}

dfopt_sym dl_nodes_find(const struct dl_nodes *n, dfopt_sym name)
{
    if (!n->by_host || name == DFOPT_SYM_EMPTY || name == DFOPT_SYM_NONE)
        return name;
    if (n->called[name] != 0)
        return n->called[name] - 1;
    const uint32_t node = dfopt_hosts_find(&n->hosts, n->dict, name);
    return node == DFOPT_SYMMAP_NONE ? name : node;
}

enum dfopt_err dl_nodes_enter(struct dl_nodes *n, dfopt_sym name, dfopt_sym *node)
{
    enum dfopt_err e = DFOPT_OK;
    *node = dl_nodes_find(n, name);
    if (!n->by_host || name == DFOPT_SYM_EMPTY || name == DFOPT_SYM_NONE ||
        n->called[name] != 0)
        return e;
    e = dfopt_hosts_add(&n->hosts, n->dict, name, *node);
    if (!e)
        n->called[name] = *node + 1;
    return e;
}
