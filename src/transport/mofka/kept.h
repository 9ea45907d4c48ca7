/* Events that were delivered and are not decided yet, of one partition: as many as
 * are needed to acknowledge by watermark. An event stands for all before it, so
 * only every so-many-th is kept, and the last. Not thread-safe. */
#ifndef DFOPT_TRANSPORT_MOFKA_KEPT_H
#define DFOPT_TRANSPORT_MOFKA_KEPT_H

#include "net/mofka/module.h"

/* {0} is empty. */
struct dfopt_mofka_kept {
    struct dfopt_mofka_event *head, *tail; /* every so-many-th */
    struct dfopt_mofka_event *last;        /* after those; or NULL */
};

/* Of so many events in a row one is kept for good. */
#define DFOPT_MOFKA_KEPT_EVERY 64

/* Takes an event that follows those before. It may be acknowledged when `mark`
 * records are decided; marks do not fall. */
void dfopt_mofka_kept_add(struct dfopt_mofka_kept *k,
                          const struct dfopt_mofka_module *m,
                          struct dfopt_mofka_event *e, uint64_t mark);

/* Returns the last kept event that `done` decided records allow to acknowledge,
 * owned by the caller, and frees those before it; NULL: none. */
struct dfopt_mofka_event *dfopt_mofka_kept_take(struct dfopt_mofka_kept *k,
                                                const struct dfopt_mofka_module *m,
                                                uint64_t done);

void dfopt_mofka_kept_clear(struct dfopt_mofka_kept *k,
                            const struct dfopt_mofka_module *m);

#endif
