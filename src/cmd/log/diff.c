/* dfopt-log diff: two logs side by side, in the order of events. Rows are
 * compared by what they say: the numbers of strings differ between logs. */
#include "cmd/log/job.h"
#include "cmd/log/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIFF_SAME = 0, DIFF_DIFFERENT = 1, DIFF_TROUBLE = 2 };

struct side {
    const char *path;
    struct dfopt_declog_reader *reader;
    const struct dfopt_dict *dict;
    struct log_merge merge;
    enum log_kind kind; /* of the row that comes next */
    const void *row;    /* NULL: no more */
};

struct diff {
    struct log_args args;
    uint64_t limit; /* of differences shown */
    bool brief;
    struct side a, b;
    dfopt_sym *b_of_a; /* b's number of a's string; DFOPT_SYM_NONE: b has none */
    uint64_t found[LOG_KINDS], all;
    uint64_t first_seq;
    enum log_kind first_kind;
    struct log_print print;
    struct dfopt_error err;
};

/* ---- comparing ---- */

static bool same_sym(const struct diff *d, dfopt_sym a, dfopt_sym b)
{
    if (a == DFOPT_SYM_NONE || b == DFOPT_SYM_NONE)
        return a == b;
    return d->b_of_a[a] == b;
}

static bool same_list(const struct diff *d, dfopt_list a, dfopt_list b)
{
    size_t n, m;
    const dfopt_sym *x = dfopt_dict_items(d->a.dict, a, &n);
    const dfopt_sym *y = dfopt_dict_items(d->b.dict, b, &m);
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++)
        same = same_sym(d, x[i], y[i]);
    return same;
}

static bool same_value(const struct diff *d, struct dfopt_value a,
                       struct dfopt_value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == DFOPT_KIND_STR)
        return same_sym(d, a.str, b.str);
    return a.i == b.i; /* reals bit by bit */
}

static enum dfopt_err same_text(struct diff *d, enum dfopt_declog_pool pool,
                                struct dfopt_declog_text a,
                                struct dfopt_declog_text b, bool *same)
{
    const char *x = "", *y = "";
    *same = a.end - a.start == b.end - b.start;
    if (!*same)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_declog_reader_text(d->a.reader, pool, a, &x, &d->err);
    if (!e)
        e = dfopt_declog_reader_text(d->b.reader, pool, b, &y, &d->err);
    *same = !e && memcmp(x, y, (size_t)(a.end - a.start)) == 0;
    return e;
}

static enum dfopt_err same_field(struct diff *d, const struct log_field *f,
                                 union log_field_value a, union log_field_value b,
                                 bool *same)
{
    switch (f->type) {
    case LOG_FIELD_SYM:
        *same = same_sym(d, a.u32, b.u32);
        return DFOPT_OK;
    case LOG_FIELD_LIST:
        *same = same_list(d, a.u32, b.u32);
        return DFOPT_OK;
    case LOG_FIELD_VALUE:
        *same = same_value(d, a.value, b.value);
        return DFOPT_OK;
    case LOG_FIELD_REAL: /* any NaN is "not there" */
        *same = a.u64 == b.u64 || (a.real != a.real && b.real != b.real);
        return DFOPT_OK;
    case LOG_FIELD_TEXT:
    case LOG_FIELD_JSON:
        return same_text(d, f->pool, a.text, b.text, same);
    default:
        *same = a.u64 == b.u64;
        return DFOPT_OK;
    }
}

/* Rows of the same kind and place. What differs only in where a record came
 * from (the file and line of a reject) is no decision. */
static enum dfopt_err same_row(struct diff *d, bool *same)
{
    const struct log_field *f = log_tables[d->a.kind].fields;
    enum dfopt_err e = DFOPT_OK;
    *same = true;
    for (; !e && *same && f->name; f++) {
        if (d->a.kind == LOG_REJECT && strcmp(f->name, "origin") == 0)
            continue;
        e = same_field(d, f, log_field_of(f, d->a.row), log_field_of(f, d->b.row),
                       same);
    }
    return e;
}

/* ---- what is said ---- */

/* "< " or "> " and the row. */
static enum dfopt_err put_row(struct diff *d, const struct side *s, char mark)
{
    d->print.dict = s->dict;
    log_color(&d->print, mark == '<' ? LOG_RED : LOG_GREEN);
    log_put(&d->print, "%c ", mark);
    enum dfopt_err e = log_row_json(&d->print, s->reader, &log_tables[s->kind],
                                    s->row, true, &d->err);
    if (d->print.color && d->print.out.len > 0)
        d->print.out.len--; /* the colour ends within its line */
    log_color(&d->print, LOG_PLAIN);
    if (d->print.color)
        log_put(&d->print, "\n");
    return e;
}

static enum dfopt_err put_row_json(struct diff *d, const struct side *s,
                                   const char *name)
{
    d->print.dict = s->dict;
    log_json_key(&d->print, name, false);
    enum dfopt_err e = log_row_json(&d->print, s->reader, &log_tables[s->kind],
                                    s->row, true, &d->err);
    if (!e)
        d->print.out.len--; /* the newline */
    return e;
}

/* A difference: a row of a, of b, or one of each. */
static enum dfopt_err tell(struct diff *d, bool of_a, bool of_b)
{
    const struct side *s = of_a ? &d->a : &d->b;
    uint64_t seq = log_row_seq(&log_tables[s->kind], s->row);
    enum dfopt_err e = DFOPT_OK;
    if (d->all++ == 0) {
        d->first_seq = seq;
        d->first_kind = s->kind;
    }
    d->found[s->kind]++;
    if (d->brief || d->all > d->limit)
        return DFOPT_OK;
    if (d->args.json) {
        log_put(&d->print, "{\"seq\":%" PRIu64 ",\"kind\":\"%s\"", seq,
                log_tables[s->kind].kind);
        if (of_a)
            e = put_row_json(d, &d->a, "a");
        if (!e && of_b)
            e = put_row_json(d, &d->b, "b");
        log_put(&d->print, "}\n");
        return e;
    }
    if (of_a)
        e = put_row(d, &d->a, '<');
    if (!e && of_b)
        e = put_row(d, &d->b, '>');
    return e;
}

static void conclude(struct diff *d)
{
    struct log_print *p = &d->print;
    if (d->all == 0)
        return; /* as diff does */
    if (d->args.json) {
        log_put(p,
                "{\"differences\":%" PRIu64 ",\"first\":{\"seq\":%" PRIu64
                ",\"kind\":\"%s\"},\"of\":{",
                d->all, d->first_seq, log_tables[d->first_kind].kind);
    } else {
        if (d->all > d->limit && !d->brief)
            log_put(p, "... and %" PRIu64 " more (--limit)\n", d->all - d->limit);
        log_color(p, LOG_BOLD);
        log_put(p, "%" PRIu64 " rows differ", d->all);
        log_color(p, LOG_PLAIN);
        log_put(p, ", the first at event %" PRIu64 " (%s):", d->first_seq,
                log_tables[d->first_kind].kind);
    }
    const char *comma = "";
    for (uint32_t k = 0; k < LOG_KINDS; k++)
        if (d->found[k] > 0) {
            if (d->args.json)
                log_put(p, "%s\"%s\":%" PRIu64, comma, log_tables[k].name,
                        d->found[k]);
            else
                log_put(p, "%s %s %" PRIu64, comma, log_tables[k].name,
                        d->found[k]);
            comma = ",";
        }
    log_put(p, d->args.json ? "}}\n" : "\n");
    bool input = d->first_kind == LOG_FINDING ||
                 d->first_kind == LOG_REGISTRATION || d->first_kind == LOG_REJECT;
    if (input && !d->args.json)
        log_put(p, "The inputs differ there: what follows may differ for that.\n");
}

/* ---- going along ---- */

static enum dfopt_err look(struct diff *d, struct side *s)
{
    return log_merge_row(&s->merge, &s->kind, &s->row, &d->err);
}

static enum dfopt_err step(struct diff *d, struct side *s)
{
    log_merge_step(&s->merge, s->kind);
    return look(d, s);
}

/* <0: a's row comes first, and b has none there. */
static int order(const struct diff *d)
{
    if (!d->a.row || !d->b.row)
        return d->a.row ? -1 : 1;
    struct log_place x = log_place_of(d->a.kind, d->a.row);
    struct log_place y = log_place_of(d->b.kind, d->b.row);
    int c = log_place_compare(&x, &y);
    return c ? c : (d->a.kind > d->b.kind) - (d->a.kind < d->b.kind);
}

static enum dfopt_err compare(struct diff *d)
{
    enum dfopt_err e = look(d, &d->a);
    if (!e)
        e = look(d, &d->b);
    while (!e && (d->a.row || d->b.row) && log_print_flush(&d->print, false) &&
           !(d->brief && d->all > 0)) {
        int c = order(d);
        bool same = false;
        if (c == 0)
            e = same_row(d, &same);
        if (!e && !same)
            e = tell(d, c <= 0, c >= 0);
        if (!e && c <= 0)
            e = step(d, &d->a);
        if (!e && c >= 0)
            e = step(d, &d->b);
    }
    return e;
}

/* What both logs keep of what can be compared. */
static uint32_t common_kinds(struct diff *d)
{
    const struct side *sides[] = {&d->a, &d->b};
    uint32_t kinds = LOG_EVENT_KINDS;
    for (size_t i = 0; i < 2; i++) {
        const char *detail = dfopt_declog_reader_run(sides[i]->reader)->detail;
        if (strcmp(detail, "findings") != 0)
            kinds &= ~LOG_KIND_BIT(LOG_FINDING);
        if (strcmp(detail, "plans") == 0)
            kinds &= ~LOG_KIND_BIT(LOG_VERDICT);
    }
    return kinds;
}

static enum dfopt_err translate(struct diff *d)
{
    uint32_t n = dfopt_dict_strings(d->a.dict);
    d->b_of_a = calloc((size_t)n + 1, sizeof *d->b_of_a);
    if (!d->b_of_a)
        return dfopt_error_set(&d->err, DFOPT_ERR_NOMEM, "out of memory");
    for (uint32_t s = 0; s < n; s++) {
        size_t len;
        const char *text = dfopt_dict_text(d->a.dict, s, &len);
        d->b_of_a[s] = dfopt_dict_find(d->b.dict, text, len);
    }
    return DFOPT_OK;
}

static enum dfopt_err open_side(struct diff *d, struct side *s, const char *path)
{
    s->path = path;
    enum dfopt_err e = dfopt_declog_reader_open(&s->reader, path, &d->err);
    if (e)
        return e;
    s->dict = dfopt_declog_reader_dict(s->reader);
    if (dfopt_declog_reader_run(s->reader)->cut)
        fprintf(stderr, "dfopt-log: %s: has lost its end; the rest is compared\n",
                path);
    return DFOPT_OK;
}

static void differ(struct diff *d)
{
    log_put_text(&d->print, d->a.path, strlen(d->a.path));
    log_put(&d->print, " and ");
    log_put_text(&d->print, d->b.path, strlen(d->b.path));
    log_put(&d->print, " differ\n");
}

static enum dfopt_err run(struct diff *d)
{
    enum dfopt_err e = open_side(d, &d->a, d->args.file[0]);
    if (!e)
        e = open_side(d, &d->b, d->args.file[1]);
    if (!e)
        e = translate(d);
    if (e)
        return e;
    uint32_t kinds = common_kinds(d);
    e = log_merge_init(&d->a.merge, d->a.reader, kinds, 0, &d->err);
    if (!e)
        e = log_merge_init(&d->b.merge, d->b.reader, kinds, 0, &d->err);
    if (!e)
        e = compare(d);
    if (!e && !d->brief)
        conclude(d);
    else if (!e && d->all > 0)
        differ(d);
    return e;
}

/* ---- the command ---- */

static const struct argp_option options[] = {
    {"limit", 'l', "N", 0, "Show N differences (default 20; 0: all)", 0},
    {"brief", 'q', NULL, 0, "Only say whether they differ", 0},
    {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct diff *d = state->input;
    switch (key) {
    case 'l':
        d->limit = log_args_number(state, "limit", text, UINT64_MAX);
        if (d->limit == 0)
            d->limit = UINT64_MAX;
        return 0;
    case 'q':
        d->brief = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int log_diff(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "A B",
        .doc = "Compares what two logs say came in and was decided, event by "
               "event: `<' is only or otherwise in A, `>' in B.\v"
               "What only one of the logs keeps (see detail) is not compared, nor "
               "is how the runs were made.\n"
               "Exit status: 0 the same, 1 different, 2 trouble.\n"};
    struct diff d = {.args = {.n_files = 2}, .limit = 20};
    argp_err_exit_status = DIFF_TROUBLE;
    log_args_parse(&d.args, &argp, &d, argc, argv);
    d.print.color = d.args.color && !d.args.json;
    enum dfopt_err e = run(&d);
    log_print_flush(&d.print, true);
    if (!e && (e = d.print.e) != DFOPT_OK)
        dfopt_error_set(&d.err, e, "out of memory");
    if (e)
        log_complain(&d.err);
    int status = e || d.print.failed ? DIFF_TROUBLE
                 : d.all             ? DIFF_DIFFERENT
                                     : DIFF_SAME;
    log_merge_free(&d.a.merge);
    log_merge_free(&d.b.merge);
    dfopt_declog_reader_close(d.a.reader);
    dfopt_declog_reader_close(d.b.reader);
    log_print_free(&d.print);
    free(d.b_of_a);
    return status;
}
