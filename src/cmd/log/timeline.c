/* dfopt-log timeline: one line per node, one column per window (or a few). */
#include "cmd/log/filter.h"
#include "cmd/log/outcomes.h"
#include "cmd/log/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STRIP_COLUMNS 60
#define LETTERS       26

struct timeline {
    struct dl_job *job;
    struct dl_filter filter;
    bool list;
    struct dl_values values;
    struct dl_outcomes outcomes;
    bool marked;     /* a line of marks was printed */
    size_t *of_slot; /* indices of changes, by slot and then in order */
    int64_t first, last, per_column;     /* windows shown; windows per column */
    double low, high;                    /* of the numbers */
    struct dfopt_value letters[LETTERS]; /* values that are not numbers */
    size_t n_letters;
};

static const struct dl_change *change_at(const struct timeline *t, size_t i)
{
    return &DFOPT_ROW(&t->values.changes, struct dl_change)[i];
}

static const struct dl_slot *slot_at(const struct timeline *t, size_t i)
{
    return &DFOPT_ROW(&t->values.slots, struct dl_slot)[i];
}

static size_t count_changes(const struct timeline *t)
{
    return DFOPT_ROWS(&t->values.changes, struct dl_change);
}

static size_t count_slots(const struct timeline *t)
{
    return DFOPT_ROWS(&t->values.slots, struct dl_slot);
}

static bool asked_for(const struct timeline *t, size_t slot)
{
    return t->filter.node_sym == DFOPT_SYM_NONE ||
           slot_at(t, slot)->node == t->filter.node_sym;
}

/* ---- changes, one per line ---- */

static void put_slot(struct dl_print *p, const struct dl_slot *s)
{
    if (s->node == DFOPT_SYM_EMPTY)
        dl_put(p, "(whole job)");
    else
        dl_put_sym(p, s->node);
}

static enum dl_end_of end_of(const struct dl_outcome *o)
{
    return o->verdict == DFOPT_VERDICT_WITHDRAWN ? DL_END_WITHDRAWN
           : o->kept                             ? DL_END_KEPT
                                                 : DL_END_TAKEN_BACK;
}

static void change_text(struct timeline *t, const struct dl_change *c)
{
    struct dl_print *p = &t->job->print;
    const struct dl_outcome *o = dl_outcome_of(&t->outcomes, c->plan_id);
    size_t start = p->out.len;
    put_slot(p, slot_at(t, c->slot));
    dl_pad(p, start, 20);
    if (c->window == INT64_MIN)
        dl_put(p, "before all: ");
    else
        dl_put(p, "window %" PRId64 ": ", c->window);
    dl_put_value(p, c->value);
    dl_put(p, c->own ? " %s" : " as the job (%s)", c->cause);
    if (o) {
        dl_put(p, ", ");
        dl_color(p, dl_end_color(end_of(o)));
        dl_put_end(p, end_of(o), o);
        dl_color(p, DL_PLAIN);
        dl_put(p, " in window %" PRId64, o->window);
    }
    dl_put(p, "\n");
}

static void change_json(struct timeline *t, const struct dl_change *c)
{
    const struct dl_outcome *o = dl_outcome_of(&t->outcomes, c->plan_id);
    struct dfopt_put *put = &t->job->print.put;
    dfopt_put_raw(put, "{");
    dfopt_member_sym(put, "knob", t->filter.knob_sym);
    dfopt_member_sym(put, "node", slot_at(t, c->slot)->node);
    dfopt_member_value(put, "window",
                       c->window == INT64_MIN ? dfopt_value_null()
                                              : dfopt_value_int(c->window));
    dfopt_member_uint(put, "seq", c->seq);
    dfopt_member_value(put, "value", c->value);
    dfopt_member_bool(put, "own", c->own);
    dfopt_member_text(put, "cause", c->cause);
    dfopt_put_key(put, "outcome");
    dfopt_put_z(put, o ? dl_end_name(end_of(o)) : NULL);
    dfopt_member_value(put, "outcome_window",
                       o ? dfopt_value_int(o->window) : dfopt_value_null());
    dfopt_member_real(put, "gain", o ? o->claim.gain : NAN);
    dfopt_member_real(put, "standard_error", o ? o->claim.error : NAN);
    dfopt_member_bool(put, "certain", o && o->claim.certain);
    dfopt_put_raw(put, "}\n");
}

static void list_changes(struct timeline *t)
{
    for (size_t i = 0; i < count_changes(t); i++) {
        const struct dl_change *c = change_at(t, i);
        if (!asked_for(t, c->slot) ||
            (t->filter.windows && !dl_filter_window(&t->filter, c->window)))
            continue;
        if (t->job->args.json)
            change_json(t, c);
        else
            change_text(t, c);
        if (!dl_print_flush(&t->job->print, false))
            return;
    }
}

/* ---- strips ---- */

/* Sorts indices of changes by slot, stably (counting sort). Afterwards start[s] is
 * the end of slot s. */
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

/* A value as one character: numbers run from 0, the lowest, to 9, the highest. */
static char mark_of(struct timeline *t, struct dfopt_value v)
{
    if (v.kind == DFOPT_KIND_NULL)
        return '.';
    if (!dfopt_value_is_number(v))
        return letter_of(t, v);
    if (t->low == t->high)
        return '0';
    const double part = (dfopt_value_as_double(v) / 2 - t->low / 2) /
                        (t->high / 2 - t->low / 2); /* halves avoid overflow */
    return part >= 0 && part <= 1 ? (char)('0' + (int)lround(9 * part)) : '?';
}

struct walk { /* iterates over a slot's changes */
    size_t at, end;
    struct dfopt_value value;
    bool own;
};

/* Applies the changes up to a window. */
static void advance(const struct timeline *t, struct walk *w, int64_t window)
{
    for (; w->at < w->end; w->at++) {
        const struct dl_change *c = change_at(t, t->of_slot[w->at]);
        if (c->window > window)
            return;
        w->value = c->value;
        w->own = c->own;
    }
}

/* Marks the ends of the slot's trials under its strip: + kept, - taken back, x
 * withdrawn; a column shows its last one. */
static void put_marks(struct timeline *t, size_t from, size_t to, size_t indent)
{
    char marks[STRIP_COLUMNS + 1];
    size_t used = 0;
    memset(marks, ' ', sizeof marks);
    for (size_t i = from; i < to; i++) {
        const struct dl_outcome *o =
            dl_outcome_of(&t->outcomes, change_at(t, t->of_slot[i])->plan_id);
        if (!o || o->window < t->first || o->window > t->last)
            continue;
        const size_t column = (size_t)((o->window - t->first) / t->per_column);
        if (column >= STRIP_COLUMNS)
            continue;
        marks[column] = end_of(o) == DL_END_KEPT         ? '+'
                        : end_of(o) == DL_END_TAKEN_BACK ? '-'
                                                         : 'x';
        used = column + 1 > used ? column + 1 : used;
    }
    if (used == 0)
        return;
    t->marked = true;
    dl_put(&t->job->print, "%*s", (int)indent, "");
    dl_put_bytes(&t->job->print, marks, used);
    dl_put(&t->job->print, "\n");
}

static void put_strip(struct timeline *t, size_t slot, const size_t *ends)
{
    struct dl_print *p = &t->job->print;
    struct walk job = {.at = 0, .end = ends[0], .own = true};
    struct walk own = {.at = slot ? ends[slot - 1] : 0, .end = ends[slot]};
    const size_t from = own.at, changes = own.end - own.at;
    size_t start = p->out.len, indent = 0;
    const size_t line = start;
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
    dl_pad(p, start, 16);
    start = p->out.len;
    dl_put_value(p, first);
    dl_pad(p, start, 9);
    start = p->out.len;
    dl_put_value(p, now);
    dl_pad(p, start, 9);
    dl_put(p, "%7zu ", changes);
    for (size_t i = line; i < p->out.len; i++)
        indent += ((unsigned char)p->out.data[i] & 0xc0) != 0x80;
    dl_put_bytes(p, strip, n);
    dl_put(p, "\n");
    put_marks(t, from, own.end, indent);
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
    t->first = dl_window_within(t->values.first);
    t->last = dl_window_within(t->values.last);
    if (t->filter.windows && t->filter.from > t->first)
        t->first = t->filter.from;
    if (t->filter.windows && t->filter.to < t->last)
        t->last = t->filter.to;
    t->per_column =
        t->last >= t->first ? (t->last - t->first) / STRIP_COLUMNS + 1 : 1;
}

static void put_legend(struct timeline *t)
{
    struct dl_print *p = &t->job->print;
    dl_put(p, "One column is %" PRId64 " window%s.", t->per_column,
           t->per_column == 1 ? "" : "s");
    if (t->low < t->high) {
        dl_put(p, " 0 is ");
        dl_put_real(p, t->low);
        dl_put(p, ", 9 is ");
        dl_put_real(p, t->high);
        dl_put(p, ".");
    }
    for (size_t i = 0; i < t->n_letters; i++) {
        dl_put(p, " %c is ", (char)('a' + i));
        dl_put_value(p, t->letters[i]);
        dl_put(p, ".");
    }
    if (t->marked)
        dl_put(p, " A trial ends: + kept, - taken back, x withdrawn.");
    dl_put(p, "\n");
}

static enum dfopt_err put_strips(struct timeline *t)
{
    struct dl_print *p = &t->job->print;
    size_t *ends = calloc(count_slots(t) + 1, sizeof *ends);
    enum dfopt_err e = ends ? sort_changes(t, ends) : DFOPT_ERR_NOMEM;
    if (!e) {
        measure(t);
        dl_color(p, DL_BOLD);
        dl_put_sym(p, t->filter.knob_sym);
        dl_color(p, DL_PLAIN);
        if (t->last >= t->first)
            dl_put(p, ", windows %" PRId64 " .. %" PRId64, t->first, t->last);
        dl_put(p, "\n%-16s %-9s %-9s %7s\n", "node", "first", "last", "changes");
    }
    for (size_t s = 0; !e && s < count_slots(t); s++)
        if (s == 0 || asked_for(t, s)) {
            put_strip(t, s, ends);
            if (!dl_print_flush(p, false))
                break;
        }
    if (!e)
        put_legend(t);
    free(ends);
    return e;
}

/* ---- the command ---- */

#define AT(member) DFOPT_OPTION_AT(struct timeline, member)

static const struct dfopt_option options[] = {
    DL_OPTION_NEEDED_KNOB(struct timeline),
    DL_OPTION_NODE(struct timeline),
    DL_OPTION_WINDOW(struct timeline),
    {"changes", DFOPT_OPTION_FLAG, NULL,
     "List the changes, one per line, each with its cause", 'c', AT(list)},
    {.name = NULL}};

int dl_timeline(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "--knob=KNOB FILE",
        .doc = "Plot the value of a knob over windows: one line for the whole job, "
               "and one for each node that had a value of its own.\v"
               "A plan counts as the value from its window on, until an "
               "acknowledgement says otherwise. Marks under a line show where a "
               "trial ended, and how. --json prints the changes.\n"};
    struct dl_job job = {.args = {.n_files = 1}};
    struct timeline t = {.job = &job};
    dl_args_parse(&job.args, &command, &t, argc, argv);
    if (!dl_start(&job))
        return DL_TROUBLE;
    enum dfopt_err e = dl_filter_resolve(&t.filter, &job);
    if (!e)
        e = dl_values_read(&t.values, &job, t.filter.knob_sym);
    if (!e)
        t.filter.node_sym = dl_values_node(&t.values, t.filter.node_sym);
    if (!e)
        e = dl_outcomes_read(&t.outcomes, job.reader, &job.err);
    if (!e && (t.list || job.args.json))
        list_changes(&t);
    else if (!e)
        e = put_strips(&t);
    free(t.of_slot);
    dl_values_free(&t.values);
    dl_outcomes_free(&t.outcomes);
    return dl_end(&job, e);
}
