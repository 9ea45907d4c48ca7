/* What `dfopt-log why` says of a row, in a window of its own: the command itself
 * runs beside, so that a long log does not keep the keys waiting. */
#ifndef DFOPT_CMD_LOG_TOP_WHY_H
#define DFOPT_CMD_LOG_TOP_WHY_H

#include "cmd/log/top/view.h"

#include <sys/types.h>

#define TOP_WHY_BYTES ((size_t)1 << 20) /* more is not shown */

struct top_why {
    pid_t child; /* 0: none is open */
    int out;     /* its output; -1: at its end */
    struct dfopt_buf text;
    struct dfopt_buf lines; /* size_t: where each begins */
    char title[200];
    size_t first; /* line at the top */
};

/* Starts asking. Returns OK, or IO. */
enum dfopt_err top_why_open(struct top_why *w, const struct top_view *v,
                            const struct top_question *q, struct dfopt_error *err);

/* Takes what has come of the answer. OK or NOMEM. */
enum dfopt_err top_why_read(struct top_why *w);

/* Ends it, and frees the answer. Fine if none is open. */
void top_why_close(struct top_why *w);

void top_why_move(struct top_why *w, int by);
void top_why_draw(struct top_why *w, struct top_canvas *c);

#endif
