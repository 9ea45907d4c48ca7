/* The leader of a replay numbers records and new strings in input order. */
#include "engine/replay/leader.h"

#include "engine/batch/answer.h"

#include <inttypes.h>
#include <string.h>

/* Interns another rank's list, with the numbers valid here. */
static enum dfopt_err intern_list(struct dfopt_replay_leader *l, int from,
                                  const struct dfopt_item *item)
{
    const struct dfopt_frame_translation *t = &l->rank.own[from];
    if (item->size % sizeof(dfopt_sym) != 0 || item->size < sizeof(dfopt_list))
        return DFOPT_ERR_FORMAT;
    const dfopt_sym *items =
        (const dfopt_sym *)item->data + 1; /* after its number */
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
    if (!e &&
        dfopt_dict_intern_list(l->config->dict, DFOPT_ROW(&to, const dfopt_sym),
                               n) == DFOPT_LIST_NONE)
        e = DFOPT_ERR_NOMEM;
    dfopt_buf_free(&to);
    return e;
}

/* Handles an item of a SYNC: new strings come before the lists that hold them. */
static enum dfopt_err take_sync_item(struct dfopt_replay_leader *l, int from,
                                     const struct dfopt_item *item,
                                     struct dfopt_decisions *none)
{
    switch (item->kind) {
    case DFOPT_ITEM_REPLAY_SYNC:
        if (item->size != sizeof *l->syncs)
            return DFOPT_ERR_FORMAT;
        memcpy(&l->syncs[from], item->data, item->size);
        return DFOPT_OK;
    case DFOPT_ITEM_TEXT:
        return dfopt_buf_add(&l->reasons[from], item->data, item->size);
    case DFOPT_ITEM_LIST:
        return intern_list(l, from, item);
    default:
        return dfopt_item_rows(item, l->config->dict, &l->rank.own[from], none,
                               NULL, NULL, NULL);
    }
}

static void receive_sync(struct dfopt_replay_leader *l, int from)
{
    struct dfopt_replay_rank *b = &l->rank;
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_decisions none = {0};
    enum dfopt_err e = DFOPT_OK;
    l->syncs[from] = (struct dfopt_replay_sync){.failed = DFOPT_ERR_FORMAT};
    dfopt_buf_clear(&l->reasons[from]);
    dfopt_replay_receive(b, from, DFOPT_FRAME_SYNC, &in);
    while (!e && dfopt_frame_next(&in, &item, &e))
        e = take_sync_item(l, from, &item, &none);
    if (!e)
        e = dfopt_buf_add(&l->reasons[from], "", 1);
    dfopt_replay_fail(b, e, NULL);
    dfopt_decisions_free(&none);
}

/* The run ends at this slice's first reject or unreadable input. */
static void stop_at(struct dfopt_replay_leader *l, int rank, uint64_t line,
                    const char *why)
{
    const char *name = dfopt_splits_name(l->rank.splits, l->rank.turn[rank].file);
    if (l->stopped_by)
        return;
    if (line)
        l->stopped_by = dfopt_error_set(&l->stop_error, DFOPT_ERR_SCHEMA,
                                        "%s:%" PRIu64 ": %s", name, line, why);
    else
        l->stopped_by = dfopt_error_set(&l->stop_error, DFOPT_ERR_IO, "%s", why);
}

/* Records how far a rank's slice, of which `keep` records are decided, consumed
 * the input. A split is consumed to its end unless it was cut. */
static void note_end(struct dfopt_replay_leader *l, int rank, uint64_t keep)
{
    const struct dfopt_replay_sync *s = &l->syncs[rank];
    const struct dfopt_split *split = &l->rank.turn[rank];
    const bool cut = keep < s->records;
    if (split->len && !(cut && keep == 0)) {
        l->end.offset = cut ? s->reject_offset : split->start + split->len;
        l->end.record_line = l->lines + (cut ? s->reject_line - 1 : s->lines);
        l->end.origin = dfopt_dict_intern_z(
            l->config->dict, dfopt_splits_name(l->rank.splits, split->file));
    }
    l->end.next_seq += keep;
    l->ends[rank] = (struct dfopt_replay_end){l->end, split->file};
}

/* Gives a rank's slice its numbers. */
static struct dfopt_replay_go place(struct dfopt_replay_leader *l, int rank)
{
    const struct dfopt_replay_sync *s = &l->syncs[rank];
    const struct dfopt_split *split = &l->rank.turn[rank];
    if (split->len && split->file != l->lines_file) {
        l->lines_file = split->file;
        l->lines = 0;
    }
    struct dfopt_replay_go go = {.first_seq = l->next_seq,
                                 .lines_before = l->lines,
                                 .keep = l->stopped_by ? 0 : s->records,
                                 .findings_before = l->findings};
    if (!l->stopped_by && l->config->strict && s->first_reject != UINT64_MAX) {
        go.keep = s->first_reject;
        stop_at(l, rank, l->lines + s->reject_line, l->reasons[rank].data);
        l->totals->invalid++;
    }
    if (!l->stopped_by && s->input_failed) {
        l->totals->skipped_inputs++;
        if (l->config->strict)
            stop_at(l, rank, 0, l->reasons[rank].data);
        else
            dfopt_log_event(l->config->log, DFOPT_LOG_ERROR,
                            "optimizer.input.failed",
                            DFOPT_F_TEXT("error", l->reasons[rank].data));
    }
    note_end(l, rank, go.keep);
    l->next_seq += go.keep;
    if (go.keep > 0)
        l->findings +=
            go.keep < s->records ? s->findings_before_reject : s->findings;
    l->lines += s->lines;
    l->bytes_done += split->len;
    return go;
}

static void send_go(struct dfopt_replay_leader *l, int to,
                    const struct dfopt_replay_go *go)
{
    struct dfopt_frame f;
    struct dfopt_replay_rank *b = &l->rank;
    dfopt_replay_begin(b, to, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
    enum dfopt_err e = dfopt_frame_item(&f, DFOPT_ITEM_REPLAY_GO, go, sizeof *go);
    if (!e)
        e = dfopt_frame_names(&f, l->known_strings, l->known_lists);
    if (e) /* a slice without numbers cannot be decided */
        dfopt_comm_lost(b->comm, to, e, NULL);
    dfopt_replay_send(b, to, DFOPT_REPLAY_EVENT_LANE, &f, DFOPT_FRAME_GO);
}

/* Why the batch cannot be decided: this rank's failure, or a worker's. */
static enum dfopt_err failure(struct dfopt_replay_leader *l,
                              struct dfopt_error *err)
{
    struct dfopt_replay_rank *b = &l->rank;
    if (b->status) {
        *err = b->err;
        return b->status;
    }
    for (int i = 1; i < b->size; i++)
        if (l->syncs[i].failed)
            return dfopt_answer_failed(i, l->reasons[i].data, l->reasons[i].len,
                                       err);
    return DFOPT_OK;
}

/* Whether this batch is the last: the input is consumed, or the run must end. */
static bool is_last(struct dfopt_replay_leader *l)
{
    struct dfopt_split at = l->rank.at;
    return l->stopped_by || (l->config->stop && *l->config->stop) ||
           dfopt_splits_next(l->rank.splits, &at, 1).len == 0;
}

enum dfopt_err dfopt_replay_agree(struct dfopt_replay_leader *l,
                                  enum dfopt_replay_next *next,
                                  struct dfopt_error *err)
{
    struct dfopt_replay_rank *b = &l->rank;
    for (int i = 1; i < b->size; i++)
        receive_sync(l, i);
    enum dfopt_err e = failure(l, err);
    *next = e ? DFOPT_REPLAY_ABANDON : DFOPT_REPLAY_GO_ON;
    const bool names = dfopt_dict_strings(l->config->dict) > l->known_strings ||
                       dfopt_dict_lists(l->config->dict) > l->known_lists;
    uint32_t news = 0;
    for (int i = 0; i < b->size; i++) {
        l->gos[i] = place(l, i);
        news |= l->syncs[i].news;
    }
    if (!e && is_last(l))
        *next = DFOPT_REPLAY_LAST;
    for (int i = 0; i < b->size; i++) {
        l->gos[i].next = *next;
        l->gos[i].new_names = names;
        l->gos[i].news = news;
        if (i > 0)
            send_go(l, i, &l->gos[i]);
    }
    l->known_strings = dfopt_dict_strings(l->config->dict);
    l->known_lists = dfopt_dict_lists(l->config->dict);
    return e;
}
