/* Rank 0 of a bulk replay: gives numbers to records and strings, and puts out
 * the slices of each round in the order of the input. */
#include "runtime/bulk.h"

#include "runtime/bulk_rank.h"
#include "runtime/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_BYTES       ((uint64_t)64 << 20) /* of input, all ranks together */
#define PIECE_BYTES_MAX   ((uint64_t)8 << 20)
#define PIECE_BYTES_MIN   ((uint64_t)256 << 10)
#define PROGRESS_EVERY_NS 250000000

struct bulk_lead {
    const struct dfopt_lead_config *c;
    struct dfopt_totals *totals;
    struct dfopt_bulk_rank b;
    struct dfopt_output output;
    struct dfopt_round theirs;     /* a slice of another rank, as it is put out */
    struct dfopt_bulk_sync *syncs; /* by rank; owned */
    struct dfopt_bulk_go *gos;     /* by rank; owned */
    struct dfopt_buf *reasons;     /* by rank: texts of the syncs; owned */
    struct dfopt_declog_position *ends;  /* by rank: of its slice; owned */
    struct dfopt_declog_position end;    /* of the slices so far */
    uint32_t origin_file;                /* of the last row of /origins */
    uint32_t known_strings, known_lists; /* to all ranks */
    uint64_t next_seq, findings, verdicts, lines;
    uint32_t lines_file; /* the file that `lines` are counted in */
    uint64_t bytes_done;
    int64_t flushed_ns, progress_ns;
    enum dfopt_err stopped_by; /* strict: the first bad record or input */
    struct dfopt_error stop_error;
};

static enum dfopt_err no_memory(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

/* ---- starting ---- */

/* Appends the definitions of strings and lists from the given numbers on. */
static enum dfopt_err add_names(struct bulk_lead *l, struct dfopt_frame *f,
                                uint32_t first_string, uint32_t first_list)
{
    const struct dfopt_dict *d = l->c->dict;
    enum dfopt_err e = DFOPT_OK;
    for (dfopt_sym s = first_string; s < dfopt_dict_strings(d) && !e; s++)
        e = dfopt_frame_string(f, s);
    for (dfopt_list i = first_list; i < dfopt_dict_lists(d) && !e; i++)
        e = dfopt_frame_list(f, i);
    return e;
}

static enum dfopt_err add_paths(struct bulk_lead *l, struct dfopt_frame *f)
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

static enum dfopt_err send_start(struct bulk_lead *l, int to)
{
    struct dfopt_frame f;
    struct dfopt_bulk_rank *b = &l->b;
    dfopt_bulk_begin(b, to, DFOPT_BULK_EVENT_LANE, &f, NULL);
    enum dfopt_err e = add_names(l, &f, 1, 1);
    if (!e)
        e = dfopt_frame_config(&f, l->c->policy, l->c->assumed_acks,
                               l->c->relay_hostname);
    if (!e)
        e = dfopt_frame_item(&f, DFOPT_ITEM_BULK_CONFIG, &b->o, sizeof b->o);
    if (!e)
        e = add_paths(l, &f);
    for (size_t i = 0; i < l->c->n_presets && !e; i++)
        e = dfopt_frame_registration(&f, 0, &l->c->presets[i].registration);
    if (!e) {
        dfopt_bulk_send(b, to, DFOPT_BULK_EVENT_LANE, &f, DFOPT_FRAME_BULK);
    }
    return e;
}

static enum dfopt_err start(struct bulk_lead *l,
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
    };
    b->pieces = input->pieces;
    b->slice.dict = l->c->dict;
    b->slice.codec = l->c->codec;
    b->slice.policy = l->c->policy;
    l->syncs = calloc(size, sizeof *l->syncs);
    l->gos = calloc(size, sizeof *l->gos);
    l->reasons = calloc(size, sizeof *l->reasons);
    l->ends = calloc(size, sizeof *l->ends);
    l->end.origin = DFOPT_SYM_NONE;
    l->origin_file = UINT32_MAX;
    if (!l->syncs || !l->gos || !l->reasons || !l->ends ||
        dfopt_bulk_rank_init(b, l->c->assumed_acks, l->c->relay_hostname))
        return no_memory(err);
    for (size_t i = 0; i < l->c->n_presets; i++)
        if (dfopt_planner_register(b->deciding.planner,
                                   &l->c->presets[i].registration))
            return no_memory(err);
    for (int i = 1; i < b->size; i++)
        if (send_start(l, i)) /* the others would wait for ever */
            dfopt_comm_abort(b->comm, 1);
    l->known_strings = dfopt_dict_strings(l->c->dict);
    l->known_lists = dfopt_dict_lists(l->c->dict);
    return dfopt_output_presets(&l->output, err);
}

/* ---- numbers ---- */

/* A list that another rank has made, with the numbers that hold here. */
static enum dfopt_err intern_list(struct bulk_lead *l, int from,
                                  const struct dfopt_item *item)
{
    const struct dfopt_frame_translation *t = &l->b.own[from];
    if (item->size % sizeof(dfopt_sym) != 0 || item->size < sizeof(dfopt_list))
        return DFOPT_ERR_FORMAT;
    const dfopt_sym *items =
        (const dfopt_sym *)item->data + 1; /* behind its number */
    const size_t n = item->size / sizeof *items - 1;
    struct dfopt_buf to = {0};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        dfopt_sym s = items[i];
        if (dfopt_sym_is_local(s)) {
            const uint32_t at = s & 0x7fffffffu;
            s = at < t->n ? t->to[at] : DFOPT_SYM_NONE;
        }
        e = s == DFOPT_SYM_NONE ? DFOPT_ERR_FORMAT
                                : dfopt_buf_add(&to, &s, sizeof s);
    }
    if (!e && dfopt_dict_intern_list(l->c->dict, DFOPT_ROW(&to, const dfopt_sym),
                                     n) == DFOPT_LIST_NONE)
        e = DFOPT_ERR_NOMEM;
    dfopt_buf_free(&to);
    return e;
}

/* An item of a SYNC: new strings come before the lists that hold them. */
static enum dfopt_err take_sync_item(struct bulk_lead *l, int from,
                                     const struct dfopt_item *item,
                                     struct dfopt_decisions *none)
{
    switch (item->kind) {
    case DFOPT_ITEM_BULK_SYNC:
        if (item->size != sizeof *l->syncs)
            return DFOPT_ERR_FORMAT;
        memcpy(&l->syncs[from], item->data, item->size);
        return DFOPT_OK;
    case DFOPT_ITEM_TEXT:
        return dfopt_buf_add(&l->reasons[from], item->data, item->size);
    case DFOPT_ITEM_LIST:
        return intern_list(l, from, item);
    default:
        return dfopt_item_rows(item, l->c->dict, &l->b.own[from], none, NULL, NULL);
    }
}

static void receive_sync(struct bulk_lead *l, int from)
{
    struct dfopt_bulk_rank *b = &l->b;
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_decisions none = {0};
    enum dfopt_err e = DFOPT_OK;
    l->syncs[from] = (struct dfopt_bulk_sync){.failed = DFOPT_ERR_FORMAT};
    dfopt_buf_clear(&l->reasons[from]);
    dfopt_bulk_receive(b, from, DFOPT_FRAME_SYNC, &in);
    while (!e && dfopt_frame_next(&in, &item, &e))
        e = take_sync_item(l, from, &item, &none);
    if (!e)
        e = dfopt_buf_add(&l->reasons[from], "", 1);
    dfopt_bulk_fail(b, e, NULL);
    dfopt_decisions_free(&none);
}

/* The run ends at this slice's first reject or unreadable input. */
static void stop_at(struct bulk_lead *l, int rank, uint64_t line, const char *why)
{
    const char *name = dfopt_pieces_name(l->b.pieces, l->b.turn[rank].file);
    if (l->stopped_by)
        return;
    if (line)
        l->stopped_by = dfopt_error_set(&l->stop_error, DFOPT_ERR_SCHEMA,
                                        "%s:%" PRIu64 ": %s", name, line, why);
    else
        l->stopped_by = dfopt_error_set(&l->stop_error, DFOPT_ERR_IO, "%s", why);
}

/* Notes how far the input is used up with a rank's slice, of which `keep` records
 * are decided. A piece is done with to its end, unless it was cut. */
static void note_end(struct bulk_lead *l, int rank, uint64_t keep)
{
    const struct dfopt_bulk_sync *s = &l->syncs[rank];
    const struct dfopt_piece *piece = &l->b.turn[rank];
    const bool cut = keep < s->records;
    if (piece->len && !(cut && keep == 0)) {
        l->end.offset = cut ? s->reject_offset : piece->start + piece->len;
        l->end.record_line = l->lines + (cut ? s->reject_line - 1 : s->lines);
        l->end.origin = dfopt_dict_intern_z(
            l->c->dict, dfopt_pieces_name(l->b.pieces, piece->file));
    }
    l->end.next_seq += keep;
    l->ends[rank] = l->end;
}

/* Gives a rank's slice its numbers. */
static struct dfopt_bulk_go place(struct bulk_lead *l, int rank)
{
    const struct dfopt_bulk_sync *s = &l->syncs[rank];
    const struct dfopt_piece *piece = &l->b.turn[rank];
    if (piece->len && piece->file != l->lines_file) {
        l->lines_file = piece->file;
        l->lines = 0;
    }
    struct dfopt_bulk_go go = {.first_seq = l->next_seq,
                               .lines_before = l->lines,
                               .keep = l->stopped_by ? 0 : s->records,
                               .findings_before = l->findings};
    if (!l->stopped_by && l->c->strict && s->first_reject != UINT64_MAX) {
        go.keep = s->first_reject;
        stop_at(l, rank, l->lines + s->reject_line, l->reasons[rank].data);
        l->totals->invalid++;
    }
    if (!l->stopped_by && s->input_failed) {
        l->totals->skipped_inputs++;
        if (l->c->strict)
            stop_at(l, rank, 0, l->reasons[rank].data);
        else
            dfopt_log_event(l->c->log, DFOPT_LOG_ERROR, "optimizer.input.failed",
                            DFOPT_F_TEXT("error", l->reasons[rank].data));
    }
    note_end(l, rank, go.keep);
    l->next_seq += go.keep;
    l->findings += s->findings; /* right unless cut, and then nothing follows */
    l->lines += s->lines;
    l->bytes_done += piece->len;
    return go;
}

static void send_go(struct bulk_lead *l, int to, const struct dfopt_bulk_go *go)
{
    struct dfopt_frame f;
    struct dfopt_bulk_rank *b = &l->b;
    dfopt_bulk_begin(b, to, DFOPT_BULK_EVENT_LANE, &f, NULL);
    enum dfopt_err e = dfopt_frame_item(&f, DFOPT_ITEM_BULK_GO, go, sizeof *go);
    if (!e)
        e = add_names(l, &f, l->known_strings, l->known_lists);
    if (e) /* an unnumbered slice cannot go on */
        dfopt_comm_abort(b->comm, 1);
    dfopt_bulk_send(b, to, DFOPT_BULK_EVENT_LANE, &f, DFOPT_FRAME_GO);
}

/* Why the round cannot be: this rank's failure, or another's. */
static enum dfopt_err failure(struct bulk_lead *l, struct dfopt_error *err)
{
    struct dfopt_bulk_rank *b = &l->b;
    if (b->status) {
        *err = b->err;
        return b->status;
    }
    for (int i = 1; i < b->size; i++)
        if (l->syncs[i].failed)
            return dfopt_error_set(err, DFOPT_ERR_STATE,
                                   "rank %d cannot go on: %.200s", i,
                                   l->reasons[i].len ? l->reasons[i].data : "");
    return DFOPT_OK;
}

/* Whether the input is used up, or no more of it is wanted. */
static bool is_last(struct bulk_lead *l)
{
    struct dfopt_piece at = l->b.at;
    return l->stopped_by || (l->c->stop && *l->c->stop) ||
           dfopt_pieces_next(l->b.pieces, &at, 1).len == 0;
}

/* Reads the next round and agrees on it with the others. */
static enum dfopt_err agree(struct bulk_lead *l, enum dfopt_bulk_next *next,
                            struct dfopt_error *err)
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
    for (int i = 1; i < b->size; i++)
        receive_sync(l, i);
    enum dfopt_err e = failure(l, err);
    *next = e ? DFOPT_BULK_ABANDON : DFOPT_BULK_GO_ON;
    const bool names = dfopt_dict_strings(l->c->dict) > l->known_strings ||
                       dfopt_dict_lists(l->c->dict) > l->known_lists;
    for (int i = 0; i < b->size; i++)
        l->gos[i] = place(l, i);
    if (!e && is_last(l))
        *next = DFOPT_BULK_LAST;
    for (int i = 0; i < b->size; i++) {
        l->gos[i].next = *next;
        l->gos[i].new_names = names;
        if (i > 0)
            send_go(l, i, &l->gos[i]);
    }
    l->known_strings = dfopt_dict_strings(l->c->dict);
    l->known_lists = dfopt_dict_lists(l->c->dict);
    return e;
}

/* ---- putting out ---- */

static void add_counts(struct bulk_lead *l, const struct dfopt_bulk_counts *c)
{
    l->totals->records += c->records;
    for (int i = 0; i < DFOPT_STREAM_COUNT; i++)
        l->totals->by_stream[i] += c->by_stream[i];
    for (int i = 0; i < DFOPT_VERDICT_COUNT; i++)
        l->verdicts += c->verdicts[i];
}

static enum dfopt_err take_output_item(struct bulk_lead *l, int from,
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
        return dfopt_buf_add(&r->rejects, item->data, item->size);
    case DFOPT_ITEM_GIVEN_ACKS:
        return dfopt_buf_add(&r->acks, item->data, item->size);
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
        e = dfopt_item_registration(item, &seq, &accepted);
        if (e)
            return e;
        last = DFOPT_ROW(&r->registrations, struct dfopt_round_registration) +
               DFOPT_ROWS(&r->registrations, struct dfopt_round_registration) - 1;
        last->accepted = accepted;
        return DFOPT_OK;
    default:
        return dfopt_item_rows(item, l->c->dict, &l->b.own[from], &r->merged, NULL,
                               NULL);
    }
}

/* Receives a decided slice into l->theirs. */
static void receive_output(struct bulk_lead *l, int from,
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
static enum dfopt_err note_origin(struct bulk_lead *l, int rank,
                                  struct dfopt_round *r,
                                  const struct dfopt_bulk_counts *c)
{
    const uint32_t file = l->b.turn[rank].file;
    if (c->records == 0 || file == l->origin_file)
        return DFOPT_OK;
    l->origin_file = file;
    const struct dfopt_declog_origin_row row = {.seq = l->gos[rank].first_seq,
                                                .offset = c->first_offset,
                                                .origin = c->origin,
                                                .unit = DFOPT_UNIT_BYTE};
    return dfopt_buf_add(&r->origins, &row, sizeof row);
}

static enum dfopt_err put_out(struct bulk_lead *l, int rank, struct dfopt_round *r,
                              const struct dfopt_bulk_counts *c, bool flush,
                              struct dfopt_error *err)
{
    if (note_origin(l, rank, r, c))
        return no_memory(err);
    r->end = l->ends[rank];
    r->end.wall_ns = dfopt_clock_wall_ns();
    l->totals->invalid += DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
    add_counts(l, c);
    if (rank > 0) /* those of this rank are counted by their rows */
        for (int i = 0; i < DFOPT_VERDICT_COUNT; i++)
            l->totals->verdicts[i] += c->verdicts[i];
    return dfopt_output_round(&l->output, r, flush, err);
}

static void report_progress(struct bulk_lead *l, bool last)
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

/* Decides an agreed round and puts it out. Once something has failed nothing
 * more is put out, but every frame that a rank sends is received. */
static enum dfopt_err decide(struct bulk_lead *l, struct dfopt_error *err)
{
    struct dfopt_bulk_rank *b = &l->b;
    struct dfopt_bulk_counts counts;
    const int64_t now = dfopt_clock_monotonic_ns();
    const bool flush = now - l->flushed_ns >= l->c->flush_interval_ns;
    if (flush)
        l->flushed_ns = now;
    if (!b->status)
        dfopt_bulk_fail(b,
                        dfopt_slice_place(&b->slice, l->gos[0].keep,
                                          l->gos[0].first_seq,
                                          l->gos[0].lines_before, false),
                        NULL);
    b->verdicts_before = l->verdicts;
    dfopt_bulk_decide(b);
    dfopt_bulk_pass_base(b);
    enum dfopt_err e = b->status;
    if (!e) {
        dfopt_bulk_count(b, &counts);
        e = put_out(l, 0, &b->slice.round, &counts, flush && b->size == 1, err);
        dfopt_bulk_fail(b, e, err);
    }
    for (int i = 1; i < b->size; i++) {
        receive_output(l, i, &counts);
        if (!b->status)
            dfopt_bulk_fail(
                b,
                put_out(l, i, &l->theirs, &counts, flush && i + 1 == b->size, err),
                err);
    }
    report_progress(l, false);
    if (b->status)
        *err = b->err;
    return b->status;
}

/* ---- the end ---- */

static enum dfopt_err take_state(struct bulk_lead *l, int from,
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

static enum dfopt_err collect_state(struct bulk_lead *l,
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
static void abandon(struct bulk_lead *l)
{
    enum dfopt_bulk_next next;
    struct dfopt_error ignored;
    dfopt_bulk_fail(&l->b, DFOPT_ERR_STATE, NULL);
    agree(l, &next, &ignored);
}

static enum dfopt_err run(struct bulk_lead *l, struct dfopt_lead_result *out,
                          struct dfopt_error *err)
{
    enum dfopt_bulk_next next = DFOPT_BULK_GO_ON;
    enum dfopt_err e = DFOPT_OK;
    while (!e && next == DFOPT_BULK_GO_ON) {
        e = agree(l, &next, err);
        if (!e)
            e = decide(l, err);
    }
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

static void release(struct bulk_lead *l)
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
    struct bulk_lead l = {.c = config,
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
