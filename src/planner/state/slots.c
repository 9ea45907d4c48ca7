/* Slots by (node, knob), in pages of a few knobs: a node pays only for the pages
 * of knobs that respond to it. */
#include "planner/state/slots.h"

#include <stdlib.h>
#include <string.h>

enum dfopt_err dfopt_slots_init(struct dfopt_slots *s,
                                const struct dfopt_dict *dict)
{
    *s = (struct dfopt_slots){.dict = dict};
    return dfopt_slots_node(s, DFOPT_SYM_EMPTY) == DFOPT_JOB_NODE ? DFOPT_OK
                                                                  : DFOPT_ERR_NOMEM;
}

void dfopt_slots_free(struct dfopt_slots *s)
{
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        for (uint32_t j = 0; j < s->nodes[i].n_pages; j++)
            free(s->nodes[i].pages[j]);
        free(s->nodes[i].pages);
    }
    free(s->nodes);
    dfopt_symmap_free(&s->node_of);
    dfopt_hosts_free(&s->hosts);
    *s = (struct dfopt_slots){0};
}

uint32_t dfopt_slots_find_node(const struct dfopt_slots *s, dfopt_sym name)
{
    const uint32_t at = dfopt_symmap_get(&s->node_of, name);
    return at == DFOPT_SYMMAP_NONE && s->dict
               ? dfopt_hosts_find(&s->hosts, s->dict, name)
               : at;
}

static bool reserve_node(struct dfopt_slots *s)
{
    if (s->n_nodes < s->cap)
        return true;
    const uint32_t cap = s->cap ? s->cap * 2 : 64;
    struct dfopt_slot_node *nodes = realloc(s->nodes, cap * sizeof *nodes);
    if (!nodes)
        return false;
    s->nodes = nodes;
    s->cap = cap;
    return true;
}

uint32_t dfopt_slots_add_node(struct dfopt_slots *s, dfopt_sym name)
{
    uint32_t at = dfopt_symmap_get(&s->node_of, name);
    if (at != DFOPT_SYMMAP_NONE)
        return at;
    at = dfopt_slots_find_node(s, name);
    const bool is_new = at == DFOPT_SYMMAP_NONE;
    if (is_new && !reserve_node(s))
        return DFOPT_SYMMAP_NONE;
    at = is_new ? s->n_nodes : at;
    if (s->dict && dfopt_hosts_add(&s->hosts, s->dict, name, at))
        return DFOPT_SYMMAP_NONE;
    if (dfopt_symmap_set(&s->node_of, name, at))
        return DFOPT_SYMMAP_NONE;
    if (is_new)
        s->nodes[s->n_nodes++] = (struct dfopt_slot_node){.name = name};
    return at;
}

struct dfopt_slot *dfopt_slots_add(struct dfopt_slots *s, uint32_t node,
                                   uint32_t knob)
{
    struct dfopt_slot_node *n = &s->nodes[node];
    uint32_t page = knob / DFOPT_PAGE_SLOTS;
    if (page >= n->n_pages) {
        struct dfopt_slot **pages = realloc(n->pages, (page + 1) * sizeof *pages);
        if (!pages)
            return NULL;
        memset(pages + n->n_pages, 0, (page + 1 - n->n_pages) * sizeof *pages);
        n->pages = pages;
        n->n_pages = page + 1;
    }
    if (!n->pages[page])
        n->pages[page] = calloc(DFOPT_PAGE_SLOTS, sizeof *n->pages[page]);
    return n->pages[page] ? &n->pages[page][knob % DFOPT_PAGE_SLOTS] : NULL;
}

uint64_t dfopt_slots_bytes(uint64_t nodes, uint64_t knobs)
{
    const uint64_t pages = (knobs + DFOPT_PAGE_SLOTS - 1) / DFOPT_PAGE_SLOTS;
    const uint64_t page = sizeof(struct dfopt_slot *) + 16 + /* malloc overhead */
                          DFOPT_PAGE_SLOTS * sizeof(struct dfopt_slot);
    return nodes * (2 * sizeof(struct dfopt_slot_node) + 16 + DFOPT_HOST_BYTES +
                    pages * page);
}
