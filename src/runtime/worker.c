/* The worker's loop. Everything it interns by itself is local to it; strings
 * of events come with rank 0's numbers. */
#include "runtime/worker.h"

#include "codec/frame.h"
#include "runtime/bulk.h"
#include "runtime/slice.h"
#include "runtime/sweep.h"

#include <stdlib.h>
#include <string.h>

struct worker {
    struct dfopt_comm *comm;
    struct dfopt_dict *dict; /* a replica of rank 0's */
    struct dfopt_policy policy;
    struct dfopt_deciding deciding;
    struct dfopt_decisions decisions;
    struct dfopt_frame_peer rank0; /* what it knows of this rank's own strings */
    struct dfopt_buf in, out;
    struct dfopt_send *sending;
    struct dfopt_buf state_rows, suppressions;
};

static enum dfopt_err configure(struct worker *w, const struct dfopt_item *item)
{
    struct dfopt_frame_config c;
    enum dfopt_err e = dfopt_item_config(item, &w->policy, &c);
    const int size = dfopt_comm_size(w->comm);
    return e ? e
             : dfopt_deciding_start(&w->deciding, w->dict, &w->policy,
                                    c.assumed_acks, c.relay_hostname,
                                    (uint32_t)dfopt_comm_rank(w->comm) - 1,
                                    dfopt_partition_planners(size));
}

static enum dfopt_err take_item(struct worker *w, const struct dfopt_item *item)
{
    if (item->kind == DFOPT_ITEM_STRING || item->kind == DFOPT_ITEM_LIST)
        return dfopt_item_define(w->dict, item);
    if (item->kind == DFOPT_ITEM_CONFIG)
        return w->deciding.planner ? DFOPT_ERR_FORMAT : configure(w, item);
    if (!w->deciding.planner)
        return DFOPT_ERR_FORMAT;
    return dfopt_slice_decide_item(&w->deciding, item, &w->decisions);
}

/* Sends what is in w->out, once the frame before it is gone. */
static enum dfopt_err answer(struct worker *w, struct dfopt_error *err)
{
    return dfopt_comm_send(w->comm, 0, &w->out, &w->sending, err);
}

static enum dfopt_err begin_answer(struct worker *w, struct dfopt_frame *f,
                                   struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_send_finish(w->comm, &w->sending, err);
    return e ? e : dfopt_frame_begin(f, &w->out, w->dict, &w->rank0);
}

static enum dfopt_err report_round(struct worker *w, uint64_t round,
                                   struct dfopt_error *err)
{
    struct dfopt_frame f;
    enum dfopt_err e = begin_answer(w, &f, err);
    if (!e)
        e = dfopt_frame_decisions(&f, &w->decisions);
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_RESULTS, round);
    dfopt_decisions_clear(&w->decisions);
    return answer(w, err);
}

static enum dfopt_err report_state(struct worker *w, struct dfopt_error *err)
{
    struct dfopt_frame f;
    dfopt_buf_clear(&w->state_rows);
    dfopt_buf_clear(&w->suppressions);
    enum dfopt_err e = begin_answer(w, &f, err);
    if (!e)
        e = dfopt_deciding_state(&w->deciding, &w->state_rows, &w->suppressions);
    if (!e)
        e = dfopt_frame_state(&f, &w->state_rows, &w->suppressions);
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_STATE, 0);
    return answer(w, err);
}

static enum dfopt_err report_failure(struct worker *w,
                                     const struct dfopt_error *why)
{
    struct dfopt_frame f;
    struct dfopt_error err = {0};
    enum dfopt_err e = begin_answer(w, &f, &err);
    if (!e)
        e = dfopt_frame_item(&f, DFOPT_ITEM_TEXT, why->text, strlen(why->text));
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_FAILED, 0);
    return answer(w, &err);
}

/* Handles one frame. Sets *stop and *exit_code if it says stop. */
static enum dfopt_err serve_frame(struct worker *w, bool *stop, int *exit_code,
                                  struct dfopt_error *err)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    uint64_t code;
    enum dfopt_err e = dfopt_frame_open(&r, w->in.data, w->in.len, err);
    if (e)
        return e;
    if (r.header.kind == DFOPT_FRAME_STOP) {
        *stop = true;
        *exit_code = 1;
        if (dfopt_frame_next(&r, &item, &e) && item.size == sizeof code) {
            memcpy(&code, item.data, sizeof code);
            *exit_code = (int)code;
        }
        return DFOPT_OK;
    }
    if (r.header.kind == DFOPT_FRAME_ASK_STATE)
        return report_state(w, err);
    if (r.header.kind == DFOPT_FRAME_BULK)
        return dfopt_bulk_follow(w->comm, &r, err);
    if (r.header.kind == DFOPT_FRAME_SWEEP)
        return dfopt_sweep_follow(w->comm, &r, err);
    while (dfopt_frame_next(&r, &item, &e)) {
        e = take_item(w, &item);
        if (e)
            break;
    }
    if (!e && r.header.kind == DFOPT_FRAME_EVENTS)
        e = report_round(w, r.header.round, err);
    return e;
}

static void release(struct worker *w)
{
    struct dfopt_error err;
    dfopt_send_finish(w->comm, &w->sending, &err);
    dfopt_deciding_end(&w->deciding);
    dfopt_policy_clear(&w->policy);
    dfopt_dict_destroy(w->dict);
    dfopt_decisions_free(&w->decisions);
    dfopt_frame_peer_free(&w->rank0);
    dfopt_buf_free(&w->in);
    dfopt_buf_free(&w->out);
    dfopt_buf_free(&w->state_rows);
    dfopt_buf_free(&w->suppressions);
}

int dfopt_worker_serve(struct dfopt_comm *comm)
{
    struct worker w = {.comm = comm};
    int exit_code = 1, from;
    bool stop = false, failed = false;
    struct dfopt_error err = {0};
    enum dfopt_err e = dfopt_dict_create(&w.dict, true);
    while (!stop) {
        if (e && !failed) { /* say it once, then wait to be told to leave */
            failed = true;
            if (err.code == DFOPT_OK)
                dfopt_error_set(&err, e, "%s", dfopt_err_text(e));
            if (report_failure(&w, &err))
                dfopt_comm_abort(comm, 1);
        }
        e = dfopt_comm_receive(comm, 0, true, &w.in, &from, &err);
        if (e && failed)
            dfopt_comm_abort(comm, 1);
        if (e)
            continue;
        if (!failed) {
            e = serve_frame(&w, &stop, &exit_code, &err);
        } else {
            struct dfopt_frame_reader r;
            stop = !dfopt_frame_open(&r, w.in.data, w.in.len, NULL) &&
                   r.header.kind == DFOPT_FRAME_STOP;
        }
    }
    release(&w);
    return exit_code;
}
