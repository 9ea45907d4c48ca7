/* Blocks: a header, the rows before the first whole chunk, the packed columns of
 * the whole chunks, the rows behind them; each part padded to 8 bytes. */
#include "declog/block.h"

#include "declog/writer_impl.h"

#include <math.h>
#include <string.h>

struct block_header {
    uint32_t table, reserved;
    uint64_t first;
    uint64_t head, chunks, tail; /* rows, chunks, rows */
};

struct column_header {
    uint64_t len;
    uint32_t filters_off, reserved;
};

enum dfopt_err dfopt_block_packer_init(struct dfopt_block_packer *p, int level)
{
    return dfopt_packer_init(&p->packer, level);
}

void dfopt_block_packer_free(struct dfopt_block_packer *p)
{
    dfopt_packer_free(&p->packer);
    dfopt_buf_free(&p->rows);
}

struct dfopt_declog_finding_row
dfopt_declog_finding_row(const struct dfopt_finding_row *in)
{
    const struct dfopt_finding *f = &in->f;
    struct dfopt_declog_finding_row row = {.seq = in->seq,
                                           .type = f->type,
                                           .scope = f->scope,
                                           .node = f->node,
                                           .motif = f->motif,
                                           .trend = f->trend_text,
                                           .tags = f->tags,
                                           .suppresses = f->suppresses,
                                           .severity = f->severity,
                                           .confidence = f->confidence,
                                           .prevalence = f->prevalence,
                                           .persistence = f->persistence,
                                           .window = f->window};
    for (uint32_t m = 0; m < DFOPT_METRIC_COUNT; m++) {
        bool number = f->metric_state[m] == DFOPT_METRIC_NUMBER;
        row.metric[m] = number ? f->metric[m] : NAN;
        if (f->metric_state[m] == DFOPT_METRIC_BAD)
            row.bad_metrics |= UINT32_C(1) << m;
    }
    return row;
}

/* ---- packing ---- */

static enum dfopt_err add_padded(struct dfopt_buf *out, const void *bytes, size_t n)
{
    static const char zero[8];
    enum dfopt_err e = dfopt_buf_add(out, bytes, n);
    return e ? e : dfopt_buf_add(out, zero, (8 - n % 8) % 8);
}

static enum dfopt_err add_chunk(struct dfopt_packer *p, const struct dfopt_layout *l,
                                const char *rows, struct dfopt_buf *out)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < l->n_columns && !e; i++) {
        const struct dfopt_packed c = dfopt_pack(p, l, i, rows, l->chunk_rows, true);
        const struct column_header h = {.len = c.len, .filters_off = c.filters_off};
        e = dfopt_buf_add(out, &h, sizeof h);
        if (!e)
            e = add_padded(out, c.bytes, c.len);
    }
    return e;
}

static enum dfopt_err add_block(struct dfopt_block_packer *p,
                                enum dfopt_declog_table table, const char *rows,
                                size_t n, uint64_t first, struct dfopt_buf *out)
{
    const struct dfopt_layout *l = dfopt_layout_of(table);
    const uint64_t chunk = l->chunk_rows;
    const uint64_t to_chunk = (chunk - first % chunk) % chunk;
    struct block_header h = {.table = table, .first = first};
    h.head = to_chunk < n ? to_chunk : n;
    h.chunks = (n - h.head) / chunk;
    h.tail = n - h.head - h.chunks * chunk;
    enum dfopt_err e = dfopt_buf_add(out, &h, sizeof h);
    if (!e)
        e = add_padded(out, rows, h.head * l->row_size);
    rows += h.head * l->row_size;
    for (uint64_t i = 0; i < h.chunks && !e; i++) {
        e = add_chunk(&p->packer, l, rows, out);
        rows += chunk * l->row_size;
    }
    return e ? e : add_padded(out, rows, h.tail * l->row_size);
}

enum dfopt_err dfopt_block_findings(struct dfopt_block_packer *p,
                                    const struct dfopt_buf *rows, uint64_t first,
                                    struct dfopt_buf *out)
{
    const struct dfopt_finding_row *in =
        DFOPT_ROW(rows, const struct dfopt_finding_row);
    const size_t n = DFOPT_ROWS(rows, struct dfopt_finding_row);
    dfopt_buf_clear(&p->rows);
    if (dfopt_buf_reserve(&p->rows, n * sizeof(struct dfopt_declog_finding_row)))
        return DFOPT_ERR_NOMEM;
    struct dfopt_declog_finding_row *row =
        DFOPT_ROW(&p->rows, struct dfopt_declog_finding_row);
    for (size_t i = 0; i < n; i++)
        row[i] = dfopt_declog_finding_row(&in[i]);
    return add_block(p, DFOPT_TABLE_FINDINGS, p->rows.data, n, first, out);
}

enum dfopt_err dfopt_block_verdicts(struct dfopt_block_packer *p,
                                    const struct dfopt_buf *rows, uint64_t first,
                                    struct dfopt_buf *out)
{
    return add_block(p, DFOPT_TABLE_VERDICTS, rows->data,
                     DFOPT_ROWS(rows, struct dfopt_verdict_row), first, out);
}

/* ---- appending ---- */

struct cursor {
    const char *at;
    size_t left;
};

/* The next n bytes and their padding, or NULL if there are not so many. */
static const char *take(struct cursor *c, uint64_t n)
{
    const uint64_t padded = (n + 7) & ~(uint64_t)7;
    const char *at = c->at;
    if (n > c->left || padded > c->left)
        return NULL;
    c->at += padded;
    c->left -= padded;
    return at;
}

static enum dfopt_err append_rows(struct dfopt_declog *w, struct dfopt_store *s,
                                  struct cursor *c, uint64_t rows)
{
    const char *bytes = rows <= c->left / s->layout->row_size
                            ? take(c, rows * s->layout->row_size)
                            : NULL;
    return bytes ? dfopt_store_add(s, &w->packer, bytes, (size_t)rows)
                 : DFOPT_ERR_FORMAT;
}

static enum dfopt_err append_chunk(struct dfopt_store *s, struct cursor *c)
{
    struct dfopt_packed columns[DFOPT_COLUMNS_MAX];
    for (size_t i = 0; i < s->layout->n_columns; i++) {
        struct column_header h;
        const char *bytes = take(c, sizeof h);
        if (!bytes)
            return DFOPT_ERR_FORMAT;
        memcpy(&h, bytes, sizeof h);
        const size_t plain =
            s->layout->chunk_rows * dfopt_column_size(&s->layout->columns[i]);
        bytes = take(c, h.len);
        if (!bytes || h.len == 0 || h.len > plain || (h.filters_off && h.len != plain))
            return DFOPT_ERR_FORMAT;
        columns[i] = (struct dfopt_packed){bytes, (size_t)h.len, h.filters_off};
    }
    return dfopt_store_add_chunk(s, columns);
}

static enum dfopt_err append_block(struct dfopt_declog *w, struct cursor *c)
{
    struct block_header h;
    const char *bytes = take(c, sizeof h);
    if (!bytes)
        return DFOPT_ERR_FORMAT;
    memcpy(&h, bytes, sizeof h);
    if (h.table >= DFOPT_TABLE_COUNT)
        return DFOPT_ERR_FORMAT;
    struct dfopt_store *s = &w->store[h.table];
    if (h.first != dfopt_store_rows(s))
        return DFOPT_ERR_FORMAT;
    enum dfopt_err e = append_rows(w, s, c, h.head);
    for (uint64_t i = 0; i < h.chunks && !e; i++)
        e = append_chunk(s, c);
    return e ? e : append_rows(w, s, c, h.tail);
}

enum dfopt_err dfopt_declog_blocks(struct dfopt_declog *w, const char *bytes,
                                   size_t len)
{
    struct cursor c = {bytes, len};
    enum dfopt_err e = w->failure.code;
    while (!e && c.left)
        e = append_block(w, &c);
    return dfopt_declog_check(w, e, "cannot write");
}
