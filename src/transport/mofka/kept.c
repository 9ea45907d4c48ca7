/* Two parts: a list of the events kept for good, and the latest one after them. */
#include "transport/mofka/kept.h"

#include <stddef.h>

void dfopt_mofka_kept_add(struct dfopt_mofka_kept *k,
                          const struct dfopt_mofka_module *m,
                          struct dfopt_mofka_event *e, uint64_t mark)
{
    e->mark = mark;
    e->next = NULL;
    m->event_free(k->last);
    k->last = NULL;
    if (e->id % DFOPT_MOFKA_KEPT_EVERY != 0) {
        k->last = e;
        return;
    }
    if (k->tail)
        k->tail->next = e;
    else
        k->head = e;
    k->tail = e;
}

struct dfopt_mofka_event *dfopt_mofka_kept_take(struct dfopt_mofka_kept *k,
                                                const struct dfopt_mofka_module *m,
                                                uint64_t done)
{
    struct dfopt_mofka_event *latest = NULL;
    while (k->head && k->head->mark <= done) {
        m->event_free(latest);
        latest = k->head;
        k->head = latest->next;
        if (!k->head)
            k->tail = NULL;
    }
    if (k->last && k->last->mark <= done) { /* it follows the whole list */
        m->event_free(latest);
        latest = k->last;
        k->last = NULL;
    }
    return latest;
}

void dfopt_mofka_kept_clear(struct dfopt_mofka_kept *k,
                            const struct dfopt_mofka_module *m)
{
    m->event_free(dfopt_mofka_kept_take(k, m, UINT64_MAX));
}
