/* Rank 0 of a bulk replay: starts the others, runs the rounds, and puts out the
 * slices of each round in the order of the input. */
#include "runtime/bulk.h"

#include "runtime/bulk_lead.h"
#include "runtime/bulk_rows.h"
#include "runtime/restore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_BYTES       ((uint64_t)256 << 20) /* of input, all ranks together */
#define PIECE_BYTES_MAX   ((uint64_t)16 << 20)
#define PIECE_BYTES_MIN   ((uint64_t)256 << 10)
#define PROGRESS_EVERY_NS 250000000
/* what rank 0 does about a finding of any rank, to what its reader does */
#define LEAD_WORK     0.01
#define LEAD_WORK_LOG 0.08

static enum dfopt_err no_memory(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

/* ---- starting ---- */

static enum dfopt_err add_paths(struct dfopt_bulk_lead *l, struct dfopt_frame *f)
{
    const struct dfopt_pieces *p = l->b.pieces;
    struct dfopt_buf item = {0};
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < dfopt_pieces_files(p) && !e; i++) {
        const uint64_t size = dfopt_pieces_size(p, i);
        const char *name = dfopt_pieces_name(p, i);
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

static enum dfopt_err send_start(struct dfopt_bulk_lead *l, int to)
{
    struct dfopt_frame f;
    struct dfopt_bulk_rank *b = &l->b;
    dfopt_bulk_begin(b, to, DFOPT_BULK_EVENT_LANE, &f, NULL);
    enum dfopt_err e = dfopt_bulk_add_names(l->c->dict, &f, 1, 1);
    if (!e)
        e = dfopt_frame_config(&f, l->c->policy, l->c->assumed_acks,
                               l->c->relay_hostname);
    if (!e)
        e = dfopt_frame_item(&f, DFOPT_ITEM_BULK_CONFIG, &b->o, sizeof b->o);
    if (!e)
        e = add_paths(l, &f);
    if (!e && l->c->resume)
        e = dfopt_restore_send(&f, l->c->resume, (uint32_t)to, (uint32_t)b->size);
    for (size_t i = 0; i < l->c->n_presets && !e; i++)
        e = dfopt_frame_registration(&f, 0, &l->c->presets[i].registration);
    if (!e)
        dfopt_bulk_send(b, to, DFOPT_BULK_EVENT_LANE, &f, DFOPT_FRAME_BULK);
    return e;
}

/* Goes on where the run before left off: input, numbers, rows of the log. */
static enum dfopt_err go_on(struct dfopt_bulk_lead *l,
                            const struct dfopt_bulk_input *input)
{
    const struct dfopt_declog *log = *l->c->declog;
    l->end.origin = l->settled.origin = DFOPT_SYM_NONE;
    l->origin_file = UINT32_MAX;
    if (!l->c->resume)
        return DFOPT_OK;
    l->end = l->settled = l->c->resume->at;
    l->next_seq = l->c->resume->next_seq;
    l->lines_file = input->start.file;
    l->lines = input->start_line;
    l->bytes_done = input->start.start;
    for (uint32_t i = 0; i < input->start.file; i++)
        l->bytes_done += dfopt_pieces_size(l->b.pieces, i);
    l->findings = log ? dfopt_declog_rows(log, DFOPT_TABLE_FINDINGS) : 0;
    l->verdicts = log ? dfopt_declog_rows(log, DFOPT_TABLE_VERDICTS) : 0;
    return dfopt_restore_here(l->b.deciding.planner, l->c->resume);
}

/* What rank 0 reads of a round in which each other rank reads `piece`. For all that
 * anybody reads it has a little to do that the others have not; its own piece is
 * smaller so that they do not wait for it. */
static uint64_t lead_bytes(uint64_t piece, int ranks, bool log)
{
    const double more = log ? LEAD_WORK_LOG : LEAD_WORK; /* as part of the rest */
    const double share = (1 - more * (ranks - 1)) / (1 + more);
    const double least = 1.0 / 16;
    return (uint64_t)((double)piece * (share > least ? share : least)) + 1;
}

static enum dfopt_err start(struct dfopt_bulk_lead *l,
                            const struct dfopt_bulk_input *input,
                            struct dfopt_error *err)
{
    struct dfopt_bulk_rank *b = &l->b;
    const size_t size = (size_t)dfopt_comm_size(b->comm);
    uint64_t piece = ROUND_BYTES / size;
    if (piece > PIECE_BYTES_MAX)
        piece = PIECE_BYTES_MAX;
    if (piece < PIECE_BYTES_MIN)
        piece = PIECE_BYTES_MIN;
    b->o = (struct dfopt_bulk_options){
        .piece_bytes = input->piece_bytes ? input->piece_bytes : piece,
        .max_record_bytes = input->max_record_bytes,
        .log_detail = input->log_detail,
        .log_level = *l->c->declog ? input->log_compression : -1,
        .start = input->start,
    };
    b->o.lead_bytes =
        size > 1 ? lead_bytes(b->o.piece_bytes, (int)size, *l->c->declog != NULL)
                 : b->o.piece_bytes;
    b->pieces = input->pieces;
    b->slice.dict = l->c->dict;
    b->slice.codec = l->c->codec;
    b->slice.policy = l->c->policy;
    l->syncs = calloc(size, sizeof *l->syncs);
    l->gos = calloc(size, sizeof *l->gos);
    l->reasons = calloc(size, sizeof *l->reasons);
    l->ends = calloc(size, sizeof *l->ends);
    if (!l->syncs || !l->gos || !l->reasons || !l->ends ||
        dfopt_bulk_rank_init(b, l->c->assumed_acks, l->c->relay_hostname))
        return no_memory(err);
    const enum dfopt_err restored = go_on(l, input);
    if (restored)
        return dfopt_error_set(err, restored, "restoring the state: %s",
                               dfopt_err_text(restored));
    for (size_t i = 0; i < l->c->n_presets; i++)
        if (dfopt_planner_preset(b->deciding.planner,
                                 &l->c->presets[i].registration))
            return no_memory(err);
    for (int i = 1; i < b->size; i++)
        if (send_start(l, i)) /* the others would wait for ever */
            dfopt_comm_abort(b->comm, 1);
    l->known_strings = dfopt_dict_strings(l->c->dict);
    l->known_lists = dfopt_dict_lists(l->c->dict);
    return dfopt_output_presets(&l->output, err);
}

/* Reads this rank's piece of the next round. */
static void read_round(struct dfopt_bulk_lead *l)
{
    struct dfopt_bulk_rank *b = &l->b;
    dfopt_bulk_read(b, &l->syncs[0]);
    dfopt_buf_clear(&l->reasons[0]);
    const struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&b->slice.round.rejects, const struct dfopt_declog_reject_row);
    if (l->syncs[0].input_failed)
        dfopt_buf_printf(&l->reasons[0], "%s", b->err.text);
    else if (l->syncs[0].first_reject != UINT64_MAX)
        dfopt_buf_printf(&l->reasons[0], "%s",
                         dfopt_dict_text(l->c->dict, reject->reason, NULL));
    dfopt_buf_add(&l->reasons[0], "", 1);
}

/* ---- putting out ---- */

static void add_counts(struct dfopt_bulk_lead *l, const struct dfopt_bulk_counts *c)
{
    l->totals->records += c->records;
    for (int i = 0; i < DFOPT_STREAM_COUNT; i++)
        l->totals->by_stream[i] += c->by_stream[i];
    for (int i = 0; i < DFOPT_VERDICT_COUNT; i++)
        l->verdicts += c->verdicts[i];
}

/* Whole rows only. */
static enum dfopt_err add_rows(struct dfopt_buf *to, const struct dfopt_item *item,
                               size_t row_size)
{
    return item->size % row_size ? DFOPT_ERR_FORMAT
                                 : dfopt_buf_add(to, item->data, item->size);
}

static enum dfopt_err take_output_item(struct dfopt_bulk_lead *l, int from,
                                       const struct dfopt_item *item,
                                       struct dfopt_bulk_counts *counts)
{
    struct dfopt_round *r = &l->theirs;
    struct dfopt_round_registration reg, *last;
    struct dfopt_registration accepted;
    uint64_t seq;
    enum dfopt_err e;
    switch (item->kind) {
    case DFOPT_ITEM_BULK_COUNTS:
        if (item->size != sizeof *counts)
            return DFOPT_ERR_FORMAT;
        memcpy(counts, item->data, sizeof *counts);
        return DFOPT_OK;
    case DFOPT_ITEM_BLOCK:
        return dfopt_buf_add(&r->blocks, item->data, item->size);
    case DFOPT_ITEM_REJECT_ROWS:
        return add_rows(&r->rejects, item, sizeof(struct dfopt_declog_reject_row));
    case DFOPT_ITEM_GIVEN_ACKS:
        return add_rows(&r->acks, item, sizeof(struct dfopt_round_ack));
    case DFOPT_ITEM_TEXT:
        return dfopt_buf_add(&r->texts, item->data, item->size);
    case DFOPT_ITEM_GIVEN_REGISTRATION:
        if (item->size != sizeof reg)
            return DFOPT_ERR_FORMAT;
        memcpy(&reg, item->data, sizeof reg);
        reg.accepted = (struct dfopt_registration){0};
        return dfopt_buf_add(&r->registrations, &reg, sizeof reg);
    case DFOPT_ITEM_REGISTRATION:
        if (r->registrations.len == 0)
            return DFOPT_ERR_FORMAT;
        last = DFOPT_ROW(&r->registrations, struct dfopt_round_registration) +
               DFOPT_ROWS(&r->registrations, struct dfopt_round_registration) - 1;
        if (last->accepted.knobs)
            return DFOPT_ERR_FORMAT;
        e = dfopt_item_registration(item, &seq, &accepted);
        if (!e)
            last->accepted = accepted;
        return e;
    default:
        return dfopt_item_rows(item, l->c->dict, &l->b.own[from], &r->merged, NULL,
                               NULL);
    }
}

/* Receives a decided slice into l->theirs. */
static void receive_output(struct dfopt_bulk_lead *l, int from,
                           struct dfopt_bulk_counts *counts)
{
    struct dfopt_bulk_rank *b = &l->b;
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_error err;
    enum dfopt_err e = DFOPT_OK;
    *counts = (struct dfopt_bulk_counts){.records = UINT64_MAX};
    dfopt_round_reset(&l->theirs, 0, l->gos[from].first_seq);
    dfopt_bulk_receive(b, from, DFOPT_FRAME_OUTPUT, &in);
    while (!b->status && !e && dfopt_frame_next(&in, &item, &e))
        e = take_output_item(l, from, &item, counts);
    if (!b->status && !e && counts->records == UINT64_MAX)
        e = dfopt_error_set(&err, DFOPT_ERR_STATE,
                            "rank %d could not decide its slice", from);
    else
        err = (struct dfopt_error){0};
    dfopt_bulk_fail(b, e, &err);
}

/* The first records of a file get a row of /origins. */
static enum dfopt_err note_origin(struct dfopt_bulk_lead *l, int rank,
                                  struct dfopt_round *r,
                                  const struct dfopt_bulk_counts *c)
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

static enum dfopt_err put_out(struct dfopt_bulk_lead *l, int rank,
                              struct dfopt_round *r,
                              const struct dfopt_bulk_counts *c, bool flush,
                              struct dfopt_error *err)
{
    if (note_origin(l, rank, r, c))
        return no_memory(err);
    /* rows behind a slice's last whole chunk come with the last slice: only then
     * is everything of the round in the log */
    r->end = rank + 1 == l->b.size ? l->ends[rank].at : l->settled;
    l->settled = r->end;
    r->end.wall_ns = dfopt_clock_wall_ns();
    l->totals->invalid += DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    add_counts(l, c);
    if (rank > 0) /* those of this rank are counted by their rows */
        for (int i = 0; i < DFOPT_VERDICT_COUNT; i++)
            l->totals->verdicts[i] += c->verdicts[i];
    return dfopt_output_round(&l->output, r, flush, err);
}

static void report_progress(struct dfopt_bulk_lead *l, bool last)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    if (!l->c->progress || (!last && now - l->progress_ns < PROGRESS_EVERY_NS))
        return;
    struct dfopt_lead_progress p = {.totals = l->totals};
    for (uint32_t i = 0; i < dfopt_pieces_files(l->b.pieces); i++)
        p.input.bytes_total += dfopt_pieces_size(l->b.pieces, i);
    p.input.bytes_done = l->bytes_done;
    l->progress_ns = now;
    l->c->progress(l->c->progress_arg, &p);
}

/* Decides an agreed round, and puts out this rank's slice. */
static void decide(struct dfopt_bulk_lead *l, bool flush, struct dfopt_error *err)
{
    struct dfopt_bulk_rank *b = &l->b;
    struct dfopt_round *r = &b->slice.round;
    struct dfopt_bulk_counts counts;
    if (!b->status)
        dfopt_bulk_fail(b,
                        dfopt_slice_place(&b->slice, l->gos[0].keep,
                                          l->gos[0].first_seq,
                                          l->gos[0].lines_before, false),
                        NULL);
    b->verdicts_before = l->verdicts;
    dfopt_bulk_decide(b);
    dfopt_bulk_pass_base(b);
    dfopt_bulk_pass_rows(b, l->gos[0].findings_before);
    if (!b->status && b->size > 1) {
        r->packed = true;
        dfopt_bulk_fail(b, dfopt_bulk_blocks(b, &r->blocks), NULL);
    }
    if (!b->status) {
        dfopt_bulk_count(b, &counts);
        dfopt_bulk_fail(b, put_out(l, 0, r, &counts, flush && b->size == 1, err),
                        err);
    }
}

/* Puts out the slices of the others. Once something has failed nothing more is
 * put out, but every frame that a rank sends is received. */
static void put_out_others(struct dfopt_bulk_lead *l, bool flush,
                           struct dfopt_error *err)
{
    struct dfopt_bulk_rank *b = &l->b;
    struct dfopt_bulk_counts counts;
    for (int i = 1; i < b->size; i++) {
        receive_output(l, i, &counts);
        if (!b->status)
            dfopt_bulk_fail(
                b,
                put_out(l, i, &l->theirs, &counts, flush && i + 1 == b->size, err),
                err);
    }
}

/* A round that all have read: it is decided and put out, and the next one read.
 * The others' slices are waited for when that is done, so that they are there. */
static enum dfopt_err run_round(struct dfopt_bulk_lead *l,
                                enum dfopt_bulk_next *next, struct dfopt_error *err)
{
    struct dfopt_bulk_rank *b = &l->b;
    enum dfopt_err e = dfopt_bulk_agree(l, next, err);
    if (e)
        return e;
    const int64_t now = dfopt_clock_monotonic_ns();
    const bool flush = now - l->flushed_ns >= l->c->flush_interval_ns;
    if (flush)
        l->flushed_ns = now;
    decide(l, flush, err);
    if (*next == DFOPT_BULK_GO_ON)
        read_round(l);
    put_out_others(l, flush, err);
    report_progress(l, false);
    if (b->status)
        *err = b->err;
    return b->status;
}

/* ---- the end ---- */

static enum dfopt_err take_state(struct dfopt_bulk_lead *l, int from,
                                 struct dfopt_lead_result *out,
                                 struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_decisions none = {0};
    enum dfopt_err e = DFOPT_OK;
    dfopt_bulk_receive(&l->b, from, DFOPT_FRAME_STATE, &in);
    while (!e && dfopt_frame_next(&in, &item, &e)) {
        if (item.kind == DFOPT_ITEM_TEXT)
            e = dfopt_error_set(err, DFOPT_ERR_STATE, "rank %d cannot go on: %.*s",
                                from, (int)(item.size < 200 ? item.size : 200),
                                (const char *)item.data);
        else
            e = dfopt_item_rows(&item, l->c->dict, &l->b.own[from], &none,
                                &out->state, &out->suppressions);
    }
    if (e && err->code == DFOPT_OK)
        dfopt_error_set(err, e, "state of rank %d: %s", from, dfopt_err_text(e));
    dfopt_decisions_free(&none);
    return e;
}

static enum dfopt_err collect_state(struct dfopt_bulk_lead *l,
                                    struct dfopt_lead_result *out,
                                    struct dfopt_error *err)
{
    struct dfopt_error ignored;
    enum dfopt_err e =
        dfopt_deciding_state(&l->b.deciding, &out->state, &out->suppressions);
    if (e)
        dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    for (int i = 1; i < l->b.size; i++) {
        ignored = (struct dfopt_error){0};
        enum dfopt_err taken = take_state(l, i, out, e ? &ignored : err);
        if (!e)
            e = taken;
    }
    return e;
}

/* Sends all ranks away with the next agreement, after a failure. */
static void abandon(struct dfopt_bulk_lead *l)
{
    enum dfopt_bulk_next next;
    struct dfopt_error ignored;
    dfopt_bulk_fail(&l->b, DFOPT_ERR_STATE, NULL);
    dfopt_bulk_agree(l, &next, &ignored);
}

static enum dfopt_err run(struct dfopt_bulk_lead *l, struct dfopt_lead_result *out,
                          struct dfopt_error *err)
{
    enum dfopt_bulk_next next = DFOPT_BULK_GO_ON;
    enum dfopt_err e = DFOPT_OK;
    read_round(l);
    while (!e && next == DFOPT_BULK_GO_ON)
        e = run_round(l, &next, err);
    if (next == DFOPT_BULK_LAST) { /* the others report, whatever happened here */
        struct dfopt_error failed = {0};
        enum dfopt_err ended = collect_state(l, out, &failed);
        if (ended && !e) {
            *err = failed;
            e = ended;
        }
    } else if (next == DFOPT_BULK_GO_ON) {
        abandon(l);
    }
    return e;
}

static void release(struct dfopt_bulk_lead *l)
{
    for (int i = 0; l->reasons && i < l->b.size; i++)
        dfopt_buf_free(&l->reasons[i]);
    free(l->reasons);
    free(l->syncs);
    free(l->gos);
    free(l->ends);
    dfopt_round_free(&l->theirs);
    dfopt_output_free(&l->output);
    dfopt_bulk_rank_free(&l->b);
}

enum dfopt_err dfopt_bulk_lead(struct dfopt_comm *comm,
                               const struct dfopt_lead_config *config,
                               const struct dfopt_bulk_input *input,
                               struct dfopt_lead_result *out,
                               struct dfopt_error *err)
{
    struct dfopt_bulk_lead l = {.c = config,
                                .totals = &out->totals,
                                .b = {.comm = comm},
                                .output = {.c = config, .totals = &out->totals},
                                .flushed_ns = dfopt_clock_monotonic_ns()};
    enum dfopt_err e = start(&l, input, err);
    if (!e)
        e = run(&l, out, err);
    if (!e && l.stopped_by) {
        *err = l.stop_error;
        e = l.stopped_by;
    }
    struct dfopt_error ending = {0};
    enum dfopt_err ended = dfopt_output_flush(&l.output, &ending);
    if (ended && !e) {
        *err = ending;
        e = ended;
    }
    report_progress(&l, true);
    out->stopped = config->stop && *config->stop;
    out->output_failed = l.output.failed;
    release(&l);
    return e;
}
