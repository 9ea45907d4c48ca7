/* Shows the output of `dfopt-log why` for a row in its own window. The command runs
 * as a child process, so a long log does not block the keys. */
#ifndef DFOPT_CMD_LOG_TOP_WHY_H
#define DFOPT_CMD_LOG_TOP_WHY_H

#include "cmd/log/top/view.h"

#include <sys/types.h>

#define TOP_WHY_BYTES ((size_t)1 << 20) /* limit of what is shown */

struct top_why {
    pid_t child; /* 0: none is running */
    int out;     /* its output; -1: at end of file */
    struct dfopt_buf text;
    struct dfopt_buf lines; /* size_t: start of each line */
    char title[200];
    size_t first; /* line shown at the top */
    int left;     /* characters of each line that are not shown */
};

/* Starts the command. Returns OK, or IO. */
enum dfopt_err top_why_open(struct top_why *w, const struct top_view *v,
                            const struct top_question *q, struct dfopt_error *err);

/* Reads the output available so far. OK or NOMEM. */
enum dfopt_err top_why_read(struct top_why *w);

/* Stops the command and frees its output. Fine if none is open. */
void top_why_close(struct top_why *w);

/* Scrolls by lines, and by characters to the right. */
void top_why_move(struct top_why *w, int by, int right);
void top_why_draw(struct top_why *w, struct top_canvas *c);

#endif
