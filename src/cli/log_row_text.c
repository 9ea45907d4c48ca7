/* A row as JSON and as CSV. */
#include "cli/log_rows.h"

#include <inttypes.h>
#include <string.h>

static enum dfopt_err pool_text(struct dfopt_declog_reader *r,
                                const struct log_field *f,
                                struct dfopt_declog_text at, const char **bytes,
                                struct dfopt_error *err)
{
    *bytes = "";
    return dfopt_declog_reader_text(r, f->pool, at, bytes, err);
}

/* The names of the metrics of a bit mask. */
static void put_metrics(struct log_print *p, uint32_t mask, const char *separator,
                        const char *quote)
{
    const char *between = "";
    for (uint32_t m = 0; m < DFOPT_METRIC_KNOWN; m++)
        if (mask & UINT32_C(1) << m) {
            log_put(p, "%s%s%s%s", between, quote, dfopt_declog_metric_name(m),
                    quote);
            between = separator;
        }
}

static void put_plan_id(struct log_print *p, uint64_t id)
{
    char text[DFOPT_PLAN_ID_SIZE];
    dfopt_plan_id_text(id, text);
    log_put(p, "%s", text);
}

/* ---- JSON ---- */

static enum dfopt_err put_json(struct log_print *p, struct dfopt_declog_reader *r,
                               const struct log_field *f, union log_field_value v,
                               struct dfopt_error *err)
{
    const char *bytes, *name;
    size_t len = 0;
    enum dfopt_err e = DFOPT_OK;
    switch (f->type) {
    case LOG_FIELD_U64:
        log_put(p, "%" PRIu64, v.u64);
        break;
    case LOG_FIELD_U32:
        log_put(p, "%" PRIu32, v.u32);
        break;
    case LOG_FIELD_WINDOW:
    case LOG_FIELD_I64:
        if (f->type == LOG_FIELD_WINDOW && v.i64 < 0)
            log_put(p, "null");
        else
            log_put(p, "%" PRId64, v.i64);
        break;
    case LOG_FIELD_REAL:
        log_json_real(p, v.real);
        break;
    case LOG_FIELD_FLAG:
        log_put(p, "%s", v.u32 ? "true" : "false");
        break;
    case LOG_FIELD_NAME:
        name = f->name_of(v.u32);
        log_json_text(p, name, strlen(name));
        break;
    case LOG_FIELD_SYM:
        log_json_sym(p, v.u32);
        break;
    case LOG_FIELD_LIST:
        log_json_list(p, v.u32);
        break;
    case LOG_FIELD_VALUE:
        log_json_value(p, v.value);
        break;
    case LOG_FIELD_PLAN_ID:
        if (v.u64 == 0)
            log_put(p, "null");
        else {
            log_put(p, "\"");
            put_plan_id(p, v.u64);
            log_put(p, "\"");
        }
        break;
    case LOG_FIELD_METRICS:
        log_put(p, "[");
        put_metrics(p, v.u32, ",", "\"");
        log_put(p, "]");
        break;
    case LOG_FIELD_TEXT:
    case LOG_FIELD_JSON:
        len = (size_t)(v.text.end - v.text.start);
        e = pool_text(r, f, v.text, &bytes, err);
        if (!e && f->type == LOG_FIELD_TEXT)
            log_json_text(p, bytes, len);
        else if (!e && len == 0)
            log_put(p, "null");
        else if (!e)
            log_put_bytes(p, bytes, len);
        break;
    }
    return e;
}

enum dfopt_err log_row_json(struct log_print *p, struct dfopt_declog_reader *r,
                            const struct log_table *t, const void *row,
                            bool with_kind, struct dfopt_error *err)
{
    bool first = t->seq == LOG_NO_SEQ;
    enum dfopt_err e = DFOPT_OK;
    if (!first)
        log_put(p, "{\"seq\":%" PRIu64, log_row_seq(t, row));
    if (with_kind)
        log_put(p, "%s\"kind\":\"%s\"", first ? "{" : ",", t->kind);
    first = first && !with_kind;
    for (const struct log_field *f = t->fields; !e && f->name; f++, first = false) {
        log_json_key(p, f->name, first);
        e = put_json(p, r, f, log_field_of(f, row), err);
    }
    log_put(p, "}\n");
    return e ? e : p->e;
}

/* ---- CSV ---- */

static void put_cell(struct log_print *p, const char *text, size_t len)
{
    bool plain = true;
    for (size_t i = 0; i < len; i++)
        plain = plain && !strchr(",\"\r\n", text[i]) && text[i] != '\0';
    if (plain) {
        log_put_bytes(p, text, len);
        return;
    }
    log_put(p, "\"");
    for (size_t i = 0, from = 0; i <= len; i++)
        if (i == len || text[i] == '"') {
            log_put_bytes(p, text + from, i - from + (i < len));
            from = i; /* the quote once more */
        }
    log_put(p, "\"");
}

static void put_cell_sym(struct log_print *p, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(p->dict, s, &len);
    put_cell(p, text, len);
}

static enum dfopt_err put_cell_list(struct log_print *p, dfopt_list list)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(p->dict, list, &n);
    struct dfopt_buf cell = {0};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < n; i++) {
        size_t len;
        const char *text = dfopt_dict_text(p->dict, items[i], &len);
        e = i ? dfopt_buf_add(&cell, ";", 1) : DFOPT_OK;
        if (!e)
            e = dfopt_buf_add(&cell, text, len);
    }
    if (!e)
        put_cell(p, cell.data, cell.len);
    dfopt_buf_free(&cell);
    return e;
}

static enum dfopt_err put_csv(struct log_print *p, struct dfopt_declog_reader *r,
                              const struct log_field *f, union log_field_value v,
                              struct dfopt_error *err)
{
    const char *bytes;
    enum dfopt_err e;
    switch (f->type) {
    case LOG_FIELD_WINDOW:
        if (v.i64 >= 0)
            log_put(p, "%" PRId64, v.i64);
        return DFOPT_OK;
    case LOG_FIELD_REAL:
        if (v.real - v.real == 0) /* finite */
            log_json_real(p, v.real);
        return DFOPT_OK;
    case LOG_FIELD_NAME:
        log_put(p, "%s", f->name_of(v.u32));
        return DFOPT_OK;
    case LOG_FIELD_SYM:
        put_cell_sym(p, v.u32);
        return DFOPT_OK;
    case LOG_FIELD_LIST:
        return put_cell_list(p, v.u32);
    case LOG_FIELD_VALUE:
        if (v.value.kind == DFOPT_KIND_STR)
            put_cell_sym(p, v.value.str);
        else if (v.value.kind != DFOPT_KIND_NULL)
            log_json_value(p, v.value);
        return DFOPT_OK;
    case LOG_FIELD_PLAN_ID:
        if (v.u64)
            put_plan_id(p, v.u64);
        return DFOPT_OK;
    case LOG_FIELD_METRICS:
        put_metrics(p, v.u32, ";", "");
        return DFOPT_OK;
    case LOG_FIELD_TEXT:
    case LOG_FIELD_JSON:
        e = pool_text(r, f, v.text, &bytes, err);
        if (!e)
            put_cell(p, bytes, (size_t)(v.text.end - v.text.start));
        return e;
    default: /* as in JSON */
        return put_json(p, r, f, v, err);
    }
}

void log_csv_header(struct log_print *p, const struct log_table *t)
{
    bool first = t->seq == LOG_NO_SEQ;
    if (!first)
        log_put(p, "seq");
    for (const struct log_field *f = t->fields; f->name; f++, first = false)
        log_put(p, "%s%s", first ? "" : ",", f->name);
    log_put(p, "\n");
}

enum dfopt_err log_row_csv(struct log_print *p, struct dfopt_declog_reader *r,
                           const struct log_table *t, const void *row,
                           struct dfopt_error *err)
{
    bool first = t->seq == LOG_NO_SEQ;
    enum dfopt_err e = DFOPT_OK;
    if (!first)
        log_put(p, "%" PRIu64, log_row_seq(t, row));
    for (const struct log_field *f = t->fields; !e && f->name; f++, first = false) {
        if (!first)
            log_put(p, ",");
        e = put_csv(p, r, f, log_field_of(f, row), err);
    }
    log_put(p, "\n");
    return e ? e : p->e;
}
