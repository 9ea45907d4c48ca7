/* The state goes out in items of bounded size: registered knobs, state rows,
 * suppressions. */
#include "runtime/restore.h"

#include "planner/restore.h"
#include "runtime/partition.h"

#define ITEM_ROWS 4096

enum dfopt_err dfopt_restore_here(struct dfopt_planner *p,
                                  const struct dfopt_fold *state)
{
    enum dfopt_err e = dfopt_planner_preset(p, &state->knobs);
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

static bool concerns(const struct dfopt_dict *dict,
                     const struct dfopt_state_row *row, uint32_t planner,
                     uint32_t planners)
{
    size_t len;
    if (row->node == DFOPT_SYM_EMPTY)
        return true;
    const char *node = dfopt_dict_text(dict, row->node, &len);
    return dfopt_partition_owner(node, len, planners) == planner;
}

enum dfopt_err dfopt_restore_send(struct dfopt_frame *f,
                                  const struct dfopt_fold *state, uint32_t planner,
                                  uint32_t planners)
{
    static const struct dfopt_buf none;
    const struct dfopt_state_row *row =
        DFOPT_ROW(&state->rows, const struct dfopt_state_row);
    const size_t n = DFOPT_ROWS(&state->rows, struct dfopt_state_row);
    struct dfopt_buf some = {0};
    enum dfopt_err e = dfopt_frame_registration(f, 0, &state->knobs);
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

enum dfopt_err dfopt_restore_item(struct dfopt_planner *p,
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
