/* A rank owes answers to batches and to questions alike; any answer shows that it
 * is alive. */
#include "engine/online/pulse.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct rank {
    uint32_t owes;   /* answers */
    int64_t well_ns; /* last answered, or began to owe an answer */
    bool asked;      /* asked, and has not answered yet */
    struct dfopt_buf question;
    struct dfopt_send *sending;
    struct dfopt_figures figures;
    struct dfopt_buf rows; /* struct dfopt_survey_row: its last survey */
};

struct dfopt_pulse {
    struct dfopt_comm *comm;
    const struct dfopt_dict *dict;
    const struct dfopt_shard *here;
    struct dfopt_figures_watch watch; /* for `here` */
    int64_t asked_ns;
    struct rank *ranks; /* by rank; owned */
    int n_ranks;
    struct dfopt_buf all; /* scratch: struct level */
};

enum dfopt_err dfopt_pulse_create(struct dfopt_pulse **out, struct dfopt_comm *comm,
                                  const struct dfopt_dict *dict,
                                  const struct dfopt_shard *here)
{
    struct dfopt_pulse *p = calloc(1, sizeof *p);
    if (!p)
        return DFOPT_ERR_NOMEM;
    p->n_ranks = dfopt_comm_size(comm);
    p->ranks = calloc((size_t)p->n_ranks, sizeof *p->ranks);
    if (!p->ranks) {
        free(p);
        return DFOPT_ERR_NOMEM;
    }
    p->comm = comm;
    p->dict = dict;
    p->here = here;
    *out = p;
    return DFOPT_OK;
}

void dfopt_pulse_destroy(struct dfopt_pulse *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n_ranks; i++) {
        (void)dfopt_send_finish(p->comm, &p->ranks[i].sending, NULL);
        dfopt_buf_free(&p->ranks[i].question);
        dfopt_buf_free(&p->ranks[i].rows);
    }
    free(p->ranks);
    dfopt_figures_watch_free(&p->watch);
    dfopt_buf_free(&p->all);
    free(p);
}

void dfopt_pulse_sent(struct dfopt_pulse *p, int rank)
{
    if (p && p->ranks[rank].owes++ == 0)
        p->ranks[rank].well_ns = dfopt_clock_monotonic_ns();
}

void dfopt_pulse_answered(struct dfopt_pulse *p, int rank)
{
    if (!p)
        return;
    p->ranks[rank].well_ns = dfopt_clock_monotonic_ns();
    if (p->ranks[rank].owes)
        p->ranks[rank].owes--;
}

/* ---- questions and answers ---- */

static enum dfopt_err ask_rank(struct dfopt_pulse *p, int rank,
                               struct dfopt_error *err)
{
    struct rank *r = &p->ranks[rank];
    struct dfopt_frame f;
    enum dfopt_err e = dfopt_send_finish(p->comm, &r->sending, err);
    if (e)
        return e;
    if (dfopt_frame_begin(&f, &r->question, p->dict, NULL))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    dfopt_frame_end(&f, DFOPT_FRAME_ASK_FIGURES, 0);
    e = dfopt_comm_send(p->comm, rank, &r->question, &r->sending, err);
    r->asked = !e;
    if (!e)
        dfopt_pulse_sent(p, rank);
    return e;
}

static enum dfopt_err look_here(struct dfopt_pulse *p, struct dfopt_error *err)
{
    struct rank *r = &p->ranks[0];
    enum dfopt_err e = dfopt_figures_take(&p->watch, p->here, &r->figures);
    if (!e && r->figures.surveyed) {
        struct dfopt_buf was = r->rows;
        r->rows = p->watch.survey.rows;
        p->watch.survey.rows = was;
    }
    return e ? dfopt_error_set(err, e, "out of memory") : e;
}

enum dfopt_err dfopt_pulse_ask(struct dfopt_pulse *p, struct dfopt_error *err)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    if (!p || now - p->asked_ns < DFOPT_PULSE_EVERY_NS)
        return DFOPT_OK;
    p->asked_ns = now;
    if (p->here)
        return look_here(p, err);
    p->ranks[0].figures.bytes = dfopt_figures_memory();
    enum dfopt_err e = DFOPT_OK;
    for (int rank = 1; rank < p->n_ranks && !e; rank++)
        if (!p->ranks[rank].asked)
            e = ask_rank(p, rank, err);
    return e;
}

bool dfopt_pulse_awaits(const struct dfopt_pulse *p)
{
    for (int rank = 1; p && rank < p->n_ranks; rank++)
        if (p->ranks[rank].asked)
            return true;
    return false;
}

enum dfopt_err dfopt_pulse_put(struct dfopt_frame *f, struct dfopt_figures_watch *w,
                               const struct dfopt_shard *shard)
{
    struct dfopt_figures figures;
    enum dfopt_err e = dfopt_figures_take(w, shard, &figures);
    if (!e)
        e = dfopt_frame_item(f, DFOPT_ITEM_FIGURES, &figures, sizeof figures);
    if (!e && figures.surveyed)
        e = dfopt_frame_item(f, DFOPT_ITEM_SURVEY_ROWS, w->survey.rows.data,
                             w->survey.rows.len);
    return e;
}

static enum dfopt_err take_item(struct rank *r, const struct dfopt_item *item)
{
    if (item->kind == DFOPT_ITEM_FIGURES && item->size == sizeof r->figures) {
        memcpy(&r->figures, item->data, sizeof r->figures);
        return DFOPT_OK;
    }
    if (item->kind != DFOPT_ITEM_SURVEY_ROWS ||
        item->size % sizeof(struct dfopt_survey_row) != 0)
        return DFOPT_ERR_FORMAT;
    dfopt_buf_clear(&r->rows);
    return dfopt_buf_add(&r->rows, item->data, item->size);
}

enum dfopt_err dfopt_pulse_take(struct dfopt_pulse *p, int from,
                                struct dfopt_frame_reader *in,
                                struct dfopt_error *err)
{
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    if (!p->ranks[from].asked)
        e = DFOPT_ERR_FORMAT;
    while (!e && dfopt_frame_next(in, &item, &e))
        e = take_item(&p->ranks[from], &item);
    p->ranks[from].asked = false;
    dfopt_pulse_answered(p, from);
    return e ? dfopt_error_set(err, e, "figures of rank %d: %s", from,
                               dfopt_err_text(e))
             : e;
}

void dfopt_pulse_silent(const struct dfopt_pulse *p, int64_t now_ns, int *rank,
                        int64_t *since_ns)
{
    *rank = -1;
    *since_ns = 0;
    for (int i = 1; p && i < p->n_ranks; i++) {
        const struct rank *r = &p->ranks[i];
        if (r->owes && now_ns - r->well_ns >= *since_ns) {
            *rank = i;
            *since_ns = now_ns - r->well_ns;
        }
    }
}

/* ---- figures ---- */

struct level {
    uint32_t label, nodes, bounds, has_bounds;
    double value;
};

static int order_levels(const void *a, const void *b)
{
    const struct level *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static enum dfopt_err gather(struct dfopt_pulse *p, const struct rank *r,
                             struct dfopt_counts *c)
{
    const struct dfopt_survey_row *row =
        DFOPT_ROW(&r->rows, const struct dfopt_survey_row);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < DFOPT_ROWS(&r->rows, struct dfopt_survey_row) && !e;
         i++) {
        const struct level l = {
            dfopt_label_row(&c->knob_names, p->dict, row[i].knob), row[i].nodes,
            row[i].bounds, row[i].has_bounds, row[i].value};
        if (l.label != DFOPT_LABEL_OTHER)
            e = dfopt_buf_add(&p->all, &l, sizeof l);
    }
    return e;
}

/* Sums up the sorted levels of one knob. The job's value counts only if there are
 * no nodes. */
static void sum_up(const struct level *l, size_t n, struct dfopt_knob_counts *k)
{
    uint64_t nodes = 0, low = 0, high = 0, seen = 0;
    for (size_t i = 0; i < n; i++)
        nodes += l[i].nodes;
    const uint64_t each = nodes == 0; /* weight of rows without nodes */
    const uint64_t half = nodes ? (nodes + 1) / 2 : 1;
    k->has_levels = 0;
    k->has_bounds = l[0].has_bounds;
    for (size_t i = 0; i < n; i++) {
        const uint64_t weight = l[i].nodes + each;
        if (weight == 0)
            continue;
        if (!k->has_levels)
            k->min = l[i].value;
        k->has_levels = 1;
        k->max = l[i].value;
        if (seen < half)
            k->median = l[i].value;
        seen += weight;
        low += l[i].bounds & DFOPT_BOUND_LOW ? weight : 0;
        high += l[i].bounds & DFOPT_BOUND_HIGH ? weight : 0;
    }
    k->at_low = seen ? (double)low / (double)seen : 0;
    k->at_high = seen ? (double)high / (double)seen : 0;
}

void dfopt_pulse_counts(struct dfopt_pulse *p, struct dfopt_counts *c)
{
    if (!p)
        return;
    memset(c->ranks, 0, sizeof c->ranks);
    c->n_ranks =
        1 + (uint32_t)(p->n_ranks < DFOPT_LABELS ? p->n_ranks : DFOPT_LABELS);
    c->awaiting = c->trials = 0;
    dfopt_buf_clear(&p->all);
    enum dfopt_err e = DFOPT_OK;
    for (int i = 0; i < p->n_ranks; i++) {
        const struct dfopt_figures *f = &p->ranks[i].figures;
        struct dfopt_rank_counts *r = dfopt_counts_rank(c, (uint32_t)i);
        r->events += f->events;
        r->bytes += f->bytes;
        c->awaiting += f->awaiting;
        c->trials += f->trials;
        e = e ? e : gather(p, &p->ranks[i], c);
    }
    const size_t n = DFOPT_ROWS(&p->all, struct level);
    struct level *l = DFOPT_ROW(&p->all, struct level);
    if (e)
        return; /* keep the previous values */
    if (n)
        qsort(l, n, sizeof *l, order_levels);
    for (uint32_t i = 0; i <= DFOPT_LABELS; i++)
        c->knobs[i].has_levels = 0;
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && l[end].label == l[first].label; end++)
            ;
        sum_up(l + first, end - first, &c->knobs[l[first].label]);
    }
}
