/* Goes once through the tables that the summary is made of. Registrations,
 * plans and acks change values, so their rows are taken in the order of events;
 * a plan counts as the value until an ack says otherwise. */
#include "cli/log_gather.h"

#include <math.h>
#include <stdlib.h>

struct gather {
    struct dfopt_declog_reader *reader;
    struct log_facts *facts;
    struct dfopt_buf knobs; /* struct log_knob */
    uint32_t *index;        /* by string number: 1 + index in knobs; 0: none */
    uint32_t n_strings;
};

static struct log_knob *knob_of(struct gather *g, dfopt_sym s)
{
    if (s >= g->n_strings)
        return NULL; /* none; the reader lets nothing else through */
    if (g->index[s] == 0) {
        struct log_knob *k = dfopt_buf_grow(&g->knobs, sizeof *k);
        if (!k)
            return NULL;
        *k = (struct log_knob){.knob = s, .low = INFINITY, .high = -INFINITY};
        g->index[s] = (uint32_t)DFOPT_ROWS(&g->knobs, struct log_knob);
    }
    return DFOPT_ROW(&g->knobs, struct log_knob) + g->index[s] - 1;
}

static void see_value(struct log_knob *k, struct dfopt_value v, bool whole_job)
{
    if (dfopt_value_is_number(v)) {
        double d = dfopt_value_as_double(v);
        k->low = fmin(k->low, d);
        k->high = fmax(k->high, d);
    }
    if (!whole_job || v.kind == DFOPT_KIND_NULL)
        return;
    if (k->first.kind == DFOPT_KIND_NULL)
        k->first = v;
    k->last = v;
}

/* Each takes one row of its table. */

static void see_knob(struct gather *g, const void *row)
{
    const struct dfopt_declog_knob_row *r = row;
    struct log_knob *k = knob_of(g, r->knob);
    if (k && r->has_current)
        see_value(k, r->current, true);
    else if (k && k->first.kind == DFOPT_KIND_NULL)
        see_value(k, r->default_value, true);
}

static void see_plan(struct gather *g, const void *row)
{
    const struct dfopt_plan *p = &((const struct dfopt_declog_plan_row *)row)->p;
    struct log_knob *k = knob_of(g, p->knob);
    if (!k)
        return;
    bool whole_job = p->node == DFOPT_SYM_EMPTY && p->targets == DFOPT_LIST_EMPTY;
    see_value(k, p->old_value, false);
    see_value(k, p->new_value, whole_job);
    double before = dfopt_value_as_double(p->old_value);
    double after = dfopt_value_as_double(p->new_value);
    bool numbers =
        dfopt_value_is_number(p->old_value) && dfopt_value_is_number(p->new_value);
    if (numbers && after > before)
        k->up++;
    else if (numbers && after < before)
        k->down++;
    else
        k->other++;
}

static void see_ack(struct gather *g, const void *row)
{
    const struct dfopt_declog_ack_row *a = row;
    g->facts->acks[a->outcome]++;
    struct log_knob *k =
        a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED ? NULL : knob_of(g, a->knob);
    if (k)
        see_value(k, a->value, a->node == DFOPT_SYM_EMPTY);
}

static const struct {
    enum dfopt_declog_table table;
    size_t row_size, seq;
    void (*see)(struct gather *g, const void *row);
} changes[] = {
    {DFOPT_TABLE_KNOBS, sizeof(struct dfopt_declog_knob_row),
     offsetof(struct dfopt_declog_knob_row, seq), see_knob},
    {DFOPT_TABLE_ACKS, sizeof(struct dfopt_declog_ack_row),
     offsetof(struct dfopt_declog_ack_row, seq), see_ack},
    {DFOPT_TABLE_PLANS, sizeof(struct dfopt_declog_plan_row),
     offsetof(struct dfopt_declog_plan_row, p.seq), see_plan},
};
#define CHANGES (sizeof changes / sizeof *changes)

/* The row that comes first; *which is CHANGES at the end. */
static enum dfopt_err next_change(struct log_cursor *cursors, size_t *which,
                                  const void **row, struct dfopt_error *err)
{
    uint64_t best = 0;
    *which = CHANGES;
    for (size_t i = 0; i < CHANGES; i++) {
        const void *at;
        enum dfopt_err e = log_cursor_row(&cursors[i], &at, err);
        if (e)
            return e;
        if (!at)
            continue;
        uint64_t seq =
            *(const uint64_t *)(const void *)((const char *)at + changes[i].seq);
        if (*which == CHANGES || seq < best) {
            *which = i;
            *row = at;
            best = seq;
        }
    }
    return DFOPT_OK;
}

static enum dfopt_err gather_changes(struct gather *g, struct dfopt_error *err)
{
    struct log_cursor cursors[CHANGES] = {{.reader = NULL}};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < CHANGES; i++)
        e = log_cursor_init(&cursors[i], g->reader, changes[i].table,
                            changes[i].row_size);
    while (!e) {
        size_t which;
        const void *row;
        e = next_change(cursors, &which, &row, err);
        if (e || which == CHANGES)
            break;
        changes[which].see(g, row);
        cursors[which].next++;
    }
    for (size_t i = 0; i < CHANGES; i++)
        log_cursor_free(&cursors[i]);
    return e;
}

static void see_verdict(struct gather *g, const void *row)
{
    const struct dfopt_verdict_row *v = row;
    g->facts->verdicts[v->verdict]++;
    struct log_knob *k = knob_of(g, v->knob);
    if (k)
        k->verdicts[v->verdict]++;
}

static void see_relay(struct gather *g, const void *row)
{
    const struct dfopt_relay_row *r = row;
    g->facts->relays[r->outcome]++;
}

static enum dfopt_err gather_table(struct gather *g, enum dfopt_declog_table table,
                                   size_t row_size,
                                   void (*see)(struct gather *g, const void *row),
                                   struct dfopt_error *err)
{
    struct log_cursor c;
    const void *row = NULL;
    enum dfopt_err e = log_cursor_init(&c, g->reader, table, row_size);
    if (!e)
        e = log_cursor_row(&c, &row, err);
    while (!e && row) {
        see(g, row);
        c.next++;
        e = log_cursor_row(&c, &row, err);
    }
    log_cursor_free(&c);
    return e;
}

enum dfopt_err log_gather(struct dfopt_declog_reader *r, struct log_facts *f,
                          struct dfopt_error *err)
{
    struct gather g = {.reader = r,
                       .facts = f,
                       .n_strings =
                           dfopt_dict_strings(dfopt_declog_reader_dict(r))};
    g.index = calloc((size_t)g.n_strings + 1, sizeof *g.index);
    enum dfopt_err e = g.index ? gather_changes(&g, err) : DFOPT_ERR_NOMEM;
    if (!e)
        e = gather_table(&g, DFOPT_TABLE_VERDICTS, sizeof(struct dfopt_verdict_row),
                         see_verdict, err);
    if (!e)
        e = gather_table(&g, DFOPT_TABLE_GLOBAL_PLANS,
                         sizeof(struct dfopt_relay_row), see_relay, err);
    free(g.index);
    f->n_knobs = DFOPT_ROWS(&g.knobs, struct log_knob);
    f->knobs = DFOPT_ROW(&g.knobs, struct log_knob); /* the buffer's memory */
    return e;
}

void log_facts_free(struct log_facts *f)
{
    free(f->knobs);
    f->knobs = NULL;
}
