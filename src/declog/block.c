/* Blocks: a header, the rows before the first whole chunk, the packed columns
 * of the whole chunks, the rows after them; each part padded to 8 bytes. */
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

uint64_t dfopt_block_chunk_rows(enum dfopt_declog_table table)
{
    return dfopt_layout_of(table)->chunk_rows;
}

enum dfopt_err dfopt_block_packer_init(struct dfopt_block_packer *p, int level)
{
    p->findings.layout = dfopt_layout_of(DFOPT_TABLE_FINDINGS);
    p->verdicts.layout = dfopt_layout_of(DFOPT_TABLE_VERDICTS);
    return dfopt_packer_init(&p->packer, level);
}

void dfopt_block_packer_free(struct dfopt_block_packer *p)
{
    dfopt_packer_free(&p->packer);
    dfopt_chunk_free(&p->findings);
    dfopt_chunk_free(&p->verdicts);
}

uint32_t dfopt_declog_put_metrics(const uint8_t state[DFOPT_METRIC_COUNT],
                                  const double metric[DFOPT_METRIC_COUNT],
                                  double out[DFOPT_METRIC_COUNT])
{
    uint32_t bad = 0;
    for (uint32_t m = 0; m < DFOPT_METRIC_COUNT;
         m++) { /* branchless: none is usual */
        const double number[2] = {NAN, metric[m]};
        out[m] = number[state[m] == DFOPT_METRIC_NUMBER];
        bad |= (uint32_t)(state[m] == DFOPT_METRIC_BAD) << m;
    }
    return bad;
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
    row.bad_metrics =
        dfopt_declog_put_metrics(f->metric_state, f->metric, row.metric);
    return row;
}

/* ---- packing ---- */

/* Pads after n bytes. */
static enum dfopt_err add_padding(struct dfopt_buf *out, uint64_t n)
{
    static const char zero[8];
    return dfopt_buf_add(out, zero, (8 - n % 8) % 8);
}

#define BATCH_ROWS 64

/* Rows as decided, not yet in table form. */
struct incoming {
    const struct dfopt_finding_row *findings; /* NULL: the rows are verdicts, */
    const struct dfopt_verdict_row *verdicts; /* which are already in table form */
    struct dfopt_declog_finding_row batch[BATCH_ROWS];
};

/* Returns the next n rows, at most a batch, and advances. */
static const void *next_rows(struct incoming *in, size_t n)
{
    if (!in->findings) {
        const struct dfopt_verdict_row *rows = in->verdicts;
        in->verdicts += n;
        return rows;
    }
    for (size_t i = 0; i < n; i++)
        in->batch[i] = dfopt_declog_finding_row(in->findings++);
    return in->batch;
}

static enum dfopt_err add_rows(struct incoming *in, const struct dfopt_layout *l,
                               uint64_t n, struct dfopt_buf *out)
{
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t left = n; left > 0 && !e;) {
        const size_t take = left < BATCH_ROWS ? (size_t)left : BATCH_ROWS;
        e = dfopt_buf_add(out, next_rows(in, take), take * l->row_size);
        left -= take;
    }
    return e ? e : add_padding(out, n * l->row_size);
}

static enum dfopt_err add_chunk(struct dfopt_packer *p, struct dfopt_chunk *chunk,
                                struct incoming *in, struct dfopt_buf *out)
{
    enum dfopt_err e = DFOPT_OK;
    while (chunk->rows < chunk->layout->chunk_rows)
        if (dfopt_chunk_add(chunk, next_rows(in, BATCH_ROWS), BATCH_ROWS) == 0)
            return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < chunk->layout->n_columns && !e; i++) {
        const struct dfopt_packed c = dfopt_pack(p, chunk, i, true);
        const struct column_header h = {.len = c.len, .filters_off = c.filters_off};
        e = dfopt_buf_add(out, &h, sizeof h);
        if (!e)
            e = dfopt_buf_add(out, c.bytes, c.len);
        if (!e)
            e = add_padding(out, c.len);
    }
    chunk->rows = 0;
    return e;
}

enum dfopt_err dfopt_block_add(struct dfopt_block_packer *p,
                               enum dfopt_declog_table table, const void *rows,
                               size_t n, uint64_t first, struct dfopt_buf *out)
{
    const bool findings = table == DFOPT_TABLE_FINDINGS;
    struct dfopt_chunk *chunk = findings ? &p->findings : &p->verdicts;
    struct incoming in = {.findings = findings ? rows : NULL,
                          .verdicts = findings ? NULL : rows};
    const uint64_t size = chunk->layout->chunk_rows;
    const uint64_t to_chunk = (size - first % size) % size;
    struct block_header h = {.table = table, .first = first};
    h.head = to_chunk < n ? to_chunk : n;
    h.chunks = (n - h.head) / size;
    h.tail = n - h.head - h.chunks * size;
    enum dfopt_err e = dfopt_buf_add(out, &h, sizeof h);
    if (!e)
        e = add_rows(&in, chunk->layout, h.head, out);
    for (uint64_t i = 0; i < h.chunks && !e; i++)
        e = add_chunk(&p->packer, chunk, &in, out);
    return e ? e : add_rows(&in, chunk->layout, h.tail, out);
}

/* ---- appending ---- */

struct cursor {
    const char *at;
    size_t left;
};

/* The next n bytes with their padding, or NULL if fewer remain. */
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
        if (!bytes || h.len == 0 || h.len > plain ||
            (h.filters_off && h.len != plain))
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
