/* Reads each table of the summary once. Registrations, plans and acks change
 * values, so their rows are read in event order; the final values come from the
 * planner's state, which the log's fold computes. */
#include "cmd/log/gather.h"
#include "cmd/log/merge.h"
#include "cmd/log/registered.h"
#include "cmd/log/scopes.h"
#include "cmd/log/switches.h"
#include "state/fold.h"

#include <math.h>
#include <stdlib.h>

struct gather {
    struct dfopt_declog_reader *reader;
    struct dl_scopes scopes;
    struct dl_registrations registrations;
    struct dl_facts *facts;
    struct dfopt_buf knobs; /* struct dl_knob */
    uint32_t *index;        /* by string number: 1 + index in knobs; 0: none */
    uint64_t *types;        /* by string number: findings of that type */
    bool *nodes;            /* by string number: named by a finding */
    uint32_t n_strings;
};

static struct dl_knob *knob_of(struct gather *g, dfopt_sym s)
{
    if (s >= g->n_strings)
        return NULL; /* none; the reader rejects anything else */
    if (g->index[s] == 0) {
        struct dl_knob *k = dfopt_buf_grow(&g->knobs, sizeof *k);
        if (!k)
            return NULL;
        *k = (struct dl_knob){.knob = s,
                              .low = INFINITY,
                              .high = -INFINITY,
                              .own_low = INFINITY,
                              .own_high = -INFINITY};
        g->index[s] = (uint32_t)DFOPT_ROWS(&g->knobs, struct dl_knob);
    }
    return DFOPT_ROW(&g->knobs, struct dl_knob) + g->index[s] - 1;
}

static void widen(double *low, double *high, struct dfopt_value v)
{
    if (!dfopt_value_is_number(v))
        return;
    *low = fmin(*low, dfopt_value_as_double(v));
    *high = fmax(*high, dfopt_value_as_double(v));
}

static void see_value(struct dl_knob *k, struct dfopt_value v, bool whole_job)
{
    widen(&k->low, &k->high, v);
    if (whole_job && k->first.kind == DFOPT_KIND_NULL)
        k->first = v;
}

/* The value in force of a node is not that of the job: docs/planner.md,
 * registrations. */
static enum dfopt_err see_knob(struct gather *g,
                               const struct dfopt_declog_knob_row *r)
{
    struct dl_registered by;
    enum dfopt_err e = dl_registered_by(&g->registrations, r, &by);
    struct dl_knob *k = e || by.refused ? NULL : knob_of(g, r->knob);
    if (!k)
        return e;
    const bool of_job =
        by.node == DFOPT_SYM_EMPTY || dl_is_job_knob(&g->scopes, r->knob);
    if (r->has_current)
        see_value(k, r->current, of_job);
    if (k->first.kind == DFOPT_KIND_NULL)
        see_value(k, r->default_value, true);
    return DFOPT_OK;
}

/* Each handles one row of its table. */

static void see_plan(struct gather *g, const void *row)
{
    const struct dfopt_plan *p = &((const struct dfopt_declog_plan_row *)row)->p;
    struct dl_knob *k = knob_of(g, p->knob);
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
    struct dl_knob *k =
        a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED ? NULL : knob_of(g, a->knob);
    if (k)
        see_value(k, a->value, a->node == DFOPT_SYM_EMPTY);
}

static enum dfopt_err see_change(void *arg, enum dl_kind kind, const void *row)
{
    if (kind == DL_KNOB)
        return see_knob(arg, row);
    (kind == DL_ACK ? see_ack : see_plan)(arg, row);
    return DFOPT_OK;
}

static enum dfopt_err gather_changes(struct gather *g, struct dfopt_error *err)
{
    struct dl_merge m;
    enum dfopt_err e = dl_merge_init(
        &m, g->reader,
        DL_KIND_BIT(DL_KNOB) | DL_KIND_BIT(DL_ACK) | DL_KIND_BIT(DL_PLAN), 0, err);
    if (!e)
        e = dl_merge_each(&m, NULL, see_change, g, err);
    dl_merge_free(&m);
    return e;
}

/* A value at the end of the log. */
static void see_state(struct gather *g, const struct dfopt_state_row *s)
{
    struct dl_knob *k = s->flags & DFOPT_STATE_VALUE ? knob_of(g, s->knob) : NULL;
    if (!k)
        return;
    if (s->node == DFOPT_SYM_EMPTY) {
        k->last = s->value;
        return;
    }
    k->own_nodes++;
    widen(&k->own_low, &k->own_high, s->value);
}

static enum dfopt_err gather_state(struct gather *g, struct dfopt_error *err)
{
    struct dfopt_fold f = {.next_seq = 0};
    struct dfopt_dict *dict = NULL;
    enum dfopt_err e = dfopt_dict_create(&dict, false);
    if (!e)
        e = dfopt_fold_names(g->reader, dict);
    if (!e)
        e = dfopt_fold_log(&f, g->reader, dict, UINT64_MAX, false, err);
    for (size_t i = 0; !e && i < DFOPT_ROWS(&f.rows, struct dfopt_state_row); i++)
        see_state(g, &DFOPT_ROW(&f.rows, struct dfopt_state_row)[i]);
    dfopt_fold_free(&f);
    dfopt_dict_destroy(dict);
    if (e != DFOPT_ERR_FORMAT && e != DFOPT_ERR_STATE)
        return e;
    g->facts->no_end = *err; /* the rest is still reported */
    *err = (struct dfopt_error){.code = DFOPT_OK};
    return DFOPT_OK;
}

static void see_verdict(struct gather *g, const void *row)
{
    const struct dfopt_verdict_row *v = row;
    g->facts->verdicts[v->verdict]++;
    struct dl_knob *k = knob_of(g, v->knob);
    if (k)
        k->verdicts[v->verdict]++;
}

static void see_relay(struct gather *g, const void *row)
{
    const struct dfopt_relay_row *r = row;
    g->facts->relays[r->outcome]++;
}

static void see_command(struct gather *g, const void *row)
{
    const struct dfopt_declog_control_row *c = row;
    if (dfopt_command_is_refused(c->outcome))
        g->facts->refused++;
    else
        g->facts->actions[c->action]++;
}

static void see_suppression(struct gather *g, const void *row)
{
    const struct dfopt_suppression_row *s = row;
    g->facts->suppressions[s->action]++;
}

static void see_finding(struct gather *g, const void *row)
{
    const struct dfopt_declog_finding_row *f = row;
    struct dl_facts *facts = g->facts;
    if (f->window < facts->first_window)
        facts->first_window = f->window;
    if (f->window > facts->last_window)
        facts->last_window = f->window;
    if (f->type < g->n_strings)
        g->types[f->type]++;
    if (f->node < g->n_strings && f->node != DFOPT_SYM_EMPTY &&
        !g->nodes[f->node]) {
        g->nodes[f->node] = true;
        facts->nodes++;
    }
}

/* The tables counted row by row, and the members read from each. */
static const struct {
    enum dl_kind kind;
    void (*see)(struct gather *g, const void *row);
    size_t n_members, members[3];
} counted[] = {
    {DL_FINDING,
     see_finding,
     3,
     {offsetof(struct dfopt_declog_finding_row, window),
      offsetof(struct dfopt_declog_finding_row, type),
      offsetof(struct dfopt_declog_finding_row, node)}},
    {DL_VERDICT,
     see_verdict,
     2,
     {offsetof(struct dfopt_verdict_row, verdict),
      offsetof(struct dfopt_verdict_row, knob)}},
    {DL_GLOBAL_PLAN, see_relay, 1, {offsetof(struct dfopt_relay_row, outcome)}},
    {DL_CONTROL,
     see_command,
     2,
     {offsetof(struct dfopt_declog_control_row, action),
      offsetof(struct dfopt_declog_control_row, outcome)}},
    {DL_SUPPRESSION,
     see_suppression,
     1,
     {offsetof(struct dfopt_suppression_row, action)}},
};

static enum dfopt_err count_table(struct gather *g, size_t which,
                                  struct dfopt_error *err)
{
    const struct dl_table *t = &dl_tables[counted[which].kind];
    struct dfopt_cursor c;
    const void *row = NULL;
    dfopt_cursor_init(&c, g->reader, t->table);
    c.columns = dfopt_declog_columns(t->table, counted[which].n_members,
                                     counted[which].members);
    enum dfopt_err e = dfopt_cursor_row(&c, &row, err);
    while (!e && row) {
        for (; c.next < c.end; c.next++) {
            counted[which].see(g, row);
            row = (const char *)row + c.row_size;
        }
        e = dfopt_cursor_row(&c, &row, err);
    }
    dfopt_cursor_free(&c);
    return e;
}

static int more_frequent(const void *a, const void *b)
{
    const struct dl_type *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->type > y->type) - (x->type < y->type);
}

static enum dfopt_err list_types(struct gather *g)
{
    struct dfopt_buf types = {0};
    for (uint32_t s = 0; s < g->n_strings; s++) {
        const struct dl_type type = {s, g->types[s]};
        if (type.n > 0 && dfopt_buf_add(&types, &type, sizeof type) != DFOPT_OK) {
            dfopt_buf_free(&types);
            return DFOPT_ERR_NOMEM;
        }
    }
    g->facts->n_types = DFOPT_ROWS(&types, struct dl_type);
    g->facts->types = DFOPT_ROW(&types, struct dl_type); /* memory of the buffer */
    if (g->facts->n_types > 1)
        qsort(g->facts->types, g->facts->n_types, sizeof(struct dl_type),
              more_frequent);
    return DFOPT_OK;
}

/* The rules of the run on whose values those of a registration are. */
static enum dfopt_err read_rules(struct gather *g, struct dl_job *j)
{
    struct dl_switches on;
    enum dfopt_err e = dl_switches_read(&on, j->run);
    if (!e)
        e = dl_scopes_read(&g->scopes, j, on.job_knobs);
    dl_registrations_init(&g->registrations, j, !e && on.names_nodes);
    return e;
}

enum dfopt_err dl_gather(struct dl_job *j, struct dl_facts *f)
{
    struct dfopt_error *err = &j->err;
    struct gather g = {
        .reader = j->reader, .facts = f, .n_strings = dfopt_dict_strings(j->dict)};
    f->first_window = INT64_MAX;
    f->last_window = INT64_MIN;
    g.index = calloc((size_t)g.n_strings + 1, sizeof *g.index);
    g.types = calloc((size_t)g.n_strings + 1, sizeof *g.types);
    g.nodes = calloc((size_t)g.n_strings + 1, sizeof *g.nodes);
    enum dfopt_err e =
        g.index && g.types && g.nodes ? read_rules(&g, j) : DFOPT_ERR_NOMEM;
    if (!e)
        e = gather_changes(&g, err);
    if (!e)
        e = gather_state(&g, err);
    for (size_t i = 0; !e && i < sizeof counted / sizeof *counted; i++)
        e = count_table(&g, i, err);
    if (!e)
        e = list_types(&g);
    dl_scopes_free(&g.scopes);
    dl_registrations_free(&g.registrations);
    free(g.index);
    free(g.types);
    free(g.nodes);
    f->n_knobs = DFOPT_ROWS(&g.knobs, struct dl_knob);
    f->knobs = DFOPT_ROW(&g.knobs, struct dl_knob); /* memory of the buffer */
    return e;
}

void dl_facts_free(struct dl_facts *f)
{
    free(f->knobs);
    free(f->types);
    f->knobs = NULL;
    f->types = NULL;
}
