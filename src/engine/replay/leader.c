/* The leader of a replay: starts the workers, runs the batches, and emits each
 * batch's slices in input order. */
#include "engine/replay/replay.h"

#include "engine/replay/leader.h"
#include "engine/replay/carry.h"
#include "engine/batch/answer.h"
#include "engine/batch/start.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES     ((uint64_t)256 << 20) /* of input, over all ranks */
#define SPLIT_BYTES_MAX ((uint64_t)16 << 20)
#define SPLIT_BYTES_MIN ((uint64_t)256 << 10)
/* rank 0's work per finding of any rank, relative to the reader's */
#define LEADER_WORK     0.01
#define LEADER_WORK_LOG 0.08

static enum dfopt_err no_memory(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

/* ---- starting ---- */

static enum dfopt_err add_paths(struct dfopt_replay_leader *l,
                                struct dfopt_frame *f)
{
    const struct dfopt_splits *p = l->rank.splits;
    struct dfopt_buf item = {0};
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < dfopt_splits_files(p) && !e; i++) {
        const uint64_t size = dfopt_splits_size(p, i);
        const char *name = dfopt_splits_name(p, i);
        dfopt_buf_clear(&item);
        e = dfopt_buf_add(&item, &size, sizeof size);
        if (!e)
            e = dfopt_buf_add(&item, name, strlen(name));
        if (!e)
            e = dfopt_frame_item(f, DFOPT_ITEM_TEXT, item.data, item.len);
    }
    dfopt_buf_free(&item);
    return e;
}

static enum dfopt_err send_start(struct dfopt_replay_leader *l, int to)
{
    struct dfopt_frame f;
    struct dfopt_replay_rank *b = &l->rank;
    dfopt_replay_begin(b, to, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
    enum dfopt_err e = dfopt_frame_names(&f, 1, 1);
    if (!e)
        e = dfopt_frame_item(&f, DFOPT_ITEM_REPLAY_CONFIG, &b->options,
                             sizeof b->options);
    if (!e)
        e = add_paths(l, &f);
    if (!e)
        e = dfopt_start_send(&f, l->config, (uint32_t)to, (uint32_t)b->size);
    if (!e)
        dfopt_replay_send(b, to, DFOPT_REPLAY_EVENT_LANE, &f, DFOPT_FRAME_REPLAY);
    return e;
}

/* ---- events of the log ---- */

struct feeding {
    struct dfopt_replay_leader *l;
    struct dfopt_frame_known *known; /* by rank */
};

static enum dfopt_err begin_feed(void *arg, uint32_t planner, struct dfopt_frame *f,
                                 struct dfopt_error *err)
{
    struct feeding *g = arg;
    (void)err;
    dfopt_replay_begin(&g->l->rank, (int)planner, DFOPT_REPLAY_EVENT_LANE, f,
                       &g->known[planner]);
    return DFOPT_OK;
}

static enum dfopt_err send_feed(void *arg, uint32_t planner, struct dfopt_frame *f,
                                bool last, struct dfopt_error *err)
{
    struct feeding *g = arg;
    (void)err;
    dfopt_replay_send_number(&g->l->rank, (int)planner, DFOPT_REPLAY_EVENT_LANE, f,
                             DFOPT_FRAME_FEED, last);
    return DFOPT_OK;
}

/* The workers wait for all of it: a failure ends all ranks. */
static void feed(struct dfopt_replay_leader *l)
{
    struct dfopt_replay_rank *b = &l->rank;
    struct feeding g = {.l = l, .known = calloc((size_t)b->size, sizeof *g.known)};
    const struct dfopt_start_feed to = {.router = &b->shard.router,
                                        .here = &b->shard,
                                        .arg = &g,
                                        .begin = begin_feed,
                                        .send = send_feed};
    struct dfopt_error err = {0};
    enum dfopt_err e =
        g.known ? dfopt_start_feed(&to, l->config, &err) : DFOPT_ERR_NOMEM;
    if (e)
        dfopt_comm_lost(b->comm, 0, e, &err);
    for (int i = 0; i < b->size; i++)
        dfopt_frame_known_free(&g.known[i]);
    free(g.known);
}

/* Resumes where the log's run stopped: input, numbers, log rows. */
static void resume(struct dfopt_replay_leader *l,
                   const struct dfopt_replay_input *input)
{
    const struct dfopt_declog *log = *l->config->declog;
    l->end.origin = l->settled.origin = DFOPT_SYM_NONE;
    l->origin_file = UINT32_MAX;
    if (!l->config->resume)
        return;
    l->end = l->settled = l->config->resume->at;
    l->next_seq = l->config->resume->next_seq;
    l->lines_file = input->start.file;
    l->lines = input->start_line;
    l->bytes_done = input->start.start;
    for (uint32_t i = 0; i < input->start.file; i++)
        l->bytes_done += dfopt_splits_size(l->rank.splits, i);
    l->findings = log ? dfopt_declog_rows(log, DFOPT_TABLE_FINDINGS) : 0;
    l->verdicts = log ? dfopt_declog_rows(log, DFOPT_TABLE_VERDICTS) : 0;
}

/* Bytes that rank 0 reads of a batch in which each worker reads `split`. Rank 0
 * works on every rank's records, so its own split is smaller: otherwise the
 * workers would wait for it. */
static uint64_t leader_bytes(uint64_t split, int ranks, bool log)
{
    const double more =
        log ? LEADER_WORK_LOG : LEADER_WORK; /* relative to the rest */
    const double share = (1 - more * (ranks - 1)) / (1 + more);
    const double least = 1.0 / 16;
    return (uint64_t)((double)split * (share > least ? share : least)) + 1;
}

static enum dfopt_err start(struct dfopt_replay_leader *l,
                            const struct dfopt_replay_input *input,
                            struct dfopt_error *err)
{
    struct dfopt_replay_rank *b = &l->rank;
    const size_t size = (size_t)dfopt_comm_size(b->comm);
    uint64_t split = BATCH_BYTES / size;
    if (split > SPLIT_BYTES_MAX)
        split = SPLIT_BYTES_MAX;
    if (split < SPLIT_BYTES_MIN)
        split = SPLIT_BYTES_MIN;
    b->options = (struct dfopt_replay_options){
        .split_bytes = input->split_bytes ? input->split_bytes : split,
        .max_record_bytes = input->max_record_bytes,
        .log_detail = input->log_detail,
        .preset = input->preset,
        .log_level = *l->config->declog ? input->log_compression : -1,
        .start = input->start,
        .feed = dfopt_start_feeds(l->config),
    };
    b->options.leader_bytes = size > 1
                                  ? leader_bytes(b->options.split_bytes, (int)size,
                                                 *l->config->declog != NULL)
                                  : b->options.split_bytes;
    b->splits = input->splits;
    b->slice.dict = l->config->dict;
    b->slice.codec = l->config->codec;
    b->slice.policy = l->config->policy;
    l->syncs = calloc(size, sizeof *l->syncs);
    l->gos = calloc(size, sizeof *l->gos);
    l->reasons = calloc(size, sizeof *l->reasons);
    l->ends = calloc(size, sizeof *l->ends);
    if (!l->syncs || !l->gos || !l->reasons || !l->ends ||
        dfopt_replay_rank_init(b, l->config->assumed_acks,
                               l->config->relay_hostname))
        return no_memory(err);
    resume(l, input);
    enum dfopt_err e =
        dfopt_start_here(b->shard.planner, &b->shard.router, l->config, err);
    if (e)
        return e;
    for (int i = 1; i < b->size; i++) {
        e = send_start(l, i);
        if (e) /* the workers would wait forever */
            dfopt_comm_lost(b->comm, i, e, NULL);
    }
    l->known_strings = dfopt_dict_strings(l->config->dict);
    l->known_lists = dfopt_dict_lists(l->config->dict);
    if (b->options.feed)
        feed(l);
    return dfopt_output_initial(&l->output, err);
}

/* Reads this rank's split of the next batch. */
static void read_batch(struct dfopt_replay_leader *l)
{
    struct dfopt_replay_rank *b = &l->rank;
    dfopt_replay_read(b, &l->syncs[0]);
    dfopt_buf_clear(&l->reasons[0]);
    const struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&b->slice.batch.rejects, const struct dfopt_declog_reject_row);
    if (l->syncs[0].input_failed)
        dfopt_buf_printf(&l->reasons[0], "%s", b->err.text);
    else if (l->syncs[0].first_reject != UINT64_MAX)
        dfopt_buf_printf(&l->reasons[0], "%s",
                         dfopt_dict_text(l->config->dict, reject->reason, NULL));
    dfopt_buf_add(&l->reasons[0], "", 1);
}

/* ---- emitting ---- */

static void add_counts(struct dfopt_replay_leader *l,
                       const struct dfopt_replay_counts *c)
{
    l->totals->records += c->records;
    for (int i = 0; i < DFOPT_STREAM_COUNT; i++)
        l->totals->by_stream[i] += c->by_stream[i];
    for (int i = 0; i < DFOPT_VERDICT_COUNT; i++)
        l->verdicts += c->verdicts[i];
}

/* Appends whole rows only. */
static enum dfopt_err add_rows(struct dfopt_buf *to, const struct dfopt_item *item,
                               size_t row_size)
{
    return item->size % row_size ? DFOPT_ERR_FORMAT
                                 : dfopt_buf_add(to, item->data, item->size);
}

static enum dfopt_err take_output_item(struct dfopt_replay_leader *l, int from,
                                       const struct dfopt_item *item,
                                       struct dfopt_replay_counts *counts)
{
    struct dfopt_batch *r = &l->theirs;
    struct dfopt_batch_registration reg, *last;
    uint64_t seq;
    switch (item->kind) {
    case DFOPT_ITEM_REPLAY_COUNTS:
        if (item->size != sizeof *counts)
            return DFOPT_ERR_FORMAT;
        *counts = *(const struct dfopt_replay_counts *)item->data;
        return DFOPT_OK;
    case DFOPT_ITEM_BLOCK:
        return dfopt_buf_add(&r->blocks, item->data, item->size);
    case DFOPT_ITEM_REJECT_ROWS:
        return add_rows(&r->rejects, item, sizeof(struct dfopt_declog_reject_row));
    case DFOPT_ITEM_OBJECTIVE_ROWS:
        return add_rows(&r->objectives, item,
                        sizeof(struct dfopt_numbered_objective));
    case DFOPT_ITEM_GIVEN_ACKS:
        return add_rows(&r->acks, item, sizeof(struct dfopt_batch_ack));
    case DFOPT_ITEM_GIVEN_COMMANDS:
        return dfopt_batch_add_commands(r, item->data, item->size);
    case DFOPT_ITEM_TEXT:
        return dfopt_buf_add(&r->texts, item->data, item->size);
    case DFOPT_ITEM_GIVEN_REGISTRATION:
        if (item->size != sizeof reg)
            return DFOPT_ERR_FORMAT;
        reg = *(const struct dfopt_batch_registration *)item->data;
        reg.accepted = (struct dfopt_registration){0};
        return dfopt_buf_add(&r->registrations, &reg, sizeof reg);
    case DFOPT_ITEM_REGISTRATION:
        if (r->registrations.len == 0)
            return DFOPT_ERR_FORMAT;
        last = DFOPT_ROW(&r->registrations, struct dfopt_batch_registration) +
               DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration) - 1;
        if (last->accepted.knobs)
            return DFOPT_ERR_FORMAT;
        return dfopt_item_registration(item, &seq, &last->accepted);
    default:
        return dfopt_item_rows(item, l->config->dict, &l->rank.own[from],
                               &r->merged, NULL, NULL, NULL);
    }
}

/* Receives a decided slice into l->theirs. */
static void receive_output(struct dfopt_replay_leader *l, int from,
                           struct dfopt_replay_counts *counts)
{
    struct dfopt_replay_rank *b = &l->rank;
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_error err;
    enum dfopt_err e = DFOPT_OK;
    *counts = (struct dfopt_replay_counts){.records = UINT64_MAX};
    dfopt_batch_reset(&l->theirs, 0, l->gos[from].first_seq);
    dfopt_replay_receive(b, from, DFOPT_FRAME_OUTPUT, &in);
    while (!b->status && !e && dfopt_frame_next(&in, &item, &e))
        e = take_output_item(l, from, &item, counts);
    if (!b->status && !e && counts->records == UINT64_MAX)
        e = dfopt_error_set(&err, DFOPT_ERR_STATE,
                            "rank %d could not decide its slice", from);
    else
        err = (struct dfopt_error){0};
    dfopt_replay_fail(b, e, &err);
}

/* Adds a row to /origins at the first records of a file. */
static enum dfopt_err note_origin(struct dfopt_replay_leader *l, int rank,
                                  struct dfopt_batch *r,
                                  const struct dfopt_replay_counts *c)
{
    const uint32_t file = l->ends[rank].file;
    if (c->records == 0 || file == l->origin_file)
        return DFOPT_OK;
    l->origin_file = file;
    const struct dfopt_declog_origin_row row = {.seq = l->gos[rank].first_seq,
                                                .offset = c->first_offset,
                                                .origin = c->origin,
                                                .unit = DFOPT_UNIT_BYTE};
    return dfopt_buf_add(&r->origins, &row, sizeof row);
}

static enum dfopt_err emit(struct dfopt_replay_leader *l, int rank,
                           struct dfopt_batch *r,
                           const struct dfopt_replay_counts *c, bool flush,
                           struct dfopt_error *err)
{
    if (note_origin(l, rank, r, c))
        return no_memory(err);
    /* rows after a slice's last whole chunk come with the last slice: only then is
     * the whole batch in the log */
    r->end = rank + 1 == l->rank.size ? l->ends[rank].at : l->settled;
    l->settled = r->end;
    r->end.wall_ns = dfopt_clock_wall_ns();
    l->totals->invalid += DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    add_counts(l, c);
    if (rank > 0) /* this rank's are counted by their rows */
        for (int i = 0; i < DFOPT_VERDICT_COUNT; i++)
            l->totals->verdicts[i] += c->verdicts[i];
    return dfopt_output_batch(&l->output, r, flush, err);
}

static void report_progress(struct dfopt_replay_leader *l, bool last)
{
    struct dfopt_run_progress p = {.input.bytes_done = l->bytes_done};
    for (uint32_t i = 0; i < dfopt_splits_files(l->rank.splits); i++)
        p.input.bytes_total += dfopt_splits_size(l->rank.splits, i);
    dfopt_output_progress(&l->output, &p, last);
}

/* Decides an agreed batch and emits this rank's slice. */
static void decide(struct dfopt_replay_leader *l, bool flush,
                   struct dfopt_error *err)
{
    struct dfopt_replay_rank *b = &l->rank;
    struct dfopt_batch *r = &b->slice.batch;
    struct dfopt_replay_counts counts;
    b->shard.router.all = l->gos[0].news;
    if (!b->status)
        dfopt_replay_fail(b,
                          dfopt_slice_place(&b->slice, l->gos[0].keep,
                                            l->gos[0].first_seq,
                                            l->gos[0].lines_before, false),
                          NULL);
    b->verdicts_before = l->verdicts;
    dfopt_replay_decide(b);
    dfopt_replay_pass_base(b);
    dfopt_replay_pass_rows(b, l->gos[0].findings_before);
    if (!b->status && b->size > 1) {
        r->packed = true;
        dfopt_replay_fail(b, dfopt_replay_blocks(b, &r->blocks), NULL);
    }
    if (!b->status) {
        dfopt_replay_count(b, &counts);
        dfopt_replay_fail(b, emit(l, 0, r, &counts, flush && b->size == 1, err),
                          err);
    }
}

/* Emits the workers' slices. After a failure emits nothing more, but still
 * receives every frame that a worker sends. */
static void emit_others(struct dfopt_replay_leader *l, bool flush,
                        struct dfopt_error *err)
{
    struct dfopt_replay_rank *b = &l->rank;
    struct dfopt_replay_counts counts;
    for (int i = 1; i < b->size; i++) {
        receive_output(l, i, &counts);
        if (!b->status)
            dfopt_replay_fail(
                b, emit(l, i, &l->theirs, &counts, flush && i + 1 == b->size, err),
                err);
    }
}

/* Decides and emits a batch that all ranks have read, and reads the next. Waits
 * for the workers' slices last, to give them time to arrive. */
static enum dfopt_err run_batch(struct dfopt_replay_leader *l,
                                enum dfopt_replay_next *next,
                                struct dfopt_error *err)
{
    struct dfopt_replay_rank *b = &l->rank;
    enum dfopt_err e = dfopt_replay_agree(l, next, err);
    if (e)
        return e;
    const bool flush = dfopt_output_flush_due(&l->output);
    decide(l, flush, err);
    if (*next == DFOPT_REPLAY_GO_ON)
        read_batch(l);
    emit_others(l, flush, err);
    report_progress(l, false);
    if (b->status)
        *err = b->err;
    return b->status;
}

/* ---- end ---- */

static enum dfopt_err collect_state(struct dfopt_replay_leader *l,
                                    struct dfopt_run_result *out,
                                    struct dfopt_error *err)
{
    struct dfopt_error ignored;
    enum dfopt_err e =
        dfopt_shard_state(&l->rank.shard, &out->state, &out->suppressions);
    if (e)
        dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    for (int i = 1; i < l->rank.size; i++) {
        struct dfopt_frame_reader in;
        dfopt_replay_receive(&l->rank, i, DFOPT_FRAME_STATE, &in);
        enum dfopt_err taken = dfopt_answer_state(
            &in, i, l->config->dict, &l->rank.own[i], out, e ? &ignored : err);
        if (!e)
            e = taken;
    }
    return e;
}

/* After a failure: dismisses all ranks with the next agreement. */
static void abandon(struct dfopt_replay_leader *l)
{
    enum dfopt_replay_next next;
    struct dfopt_error ignored;
    dfopt_replay_fail(&l->rank, DFOPT_ERR_STATE, NULL);
    dfopt_replay_agree(l, &next, &ignored);
}

static enum dfopt_err run(struct dfopt_replay_leader *l,
                          struct dfopt_run_result *out, struct dfopt_error *err)
{
    enum dfopt_replay_next next = DFOPT_REPLAY_GO_ON;
    enum dfopt_err e = DFOPT_OK;
    read_batch(l);
    while (!e && next == DFOPT_REPLAY_GO_ON)
        e = run_batch(l, &next, err);
    if (next == DFOPT_REPLAY_LAST) { /* workers report even after a failure here */
        struct dfopt_error ignored = {0};
        const enum dfopt_err ended = collect_state(l, out, e ? &ignored : err);
        e = e ? e : ended;
    } else if (next == DFOPT_REPLAY_GO_ON) {
        abandon(l);
    }
    return e;
}

static void release(struct dfopt_replay_leader *l)
{
    for (int i = 0; l->reasons && i < l->rank.size; i++)
        dfopt_buf_free(&l->reasons[i]);
    free(l->reasons);
    free(l->syncs);
    free(l->gos);
    free(l->ends);
    dfopt_batch_free(&l->theirs);
    dfopt_output_free(&l->output);
    dfopt_replay_rank_free(&l->rank);
}

enum dfopt_err dfopt_replay_run(struct dfopt_comm *comm,
                                const struct dfopt_run_config *config,
                                const struct dfopt_replay_input *input,
                                struct dfopt_run_result *out,
                                struct dfopt_error *err)
{
    struct dfopt_replay_leader l = {
        .config = config, .totals = &out->totals, .rank = {.comm = comm}};
    dfopt_output_init(&l.output, config, &out->totals);
    enum dfopt_err e = start(&l, input, err);
    if (!e)
        e = run(&l, out, err);
    if (!e && l.stopped_by) {
        *err = l.stop_error;
        e = l.stopped_by;
    }
    struct dfopt_error none = {0};
    const enum dfopt_err ended = dfopt_output_flush(&l.output, e ? &none : err);
    e = e ? e : ended;
    report_progress(&l, true);
    out->stopped = config->stop && *config->stop;
    out->output_failed = l.output.failed;
    release(&l);
    return e;
}
