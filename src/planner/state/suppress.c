/* Which tags are suppressed. Invariant: p->suppressed holds the indices of exactly
 * the marked tags, in the order they were marked. */
#include "planner/state/internal.h"

#include <stdlib.h>
#include <string.h>

struct dfopt_tag *dfopt_planner_suppress(struct dfopt_planner *p, dfopt_sym tag)
{
    const uint32_t index = dfopt_registry_tag(&p->registry, tag);
    if (index == DFOPT_SYMMAP_NONE)
        return NULL;
    struct dfopt_tag *t = &p->registry.tags[index];
    if (t->suppressed)
        return t;
    if (p->n_suppressed == p->cap_suppressed) {
        uint32_t cap = p->cap_suppressed ? p->cap_suppressed * 2 : 16;
        uint32_t *items = realloc(p->suppressed, cap * sizeof *items);
        if (!items)
            return NULL;
        p->suppressed = items;
        p->cap_suppressed = cap;
    }
    p->suppressed[p->n_suppressed++] = index;
    t->suppressed = true;
    return t;
}

void dfopt_planner_unsuppress(struct dfopt_planner *p, dfopt_sym tag)
{
    const uint32_t index = dfopt_symmap_get(&p->registry.tag_of, tag);
    for (uint32_t i = 0; i < p->n_suppressed; i++)
        if (p->suppressed[i] == index) {
            p->registry.tags[index].suppressed = false;
            p->n_suppressed--;
            memmove(&p->suppressed[i], &p->suppressed[i + 1],
                    (p->n_suppressed - i) * sizeof *p->suppressed);
            return;
        }
}
