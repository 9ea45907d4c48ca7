/* Knobs in order of first registration. */
#include "state/knobs.h"

#include <stdlib.h>

/* Stores a knob: at the end, or in place of the one that it replaces. */
static enum dfopt_err keep_knob(struct dfopt_fold_knobs *f,
                                const struct dfopt_knob *k)
{
    struct dfopt_registration *all = f->all;
    struct dfopt_knob copy;
    uint32_t at = DFOPT_SYMMAP_NONE;
    if (f->policy->on.reregister == DFOPT_REREGISTER_REPLACE)
        at = dfopt_symmap_get(&f->at, k->id);
    if (at == DFOPT_SYMMAP_NONE && all->n_knobs == f->cap) {
        const size_t cap = f->cap ? f->cap * 2 : 16;
        struct dfopt_knob *knobs = realloc(all->knobs, cap * sizeof *knobs);
        if (!knobs)
            return DFOPT_ERR_NOMEM;
        all->knobs = knobs;
        f->cap = cap;
    }
    if (dfopt_knob_copy(&copy, k))
        return DFOPT_ERR_NOMEM;
    if (at != DFOPT_SYMMAP_NONE) {
        dfopt_knob_clear(&all->knobs[at]);
        all->knobs[at] = copy;
        return DFOPT_OK;
    }
    all->knobs[all->n_knobs++] = copy;
    return dfopt_symmap_set(&f->at, k->id, (uint32_t)all->n_knobs - 1);
}

/* The knobs of a registration except those that were refused. */
enum dfopt_err dfopt_fold_keep_knobs(struct dfopt_fold_knobs *f,
                                     const struct dfopt_registration *r,
                                     const struct dfopt_buf *verdicts)
{
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(verdicts, const struct dfopt_verdict_row);
    const size_t n = DFOPT_ROWS(verdicts, struct dfopt_verdict_row);
    enum dfopt_err e = DFOPT_OK;
    if (f->policy->on.registration == DFOPT_REGISTRATION_INTERPRET && r->unregister)
        return e;
    for (size_t i = 0, refused = 0; !e && i < r->n_knobs; i++) {
        if (refused < n && v[refused].position == i)
            refused++;
        else
            e = keep_knob(f, &r->knobs[i]);
    }
    return e;
}

enum dfopt_err dfopt_fold_drop_left(struct dfopt_fold_knobs *f,
                                    const struct dfopt_planner *p)
{
    struct dfopt_registration *all = f->all;
    size_t kept = 0;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < all->n_knobs; i++) {
        if (dfopt_planner_has_left(p, all->knobs[i].id)) {
            dfopt_knob_clear(&all->knobs[i]);
            continue;
        }
        if (kept < i)
            all->knobs[kept] = all->knobs[i];
        kept++;
    }
    all->n_knobs = kept;
    dfopt_symmap_free(&f->at);
    f->at = (struct dfopt_symmap){0};
    for (size_t i = 0; i < kept && !e; i++)
        e = dfopt_symmap_set(&f->at, all->knobs[i].id, (uint32_t)i);
    return e;
}
