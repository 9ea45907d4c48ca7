/* A worker's loop: dispatches each frame to the mode it belongs to. */
#include "engine/worker.h"

#include "engine/comm/frame.h"
#include "engine/online/worker.h"
#include "engine/replay/replay.h"
#include "engine/sweep/sweep.h"

#include <string.h>

struct worker {
    struct dfopt_comm *comm;
    struct dfopt_online_worker online;
    struct dfopt_buf in;
};

/* Handles one frame. Sets *stop and *exit_code on STOP. */
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
        return dfopt_online_state(&w->online, err);
    if (r.header.kind == DFOPT_FRAME_ASK_FIGURES)
        return dfopt_online_figures(&w->online, err);
    if (r.header.kind == DFOPT_FRAME_REPLAY)
        return dfopt_replay_serve(w->comm, &r, err);
    if (r.header.kind == DFOPT_FRAME_SWEEP)
        return dfopt_sweep_serve(w->comm, &r, err);
    while (dfopt_frame_next(&r, &item, &e)) {
        e = dfopt_online_item(&w->online, &item);
        if (e)
            break;
    }
    if (r.header.kind == DFOPT_FRAME_FEED)
        dfopt_decisions_clear(&w->online.decisions);
    if (!e && r.header.kind == DFOPT_FRAME_EVENTS)
        e = dfopt_online_results(&w->online, r.header.batch, err);
    return e;
}

int dfopt_worker_serve(struct dfopt_comm *comm)
{
    struct worker w = {.comm = comm, .online = {.comm = comm}};
    int exit_code = 1, from;
    bool stop = false, failed = false;
    struct dfopt_error err = {0};
    enum dfopt_err e = dfopt_dict_create(&w.online.dict, true);
    while (!stop) {
        if (e && !failed) { /* report it once, then wait for STOP */
            failed = true;
            if (err.code == DFOPT_OK)
                dfopt_error_set(&err, e, "%s", dfopt_err_text(e));
            if (dfopt_online_failure(&w.online, &err))
                dfopt_comm_lost(comm, dfopt_comm_rank(comm), e, &err);
        }
        e = dfopt_comm_receive(comm, 0, true, &w.in, &from, &err);
        if (e && failed)
            dfopt_comm_lost(comm, dfopt_comm_rank(comm), e, &err);
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
    dfopt_online_free(&w.online);
    dfopt_dict_destroy(w.online.dict);
    dfopt_buf_free(&w.in);
    return exit_code;
}

void dfopt_worker_dismiss(struct dfopt_comm *comm, int exit_code)
{
    const uint64_t code = (uint64_t)exit_code;
    for (int rank = 1; rank < dfopt_comm_size(comm); rank++) {
        struct dfopt_frame f;
        struct dfopt_buf bytes = {0};
        struct dfopt_send *send = NULL;
        struct dfopt_error err = {0};
        enum dfopt_err e = dfopt_frame_begin(&f, &bytes, NULL, NULL);
        if (!e)
            e = dfopt_frame_item(&f, DFOPT_ITEM_CODE, &code, sizeof code);
        if (!e) {
            dfopt_frame_end(&f, DFOPT_FRAME_STOP, 0);
            e = dfopt_comm_send(comm, rank, &bytes, &send, &err);
        }
        if (!e)
            e = dfopt_send_finish(comm, &send, &err);
        dfopt_buf_free(&bytes);
        if (e)
            dfopt_comm_lost(comm, rank, e, &err);
    }
}
