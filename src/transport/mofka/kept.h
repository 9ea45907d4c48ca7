/* Events of one partition that were delivered but not decided: just enough to
 * acknowledge by watermark. Acknowledging an event covers all before it, so only
 * every DFOPT_MOFKA_KEPT_EVERY-th and the last are kept. Not thread-safe. */
#ifndef DFOPT_TRANSPORT_MOFKA_KEPT_H
#define DFOPT_TRANSPORT_MOFKA_KEPT_H

#include "net/mofka/module.h"

/* {0} is empty. */
struct dfopt_mofka_kept {
    struct dfopt_mofka_event *head, *tail; /* every DFOPT_MOFKA_KEPT_EVERY-th */
    struct dfopt_mofka_event *last;        /* the latest after those; or NULL */
};

/* One in this many events is kept for good. */
#define DFOPT_MOFKA_KEPT_EVERY 64

/* Takes the event that follows the previous ones. It may be acknowledged once
 * `mark` records are decided; marks never decrease. */
void dfopt_mofka_kept_add(struct dfopt_mofka_kept *k,
                          const struct dfopt_mofka_module *m,
                          struct dfopt_mofka_event *e, uint64_t mark);

/* Returns the last kept event that may be acknowledged after `done` decided
 * records, owned by the caller, and frees those before it; NULL: none. */
struct dfopt_mofka_event *dfopt_mofka_kept_take(struct dfopt_mofka_kept *k,
                                                const struct dfopt_mofka_module *m,
                                                uint64_t done);

void dfopt_mofka_kept_clear(struct dfopt_mofka_kept *k,
                            const struct dfopt_mofka_module *m);

#endif
