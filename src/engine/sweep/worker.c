/* A worker of a sweep. It checks for frames between the chunks of a block, so that
 * it can drop the block when the sweep ends. */
#include "engine/sweep/sweep.h"

#include "engine/sweep/frames.h"
#include "engine/sweep/block.h"

#include <stdlib.h>
#include <string.h>

struct worker {
    struct dfopt_comm *comm;
    struct dfopt_dict
        *dict; /* with rank 0's numbers for all texts of the policies */
    struct dfopt_codec *codec;
    struct dfopt_recording recording;
    struct dfopt_variant_world world;
    struct dfopt_buf initial; /* struct dfopt_registration */
    char **paths;
    size_t n_paths;
    struct dfopt_outbox out;
    struct dfopt_buf in, waiting; /* frames; one waiting if len > 0 */
    struct dfopt_variant_block block;
    struct dfopt_metric_names metrics; /* of all policies */
    struct dfopt_policy *policies;     /* of the block */
    size_t n_policies;
    struct dfopt_buf result;
    bool end;
};

/* ---- start ---- */

static enum dfopt_err take_path(struct worker *w, const struct dfopt_item *item)
{
    char **paths = realloc(w->paths, (w->n_paths + 1) * sizeof *paths);
    if (!paths)
        return DFOPT_ERR_NOMEM;
    w->paths = paths;
    paths[w->n_paths] = strndup(item->data, item->size);
    return paths[w->n_paths++] ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

static enum dfopt_err take_initial(struct worker *w, const struct dfopt_item *item)
{
    uint64_t seq;
    struct dfopt_registration r;
    enum dfopt_err e = dfopt_item_registration(item, &seq, &r);
    if (e)
        return e;
    e = dfopt_buf_add(&w->initial, &r, sizeof r);
    if (e)
        dfopt_registration_clear(&r);
    return e ? e : dfopt_recording_add_knobs(&w->recording, &r);
}

static enum dfopt_err take_config(struct worker *w, const struct dfopt_item *item)
{
    struct dfopt_policy policy;
    struct dfopt_frame_config config;
    enum dfopt_err e = dfopt_item_config(item, &policy, &config);
    if (e)
        return e;
    w->metrics = policy.metrics;
    dfopt_policy_clear(&policy);
    w->world.assumed_acks = config.assumed_acks;
    w->world.relay_hostname = config.relay_hostname;
    return DFOPT_OK;
}

static enum dfopt_err take_start(struct worker *w, struct dfopt_frame_reader *frame,
                                 struct dfopt_sweep_start *start)
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
            e = take_config(w, &item);
            break;
        case DFOPT_ITEM_SWEEP_START:
            if (item.size == sizeof *start)
                memcpy(start, item.data, sizeof *start);
            else
                e = DFOPT_ERR_FORMAT;
            break;
        case DFOPT_ITEM_TEXT:
            e = take_path(w, &item);
            break;
        default:
            e = take_initial(w, &item);
        }
    }
    w->world.initial = DFOPT_ROW(&w->initial, const struct dfopt_registration);
    w->world.n_initial = DFOPT_ROWS(&w->initial, struct dfopt_registration);
    return e;
}

static enum dfopt_err load(struct worker *w, const struct dfopt_sweep_start *start,
                           struct dfopt_error *err)
{
    const struct dfopt_codec_limits limits = {.max_record_bytes =
                                                  (size_t)start->max_record_bytes};
    const struct dfopt_recording_source from = {
        .patterns = (const char *const *)w->paths,
        .n = w->n_paths,
        .max_record_bytes = (size_t)start->max_record_bytes,
        .strict = start->strict != 0,
    };
    struct dfopt_frame frame;
    enum dfopt_err e = dfopt_codec_create(&w->codec, w->dict, &limits);
    if (!e) {
        dfopt_codec_metrics(w->codec, &w->metrics);
        e = dfopt_recording_load(&w->recording, w->dict, w->codec, &from, err);
    }
    if (e)
        return e;
    const struct dfopt_sweep_ready ready = {
        .records = w->recording.records,
        .findings = dfopt_recording_findings(&w->recording),
        .digest = w->recording.digest,
    };
    e = dfopt_outbox_begin(&w->out, w->comm, w->dict, &frame, err);
    if (!e)
        e = dfopt_frame_item(&frame, DFOPT_ITEM_SWEEP_READY, &ready, sizeof ready);
    return e ? e
             : dfopt_outbox_send(&w->out, w->comm, 0, &frame,
                                 DFOPT_FRAME_SWEEP_READY, err);
}

/* ---- blocks ---- */

static void end_block(struct worker *w)
{
    dfopt_variant_block_end(&w->block);
    for (size_t i = 0; i < w->n_policies; i++)
        dfopt_policy_clear(&w->policies[i]);
    free(w->policies);
    w->policies = NULL;
    w->n_policies = 0;
}

/* Reads numbers and policies of a block frame. Both arrays have room for all. */
static enum dfopt_err read_block(struct worker *w, struct dfopt_frame_reader *in,
                                 uint64_t *numbers, size_t *n)
{
    struct dfopt_item item;
    struct dfopt_frame_config config;
    enum dfopt_err e = DFOPT_OK;
    while (!e && dfopt_frame_next(in, &item, &e)) {
        if (item.kind == DFOPT_ITEM_CODE && item.size == sizeof *numbers) {
            memcpy(&numbers[*n], item.data, item.size);
            ++*n;
        } else if (item.kind == DFOPT_ITEM_CONFIG) {
            e = dfopt_item_config(&item, &w->policies[w->n_policies], &config);
            w->n_policies += e == DFOPT_OK;
        } else {
            e = DFOPT_ERR_FORMAT;
        }
    }
    return !e && *n != w->n_policies ? DFOPT_ERR_FORMAT : e;
}

static enum dfopt_err begin_block(struct worker *w, struct dfopt_buf *frame,
                                  struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    enum dfopt_err e = dfopt_frame_open(&in, frame->data, frame->len, err);
    if (e)
        return e;
    const size_t most = in.header.n_items;
    size_t n = 0;
    uint64_t *numbers = calloc(most + 1, sizeof *numbers);
    const struct dfopt_policy **policies =
        calloc(most + 1, sizeof(struct dfopt_policy *));
    w->policies = calloc(most + 1, sizeof *w->policies);
    e = numbers && policies && w->policies ? read_block(w, &in, numbers, &n)
                                           : DFOPT_ERR_NOMEM;
    for (size_t i = 0; !e && i < n; i++)
        policies[i] = &w->policies[i];
    if (!e)
        e = dfopt_variant_block_begin(&w->block, &w->world, policies, numbers, n);
    free(numbers);
    free(policies);
    dfopt_buf_clear(frame);
    return e;
}

static enum dfopt_err send_results(struct worker *w, struct dfopt_error *err)
{
    struct dfopt_frame frame;
    enum dfopt_err e = dfopt_outbox_begin(&w->out, w->comm, w->dict, &frame, err);
    for (size_t i = 0; i < w->block.n && !e; i++) {
        dfopt_buf_clear(&w->result);
        e = dfopt_variant_result(&w->block.variants[i], &w->world, &w->result);
        if (!e)
            e = dfopt_frame_item(&frame, DFOPT_ITEM_SWEEP_RESULT, w->result.data,
                                 w->result.len);
    }
    end_block(w);
    return e ? e
             : dfopt_outbox_send(&w->out, w->comm, 0, &frame,
                                 DFOPT_FRAME_SWEEP_RESULT, err);
}

/* ---- the loop ---- */

static enum dfopt_err take_frame(struct worker *w, struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    enum dfopt_err e = dfopt_frame_open(&in, w->in.data, w->in.len, err);
    if (e)
        return e;
    if (in.header.kind == DFOPT_FRAME_SWEEP_END) {
        w->end = true;
        return DFOPT_OK;
    }
    if (in.header.kind != DFOPT_FRAME_SWEEP_BLOCK || w->waiting.len)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "rank 0 sent frame %u in a sweep", in.header.kind);
    const struct dfopt_buf empty = w->waiting;
    w->waiting = w->in;
    w->in = empty;
    return DFOPT_OK;
}

static enum dfopt_err serve(struct worker *w, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    while (!e && !w->end) {
        int from;
        const bool idle =
            !dfopt_variant_block_active(&w->block) && w->waiting.len == 0;
        e = dfopt_comm_receive(w->comm, 0, idle, &w->in, &from, err);
        if (!e && from >= 0)
            e = take_frame(w, err);
        if (e || w->end)
            break;
        if (!dfopt_variant_block_active(&w->block) && w->waiting.len)
            e = begin_block(w, &w->waiting, err);
        if (!e && dfopt_variant_block_active(&w->block))
            e = dfopt_variant_block_step(&w->block);
        if (!e && w->block.done && dfopt_variant_block_active(&w->block))
            e = send_results(w, err);
    }
    return e;
}

static enum dfopt_err say_left(struct worker *w, struct dfopt_error *err)
{
    struct dfopt_frame frame;
    enum dfopt_err e = dfopt_outbox_begin(&w->out, w->comm, w->dict, &frame, err);
    return e ? e
             : dfopt_outbox_send(&w->out, w->comm, 0, &frame,
                                 DFOPT_FRAME_SWEEP_LEFT, err);
}

static void release(struct worker *w)
{
    struct dfopt_registration *r =
        DFOPT_ROW(&w->initial, struct dfopt_registration);
    end_block(w);
    dfopt_variant_block_free(&w->block);
    for (size_t i = 0; i < DFOPT_ROWS(&w->initial, struct dfopt_registration); i++)
        dfopt_registration_clear(&r[i]);
    for (size_t i = 0; i < w->n_paths; i++)
        free(w->paths[i]);
    free(w->paths);
    dfopt_buf_free(&w->initial);
    dfopt_buf_free(&w->in);
    dfopt_buf_free(&w->waiting);
    dfopt_buf_free(&w->result);
    dfopt_recording_free(&w->recording);
    dfopt_codec_destroy(w->codec);
    dfopt_outbox_free(&w->out, w->comm);
    dfopt_dict_destroy(w->dict);
}

enum dfopt_err dfopt_sweep_serve(struct dfopt_comm *comm,
                                 struct dfopt_frame_reader *frame,
                                 struct dfopt_error *err)
{
    struct worker w = {.comm = comm};
    struct dfopt_sweep_start start = {0};
    enum dfopt_err e = dfopt_dict_create(&w.dict, true);
    w.world.recording = &w.recording;
    w.world.dict = w.dict;
    if (!e)
        e = take_start(&w, frame, &start);
    if (!e)
        e = load(&w, &start, err);
    if (!e)
        e = serve(&w, err);
    if (!e)
        e = say_left(&w, err);
    release(&w);
    return e;
}
