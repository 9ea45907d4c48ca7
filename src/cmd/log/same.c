/* Compares rows by content. Ids in live logs have the identity of their run, which
 * a replay has not. */
#include "cmd/log/same.h"

#include <stdlib.h>
#include <string.h>

enum dfopt_err dl_same_init(struct dl_same *d, struct dfopt_declog_reader *a,
                            struct dfopt_declog_reader *b, struct dfopt_error *err)
{
    *d = (struct dl_same){.a = {a, dfopt_declog_reader_dict(a)},
                          .b = {b, dfopt_declog_reader_dict(b)}};
    const uint32_t n = dfopt_dict_strings(d->a.dict);
    d->b_of_a = calloc((size_t)n + 1, sizeof *d->b_of_a);
    if (!d->b_of_a)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (uint32_t s = 0; s < n; s++) {
        size_t len;
        const char *text = dfopt_dict_text(d->a.dict, s, &len);
        d->b_of_a[s] = dfopt_dict_find(d->b.dict, text, len);
    }
    return DFOPT_OK;
}

void dl_same_free(struct dl_same *d)
{
    free(d->b_of_a);
}

static bool same_sym(const struct dl_same *d, dfopt_sym a, dfopt_sym b)
{
    if (a == DFOPT_SYM_NONE || b == DFOPT_SYM_NONE)
        return a == b;
    return d->b_of_a[a] == b;
}

static bool same_list(const struct dl_same *d, dfopt_list a, dfopt_list b)
{
    size_t n, m;
    const dfopt_sym *x = dfopt_dict_items(d->a.dict, a, &n);
    const dfopt_sym *y = dfopt_dict_items(d->b.dict, b, &m);
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++)
        same = same_sym(d, x[i], y[i]);
    return same;
}

static bool same_value(const struct dl_same *d, struct dfopt_value a,
                       struct dfopt_value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == DFOPT_KIND_STR)
        return same_sym(d, a.str, b.str);
    return a.i == b.i; /* reals bit for bit */
}

static enum dfopt_err same_text(struct dl_same *d, enum dfopt_declog_pool pool,
                                struct dfopt_declog_text a,
                                struct dfopt_declog_text b, bool *same)
{
    const char *x = "", *y = "";
    *same = a.end - a.start == b.end - b.start;
    if (!*same)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_declog_reader_text(d->a.reader, pool, a, &x, d->err);
    if (!e)
        e = dfopt_declog_reader_text(d->b.reader, pool, b, &y, d->err);
    *same = !e && memcmp(x, y, (size_t)(a.end - a.start)) == 0;
    return e;
}

/* The identity of a side's run; 0: none. */
static uint32_t run_of(const struct dl_same_side *s)
{
    return (uint32_t)strtoul(dfopt_declog_reader_run(s->reader)->run_id, NULL, 16);
}

/* The length of a plan id without this log's run identity, if it has that. */
static size_t bare_id(const struct dl_same_side *s, const char *id, size_t len)
{
    uint64_t ignored;
    return dfopt_plan_id_run_parse(id, len, run_of(s), &ignored)
               ? DFOPT_PLAN_ID_SIZE - 1
               : len;
}

static enum dfopt_err read_bare(struct dl_same *d, const struct dl_same_side *s,
                                struct dfopt_declog_text text, struct dfopt_buf *to)
{
    const char *at = "";
    enum dfopt_err e =
        dfopt_declog_reader_text(s->reader, DFOPT_POOL_COMMAND, text, &at, d->err);
    if (!e)
        e = dfopt_buf_add(to, at, (size_t)(text.end - text.start));
    if (!e && run_of(s))
        to->len = dfopt_plan_id_cut_run(to->data, to->len, run_of(s));
    return e;
}

/* Compares commands, which may name plans: the same holds for their ids. */
static enum dfopt_err same_command(struct dl_same *d, struct dfopt_declog_text a,
                                   struct dfopt_declog_text b, bool *same)
{
    struct dfopt_buf x = {0}, y = {0};
    enum dfopt_err e = read_bare(d, &d->a, a, &x);
    if (!e)
        e = read_bare(d, &d->b, b, &y);
    *same = !e && x.len == y.len && (!x.len || memcmp(x.data, y.data, x.len) == 0);
    dfopt_buf_free(&x);
    dfopt_buf_free(&y);
    return e;
}

/* Compares ids from acks: live logs have the run's identity, replays do not. */
static enum dfopt_err same_id(struct dl_same *d, struct dfopt_declog_text a,
                              struct dfopt_declog_text b, bool *same)
{
    char x[DFOPT_PLAN_ID_RUN_SIZE];
    const char *at;
    const size_t len = (size_t)(a.end - a.start);
    if (len >= sizeof x)
        return same_text(d, DFOPT_POOL_PLAN_ID, a, b, same);
    enum dfopt_err e =
        dfopt_declog_reader_text(d->a.reader, DFOPT_POOL_PLAN_ID, a, &at, d->err);
    if (e)
        return e;
    memcpy(x, at, len);
    e = dfopt_declog_reader_text(d->b.reader, DFOPT_POOL_PLAN_ID, b, &at, d->err);
    const size_t m = bare_id(&d->a, x, len);
    *same = !e && m == bare_id(&d->b, at, (size_t)(b.end - b.start)) &&
            memcmp(x, at, m) == 0;
    return e;
}

static enum dfopt_err same_field(struct dl_same *d, const struct dl_field *f,
                                 union dl_field_value a, union dl_field_value b,
                                 bool *same)
{
    switch (f->type) {
    case DL_FIELD_SYM:
        *same = same_sym(d, a.u32, b.u32);
        return DFOPT_OK;
    case DL_FIELD_LIST:
        *same = same_list(d, a.u32, b.u32);
        return DFOPT_OK;
    case DL_FIELD_VALUE:
        *same = same_value(d, a.value, b.value);
        return DFOPT_OK;
    case DL_FIELD_REAL: /* NaNs mean "absent" and are equal */
        *same = a.u64 == b.u64 || (a.real != a.real && b.real != b.real);
        return DFOPT_OK;
    case DL_FIELD_TEXT:
    case DL_FIELD_JSON:
        if (f->pool == DFOPT_POOL_PLAN_ID)
            return same_id(d, a.text, b.text, same);
        if (f->pool == DFOPT_POOL_COMMAND)
            return same_command(d, a.text, b.text, same);
        return same_text(d, f->pool, a.text, b.text, same);
    default:
        *same = a.u64 == b.u64;
        return DFOPT_OK;
    }
}

enum dfopt_err dl_same_row(struct dl_same *d, enum dl_kind kind, const void *a,
                           const void *b, bool *same, struct dfopt_error *err)
{
    const struct dl_field *f = dl_tables[kind].fields;
    enum dfopt_err e = DFOPT_OK;
    *same = true;
    d->err = err;
    for (; !e && *same && f->name; f++) {
        if (kind == DL_REJECT &&
            (strcmp(f->name, "origin") == 0 || strcmp(f->name, "line") == 0))
            continue;
        e = same_field(d, f, dl_field_of(f, a), dl_field_of(f, b), same);
    }
    return e;
}
