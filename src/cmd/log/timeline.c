/* dfopt-log timeline: a line a node, a column a window (or a few of them). */
#include "cmd/log/filter.h"
#include "cmd/log/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRIP_COLUMNS 60
#define LETTERS       26

struct timeline {
    struct log_job *job;
    struct log_filter filter;
    bool list;
    struct log_values values;
    size_t *of_slot; /* changes, by slot and then in their order: indices */
    int64_t first, last, per_column;     /* windows of the strip; of a column */
    double low, high;                    /* of the numbers */
    struct dfopt_value letters[LETTERS]; /* values that are no numbers */
    size_t n_letters;
};

static const struct log_change *change_at(const struct timeline *t, size_t i)
{
    return &DFOPT_ROW(&t->values.changes, struct log_change)[i];
}

static const struct log_slot *slot_at(const struct timeline *t, size_t i)
{
    return &DFOPT_ROW(&t->values.slots, struct log_slot)[i];
}

static size_t count_changes(const struct timeline *t)
{
    return DFOPT_ROWS(&t->values.changes, struct log_change);
}

static size_t count_slots(const struct timeline *t)
{
    return DFOPT_ROWS(&t->values.slots, struct log_slot);
}

static bool asked_for(const struct timeline *t, size_t slot)
{
    return t->filter.node_sym == DFOPT_SYM_NONE ||
           slot_at(t, slot)->node == t->filter.node_sym;
}

/* ---- changes, one a line ---- */

static void put_slot(struct log_print *p, const struct log_slot *s)
{
    if (s->node == DFOPT_SYM_EMPTY)
        log_put(p, "(whole job)");
    else
        log_put_sym(p, s->node);
}

static void change_text(struct timeline *t, const struct log_change *c)
{
    struct log_print *p = &t->job->print;
    size_t start = p->out.len;
    put_slot(p, slot_at(t, c->slot));
    log_pad(p, start, 20);
    if (c->window == INT64_MIN)
        log_put(p, "before all: ");
    else
        log_put(p, "window %" PRId64 ": ", c->window);
    log_put_value(p, c->value);
    log_put(p, c->own ? " %s\n" : " as the job (%s)\n", c->cause);
}

static void change_json(struct timeline *t, const struct log_change *c)
{
    struct log_print *p = &t->job->print;
    log_json_key(p, "knob", true);
    log_json_sym(p, t->filter.knob_sym);
    log_json_key(p, "node", false);
    log_json_sym(p, slot_at(t, c->slot)->node);
    log_json_key(p, "window", false);
    if (c->window == INT64_MIN)
        log_put(p, "null");
    else
        log_put(p, "%" PRId64, c->window);
    log_put(p, ",\"seq\":%" PRIu64, c->seq);
    log_json_key(p, "value", false);
    log_json_value(p, c->value);
    log_put(p, ",\"own\":%s,\"cause\":\"%s\"}\n", c->own ? "true" : "false",
            c->cause);
}

static void list_changes(struct timeline *t)
{
    for (size_t i = 0; i < count_changes(t); i++) {
        const struct log_change *c = change_at(t, i);
        if (!asked_for(t, c->slot) ||
            (t->filter.windows && !log_filter_window(&t->filter, c->window)))
            continue;
        if (t->job->args.json)
            change_json(t, c);
        else
            change_text(t, c);
        if (!log_print_flush(&t->job->print, false))
            return;
    }
}

/* ---- strips ---- */

/* Indices of the changes by slot: a counting sort, which keeps their order.
 * Those of slot s end where start[s] says afterwards. */
static enum dfopt_err sort_changes(struct timeline *t, size_t *start)
{
    size_t n = count_changes(t), slots = count_slots(t);
    t->of_slot = calloc(n + 1, sizeof *t->of_slot);
    if (!t->of_slot)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (change_at(t, i)->slot + 1u < slots)
            start[change_at(t, i)->slot + 1]++;
    for (size_t s = 1; s < slots; s++)
        start[s] += start[s - 1];
    for (size_t i = 0; i < n; i++)
        t->of_slot[start[change_at(t, i)->slot]++] = i;
    return DFOPT_OK;
}

static char letter_of(struct timeline *t, struct dfopt_value v)
{
    size_t i = 0;
    while (i < t->n_letters && !(v.kind == t->letters[i].kind &&
                                 dfopt_value_equal(t->job->dict, v, t->letters[i])))
        i++;
    if (i == t->n_letters && i < LETTERS)
        t->letters[t->n_letters++] = v;
    return i < LETTERS ? (char)('a' + i) : '?';
}

/* One character of a value: numbers are 0, the lowest, to 9, the highest. */
static char mark_of(struct timeline *t, struct dfopt_value v)
{
    if (v.kind == DFOPT_KIND_NULL)
        return '.';
    if (!dfopt_value_is_number(v))
        return letter_of(t, v);
    if (t->low == t->high)
        return '0';
    const double part = (dfopt_value_as_double(v) / 2 - t->low / 2) /
                        (t->high / 2 - t->low / 2); /* halves: no overflow */
    return part >= 0 && part <= 1 ? (char)('0' + (int)lround(9 * part)) : '?';
}

struct walk { /* along the changes of a slot */
    size_t at, end;
    struct dfopt_value value;
    bool own;
};

/* Takes the changes up to a window. */
static void advance(const struct timeline *t, struct walk *w, int64_t window)
{
    for (; w->at < w->end; w->at++) {
        const struct log_change *c = change_at(t, t->of_slot[w->at]);
        if (c->window > window)
            return;
        w->value = c->value;
        w->own = c->own;
    }
}

static void put_strip(struct timeline *t, size_t slot, const size_t *ends)
{
    struct log_print *p = &t->job->print;
    struct walk job = {.at = 0, .end = ends[0], .own = true};
    struct walk own = {.at = slot ? ends[slot - 1] : 0, .end = ends[slot]};
    size_t changes = own.end - own.at, start = p->out.len;
    struct dfopt_value first = dfopt_value_null(), now = first;
    char strip[STRIP_COLUMNS + 1];
    size_t n = 0;
    for (int64_t w = t->first; w <= t->last && n < STRIP_COLUMNS;
         w += t->per_column) {
        int64_t to = w + t->per_column - 1;
        advance(t, &job, to);
        advance(t, &own, to);
        now = own.own ? own.value : job.value;
        if (n == 0)
            first = now;
        strip[n++] = mark_of(t, now);
    }
    put_slot(p, slot_at(t, slot));
    log_pad(p, start, 16);
    start = p->out.len;
    log_put_value(p, first);
    log_pad(p, start, 9);
    start = p->out.len;
    log_put_value(p, now);
    log_pad(p, start, 9);
    log_put(p, "%7zu ", changes);
    log_put_bytes(p, strip, n);
    log_put(p, "\n");
}

/* No window lies beyond; a damaged log may say so. */
static int64_t within_range(int64_t window)
{
    const int64_t most = INT64_C(1) << 53;
    return window < -most ? -most : window > most ? most : window;
}

static void measure(struct timeline *t)
{
    t->low = INFINITY;
    t->high = -INFINITY;
    for (size_t i = 0; i < count_changes(t); i++) {
        struct dfopt_value v = change_at(t, i)->value;
        if (dfopt_value_is_number(v)) {
            t->low = fmin(t->low, dfopt_value_as_double(v));
            t->high = fmax(t->high, dfopt_value_as_double(v));
        }
    }
    t->first = within_range(t->values.first);
    t->last = within_range(t->values.last);
    if (t->filter.windows && t->filter.from > t->first)
        t->first = t->filter.from;
    if (t->filter.windows && t->filter.to < t->last)
        t->last = t->filter.to;
    t->per_column =
        t->last >= t->first ? (t->last - t->first) / STRIP_COLUMNS + 1 : 1;
}

static void put_legend(struct timeline *t)
{
    struct log_print *p = &t->job->print;
    log_put(p, "One column is %" PRId64 " window%s.", t->per_column,
            t->per_column == 1 ? "" : "s");
    if (t->low < t->high) {
        log_put(p, " 0 is ");
        log_put_real(p, t->low);
        log_put(p, ", 9 is ");
        log_put_real(p, t->high);
        log_put(p, ".");
    }
    for (size_t i = 0; i < t->n_letters; i++) {
        log_put(p, " %c is ", (char)('a' + i));
        log_put_value(p, t->letters[i]);
        log_put(p, ".");
    }
    log_put(p, "\n");
}

static enum dfopt_err put_strips(struct timeline *t)
{
    struct log_print *p = &t->job->print;
    size_t *ends = calloc(count_slots(t) + 1, sizeof *ends);
    enum dfopt_err e = ends ? sort_changes(t, ends) : DFOPT_ERR_NOMEM;
    if (!e) {
        measure(t);
        log_color(p, LOG_BOLD);
        log_put_sym(p, t->filter.knob_sym);
        log_color(p, LOG_PLAIN);
        if (t->last >= t->first)
            log_put(p, ", windows %" PRId64 " .. %" PRId64, t->first, t->last);
        log_put(p, "\n%-16s %-9s %-9s %7s\n", "node", "first", "last", "changes");
    }
    for (size_t s = 0; !e && s < count_slots(t); s++)
        if (s == 0 || asked_for(t, s)) {
            put_strip(t, s, ends);
            if (!log_print_flush(p, false))
                break;
        }
    if (!e)
        put_legend(t);
    free(ends);
    return e;
}

/* ---- the command ---- */

static const struct argp_option options[] = {
    LOG_OPTION_KNOB,
    LOG_OPTION_NODE,
    LOG_OPTION_WINDOW,
    {"changes", 'c', NULL, 0, "Each change on a line of its own, with its cause",
     0},
    {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct timeline *t = state->input;
    if (key == ARGP_KEY_END && !t->filter.knob)
        argp_error(state, "--knob is needed");
    if (key == 'c')
        t->list = true;
    if (key == 'c')
        return 0;
    return key == 't' ? ARGP_ERR_UNKNOWN
                      : log_filter_option(&t->filter, key, text, state);
}

int log_timeline(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "--knob=KNOB FILE",
        .doc = "Shows the value of a knob against windows: a line for the whole "
               "job and for each node that had a value of its own.\v"
               "A plan counts as the value from its window on, until an ack says "
               "otherwise. --json gives the changes.\n"};
    struct log_job job = {.args = {.n_files = 1}};
    struct timeline t = {.job = &job};
    log_args_parse(&job.args, &argp, &t, argc, argv);
    if (!log_start(&job))
        return LOG_TROUBLE;
    enum dfopt_err e = log_filter_resolve(&t.filter, &job);
    if (!e)
        e = log_values_read(&t.values, &job, t.filter.knob_sym);
    if (!e && (t.list || job.args.json))
        list_changes(&t);
    else if (!e)
        e = put_strips(&t);
    free(t.of_slot);
    log_values_free(&t.values);
    return log_end(&job, e);
}
