/* The panes of `dfopt-log top`: contents, order and selection. */
#ifndef DFOPT_CMD_LOG_TOP_VIEW_H
#define DFOPT_CMD_LOG_TOP_VIEW_H

#include "cmd/log/top/canvas.h"
#include "cmd/log/top/load.h"

enum top_pane { TOP_KNOBS, TOP_NODES, TOP_PLANS_PANE, TOP_PANES };

struct top_list {
    uint32_t *item; /* indices into the model, in order; owned */
    size_t n, cap;
    size_t selected, first; /* first: top row shown */
    unsigned sort;          /* which of the pane's orders */
};

struct top_view {
    const struct top_load *load; /* borrowed */
    struct top_list list[TOP_PANES];
    enum top_pane focus;
    char filter[64]; /* shows only names that contain it */
    bool paused, typing, help;
};

void top_view_free(struct top_view *v);

/* Rebuilds the lists from the model. OK or NOMEM. */
enum dfopt_err top_view_update(struct top_view *v);

/* The name of the focused pane's order; switching to the next order. */
const char *top_view_order(const struct top_view *v);
void top_view_next_order(struct top_view *v);

/* Moves the selection of the focused pane. */
void top_view_move(struct top_view *v, int by);

/* The knob, node and window to ask `why` about. Returns false if none is
 * selected. */
struct top_question {
    dfopt_sym knob, node;
    int64_t from, to;
};
bool top_view_question(const struct top_view *v, struct top_question *q);

/* Draws everything on a cleared canvas. */
void top_draw(struct top_view *v, struct top_canvas *c);

#endif
