/* A screen of characters that panes are drawn on: shown by curses, or printed. */
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
    char text[7];  /* a character, of UTF-8; "": covered by the one before */
    uint8_t style; /* enum top_style */
};

struct top_canvas {
    int rows, columns;
    bool utf8;              /* the terminal shows it; else other bytes are '?' */
    struct top_cell *cells; /* by row; owned */
};

/* Blank, of a size of at least 1 x 1. Zero-initialise before the first call. OK or
 * NOMEM. */
enum dfopt_err top_canvas_clear(struct top_canvas *c, int rows, int columns);
void top_canvas_free(struct top_canvas *c);

/* Puts a text at most `width` columns wide, cut with two dots; what lies outside of
 * the canvas is left out. Control characters become '?'. Returns the column
 * behind. */
int top_put(struct top_canvas *c, int row, int column, int width, unsigned style,
            const char *text);
int top_putf(struct top_canvas *c, int row, int column, int width, unsigned style,
             const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The same, at the right end of the width. */
void top_put_right(struct top_canvas *c, int row, int column, int width,
                   unsigned style, const char *text);

/* Adds a style to a whole row. */
void top_style_row(struct top_canvas *c, int row, unsigned style);

/* Values as a line of bars of eight heights, the latest at the right end; where
 * they are more than columns, a column shows the latest of its share. Where the
 * canvas has no UTF-8, of digits. */
void top_spark(struct top_canvas *c, int row, int column, int width,
               const double *values, uint32_t n);

/* Prints the rows, without blanks at their ends. */
void top_canvas_print(const struct top_canvas *c, struct dl_print *p);

#endif
