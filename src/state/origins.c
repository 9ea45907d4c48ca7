/* The origins of events. */
#include "state/origins.h"

#include "declog/cursor.h"

#include <string.h>

static struct dfopt_fold_origin *find_origin(const struct dfopt_buf *origins,
                                             dfopt_sym origin)
{
    struct dfopt_fold_origin *o = DFOPT_ROW(origins, struct dfopt_fold_origin);
    for (size_t i = 0; i < DFOPT_ROWS(origins, struct dfopt_fold_origin); i++)
        if (o[i].origin == origin)
            return &o[i];
    return NULL;
}

bool dfopt_fold_is_known(const struct dfopt_buf *origins, dfopt_sym origin,
                         uint64_t number)
{
    const struct dfopt_fold_origin *o = find_origin(origins, origin);
    return o && number <= o->last;
}

enum dfopt_err dfopt_fold_note(struct dfopt_buf *origins, dfopt_sym origin,
                               uint64_t number)
{
    struct dfopt_fold_origin *o = find_origin(origins, origin);
    if (o) {
        if (number > o->last)
            o->last = number;
        return DFOPT_OK;
    }
    const struct dfopt_fold_origin new = {.origin = origin, .last = number};
    return dfopt_buf_add(origins, &new, sizeof new);
}

static enum dfopt_err see_origin(struct dfopt_fold *f,
                                 const struct dfopt_declog_origin_row *row,
                                 uint64_t end_seq)
{
    if (row->unit != DFOPT_UNIT_EVENT_ID || end_seq <= row->seq)
        return DFOPT_OK;
    return dfopt_fold_note(&f->origins, row->origin,
                           row->offset + (end_seq - row->seq) - 1);
}

enum dfopt_err dfopt_fold_take_origins(struct dfopt_fold *f,
                                       struct dfopt_error *err)
{
    struct dfopt_declog_origin_row before = {.unit = DFOPT_UNIT_BYTE};
    struct dfopt_cursor c;
    const void *row = NULL;
    enum dfopt_err e;
    dfopt_cursor_init(&c, f->reader, DFOPT_TABLE_ORIGINS);
    do {
        struct dfopt_declog_origin_row now = {.seq = f->next_seq};
        e = dfopt_cursor_row(&c, &row, err);
        if (!e && row)
            memcpy(&now, row, sizeof now);
        if (!e)
            e = see_origin(f, &before, now.seq);
        before = now;
        c.next++;
    } while (!e && row);
    dfopt_cursor_free(&c);
    return e;
}
