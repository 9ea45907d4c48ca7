/* State is sent in items of bounded size: registered knobs, state rows,
 * suppressions. */
#include "engine/batch/start.h"

#include "planner/restore.h"

#include <stdlib.h>

#define ITEM_ROWS 4096

enum dfopt_err dfopt_start_register(struct dfopt_planner *p, struct dfopt_router *r,
                                    const struct dfopt_registration *g)
{
    enum dfopt_err e = dfopt_router_learn(r, g);
    return e ? e : dfopt_planner_preset(p, g);
}

static enum dfopt_err restore_here(struct dfopt_planner *p, struct dfopt_router *r,
                                   const struct dfopt_fold *state)
{
    enum dfopt_err e = dfopt_start_register(p, r, &state->knobs);
    if (!e)
        e = dfopt_planner_take_state(
            p, DFOPT_ROW(&state->rows, const struct dfopt_state_row),
            DFOPT_ROWS(&state->rows, struct dfopt_state_row));
    return e ? e
             : dfopt_planner_take_suppressions(
                   p,
                   DFOPT_ROW(&state->suppressions,
                             const struct dfopt_suppression_state),
                   DFOPT_ROWS(&state->suppressions,
                              struct dfopt_suppression_state));
}

enum dfopt_err dfopt_start_here(struct dfopt_planner *p, struct dfopt_router *r,
                                const struct dfopt_run_config *config,
                                struct dfopt_error *err)
{
    enum dfopt_err e =
        config->resume ? restore_here(p, r, config->resume) : DFOPT_OK;
    if (e)
        return dfopt_error_set(err, e, "restoring the state: %s",
                               dfopt_err_text(e));
    const size_t n = dfopt_start_feeds(config) ? 0 : config->n_initial;
    for (size_t i = 0; i < n && !e; i++)
        e = dfopt_start_register(p, r, &config->initial[i].registration);
    return e ? dfopt_error_set(err, e, "out of memory") : DFOPT_OK;
}

static bool concerns(const struct dfopt_dict *dict,
                     const struct dfopt_state_row *row, uint32_t planner,
                     uint32_t planners)
{
    return row->node == DFOPT_SYM_EMPTY ||
           dfopt_route_owner(dict, row->node, planners) == planner;
}

static enum dfopt_err restore_send(struct dfopt_frame *f,
                                   const struct dfopt_fold *state, uint32_t planner,
                                   uint32_t planners)
{
    static const struct dfopt_buf none;
    const struct dfopt_state_row *row =
        DFOPT_ROW(&state->rows, const struct dfopt_state_row);
    const size_t n = DFOPT_ROWS(&state->rows, struct dfopt_state_row);
    struct dfopt_buf some = {0};
    enum dfopt_err e =
        dfopt_frame_registration(f, DFOPT_SEQ_INITIAL, &state->knobs);
    for (size_t i = 0; i < n && !e; i++) {
        if (concerns(f->dict, &row[i], planner, planners))
            e = dfopt_buf_add(&some, &row[i], sizeof row[i]);
        if (!e && some.len == ITEM_ROWS * sizeof row[i]) {
            e = dfopt_frame_restore(f, &some, &none);
            dfopt_buf_clear(&some);
        }
    }
    if (!e)
        e = dfopt_frame_restore(f, &some, &state->suppressions);
    dfopt_buf_free(&some);
    return e;
}

enum dfopt_err dfopt_start_send(struct dfopt_frame *f,
                                const struct dfopt_run_config *config,
                                uint32_t planner, uint32_t planners)
{
    enum dfopt_err e = dfopt_frame_config(f, config->policy, config->assumed_acks,
                                          config->relay_hostname);
    if (!e && config->resume)
        e = restore_send(f, config->resume, planner, planners);
    const size_t n = dfopt_start_feeds(config) ? 0 : config->n_initial;
    for (size_t i = 0; i < n && !e; i++)
        e = dfopt_frame_registration(f, DFOPT_SEQ_INITIAL,
                                     &config->initial[i].registration);
    return e;
}

/* ---- events of the log ---- */

#define FEED_BYTES ((size_t)1 << 20)

struct feeding {
    const struct dfopt_start_feed *feed;
    struct dfopt_frame *frames; /* by planner; out NULL: not begun */
    struct dfopt_decisions unheard;
};

static enum dfopt_err feed_frame(struct feeding *g, uint32_t planner, uint64_t seq,
                                 const struct dfopt_event *event,
                                 struct dfopt_error *err)
{
    const struct dfopt_start_feed *feed = g->feed;
    struct dfopt_frame *f = &g->frames[planner];
    enum dfopt_err e = f->out ? DFOPT_OK : feed->begin(feed->arg, planner, f, err);
    if (!e)
        e = dfopt_frame_event(f, seq, event);
    if (!e && f->out->len > FEED_BYTES) {
        e = feed->send(feed->arg, planner, f, false, err);
        f->out = NULL;
    }
    return e;
}

static enum dfopt_err feed_event(void *arg, uint64_t seq,
                                 const struct dfopt_event *event,
                                 struct dfopt_error *err)
{
    struct feeding *g = arg;
    struct dfopt_shard *here = g->feed->here;
    struct dfopt_route to;
    enum dfopt_err e = dfopt_route_event(g->feed->router, event, &to);
    if (!e && event->stream == DFOPT_STREAM_REGISTRATION)
        e = dfopt_router_learn(g->feed->router, &event->registration);
    if (event->policy)
        dfopt_router_reform(g->feed->router, event->policy);
    for (uint32_t i = to.first; i <= to.last && !e; i++) {
        if (!here || here->index != i) {
            e = feed_frame(g, i, seq, event, err);
            continue;
        }
        dfopt_decisions_clear(&g->unheard);
        e = seq == DFOPT_SEQ_INITIAL
                ? dfopt_start_register(here->planner, &here->router,
                                       &event->registration)
                : dfopt_shard_event(here, seq, event, &g->unheard);
    }
    return e;
}

enum dfopt_err dfopt_start_feed(const struct dfopt_start_feed *feed,
                                const struct dfopt_run_config *config,
                                struct dfopt_error *err)
{
    const uint32_t planners = feed->router->planners;
    struct feeding g = {.feed = feed, .frames = calloc(planners, sizeof *g.frames)};
    enum dfopt_err e = g.frames
                           ? dfopt_fold_feed(config->resume, feed_event, &g, err)
                           : DFOPT_ERR_NOMEM;
    struct dfopt_event event = {.stream = DFOPT_STREAM_REGISTRATION};
    for (size_t i = 0; i < config->n_initial && !e; i++) {
        event.registration = config->initial[i].registration; /* borrowed */
        e = feed_event(&g, DFOPT_SEQ_INITIAL, &event, err);
    }
    for (uint32_t i = 0; i < planners && !e; i++) {
        if (feed->here && feed->here->index == i)
            continue;
        if (!g.frames[i].out)
            e = feed->begin(feed->arg, i, &g.frames[i], err);
        if (!e)
            e = feed->send(feed->arg, i, &g.frames[i], true, err);
    }
    free(g.frames);
    dfopt_decisions_free(&g.unheard);
    if (e && !err->code)
        dfopt_error_set(err, e, "replaying the events of the log: %s",
                        dfopt_err_text(e));
    return e;
}

enum dfopt_err dfopt_start_restore(struct dfopt_planner *p,
                                   const struct dfopt_item *item)
{
    const size_t size = item->kind == DFOPT_ITEM_STATE_ROWS
                            ? sizeof(struct dfopt_state_row)
                            : sizeof(struct dfopt_suppression_state);
    if (item->size % size != 0)
        return DFOPT_ERR_FORMAT;
    return item->kind == DFOPT_ITEM_STATE_ROWS
               ? dfopt_planner_take_state(p, item->data, item->size / size)
               : dfopt_planner_take_suppressions(p, item->data, item->size / size);
}
