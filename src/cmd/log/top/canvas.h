/* A grid of characters that panes draw on: shown by curses, or printed. */
#ifndef DFOPT_CMD_LOG_TOP_CANVAS_H
#define DFOPT_CMD_LOG_TOP_CANVAS_H

#include "cmd/log/common.h"

enum top_style { /* bits */
                 TOP_PLAIN = 0,
                 TOP_BOLD = 1,
                 TOP_DIM = 2,
                 TOP_REVERSE = 4,
                 TOP_RED = 8,
                 TOP_GREEN = 16,
                 TOP_YELLOW = 32
};

struct top_cell {
    char text[7];  /* one UTF-8 character; "": covered by the previous cell */
    uint8_t style; /* enum top_style */
};

struct top_canvas {
    int rows, columns;
    bool utf8;              /* supported by the terminal; else such bytes are '?' */
    struct top_cell *cells; /* row by row; owned */
};

/* Clears the canvas and sets its size, at least 1 x 1. Zero-initialise before the
 * first call. OK or NOMEM. */
enum dfopt_err top_canvas_clear(struct top_canvas *c, int rows, int columns);
void top_canvas_free(struct top_canvas *c);

/* Draws a text at most `width` columns wide, truncated with two dots, and clipped
 * to the canvas. Control characters become '?'. Returns the column after it. */
int top_put(struct top_canvas *c, int row, int column, int width, unsigned style,
            const char *text);
int top_putf(struct top_canvas *c, int row, int column, int width, unsigned style,
             const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The same, right-aligned in the width. */
void top_put_right(struct top_canvas *c, int row, int column, int width,
                   unsigned style, const char *text);

/* Adds a style to a whole row. */
void top_style_row(struct top_canvas *c, int row, unsigned style);

/* Draws values as bars of eight heights, the latest rightmost. If there are more
 * values than columns, each column shows the latest of its share. Digits without
 * UTF-8. */
void top_spark(struct top_canvas *c, int row, int column, int width,
               const double *values, uint32_t n);

/* Prints the rows without trailing blanks. */
void top_canvas_print(const struct top_canvas *c, struct dl_print *p);

#endif
