/* What all ranks of a replay do alike. Invariant: every frame that another rank
 * waits for is sent, empty after a failure. */
#include "engine/replay/rank.h"

#include "engine/batch/answer.h"

#include <stdlib.h>
#include <string.h>

static void keep_sending(void *comm)
{
    dfopt_comm_progress(comm);
}

enum dfopt_err dfopt_replay_rank_init(struct dfopt_replay_rank *b,
                                      bool assumed_acks, dfopt_sym relay_hostname)
{
    b->rank = dfopt_comm_rank(b->comm);
    b->size = dfopt_comm_size(b->comm);
    const size_t n = (size_t)b->size;
    b->at = b->options.start;
    b->slice.router = &b->shard.router;
    b->slice.meanwhile = keep_sending;
    b->slice.meanwhile_arg = b->comm;
    b->told = calloc(n, sizeof *b->told);
    b->own = calloc(n, sizeof *b->own);
    b->out = calloc(n * DFOPT_REPLAY_LANES, sizeof *b->out);
    b->sending = calloc(n * DFOPT_REPLAY_LANES, sizeof(struct dfopt_send *));
    b->turn = calloc(n, sizeof *b->turn);
    if (!b->turn || !b->told || !b->own || !b->out || !b->sending)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e =
        dfopt_shard_start(&b->shard, b->slice.dict, b->slice.policy, assumed_acks,
                          relay_hostname, (uint32_t)b->rank, (uint32_t)n);
    if (!e)
        e = dfopt_slice_init(&b->slice);
    if (!e && b->options.log_level >= 0)
        e = dfopt_block_packer_init(&b->packer, b->options.log_level);
    return e;
}

void dfopt_replay_rank_free(struct dfopt_replay_rank *b)
{
    for (int i = 0; i < b->size; i++) {
        if (b->told)
            dfopt_frame_known_free(&b->told[i]);
        if (b->own)
            dfopt_frame_translation_free(&b->own[i]);
    }
    for (int i = 0; i < b->size * DFOPT_REPLAY_LANES; i++) {
        if (b->sending)
            dfopt_send_finish(b->comm, &b->sending[i], NULL);
        if (b->out)
            dfopt_buf_free(&b->out[i]);
    }
    free(b->told);
    free(b->own);
    free(b->out);
    free(b->sending);
    free(b->turn);
    dfopt_shard_end(&b->shard);
    dfopt_slice_free(&b->slice);
    dfopt_decisions_free(&b->results);
    dfopt_block_packer_free(&b->packer);
    dfopt_buf_free(&b->block);
    for (int i = 0; i < DFOPT_REPLAY_TABLES; i++)
        dfopt_buf_free(&b->rows[i].carried);
    dfopt_buf_free(&b->in);
}

void dfopt_replay_fail(struct dfopt_replay_rank *b, enum dfopt_err e,
                       const struct dfopt_error *err)
{
    if (!e || b->status)
        return;
    b->status = e;
    if (err && err->code)
        b->err = *err;
    else
        dfopt_error_set(&b->err, e, "%s", dfopt_err_text(e));
}

/* ---- frames ---- */

struct dfopt_frame *dfopt_replay_begin(struct dfopt_replay_rank *b, int to,
                                       int lane, struct dfopt_frame *f,
                                       struct dfopt_frame_known *known)
{
    const int at = to * DFOPT_REPLAY_LANES + lane;
    struct dfopt_error err = {0};
    enum dfopt_err e = dfopt_send_finish(b->comm, &b->sending[at], &err);
    if (!e)
        e = dfopt_frame_begin(f, &b->out[at], b->slice.dict, known);
    if (e)
        dfopt_comm_lost(b->comm, b->rank, e, &err);
    return f;
}

void dfopt_replay_send(struct dfopt_replay_rank *b, int to, int lane,
                       struct dfopt_frame *f, enum dfopt_frame_kind kind)
{
    dfopt_replay_send_number(b, to, lane, f, kind, 0);
}

void dfopt_replay_send_number(struct dfopt_replay_rank *b, int to, int lane,
                              struct dfopt_frame *f, enum dfopt_frame_kind kind,
                              uint64_t number)
{
    const int at = to * DFOPT_REPLAY_LANES + lane;
    struct dfopt_error err = {0};
    dfopt_frame_end(f, kind, number);
    enum dfopt_err e =
        dfopt_comm_send(b->comm, to, &b->out[at], &b->sending[at], &err);
    if (e)
        dfopt_comm_lost(b->comm, b->rank, e, &err);
}

void dfopt_replay_receive(struct dfopt_replay_rank *b, int from,
                          enum dfopt_frame_kind kind, struct dfopt_frame_reader *r)
{
    struct dfopt_error err = {0};
    int source;
    enum dfopt_err e =
        dfopt_comm_receive(b->comm, from, true, &b->in, &source, &err);
    if (!e)
        e = dfopt_frame_open(r, b->in.data, b->in.len, &err);
    if (!e && r->header.kind != (uint32_t)kind)
        e = dfopt_error_set(&err, DFOPT_ERR_FORMAT,
                            "rank %d sent frame %u instead of %u", from,
                            r->header.kind, (unsigned)kind);
    if (e)
        dfopt_comm_lost(b->comm, b->rank, e, &err);
}

/* ---- reading ---- */

/* Findings in the slice before its first reject. */
static uint64_t findings_before_reject(const struct dfopt_slice *s)
{
    const struct dfopt_finding_row *row =
        DFOPT_ROW(&s->batch.findings, const struct dfopt_finding_row);
    const size_t n = DFOPT_ROWS(&s->batch.findings, struct dfopt_finding_row);
    const uint64_t reject = dfopt_slice_first_reject(s);
    size_t before = 0;
    while (before < n && row[before].seq < reject)
        before++;
    return before;
}

/* Bytes of input still to be read. */
static uint64_t bytes_left(const struct dfopt_replay_rank *b)
{
    uint64_t left = 0;
    for (uint32_t i = b->at.file; i < dfopt_splits_files(b->splits); i++)
        left += dfopt_splits_size(b->splits, i);
    return left > b->at.start ? left - b->at.start : 0;
}

/* Cuts the next batch into splits. A partial batch is divided in the same
 * proportions. Returns whether there is any split. */
static bool cut_batch(struct dfopt_replay_rank *b)
{
    const double batch = (double)b->options.leader_bytes +
                         (double)b->options.split_bytes * (double)(b->size - 1);
    const double part = (double)bytes_left(b) / batch;
    bool any = false;
    for (int i = 0; i < b->size; i++) {
        uint64_t most = i == 0 ? b->options.leader_bytes : b->options.split_bytes;
        if (part < 1)
            most = (uint64_t)((double)most * part) + 1;
        b->turn[i] = dfopt_splits_next(b->splits, &b->at, most);
        any = any || b->turn[i].len > 0;
    }
    return any;
}

bool dfopt_replay_read(struct dfopt_replay_rank *b, struct dfopt_replay_sync *sync)
{
    struct dfopt_split mine = {0};
    struct dfopt_error err = {0};
    const bool any = cut_batch(b);
    if (!b->status)
        mine = b->turn[b->rank];
    enum dfopt_err e = dfopt_slice_decode(&b->slice, b->splits, &mine, &err);
    *sync = (struct dfopt_replay_sync){
        .records = dfopt_slice_records(&b->slice),
        .lines = b->slice.lines,
        .findings = b->slice.by_stream[DFOPT_STREAM_FINDING],
        .first_reject = dfopt_slice_first_reject(&b->slice),
        .input_failed = e == DFOPT_ERR_IO,
        .news = b->slice.news,
    };
    const struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&b->slice.batch.rejects, const struct dfopt_declog_reject_row);
    if (sync->first_reject != UINT64_MAX) {
        sync->reject_line = reject->line;
        sync->findings_before_reject = findings_before_reject(&b->slice);
    }
    sync->reject_offset = b->slice.reject_offset;
    if (e == DFOPT_ERR_IO)
        b->err = err; /* sent with the SYNC; not a failure of the rank */
    else
        dfopt_replay_fail(b, e, &err);
    sync->failed = b->status;
    return any;
}

/* ---- deciding ---- */

static void send_shares(struct dfopt_replay_rank *b)
{
    for (int i = 0; i < b->size; i++) {
        struct dfopt_frame f;
        if (i == b->rank)
            continue;
        dfopt_replay_begin(b, i, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
        if (!b->status)
            dfopt_replay_fail(b, dfopt_slice_send(&b->slice, (uint32_t)i, &f),
                              NULL);
        dfopt_replay_send(b, i, DFOPT_REPLAY_EVENT_LANE, &f, DFOPT_FRAME_EVENTS);
    }
}

/* Decides another rank's share and sends back the decisions. */
static void serve_rank(struct dfopt_replay_rank *b, int from)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_frame f;
    enum dfopt_err e = DFOPT_OK;
    dfopt_replay_receive(b, from, DFOPT_FRAME_EVENTS, &in);
    dfopt_decisions_clear(&b->results);
    while (!b->status && !e && dfopt_frame_next(&in, &item, &e))
        e = dfopt_shard_item(&b->shard, &item, &b->results);
    dfopt_replay_fail(b, e, NULL);
    dfopt_replay_begin(b, from, DFOPT_REPLAY_RESULT_LANE, &f, &b->told[from]);
    if (!b->status)
        dfopt_replay_fail(b, dfopt_frame_decisions(&f, &b->results), NULL);
    dfopt_replay_send(b, from, DFOPT_REPLAY_RESULT_LANE, &f, DFOPT_FRAME_RESULTS);
}

static void take_results(struct dfopt_replay_rank *b, int from)
{
    struct dfopt_frame_reader in;
    dfopt_replay_receive(b, from, DFOPT_FRAME_RESULTS, &in);
    if (!b->status)
        dfopt_replay_fail(
            b,
            dfopt_answer_results(&in, b->slice.dict, &b->own[from],
                                 &b->slice.batch.shares[from].results),
            NULL);
}

void dfopt_replay_decide(struct dfopt_replay_rank *b)
{
    struct dfopt_batch *r = &b->slice.batch;
    send_shares(b);
    for (int i = 0; i < b->size; i++) { /* in input order */
        if (i != b->rank)
            serve_rank(b, i);
        else if (!b->status)
            dfopt_replay_fail(
                b, dfopt_slice_decide(&b->slice, &b->shard, &r->shares[i].results),
                NULL);
    }
    for (int i = 0; i < b->size; i++)
        if (i != b->rank)
            take_results(b, i);
    if (!b->status)
        dfopt_replay_fail(b, dfopt_batch_merge(r), NULL);
}

void dfopt_replay_count(const struct dfopt_replay_rank *b,
                        struct dfopt_replay_counts *c)
{
    const struct dfopt_slice *s = &b->slice;
    const struct dfopt_buf *verdicts = &s->batch.merged.verdicts;
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(verdicts, const struct dfopt_verdict_row);
    *c = (struct dfopt_replay_counts){.records = s->batch.n_events,
                                      .first_offset = s->first_offset,
                                      .origin = s->origin};
    memcpy(c->by_stream, s->by_stream, sizeof c->by_stream);
    for (size_t i = 0; i < DFOPT_ROWS(verdicts, struct dfopt_verdict_row); i++)
        if (v[i].verdict < DFOPT_VERDICT_COUNT)
            c->verdicts[v[i].verdict]++;
}

void dfopt_replay_pass_base(struct dfopt_replay_rank *b)
{
    struct dfopt_frame f;
    const uint64_t base =
        b->verdicts_before +
        DFOPT_ROWS(&b->slice.batch.merged.verdicts, struct dfopt_verdict_row);
    if (b->rank + 1 == b->size)
        return;
    dfopt_replay_begin(b, b->rank + 1, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
    dfopt_replay_fail(b, dfopt_frame_item(&f, DFOPT_ITEM_CODE, &base, sizeof base),
                      NULL);
    dfopt_replay_send(b, b->rank + 1, DFOPT_REPLAY_EVENT_LANE, &f,
                      DFOPT_FRAME_BASE);
}
