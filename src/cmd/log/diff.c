/* dfopt-log diff: compares two logs in event order. */
#include "cmd/log/brought.h"
#include "cmd/log/merge.h"
#include "cmd/log/same.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DIFF_SAME = 0, DIFF_DIFFERENT = 1, DIFF_TROUBLE = 2 };

struct side {
    const char *path;
    struct dfopt_declog_reader *reader;
    const struct dfopt_dict *dict;
    struct dl_merge merge;
    enum dl_kind kind; /* of the next row */
    const void *row;   /* NULL: at the end */
    struct dl_outcomes outcomes;
    struct dl_tally tally;
    struct dl_brought_facts brought;
};

struct diff {
    struct dl_args args;
    uint64_t limit; /* of differences shown */
    bool brief;
    struct side a, b;
    struct dl_same same;
    uint64_t found[DL_KINDS], all;
    uint64_t first_seq;
    enum dl_kind first_kind;
    struct dl_print print;
    struct dfopt_error err;
};

/* ---- output ---- */

/* "< " or "> " and the row. */
static enum dfopt_err put_row(struct diff *d, const struct side *s, char mark)
{
    d->print.put.dict = s->dict;
    dl_color(&d->print, mark == '<' ? DL_RED : DL_GREEN);
    dl_put(&d->print, "%c ", mark);
    enum dfopt_err e = dl_row_json(&d->print, s->reader, &dl_tables[s->kind],
                                   s->row, true, &d->err);
    if (d->print.color && d->print.out.len > 0)
        d->print.out.len--; /* the colour ends on the same line */
    dl_color(&d->print, DL_PLAIN);
    if (d->print.color)
        dl_put(&d->print, "\n");
    return e;
}

static enum dfopt_err put_row_json(struct diff *d, const struct side *s,
                                   const char *name)
{
    d->print.put.dict = s->dict;
    dfopt_put_key(&d->print.put, name);
    enum dfopt_err e = dl_row_json(&d->print, s->reader, &dl_tables[s->kind],
                                   s->row, true, &d->err);
    if (!e)
        d->print.out.len--; /* the newline */
    return e;
}

/* Shows a difference: a row of a, of b, or one of each. */
static enum dfopt_err tell(struct diff *d, bool of_a, bool of_b)
{
    const struct side *s = of_a ? &d->a : &d->b;
    struct dfopt_put *put = &d->print.put;
    uint64_t seq = dl_row_seq(&dl_tables[s->kind], s->row);
    enum dfopt_err e = DFOPT_OK;
    if (d->all++ == 0) {
        d->first_seq = seq;
        d->first_kind = s->kind;
    }
    d->found[s->kind]++;
    if (d->brief || d->all > d->limit)
        return DFOPT_OK;
    if (d->args.json) {
        dfopt_put_raw(put, "{");
        dfopt_member_uint(put, "seq", seq);
        dfopt_member_text(put, "kind", dl_tables[s->kind].kind);
        if (of_a)
            e = put_row_json(d, &d->a, "a");
        if (!e && of_b)
            e = put_row_json(d, &d->b, "b");
        dfopt_put_raw(put, "}\n");
        return e;
    }
    if (of_a)
        e = put_row(d, &d->a, '<');
    if (!e && of_b)
        e = put_row(d, &d->b, '>');
    return e;
}

/* Shows the outcomes and gain of a side's plans. */
static enum dfopt_err read_outcomes(struct diff *d, struct side *s)
{
    enum dfopt_err e = dl_outcomes_read(&s->outcomes, s->reader, &d->err);
    if (!e && s->outcomes.judged)
        e = dl_tally_read(&s->tally, &s->outcomes, &d->err);
    return e ? e : dl_brought_read(&s->brought, s->reader, &d->err);
}

static void brought_json(struct dfopt_put *put, const char *name,
                         const struct side *s)
{
    dfopt_put_key(put, name);
    dfopt_put_raw(put, "{\"objective\":");
    dl_brought_json(put, &s->brought);
    dfopt_put_key(put, "plans");
    dl_tally_json(put, &s->tally);
    dfopt_put_raw(put, "}");
}

static void brought_text(struct diff *d, const struct side *s, char mark)
{
    const struct dl_brought *b = dl_brought_best_known(&s->brought);
    const uint64_t *ends = s->tally.ends;
    struct dl_print *p = &d->print;
    if (!s->outcomes.judged) {
        dl_put(p, "%c %8s\n", mark, "-");
        return;
    }
    dl_put(p, "%c %8" PRIu64 " %8" PRIu64 " %11" PRIu64 " %8" PRIu64 "  ", mark,
           s->tally.plans, ends[DL_END_KEPT], ends[DL_END_TAKEN_BACK],
           ends[DL_END_OPEN] + ends[DL_END_UNANSWERED]);
    if (b) {
        dl_put_level(p, b->start);
        dl_put(p, " -> ");
        dl_put_level(p, b->now);
        dl_put(p, ", ");
        dl_put_claim(p, &b->claim);
    } else {
        dl_put(p, "not known");
    }
    dl_put(p, "\n");
}

static void conclude_json(struct diff *d)
{
    struct dfopt_put *put = &d->print.put;
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "differences", d->all);
    dfopt_put_key(put, "first");
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "seq", d->first_seq);
    dfopt_member_text(put, "kind", dl_tables[d->first_kind].kind);
    dfopt_put_raw(put, "},\"of\":{");
    for (uint32_t k = 0; k < DL_KINDS; k++)
        if (d->found[k] > 0)
            dfopt_member_uint(put, dl_tables[k].name, d->found[k]);
    dfopt_put_raw(put, "}");
    if (d->a.outcomes.judged || d->b.outcomes.judged) {
        dfopt_put_key(put, "brought");
        dfopt_put_raw(put, "{");
        brought_json(put, "a", &d->a);
        brought_json(put, "b", &d->b);
        dfopt_put_raw(put, "}");
    }
    dfopt_put_raw(put, "}\n");
}

static void conclude_text(struct diff *d)
{
    struct dl_print *p = &d->print;
    const char *comma = "";
    if (d->all > d->limit)
        dl_put(p, "... and %" PRIu64 " more (--limit)\n", d->all - d->limit);
    dl_color(p, DL_BOLD);
    dl_put(p, "%" PRIu64 " rows differ", d->all);
    dl_color(p, DL_PLAIN);
    dl_put(p, ", the first at event %" PRIu64 " (%s):", d->first_seq,
           dl_tables[d->first_kind].kind);
    for (uint32_t k = 0; k < DL_KINDS; k++)
        if (d->found[k] > 0) {
            dl_put(p, "%s %s %" PRIu64, comma, dl_tables[k].name, d->found[k]);
            comma = ",";
        }
    dl_put(p, "\n");
    if (d->first_kind == DL_FINDING || d->first_kind == DL_REGISTRATION ||
        d->first_kind == DL_REJECT)
        dl_put(p, "The inputs differ at that event, which may explain later "
                  "differences.\n");
    if (!d->a.outcomes.judged && !d->b.outcomes.judged)
        return;
    dl_put(p, "  %8s %8s %11s %8s  objective\n", "plans", "kept", "taken back",
           "open");
    brought_text(d, &d->a, '<');
    brought_text(d, &d->b, '>');
}

/* ---- stepping through both logs ---- */

static enum dfopt_err look(struct diff *d, struct side *s)
{
    return dl_merge_row(&s->merge, &s->kind, &s->row, &d->err);
}

static enum dfopt_err step(struct diff *d, struct side *s)
{
    dl_merge_step(&s->merge, s->kind);
    return look(d, s);
}

/* <0: a's row comes first and is missing in b. */
static int order(const struct diff *d)
{
    if (!d->a.row || !d->b.row)
        return d->a.row ? -1 : 1;
    struct dl_place x = dl_place_of(d->a.kind, d->a.row);
    struct dl_place y = dl_place_of(d->b.kind, d->b.row);
    int c = dl_place_compare(&x, &y);
    return c ? c : (d->a.kind > d->b.kind) - (d->a.kind < d->b.kind);
}

static enum dfopt_err compare(struct diff *d)
{
    enum dfopt_err e = look(d, &d->a);
    if (!e)
        e = look(d, &d->b);
    while (!e && (d->a.row || d->b.row) && dl_print_flush(&d->print, false) &&
           !(d->brief && d->all > 0)) {
        int c = order(d);
        bool same = false;
        if (c == 0)
            e = dl_same_row(&d->same, d->a.kind, d->a.row, d->b.row, &same,
                            &d->err);
        if (!e && !same)
            e = tell(d, c <= 0, c >= 0);
        if (!e && c <= 0)
            e = step(d, &d->a);
        if (!e && c >= 0)
            e = step(d, &d->b);
    }
    return e;
}

/* Comparable kinds that both logs keep. */
static uint32_t common_kinds(struct diff *d)
{
    const struct side *sides[] = {&d->a, &d->b};
    uint32_t kinds = DL_EVENT_KINDS;
    for (size_t i = 0; i < 2; i++) {
        const char *detail = dfopt_declog_reader_run(sides[i]->reader)->detail;
        if (strcmp(detail, "findings") != 0)
            kinds &= ~DL_KIND_BIT(DL_FINDING);
        if (strcmp(detail, "plans") == 0)
            kinds &= ~DL_KIND_BIT(DL_VERDICT);
    }
    return kinds;
}

static enum dfopt_err open_side(struct diff *d, struct side *s, const char *path)
{
    s->path = path;
    enum dfopt_err e = dfopt_declog_reader_open(&s->reader, path, &d->err);
    if (e)
        return e;
    s->dict = dfopt_declog_reader_dict(s->reader);
    if (dfopt_declog_reader_run(s->reader)->cut)
        fprintf(stderr,
                "dfopt-log: %s: truncated; comparing the commits that are intact\n",
                path);
    return DFOPT_OK;
}

static void differ(struct diff *d)
{
    dl_put_text(&d->print, d->a.path, strlen(d->a.path));
    dl_put(&d->print, " and ");
    dl_put_text(&d->print, d->b.path, strlen(d->b.path));
    dl_put(&d->print, " differ\n");
}

static enum dfopt_err run(struct diff *d)
{
    enum dfopt_err e = open_side(d, &d->a, d->args.file[0]);
    if (!e)
        e = open_side(d, &d->b, d->args.file[1]);
    if (!e)
        e = dl_same_init(&d->same, d->a.reader, d->b.reader, &d->err);
    if (e)
        return e;
    uint32_t kinds = common_kinds(d);
    e = dl_merge_init(&d->a.merge, d->a.reader, kinds, 0, &d->err);
    if (!e)
        e = dl_merge_init(&d->b.merge, d->b.reader, kinds, 0, &d->err);
    if (!e)
        e = compare(d);
    if (e || d->all == 0)
        return e; /* no output without differences, like diff */
    if (d->brief) {
        differ(d);
        return DFOPT_OK;
    }
    e = read_outcomes(d, &d->a);
    if (!e)
        e = read_outcomes(d, &d->b);
    if (e)
        return e;
    if (d->args.json)
        conclude_json(d);
    else
        conclude_text(d);
    return DFOPT_OK;
}

/* ---- the command ---- */

#define AT(member) DFOPT_OPTION_AT(struct diff, member)

static const struct dfopt_option options[] = {
    {"limit", DFOPT_OPTION_COUNT, "N",
     "Show at most N differences (default 20); 0 shows all", 'l', AT(limit)},
    {"brief", DFOPT_OPTION_FLAG, NULL, "Print only whether the logs differ", 'q',
     AT(brief)},
    {.name = NULL}};

int dl_diff(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "A B",
        .doc =
            "Compare the input and the decisions of two logs, event by event: `<' "
            "marks what is only in A, or differs there, `>' what is in B.\v"
            "Tables that only one of the logs keeps (see --log-detail of "
            "dfopt-mpi) are not compared, nor is how the runs were made. Differing "
            "logs end with the outcomes and gains of the plans of each.\n"
            "\n"
            "Exit status:\n"
            "  0\tlogs are the same\n"
            "  1\tthey differ\n"
            "  2\ta log cannot be read\n"};
    struct diff d = {.args = {.n_files = 2}, .limit = 20};
    dl_args_parse(&d.args, &command, &d, argc, argv);
    if (d.limit == 0)
        d.limit = UINT64_MAX;
    dl_print_init(&d.print, NULL, d.args.color && !d.args.json);
    enum dfopt_err e = run(&d);
    dl_print_flush(&d.print, true);
    if (!e && (e = d.print.put.e) != DFOPT_OK)
        dfopt_error_set(&d.err, e, "out of memory");
    if (e)
        dl_complain(&d.err);
    int status = e || d.print.failed ? DIFF_TROUBLE
                 : d.all             ? DIFF_DIFFERENT
                                     : DIFF_SAME;
    dl_outcomes_free(&d.a.outcomes);
    dl_outcomes_free(&d.b.outcomes);
    dl_merge_free(&d.a.merge);
    dl_merge_free(&d.b.merge);
    dfopt_declog_reader_close(d.a.reader);
    dfopt_declog_reader_close(d.b.reader);
    dl_print_free(&d.print);
    dl_same_free(&d.same);
    return status;
}
