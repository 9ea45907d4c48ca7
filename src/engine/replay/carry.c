/* Invariant: rows carried from the previous rank start with a chunk. If none are
 * carried although a chunk has begun, rank 0 has its start and gets the rest as
 * rows. So the number of the first row determines what each rank does, and a rank
 * whose slice contains the end of a chunk can send its last rows before it
 * receives those of the previous rank. */
#include "engine/replay/carry.h"

#include <string.h>

static const struct {
    enum dfopt_declog_table table;
    enum dfopt_item_kind item;
    uint32_t detail; /* of logs that have the table */
    size_t row_size;
} tables[] = {
    [DFOPT_REPLAY_FINDINGS] = {DFOPT_TABLE_FINDINGS, DFOPT_ITEM_CARRIED_FINDINGS,
                               DFOPT_DETAIL_FINDINGS,
                               sizeof(struct dfopt_finding_row)},
    [DFOPT_REPLAY_VERDICTS] = {DFOPT_TABLE_VERDICTS, DFOPT_ITEM_CARRIED_VERDICTS,
                               DFOPT_DETAIL_VERDICTS,
                               sizeof(struct dfopt_verdict_row)},
};

static bool is_kept(const struct dfopt_replay_rank *b, int table)
{
    return b->options.log_level >= 0 &&
           b->options.log_detail >= tables[table].detail;
}

/* Finds chunk ends among the slice's rows for a table. */
static void look(struct dfopt_replay_rank *b, int table, uint64_t first)
{
    const struct dfopt_batch *r = &b->slice.batch;
    const struct dfopt_buf *rows =
        table == DFOPT_REPLAY_FINDINGS ? &r->findings : &r->merged.verdicts;
    const uint64_t chunk = dfopt_block_chunk_rows(tables[table].table);
    struct dfopt_replay_rows *t = &b->rows[table];
    t->first = first;
    t->own = rows->data;
    t->n = b->status ? 0 : rows->len / tables[table].row_size;
    t->ends_chunk = first % chunk + t->n >= chunk;
    t->to_chunk = (size_t)((chunk - first % chunk) % chunk);
    t->behind = t->ends_chunk ? (size_t)((first + t->n) % chunk) : t->n;
    dfopt_buf_clear(&t->carried);
}

/* Whether all rows so far are carried to the next rank: no chunk ends among
 * them. */
static bool all_carried(const struct dfopt_replay_rows *t)
{
    return !t->ends_chunk && (t->carried.len > 0 || t->to_chunk == 0);
}

/* Adds a table's rows that the next rank continues. */
static enum dfopt_err add_carried(struct dfopt_replay_rank *b, int table,
                                  struct dfopt_frame *f)
{
    struct dfopt_replay_rows *t = &b->rows[table];
    const size_t size = tables[table].row_size;
    if (t->ends_chunk)
        return dfopt_frame_item(f, tables[table].item,
                                t->own + (t->n - t->behind) * size,
                                t->behind * size);
    if (!all_carried(t))
        return DFOPT_OK;
    enum dfopt_err e = dfopt_buf_add(&t->carried, t->own, t->n * size);
    return e ? e
             : dfopt_frame_item(f, tables[table].item, t->carried.data,
                                t->carried.len);
}

static void send_carried(struct dfopt_replay_rank *b)
{
    struct dfopt_frame f;
    dfopt_replay_begin(b, b->rank + 1, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
    for (int i = 0; i < DFOPT_REPLAY_TABLES && !b->status; i++)
        if (is_kept(b, i))
            dfopt_replay_fail(b, add_carried(b, i, &f), NULL);
    dfopt_replay_send(b, b->rank + 1, DFOPT_REPLAY_EVENT_LANE, &f,
                      DFOPT_FRAME_CARRIED);
}

static enum dfopt_err take_carried(struct dfopt_replay_rank *b,
                                   const struct dfopt_item *item)
{
    const int i = item->kind == DFOPT_ITEM_CARRIED_FINDINGS ? DFOPT_REPLAY_FINDINGS
                                                            : DFOPT_REPLAY_VERDICTS;
    struct dfopt_replay_rows *t = &b->rows[i];
    const uint64_t chunk = dfopt_block_chunk_rows(tables[i].table);
    const size_t n = item->size / tables[i].row_size;
    if (item->kind != tables[i].item || item->size % tables[i].row_size != 0 ||
        (t->n > 0 && n > 0 && n != t->first % chunk))
        return DFOPT_ERR_FORMAT;
    return dfopt_buf_add(&t->carried, item->data, item->size);
}

static void receive_carried(struct dfopt_replay_rank *b)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    dfopt_replay_receive(b, b->rank - 1, DFOPT_FRAME_CARRIED, &in);
    while (!b->status && !e && dfopt_frame_next(&in, &item, &e))
        e = take_carried(b, &item);
    dfopt_replay_fail(b, e, NULL);
}

void dfopt_replay_pass_rows(struct dfopt_replay_rank *b, uint64_t findings_before)
{
    const uint64_t first[] = {[DFOPT_REPLAY_FINDINGS] = findings_before,
                              [DFOPT_REPLAY_VERDICTS] = b->verdicts_before};
    bool may_send = true;
    if (b->size == 1 || !is_kept(b, DFOPT_REPLAY_VERDICTS))
        return;
    for (int i = 0; i < DFOPT_REPLAY_TABLES; i++) {
        look(b, i, first[i]);
        may_send = may_send && (b->rank == 0 || b->rows[i].ends_chunk);
    }
    if (may_send && b->rank + 1 < b->size)
        send_carried(b);
    if (b->rank > 0)
        receive_carried(b);
    if (!may_send && b->rank + 1 < b->size)
        send_carried(b);
}

static enum dfopt_err pack(struct dfopt_replay_rank *b, int table,
                           struct dfopt_buf *out)
{
    struct dfopt_replay_rows *t = &b->rows[table];
    const size_t size = tables[table].row_size, carried = t->carried.len / size;
    const char *own = t->own;
    uint64_t first = t->first;
    enum dfopt_err e = DFOPT_OK;
    size_t n = t->n;
    if (b->rank + 1 < b->size) {
        if (all_carried(t))
            return DFOPT_OK;
        if (t->ends_chunk)
            n -= t->behind;
    }
    if (carried > 0) { /* the first chunk, with rows of both ranks */
        const size_t head = t->ends_chunk ? t->to_chunk : n;
        e = dfopt_buf_add(&t->carried, own, head * size);
        if (!e)
            e = dfopt_block_add(&b->packer, tables[table].table, t->carried.data,
                                carried + head, first - carried, out);
        own += head * size;
        first += head;
        n -= head;
    }
    if (!e && n > 0)
        e = dfopt_block_add(&b->packer, tables[table].table, own, n, first, out);
    return e;
}

enum dfopt_err dfopt_replay_blocks(struct dfopt_replay_rank *b,
                                   struct dfopt_buf *out)
{
    enum dfopt_err e = DFOPT_OK;
    for (int i = 0; i < DFOPT_REPLAY_TABLES && !e; i++)
        if (is_kept(b, i))
            e = pack(b, i, out);
    return e;
}
