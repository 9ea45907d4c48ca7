/* Rows and texts of a decision log. Invariants: no element beyond the last
 * commit is read, and none is returned unchecked. */
#include "declog/reader_impl.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define WINDOW_BYTES 65536 /* of a pool, read at a time */

/* ---- valid elements ---- */

/* Numbers below this are valid; so is UINT32_MAX, which means none. */
static uint64_t limit_of(const struct dfopt_declog_reader *r,
                         const struct dfopt_column *c)
{
    switch (c->type) {
    case DFOPT_COLUMN_SYM:
    case DFOPT_COLUMN_STR:
        return r->run.last.rows[DFOPT_TABLE_STRINGS];
    case DFOPT_COLUMN_LIST:
        return r->run.last.rows[DFOPT_TABLE_LISTS];
    default:
        return UINT64_MAX;
    }
}

/* The index of the first invalid element; n if there is none. */
static size_t first_bad(const struct dfopt_declog_reader *r,
                        const struct dfopt_column *c, const void *packed, size_t n)
{
    size_t i = 0;
    if (dfopt_column_size(c) == 4) {
        const uint32_t *u32 = packed;
        uint64_t limit = limit_of(r, c);
        while (i < n && (u32[i] < limit || u32[i] == UINT32_MAX))
            i++;
        return i;
    }
    const uint8_t *u8 = packed;
    uint32_t limit = c->type == DFOPT_COLUMN_FLAG ? 2 : c->n_names;
    if (dfopt_column_size(c) != 1 || limit == 0)
        return n;
    while (i < n && u8[i] < limit)
        i++;
    return i;
}

bool dfopt_reader_strings_exist(const struct dfopt_declog_reader *r,
                                const dfopt_sym *strings, size_t n)
{
    static const struct dfopt_column item = {.type = DFOPT_COLUMN_SYM};
    return first_bad(r, &item, strings, n) == n;
}

/* Completes texts whose ends are known; `end` is the previous row's end.
 * Returns the index of the first invalid one; n if there is none. */
static size_t place_texts(const struct dfopt_column *c, uint64_t limit,
                          uint64_t end, size_t n, char *rows, size_t row_size)
{
    for (size_t i = 0; i < n; i++) {
        struct dfopt_declog_text text;
        char *at = rows + i * row_size + c->offset;
        memcpy(&text, at, sizeof text);
        if (text.end < end || text.end > limit)
            return i;
        text.start = end;
        end = text.end;
        memcpy(at, &text, sizeof text);
    }
    return n;
}

enum dfopt_err dfopt_reader_bad_element(const struct dfopt_declog_reader *r,
                                        const struct dfopt_layout *l,
                                        const struct dfopt_column *c, uint64_t row,
                                        struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                           "%s: damaged: row %" PRIu64
                           " of /%s/%s refers to a missing entry",
                           r->path, row, l->group, c->name);
}

/* The elements that a log older than the column reads as. */
static void put_missing(const struct dfopt_column *c, size_t n, void *packed)
{
    double *f64 = packed;
    memset(packed, dfopt_column_size(c) == 4 ? 0xff : 0, n * dfopt_column_size(c));
    for (size_t i = 0; c->type == DFOPT_COLUMN_F64 && i < n; i++)
        f64[i] = NAN;
}

static enum dfopt_err read_block_column(struct dfopt_declog_reader *r, size_t store,
                                        size_t column, uint64_t first, size_t n,
                                        char *rows, struct dfopt_error *err)
{
    const struct dfopt_layout *l = dfopt_layout_of(store);
    const struct dfopt_column *c = &l->columns[column];
    void *packed = r->packed.data;
    uint64_t end = 0;
    enum dfopt_err e = DFOPT_OK;
    if (c->type == DFOPT_COLUMN_TEXT && first > 0)
        e = dfopt_reader_column(r, store, column, first - 1, 1, &end, err);
    if (!dfopt_reader_has(r, c))
        put_missing(c, n, packed);
    else if (!e)
        e = dfopt_reader_column(r, store, column, first, n, packed, err);
    if (e)
        return e;
    size_t good = first_bad(r, c, packed, n);
    if (good == n) {
        dfopt_column_scatter(c, packed, n, rows, l->row_size);
        if (c->type == DFOPT_COLUMN_TEXT)
            good = place_texts(c, r->run.last.pool[c->pool], end, n, rows,
                               l->row_size);
    }
    return good == n ? DFOPT_OK
                     : dfopt_reader_bad_element(r, l, c, first + good, err);
}

/* Clears the fields of plans that have no column. */
static void finish_plans(struct dfopt_declog_plan_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dfopt_plan *p = &rows[i].p;
        p->rationale = p->motif = p->trend = p->scope = DFOPT_SYM_NONE;
    }
}

uint64_t dfopt_declog_columns(enum dfopt_declog_table table, size_t n,
                              const size_t *offsets)
{
    const struct dfopt_layout *l = dfopt_layout_of(table);
    uint64_t columns = 0;
    for (size_t i = 0; i < l->n_columns; i++)
        for (size_t j = 0; j < n; j++)
            if (l->columns[i].offset == offsets[j])
                columns |= UINT64_C(1) << i;
    return columns;
}

enum dfopt_err dfopt_declog_reader_read_part(struct dfopt_declog_reader *r,
                                             const struct dfopt_declog_part *part,
                                             void *rows, struct dfopt_error *err)
{
    const struct dfopt_layout *l = dfopt_layout_of(part->table);
    uint64_t first = part->first, there = dfopt_reader_committed(r, part->table);
    size_t n = part->n;
    if (first > there || n > there - first)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: /%s has %" PRIu64 " rows",
                               r->path, l->group, there);
    char *at = rows;
    while (n > 0) {
        size_t take = n < DFOPT_READER_BLOCK ? n : DFOPT_READER_BLOCK;
        memset(at, 0, take * l->row_size);
        for (size_t i = 0; i < l->n_columns; i++) {
            enum dfopt_err e = DFOPT_OK;
            if (part->columns & UINT64_C(1) << i)
                e = read_block_column(r, part->table, i, first, take, at, err);
            if (e)
                return e;
        }
        if (part->table == DFOPT_TABLE_PLANS)
            finish_plans((void *)at, take);
        at += take * l->row_size;
        first += take;
        n -= take;
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_declog_reader_read(struct dfopt_declog_reader *r,
                                        enum dfopt_declog_table table,
                                        uint64_t first, size_t n, void *rows,
                                        struct dfopt_error *err)
{
    const struct dfopt_declog_part part = {table, DFOPT_DECLOG_ALL_COLUMNS, first,
                                           n};
    return dfopt_declog_reader_read_part(r, &part, rows, err);
}

uint64_t dfopt_declog_reader_rows(const struct dfopt_declog_reader *r,
                                  enum dfopt_declog_table table)
{
    return dfopt_reader_committed(r, table);
}

/* ---- texts ---- */

enum dfopt_err dfopt_reader_look_at(struct dfopt_declog_reader *r,
                                    enum dfopt_declog_pool pool,
                                    struct dfopt_declog_text text, const void **at,
                                    struct dfopt_error *err)
{
    static const char nothing[] = "";
    size_t store = DFOPT_STORE_OF_POOL(pool);
    size_t size = dfopt_layout_of(store)->row_size;
    uint64_t there = dfopt_reader_committed(r, store);
    struct dfopt_reader_window *w = &r->window[pool];
    if (text.start > text.end || text.end > there)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: damaged: text out of range",
                               r->path);
    *at = nothing;
    if (text.start == text.end)
        return DFOPT_OK;
    if (text.start < w->start || text.end > w->start + w->buf.len / size) {
        uint64_t n = text.end - text.start;
        if (n < WINDOW_BYTES)
            n = there - text.start < WINDOW_BYTES ? there - text.start
                                                  : WINDOW_BYTES;
        /* check the end: a damaged number could request any amount of memory */
        enum dfopt_err e = n > WINDOW_BYTES
                               ? dfopt_reader_column(r, store, 0, text.end - 1, 1,
                                                     r->packed.data, err)
                               : DFOPT_OK;
        if (e)
            return e;
        dfopt_buf_clear(&w->buf);
        if (n > SIZE_MAX / 8 || !dfopt_buf_grow(&w->buf, (size_t)n * size))
            return dfopt_reader_no_memory(r, err);
        e = dfopt_reader_column(r, store, 0, text.start, (size_t)n, w->buf.data,
                                err);
        if (e) {
            dfopt_buf_clear(&w->buf);
            return e;
        }
        w->start = text.start;
    }
    *at = w->buf.data + (text.start - w->start) * size;
    return DFOPT_OK;
}

enum dfopt_err dfopt_declog_reader_text(struct dfopt_declog_reader *r,
                                        enum dfopt_declog_pool pool,
                                        struct dfopt_declog_text text,
                                        const char **bytes, struct dfopt_error *err)
{
    const void *at;
    enum dfopt_err e = dfopt_reader_look_at(r, pool, text, &at, err);
    if (!e)
        *bytes = at;
    return e;
}
