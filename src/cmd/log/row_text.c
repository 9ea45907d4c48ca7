/* Formats a row as JSON or CSV. */
#include "cmd/log/rows.h"

#include <inttypes.h>
#include <string.h>

static enum dfopt_err pool_text(struct dfopt_declog_reader *r,
                                const struct dl_field *f,
                                struct dfopt_declog_text at, const char **bytes,
                                struct dfopt_error *err)
{
    *bytes = "";
    return dfopt_declog_reader_text(r, f->pool, at, bytes, err);
}

/* ---- JSON ---- */

static void put_list(struct dl_print *p, dfopt_list list)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(p->put.dict, list, &n);
    dfopt_put_raw(&p->put, "[");
    for (size_t i = 0; i < n; i++) {
        dfopt_put_next(&p->put);
        dfopt_put_name(&p->put, items[i]);
    }
    dfopt_put_raw(&p->put, "]");
}

/* The names of the metrics of a bit mask. */
static void put_metrics(struct dl_print *p, uint32_t mask)
{
    dfopt_put_raw(&p->put, "[");
    for (uint32_t m = 0; m < DFOPT_METRIC_COUNT; m++)
        if (mask & UINT32_C(1) << m) {
            dfopt_put_next(&p->put);
            dfopt_put_z(&p->put, dfopt_declog_metric_name(m));
        }
    dfopt_put_raw(&p->put, "]");
}

static enum dfopt_err put_pool(struct dl_print *p, struct dfopt_declog_reader *r,
                               const struct dl_field *f,
                               struct dfopt_declog_text at, struct dfopt_error *err)
{
    const size_t len = (size_t)(at.end - at.start);
    const char *bytes;
    enum dfopt_err e = pool_text(r, f, at, &bytes, err);
    if (!e && f->type == DL_FIELD_TEXT)
        dfopt_put_text(&p->put, bytes, len);
    else if (!e && len == 0)
        dfopt_put_raw(&p->put, "null");
    else if (!e)
        dfopt_put_bytes(&p->put, bytes, len);
    return e;
}

static enum dfopt_err put_json(struct dl_print *p, struct dfopt_declog_reader *r,
                               const struct dl_field *f, union dl_field_value v,
                               struct dfopt_error *err)
{
    struct dfopt_put *put = &p->put;
    char id[DFOPT_PLAN_ID_SIZE];
    switch (f->type) {
    case DL_FIELD_U64:
        dfopt_put_uint(put, v.u64);
        break;
    case DL_FIELD_U32:
        dfopt_put_uint(put, v.u32);
        break;
    case DL_FIELD_WINDOW:
    case DL_FIELD_I64:
        if (f->type == DL_FIELD_WINDOW && v.i64 < 0)
            dfopt_put_raw(put, "null");
        else
            dfopt_put_int(put, v.i64);
        break;
    case DL_FIELD_REAL:
        dfopt_put_finite(put, v.real);
        break;
    case DL_FIELD_FLAG:
        dfopt_put_bool(put, v.u32);
        break;
    case DL_FIELD_NAME:
        dfopt_put_z(put, f->name_of(v.u32));
        break;
    case DL_FIELD_SYM:
        dfopt_put_name(put, v.u32);
        break;
    case DL_FIELD_LIST:
        put_list(p, v.u32);
        break;
    case DL_FIELD_VALUE:
        dfopt_put_value(put, v.value);
        break;
    case DL_FIELD_PLAN_ID:
        dfopt_plan_id_text(v.u64, id);
        dfopt_put_z(put, v.u64 ? id : NULL);
        break;
    case DL_FIELD_METRICS:
        put_metrics(p, v.u32);
        break;
    case DL_FIELD_TEXT:
    case DL_FIELD_JSON:
        return put_pool(p, r, f, v.text, err);
    }
    return DFOPT_OK;
}

enum dfopt_err dl_row_json(struct dl_print *p, struct dfopt_declog_reader *r,
                           const struct dl_table *t, const void *row,
                           bool with_kind, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    dfopt_put_raw(&p->put, "{");
    if (t->seq != DL_NO_SEQ)
        dfopt_member_uint(&p->put, "seq", dl_row_seq(t, row));
    if (with_kind)
        dfopt_member_text(&p->put, "kind", t->kind);
    for (const struct dl_field *f = t->fields; !e && f->name; f++) {
        dfopt_put_key(&p->put, f->name);
        e = put_json(p, r, f, dl_field_of(f, row), err);
    }
    dfopt_put_raw(&p->put, "}\n");
    return e ? e : p->put.e;
}

/* ---- CSV ---- */

static void put_cell(struct dl_print *p, const char *text, size_t len)
{
    bool plain = true;
    for (size_t i = 0; i < len; i++)
        plain = plain && !strchr(",\"\r\n", text[i]) && text[i] != '\0';
    if (plain) {
        dl_put_bytes(p, text, len);
        return;
    }
    dl_put(p, "\"");
    for (size_t i = 0, from = 0; i <= len; i++)
        if (i == len || text[i] == '"') {
            dl_put_bytes(p, text + from, i - from + (i < len));
            from = i; /* double the quote */
        }
    dl_put(p, "\"");
}

static void put_cell_sym(struct dl_print *p, dfopt_sym s)
{
    size_t len;
    const char *text = dfopt_dict_text(p->put.dict, s, &len);
    put_cell(p, text, len);
}

static enum dfopt_err put_cell_list(struct dl_print *p, dfopt_list list)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(p->put.dict, list, &n);
    struct dfopt_buf cell = {0};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < n; i++) {
        size_t len;
        const char *text = dfopt_dict_text(p->put.dict, items[i], &len);
        e = i ? dfopt_buf_add(&cell, ";", 1) : DFOPT_OK;
        if (!e)
            e = dfopt_buf_add(&cell, text, len);
    }
    if (!e)
        put_cell(p, cell.data, cell.len);
    dfopt_buf_free(&cell);
    return e;
}

static enum dfopt_err put_csv(struct dl_print *p, struct dfopt_declog_reader *r,
                              const struct dl_field *f, union dl_field_value v,
                              struct dfopt_error *err)
{
    const char *bytes, *between = "";
    enum dfopt_err e;
    switch (f->type) {
    case DL_FIELD_WINDOW:
        if (v.i64 >= 0)
            dl_put(p, "%" PRId64, v.i64);
        return DFOPT_OK;
    case DL_FIELD_REAL:
        if (v.real - v.real == 0) /* finite */
            dfopt_put_real(&p->put, v.real);
        return DFOPT_OK;
    case DL_FIELD_NAME:
        dl_put(p, "%s", f->name_of(v.u32));
        return DFOPT_OK;
    case DL_FIELD_SYM:
        put_cell_sym(p, v.u32);
        return DFOPT_OK;
    case DL_FIELD_LIST:
        return put_cell_list(p, v.u32);
    case DL_FIELD_VALUE:
        if (v.value.kind == DFOPT_KIND_STR)
            put_cell_sym(p, v.value.str);
        else if (v.value.kind != DFOPT_KIND_NULL)
            dfopt_put_value(&p->put, v.value);
        return DFOPT_OK;
    case DL_FIELD_PLAN_ID:
        if (v.u64)
            dl_put_plan_id(p, v.u64);
        return DFOPT_OK;
    case DL_FIELD_METRICS:
        for (uint32_t m = 0; m < DFOPT_METRIC_COUNT; m++)
            if (v.u32 & UINT32_C(1) << m) {
                dl_put(p, "%s%s", between, dfopt_declog_metric_name(m));
                between = ";";
            }
        return DFOPT_OK;
    case DL_FIELD_TEXT:
    case DL_FIELD_JSON:
        e = pool_text(r, f, v.text, &bytes, err);
        if (!e)
            put_cell(p, bytes, (size_t)(v.text.end - v.text.start));
        return e;
    default: /* as in JSON */
        return put_json(p, r, f, v, err);
    }
}

void dl_csv_header(struct dl_print *p, const struct dl_table *t)
{
    bool first = t->seq == DL_NO_SEQ;
    if (!first)
        dl_put(p, "seq");
    for (const struct dl_field *f = t->fields; f->name; f++, first = false)
        dl_put(p, "%s%s", first ? "" : ",", f->name);
    dl_put(p, "\n");
}

enum dfopt_err dl_row_csv(struct dl_print *p, struct dfopt_declog_reader *r,
                          const struct dl_table *t, const void *row,
                          struct dfopt_error *err)
{
    bool first = t->seq == DL_NO_SEQ;
    enum dfopt_err e = DFOPT_OK;
    if (!first)
        dl_put(p, "%" PRIu64, dl_row_seq(t, row));
    for (const struct dl_field *f = t->fields; !e && f->name; f++, first = false) {
        if (!first)
            dl_put(p, ",");
        e = put_csv(p, r, f, dl_field_of(f, row), err);
    }
    dl_put(p, "\n");
    return e ? e : p->put.e;
}
