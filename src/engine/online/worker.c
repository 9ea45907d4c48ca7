/* What a worker interns itself is local to it; strings of events arrive with rank
 * 0's numbers. */
#include "engine/online/worker.h"

#include "engine/batch/answer.h"
#include "engine/online/pulse.h"

static enum dfopt_err configure(struct dfopt_online_worker *w,
                                const struct dfopt_item *item)
{
    struct dfopt_frame_config c;
    enum dfopt_err e = dfopt_item_config(item, &w->policy, &c);
    const int size = dfopt_comm_size(w->comm);
    return e ? e
             : dfopt_shard_start(&w->shard, w->dict, &w->policy, c.assumed_acks,
                                 c.relay_hostname,
                                 (uint32_t)dfopt_comm_rank(w->comm) - 1,
                                 dfopt_partition_planners(size));
}

enum dfopt_err dfopt_online_item(struct dfopt_online_worker *w,
                                 const struct dfopt_item *item)
{
    if (item->kind == DFOPT_ITEM_STRING || item->kind == DFOPT_ITEM_LIST)
        return dfopt_item_define(w->dict, item);
    if (item->kind == DFOPT_ITEM_CONFIG)
        return w->shard.planner ? DFOPT_ERR_FORMAT : configure(w, item);
    if (!w->shard.planner)
        return DFOPT_ERR_FORMAT;
    return dfopt_shard_item(&w->shard, item, &w->decisions);
}

/* Sends w->out once the previous frame has been sent. */
static enum dfopt_err answer(struct dfopt_online_worker *w, struct dfopt_error *err)
{
    return dfopt_comm_send(w->comm, 0, &w->out, &w->sending, err);
}

static enum dfopt_err begin_answer(struct dfopt_online_worker *w,
                                   struct dfopt_frame *f, struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_send_finish(w->comm, &w->sending, err);
    return e ? e : dfopt_frame_begin(f, &w->out, w->dict, &w->rank0);
}

enum dfopt_err dfopt_online_results(struct dfopt_online_worker *w, uint64_t batch,
                                    struct dfopt_error *err)
{
    struct dfopt_frame f;
    enum dfopt_err e = begin_answer(w, &f, err);
    if (!e)
        e = dfopt_frame_decisions(&f, &w->decisions);
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_RESULTS, batch);
    dfopt_decisions_clear(&w->decisions);
    return answer(w, err);
}

enum dfopt_err dfopt_online_figures(struct dfopt_online_worker *w,
                                    struct dfopt_error *err)
{
    struct dfopt_frame f;
    enum dfopt_err e = begin_answer(w, &f, err);
    if (!e)
        e = dfopt_pulse_put(&f, &w->watch, &w->shard);
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_FIGURES, 0);
    return answer(w, err);
}

enum dfopt_err dfopt_online_state(struct dfopt_online_worker *w,
                                  struct dfopt_error *err)
{
    struct dfopt_frame f;
    enum dfopt_err e = begin_answer(w, &f, err);
    if (!e)
        e = dfopt_answer_put_state(&f, &w->shard);
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_STATE, 0);
    return answer(w, err);
}

enum dfopt_err dfopt_online_failure(struct dfopt_online_worker *w,
                                    const struct dfopt_error *why)
{
    struct dfopt_frame f;
    struct dfopt_error err = {0};
    enum dfopt_err e = begin_answer(w, &f, &err);
    if (!e)
        e = dfopt_answer_put_failure(&f, why);
    if (e)
        return e;
    dfopt_frame_end(&f, DFOPT_FRAME_FAILED, 0);
    return answer(w, &err);
}

void dfopt_online_free(struct dfopt_online_worker *w)
{
    struct dfopt_error err;
    dfopt_send_finish(w->comm, &w->sending, &err);
    dfopt_shard_end(&w->shard);
    dfopt_policy_clear(&w->policy);
    dfopt_decisions_free(&w->decisions);
    dfopt_figures_watch_free(&w->watch);
    dfopt_frame_known_free(&w->rank0);
    dfopt_buf_free(&w->out);
}
