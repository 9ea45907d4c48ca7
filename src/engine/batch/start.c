/* State is sent in items of bounded size: registered knobs, state rows,
 * suppressions. */
#include "engine/batch/start.h"

#include "planner/restore.h"

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
    for (size_t i = 0; i < config->n_initial && !e; i++)
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
    for (size_t i = 0; i < config->n_initial && !e; i++)
        e = dfopt_frame_registration(f, DFOPT_SEQ_INITIAL,
                                     &config->initial[i].registration);
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
