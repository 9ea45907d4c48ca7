/* A merge of cursors. */
#include "cmd/log/merge.h"

#include <string.h>

enum dfopt_err log_merge_init(struct log_merge *m, struct dfopt_declog_reader *r,
                              uint32_t kinds, uint64_t from,
                              struct dfopt_error *err)
{
    *m = (struct log_merge){.kinds = kinds, .to = UINT64_MAX};
    for (size_t i = 0; i < LOG_KINDS; i++) {
        const struct log_table *t = &log_tables[i];
        if (!(kinds & LOG_KIND_BIT(i)))
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

void log_merge_free(struct log_merge *m)
{
    for (size_t i = 0; i < LOG_KINDS; i++)
        dfopt_cursor_free(&m->cursor[i]);
}

struct log_place log_place_of(enum log_kind kind, const void *row)
{
    const struct log_table *t = &log_tables[kind];
    struct log_place p = {.event = true, .seq = log_row_seq(t, row)};
    uint32_t position;
    if (t->position != LOG_NO_POSITION) {
        memcpy(&position, (const char *)row + t->position, sizeof position);
        p.position = (uint64_t)position + 1;
    } else if (kind == LOG_REGISTRATION) {
        const struct dfopt_declog_registration_row *r = row;
        p.event = r->source == DFOPT_SOURCE_EVENT;
    }
    return p;
}

int log_place_compare(const struct log_place *a, const struct log_place *b)
{
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    if (a->event != b->event)
        return a->event ? 1 : -1;
    return (a->position > b->position) - (a->position < b->position);
}

enum dfopt_err log_merge_row(struct log_merge *m, enum log_kind *kind,
                             const void **row, struct dfopt_error *err)
{
    struct log_place best = {.event = false};
    *row = NULL;
    for (size_t i = 0; i < LOG_KINDS; i++) {
        const void *at = NULL;
        if (!(m->kinds & LOG_KIND_BIT(i)))
            continue;
        enum dfopt_err e = dfopt_cursor_row(&m->cursor[i], &at, err);
        if (e)
            return e;
        if (!at || log_row_seq(&log_tables[i], at) > m->to)
            continue;
        struct log_place p = log_place_of((enum log_kind)i, at);
        if (!*row || log_place_compare(&p, &best) < 0) {
            best = p;
            *kind = (enum log_kind)i;
            *row = at;
        }
    }
    return DFOPT_OK;
}

void log_merge_step(struct log_merge *m, enum log_kind kind)
{
    m->cursor[kind].next++;
}
