/* A worker of a replay. What it shares with rank 0 is in rank.c. */
#include "engine/replay/replay.h"

#include "engine/replay/carry.h"
#include "engine/batch/answer.h"

#include <stdlib.h>
#include <string.h>

/* ---- a rank that is not 0 ---- */

/* What a worker owns besides the rank's part. */
struct worker {
    struct dfopt_replay_rank rank;
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_policy policy;
    char **paths;
    uint64_t *sizes;
    size_t n_paths;
};

static enum dfopt_err take_path(struct worker *w, const struct dfopt_item *item)
{
    uint64_t size;
    if (item->size < sizeof size)
        return DFOPT_ERR_FORMAT;
    char **paths = realloc(w->paths, (w->n_paths + 1) * sizeof *paths);
    if (paths)
        w->paths = paths;
    uint64_t *sizes = realloc(w->sizes, (w->n_paths + 1) * sizeof *sizes);
    if (sizes)
        w->sizes = sizes;
    if (!paths || !sizes)
        return DFOPT_ERR_NOMEM;
    memcpy(&sizes[w->n_paths], item->data, sizeof size);
    paths[w->n_paths] =
        strndup((const char *)item->data + sizeof size, item->size - sizeof size);
    return paths[w->n_paths++] ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

/* CONFIG: everything needed to open the input and the planner has arrived. */
static enum dfopt_err open_worker(struct worker *w, const struct dfopt_item *item,
                                  struct dfopt_error *err)
{
    struct dfopt_frame_config config;
    struct dfopt_replay_rank *b = &w->rank;
    const struct dfopt_codec_limits limits = {
        .max_record_bytes = (size_t)b->options.max_record_bytes,
        .preset = b->options.preset};
    if (b->shard.planner)
        return DFOPT_ERR_FORMAT;
    enum dfopt_err e = dfopt_item_config(item, &w->policy, &config);
    if (!e)
        e = dfopt_codec_create(&w->codec, w->dict, &limits);
    if (!e)
        dfopt_codec_metrics(w->codec, &w->policy.metrics);
    b->slice.dict = w->dict;
    b->slice.codec = w->codec;
    b->slice.policy = &w->policy;
    if (!e)
        e = dfopt_replay_rank_init(b, config.assumed_acks, config.relay_hostname);
    if (e)
        return e;
    e = dfopt_splits_open(&b->splits, (const char *const *)w->paths, w->n_paths,
                          (size_t)b->options.max_record_bytes, err);
    if (!e && !b->splits)
        e = dfopt_error_set(err, DFOPT_ERR_IO,
                            "the input differs from that of rank 0; all ranks must "
                            "see the same files");
    for (size_t i = 0; !e && i < w->n_paths; i++)
        dfopt_splits_set_size(b->splits, (uint32_t)i, w->sizes[i]);
    return e;
}

static enum dfopt_err take_start(struct worker *w, struct dfopt_frame_reader *frame,
                                 struct dfopt_error *err)
{
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    while (!e && dfopt_frame_next(frame, &item, &e)) {
        switch (item.kind) {
        case DFOPT_ITEM_STRING:
        case DFOPT_ITEM_LIST:
            e = dfopt_item_define(w->dict, &item);
            break;
        case DFOPT_ITEM_CONFIG:
            e = open_worker(w, &item, err);
            break;
        case DFOPT_ITEM_REPLAY_CONFIG:
            if (item.size == sizeof w->rank.options)
                memcpy(&w->rank.options, item.data, sizeof w->rank.options);
            else
                e = DFOPT_ERR_FORMAT;
            break;
        case DFOPT_ITEM_TEXT:
            e = take_path(w, &item);
            break;
        default: /* after CONFIG */
            e = w->rank.shard.planner
                    ? dfopt_shard_item(&w->rank.shard, &item, &w->rank.results)
                    : DFOPT_ERR_FORMAT;
        }
    }
    return !e && !w->rank.shard.planner ? DFOPT_ERR_FORMAT : e;
}

/* Adds the strings and lists numbered by this rank since its last SYNC. */
static enum dfopt_err add_new_names(struct dfopt_replay_rank *b,
                                    struct dfopt_frame *f)
{
    const struct dfopt_dict *d = b->slice.dict;
    enum dfopt_err e = DFOPT_OK;
    for (; !e && b->local_strings < dfopt_dict_local_strings(d); b->local_strings++)
        e = dfopt_frame_string(f, dfopt_local_number(b->local_strings));
    for (; !e && b->local_lists < dfopt_dict_local_lists(d); b->local_lists++)
        e = dfopt_frame_list(f, dfopt_local_number(b->local_lists));
    return e;
}

/* Text of a SYNC: why the rank or the input failed, or the first reject. */
static const char *sync_text(const struct dfopt_replay_rank *b,
                             const struct dfopt_replay_sync *sync)
{
    if (sync->failed || sync->input_failed)
        return b->err.text;
    if (sync->first_reject == UINT64_MAX)
        return "";
    return dfopt_dict_text(
        b->slice.dict,
        DFOPT_ROW(&b->slice.batch.rejects, const struct dfopt_declog_reject_row)
            ->reason,
        NULL);
}

static void send_sync(struct dfopt_replay_rank *b, struct dfopt_replay_sync *sync)
{
    struct dfopt_frame f;
    const char *text = sync_text(b, sync);
    dfopt_replay_begin(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
    enum dfopt_err e =
        dfopt_frame_item(&f, DFOPT_ITEM_REPLAY_SYNC, sync, sizeof *sync);
    if (!e)
        e = dfopt_frame_item(&f, DFOPT_ITEM_TEXT, text, strlen(text));
    if (!e)
        e = add_new_names(b, &f);
    dfopt_replay_fail(b, e, NULL); /* the next SYNC reports it */
    dfopt_replay_send(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, DFOPT_FRAME_SYNC);
}

/* Waits for GO, and adds its definitions to the dictionary. */
static struct dfopt_replay_go receive_go(struct dfopt_replay_rank *b)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_replay_go go = {.next = DFOPT_REPLAY_ABANDON};
    enum dfopt_err e = DFOPT_OK;
    dfopt_replay_receive(b, 0, DFOPT_FRAME_GO, &in);
    while (!e && dfopt_frame_next(&in, &item, &e)) {
        if (item.kind == DFOPT_ITEM_REPLAY_GO && item.size == sizeof go)
            memcpy(&go, item.data, sizeof go);
        else
            e = dfopt_item_define(b->slice.dict, &item);
    }
    dfopt_replay_fail(b, e, NULL);
    return go;
}

/* Appends rows packed for the log to the frame, as blocks. */
static enum dfopt_err add_blocks(struct dfopt_replay_rank *b, struct dfopt_frame *f)
{
    dfopt_buf_clear(&b->block);
    enum dfopt_err e = dfopt_replay_blocks(b, &b->block);
    return e || !b->block.len
               ? e
               : dfopt_frame_item(f, DFOPT_ITEM_BLOCK, b->block.data, b->block.len);
}

static enum dfopt_err add_registrations(struct dfopt_frame *f,
                                        const struct dfopt_batch *r)
{
    const struct dfopt_batch_registration *g =
        DFOPT_ROW(&r->registrations, const struct dfopt_batch_registration);
    const size_t n = DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        e = dfopt_frame_item(f, DFOPT_ITEM_GIVEN_REGISTRATION, &g[i], sizeof g[i]);
        if (!e && !g[i].rejected)
            e = dfopt_frame_registration(f, g[i].seq, &g[i].accepted);
    }
    return e;
}

static enum dfopt_err add_buf(struct dfopt_frame *f, enum dfopt_item_kind kind,
                              const struct dfopt_buf *b)
{
    return b->len ? dfopt_frame_item(f, kind, b->data, b->len) : DFOPT_OK;
}

static void send_output(struct dfopt_replay_rank *b)
{
    struct dfopt_frame f;
    const struct dfopt_batch *r = &b->slice.batch;
    struct dfopt_replay_counts counts;
    struct dfopt_decisions rest = r->merged; /* except the verdicts */
    rest.verdicts.len = 0;
    dfopt_replay_count(b, &counts);
    dfopt_replay_begin(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, &b->told[0]);
    enum dfopt_err e = b->status;
    if (!e)
        e = dfopt_frame_item(&f, DFOPT_ITEM_REPLAY_COUNTS, &counts, sizeof counts);
    if (!e)
        e = add_blocks(b, &f);
    if (!e)
        e = dfopt_frame_decisions(&f, &rest);
    if (!e)
        e = add_buf(&f, DFOPT_ITEM_REJECT_ROWS, &r->rejects);
    if (!e)
        e = add_buf(&f, DFOPT_ITEM_OBJECTIVE_ROWS, &r->objectives);
    if (!e)
        e = add_buf(&f, DFOPT_ITEM_GIVEN_ACKS, &r->acks);
    if (!e)
        e = add_buf(&f, DFOPT_ITEM_GIVEN_COMMANDS, &r->commands);
    if (!e)
        e = add_buf(&f, DFOPT_ITEM_TEXT, &r->texts);
    f.known = NULL; /* registrations name only what rank 0 has numbered */
    if (!e)
        e = add_registrations(&f, r);
    dfopt_replay_fail(b, e, NULL);
    dfopt_replay_send(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, DFOPT_FRAME_OUTPUT);
}

static void receive_base(struct dfopt_replay_rank *b)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    enum dfopt_err e;
    dfopt_replay_receive(b, b->rank - 1, DFOPT_FRAME_BASE, &in);
    if (dfopt_frame_next(&in, &item, &e) && item.size == sizeof b->verdicts_before)
        memcpy(&b->verdicts_before, item.data, item.size);
    else
        dfopt_replay_fail(b, DFOPT_ERR_FORMAT, NULL);
}

static void send_state(struct dfopt_replay_rank *b)
{
    struct dfopt_frame f;
    dfopt_replay_begin(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, &b->told[0]);
    if (!b->status)
        dfopt_replay_fail(b, dfopt_answer_put_state(&f, &b->shard), NULL);
    if (b->status) {
        dfopt_replay_begin(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, NULL);
        dfopt_answer_put_failure(&f, &b->err);
    }
    dfopt_replay_send(b, 0, DFOPT_REPLAY_EVENT_LANE, &f, DFOPT_FRAME_STATE);
}

/* Decides the resumed log's events. */
static void receive_feed(struct dfopt_replay_rank *b)
{
    bool last = !b->options.feed;
    while (!last) {
        struct dfopt_frame_reader in;
        struct dfopt_item item;
        enum dfopt_err e = DFOPT_OK;
        dfopt_replay_receive(b, 0, DFOPT_FRAME_FEED, &in);
        last = in.header.batch == 1;
        dfopt_decisions_clear(&b->results);
        while (!b->status && !e && dfopt_frame_next(&in, &item, &e))
            e = item.kind == DFOPT_ITEM_STRING || item.kind == DFOPT_ITEM_LIST
                    ? dfopt_item_define(b->slice.dict, &item)
                    : dfopt_shard_item(&b->shard, &item, &b->results);
        dfopt_replay_fail(b, e, NULL);
    }
}

static void work(struct dfopt_replay_rank *b)
{
    receive_feed(b);
    for (;;) {
        struct dfopt_replay_sync sync;
        dfopt_replay_read(b, &sync);
        send_sync(b, &sync);
        const struct dfopt_replay_go go = receive_go(b);
        if (go.next == DFOPT_REPLAY_ABANDON)
            return;
        b->shard.router.all = go.news;
        if (!b->status)
            dfopt_replay_fail(b,
                              dfopt_slice_place(&b->slice, go.keep, go.first_seq,
                                                go.lines_before, go.new_names != 0),
                              NULL);
        dfopt_replay_decide(b);
        receive_base(b);
        dfopt_replay_pass_base(b);
        dfopt_replay_pass_rows(b, go.findings_before);
        send_output(b);
        if (go.next == DFOPT_REPLAY_LAST)
            break;
    }
    send_state(b);
}

enum dfopt_err dfopt_replay_serve(struct dfopt_comm *comm,
                                  struct dfopt_frame_reader *frame,
                                  struct dfopt_error *err)
{
    struct worker w = {.rank = {.comm = comm}};
    enum dfopt_err e = dfopt_dict_create(&w.dict, true);
    if (!e)
        e = take_start(&w, frame, err);
    if (w.rank.sending) { /* its SYNC can report the failure */
        dfopt_replay_fail(&w.rank, e, err);
        work(&w.rank);
    } else {
        dfopt_comm_lost(comm, dfopt_comm_rank(comm), e, err);
    }
    dfopt_replay_rank_free(&w.rank);
    dfopt_splits_close(w.rank.splits);
    dfopt_codec_destroy(w.codec);
    dfopt_policy_clear(&w.policy);
    for (size_t i = 0; i < w.n_paths; i++)
        free(w.paths[i]);
    free(w.paths);
    free(w.sizes);
    dfopt_dict_destroy(w.dict);
    return DFOPT_OK;
}
