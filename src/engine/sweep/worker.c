/* A rank of a sweep that is not 0. It looks for frames between the blocks of a
 * block, so that it can be told to drop it. */
#include "engine/sweep/sweep.h"

#include "engine/sweep/frames.h"
#include "engine/sweep/block.h"

#include <stdlib.h>
#include <string.h>

struct worker {
    struct dfopt_comm *comm;
    struct dfopt_dict
        *dict; /* with rank 0's numbers of all texts of the policies */
    struct dfopt_codec *codec;
    struct dfopt_recording recording;
    struct dfopt_variant_world world;
    struct dfopt_buf initial; /* struct dfopt_registration */
    char **paths;
    size_t n_paths;
    struct dfopt_outbox out;
    struct dfopt_buf in, waiting; /* frames; the one that waits, if len > 0 */
    struct dfopt_variant_block block;
    struct dfopt_policy *policies; /* of the block */
    size_t n_policies;
    struct dfopt_buf result;
    bool end;
};

/* ---- the beginning ---- */

static enum dfopt_err take_path(struct worker *f, const struct dfopt_item *item)
{
    char **paths = realloc(f->paths, (f->n_paths + 1) * sizeof *paths);
    if (!paths)
        return DFOPT_ERR_NOMEM;
    f->paths = paths;
    paths[f->n_paths] = strndup(item->data, item->size);
    return paths[f->n_paths++] ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

static enum dfopt_err take_initial(struct worker *f, const struct dfopt_item *item)
{
    uint64_t seq;
    struct dfopt_registration r;
    enum dfopt_err e = dfopt_item_registration(item, &seq, &r);
    if (e)
        return e;
    e = dfopt_buf_add(&f->initial, &r, sizeof r);
    if (e)
        dfopt_registration_clear(&r);
    return e ? e : dfopt_recording_add_knobs(&f->recording, &r);
}

static enum dfopt_err take_config(struct worker *f, const struct dfopt_item *item)
{
    struct dfopt_policy policy;
    struct dfopt_frame_config config;
    enum dfopt_err e = dfopt_item_config(item, &policy, &config);
    if (e)
        return e;
    dfopt_policy_clear(&policy);
    f->world.assumed_acks = config.assumed_acks;
    f->world.relay_hostname = config.relay_hostname;
    return DFOPT_OK;
}

static enum dfopt_err take_start(struct worker *f, struct dfopt_frame_reader *frame,
                                 struct dfopt_sweep_start *start)
{
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    while (!e && dfopt_frame_next(frame, &item, &e)) {
        switch (item.kind) {
        case DFOPT_ITEM_STRING:
        case DFOPT_ITEM_LIST:
            e = dfopt_item_define(f->dict, &item);
            break;
        case DFOPT_ITEM_CONFIG:
            e = take_config(f, &item);
            break;
        case DFOPT_ITEM_SWEEP_START:
            if (item.size == sizeof *start)
                memcpy(start, item.data, sizeof *start);
            else
                e = DFOPT_ERR_FORMAT;
            break;
        case DFOPT_ITEM_TEXT:
            e = take_path(f, &item);
            break;
        default:
            e = take_initial(f, &item);
        }
    }
    f->world.initial = DFOPT_ROW(&f->initial, const struct dfopt_registration);
    f->world.n_initial = DFOPT_ROWS(&f->initial, struct dfopt_registration);
    return e;
}

static enum dfopt_err load(struct worker *f, const struct dfopt_sweep_start *start,
                           struct dfopt_error *err)
{
    const struct dfopt_codec_limits limits = {.max_record_bytes =
                                                  (size_t)start->max_record_bytes};
    const struct dfopt_recording_source from = {
        .patterns = (const char *const *)f->paths,
        .n = f->n_paths,
        .max_record_bytes = (size_t)start->max_record_bytes,
        .strict = start->strict != 0,
    };
    struct dfopt_frame frame;
    enum dfopt_err e = dfopt_codec_create(&f->codec, f->dict, &limits);
    if (!e)
        e = dfopt_recording_load(&f->recording, f->dict, f->codec, &from, err);
    if (e)
        return e;
    const struct dfopt_sweep_ready ready = {
        .records = f->recording.records,
        .findings = dfopt_recording_findings(&f->recording),
        .digest = f->recording.digest,
    };
    e = dfopt_outbox_begin(&f->out, f->comm, f->dict, &frame, err);
    if (!e)
        e = dfopt_frame_item(&frame, DFOPT_ITEM_SWEEP_READY, &ready, sizeof ready);
    return e ? e
             : dfopt_outbox_send(&f->out, f->comm, 0, &frame,
                                 DFOPT_FRAME_SWEEP_READY, err);
}

/* ---- blocks ---- */

static void end_block(struct worker *f)
{
    dfopt_variant_block_end(&f->block);
    for (size_t i = 0; i < f->n_policies; i++)
        dfopt_policy_clear(&f->policies[i]);
    free(f->policies);
    f->policies = NULL;
    f->n_policies = 0;
}

/* Reads numbers and policies of a block's frame. Both arrays have room for all. */
static enum dfopt_err read_block(struct worker *f, struct dfopt_frame_reader *in,
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
            e = dfopt_item_config(&item, &f->policies[f->n_policies], &config);
            f->n_policies += e == DFOPT_OK;
        } else {
            e = DFOPT_ERR_FORMAT;
        }
    }
    return !e && *n != f->n_policies ? DFOPT_ERR_FORMAT : e;
}

static enum dfopt_err begin_block(struct worker *f, struct dfopt_buf *frame,
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
    f->policies = calloc(most + 1, sizeof *f->policies);
    e = numbers && policies && f->policies ? read_block(f, &in, numbers, &n)
                                           : DFOPT_ERR_NOMEM;
    for (size_t i = 0; !e && i < n; i++)
        policies[i] = &f->policies[i];
    if (!e)
        e = dfopt_variant_block_begin(&f->block, &f->world, policies, numbers, n);
    free(numbers);
    free(policies);
    dfopt_buf_clear(frame);
    return e;
}

static enum dfopt_err send_results(struct worker *f, struct dfopt_error *err)
{
    struct dfopt_frame frame;
    enum dfopt_err e = dfopt_outbox_begin(&f->out, f->comm, f->dict, &frame, err);
    for (size_t i = 0; i < f->block.n && !e; i++) {
        dfopt_buf_clear(&f->result);
        e = dfopt_variant_result(&f->block.variants[i], &f->world, &f->result);
        if (!e)
            e = dfopt_frame_item(&frame, DFOPT_ITEM_SWEEP_RESULT, f->result.data,
                                 f->result.len);
    }
    end_block(f);
    return e ? e
             : dfopt_outbox_send(&f->out, f->comm, 0, &frame,
                                 DFOPT_FRAME_SWEEP_RESULT, err);
}

/* ---- the loop ---- */

static enum dfopt_err take_frame(struct worker *f, struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    enum dfopt_err e = dfopt_frame_open(&in, f->in.data, f->in.len, err);
    if (e)
        return e;
    if (in.header.kind == DFOPT_FRAME_SWEEP_END) {
        f->end = true;
        return DFOPT_OK;
    }
    if (in.header.kind != DFOPT_FRAME_SWEEP_BLOCK || f->waiting.len)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "rank 0 sent frame %u in a sweep", in.header.kind);
    const struct dfopt_buf empty = f->waiting;
    f->waiting = f->in;
    f->in = empty;
    return DFOPT_OK;
}

static enum dfopt_err serve(struct worker *f, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    while (!e && !f->end) {
        int from;
        const bool idle =
            !dfopt_variant_block_active(&f->block) && f->waiting.len == 0;
        e = dfopt_comm_receive(f->comm, 0, idle, &f->in, &from, err);
        if (!e && from >= 0)
            e = take_frame(f, err);
        if (e || f->end)
            break;
        if (!dfopt_variant_block_active(&f->block) && f->waiting.len)
            e = begin_block(f, &f->waiting, err);
        if (!e && dfopt_variant_block_active(&f->block))
            e = dfopt_variant_block_step(&f->block);
        if (!e && f->block.done && dfopt_variant_block_active(&f->block))
            e = send_results(f, err);
    }
    return e;
}

static enum dfopt_err say_left(struct worker *f, struct dfopt_error *err)
{
    struct dfopt_frame frame;
    enum dfopt_err e = dfopt_outbox_begin(&f->out, f->comm, f->dict, &frame, err);
    return e ? e
             : dfopt_outbox_send(&f->out, f->comm, 0, &frame,
                                 DFOPT_FRAME_SWEEP_LEFT, err);
}

static void release(struct worker *f)
{
    struct dfopt_registration *r =
        DFOPT_ROW(&f->initial, struct dfopt_registration);
    end_block(f);
    dfopt_variant_block_free(&f->block);
    for (size_t i = 0; i < DFOPT_ROWS(&f->initial, struct dfopt_registration); i++)
        dfopt_registration_clear(&r[i]);
    for (size_t i = 0; i < f->n_paths; i++)
        free(f->paths[i]);
    free(f->paths);
    dfopt_buf_free(&f->initial);
    dfopt_buf_free(&f->in);
    dfopt_buf_free(&f->waiting);
    dfopt_buf_free(&f->result);
    dfopt_recording_free(&f->recording);
    dfopt_codec_destroy(f->codec);
    dfopt_outbox_free(&f->out, f->comm);
    dfopt_dict_destroy(f->dict);
}

enum dfopt_err dfopt_sweep_serve(struct dfopt_comm *comm,
                                 struct dfopt_frame_reader *frame,
                                 struct dfopt_error *err)
{
    struct worker f = {.comm = comm};
    struct dfopt_sweep_start start = {0};
    enum dfopt_err e = dfopt_dict_create(&f.dict, true);
    f.world.recording = &f.recording;
    f.world.dict = f.dict;
    if (!e)
        e = take_start(&f, frame, &start);
    if (!e)
        e = load(&f, &start, err);
    if (!e)
        e = serve(&f, err);
    if (!e)
        e = say_left(&f, err);
    release(&f);
    return e;
}
