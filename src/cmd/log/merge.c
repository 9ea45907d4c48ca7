/* Merges cursors. */
#include "cmd/log/merge.h"

#include <string.h>

enum dfopt_err dl_merge_init(struct dl_merge *m, struct dfopt_declog_reader *r,
                             uint32_t kinds, uint64_t from, struct dfopt_error *err)
{
    *m = (struct dl_merge){.kinds = kinds, .to = UINT64_MAX};
    for (size_t i = 0; i < DL_KINDS; i++) {
        const struct dl_table *t = &dl_tables[i];
        if (!(kinds & DL_KIND_BIT(i)))
            continue;
        dfopt_cursor_init(&m->cursor[i], r, t->table);
        enum dfopt_err e = from > 0
                               ? dfopt_cursor_seek(&m->cursor[i], t->seq, from, err)
                               : DFOPT_OK;
        if (e)
            return e;
    }
    return DFOPT_OK;
}

void dl_merge_free(struct dl_merge *m)
{
    for (size_t i = 0; i < DL_KINDS; i++)
        dfopt_cursor_free(&m->cursor[i]);
}

struct dl_place dl_place_of(enum dl_kind kind, const void *row)
{
    const struct dl_table *t = &dl_tables[kind];
    struct dl_place p = {.event = true, .seq = dl_row_seq(t, row)};
    uint32_t position;
    if (t->position != DL_NO_POSITION) {
        memcpy(&position, (const char *)row + t->position, sizeof position);
        p.position = (uint64_t)position + 1;
    } else if (kind == DL_REGISTRATION) {
        const struct dfopt_declog_registration_row *r = row;
        p.event = r->source == DFOPT_SOURCE_EVENT;
    }
    return p;
}

int dl_place_compare(const struct dl_place *a, const struct dl_place *b)
{
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    if (a->event != b->event)
        return a->event ? 1 : -1;
    return (a->position > b->position) - (a->position < b->position);
}

enum dfopt_err dl_merge_row(struct dl_merge *m, enum dl_kind *kind,
                            const void **row, struct dfopt_error *err)
{
    struct dl_place best = {.event = false};
    *row = NULL;
    for (size_t i = 0; i < DL_KINDS; i++) {
        const void *at = NULL;
        if (!(m->kinds & DL_KIND_BIT(i)))
            continue;
        enum dfopt_err e = dfopt_cursor_row(&m->cursor[i], &at, err);
        if (e)
            return e;
        if (!at || dl_row_seq(&dl_tables[i], at) > m->to)
            continue;
        struct dl_place p = dl_place_of((enum dl_kind)i, at);
        if (!*row || dl_place_compare(&p, &best) < 0) {
            best = p;
            *kind = (enum dl_kind)i;
            *row = at;
        }
    }
    return DFOPT_OK;
}

void dl_merge_step(struct dl_merge *m, enum dl_kind kind)
{
    m->cursor[kind].next++;
}

enum dfopt_err dl_merge_each(struct dl_merge *m, struct dl_print *out, dl_see see,
                             void *arg, struct dfopt_error *err)
{
    while (!out || dl_print_flush(out, false)) {
        enum dl_kind kind;
        const void *row;
        enum dfopt_err e = dl_merge_row(m, &kind, &row, err);
        if (!e && row)
            e = see(arg, kind, row);
        if (e || !row)
            return e;
        dl_merge_step(m, kind);
    }
    return DFOPT_OK;
}

enum dfopt_err dl_each(struct dl_job *j, uint32_t kinds, dl_see see, void *arg)
{
    struct dl_merge m;
    enum dfopt_err e = dl_merge_init(&m, j->reader, kinds, 0, &j->err);
    if (!e)
        e = dl_merge_each(&m, &j->print, see, arg, &j->err);
    dl_merge_free(&m);
    return e;
}
