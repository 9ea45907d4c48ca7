/* Seeks in /verdicts. */
#include "cmd/log/verdicts_at.h"

#include <stddef.h>

void dl_verdicts_init(struct dfopt_cursor *c, struct dfopt_declog_reader *r)
{
    const size_t members[] = {offsetof(struct dfopt_verdict_row, seq),
                              offsetof(struct dfopt_verdict_row, verdict),
                              offsetof(struct dfopt_verdict_row, knob),
                              offsetof(struct dfopt_verdict_row, node)};
    dfopt_cursor_init(c, r, DFOPT_TABLE_VERDICTS);
    c->columns = dfopt_declog_columns(DFOPT_TABLE_VERDICTS, 4, members);
}

enum dfopt_err
dl_verdicts_at(struct dfopt_cursor *c, uint64_t seq,
               enum dfopt_err (*see)(void *arg, const struct dfopt_verdict_row *),
               void *arg, struct dfopt_error *err)
{
    enum dfopt_err e =
        dfopt_cursor_seek(c, offsetof(struct dfopt_verdict_row, seq), seq, err);
    const uint64_t first = c->next;
    while (!e) {
        const void *row = NULL;
        e = dfopt_cursor_row(c, &row, err);
        const struct dfopt_verdict_row *v = row;
        if (e || !v || v->seq != seq)
            break;
        e = see(arg, v);
        c->next++;
    }
    c->next = first; /* for another call for the event */
    return e;
}
