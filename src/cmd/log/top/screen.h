/* The terminal, through curses. */
#ifndef DFOPT_CMD_LOG_TOP_SCREEN_H
#define DFOPT_CMD_LOG_TOP_SCREEN_H

#include "cmd/log/top/canvas.h"

enum top_key {
    TOP_KEY_NONE = -1, /* timed out */
    /* characters stand for themselves */
    TOP_KEY_UP = 0x1000,
    TOP_KEY_DOWN,
    TOP_KEY_LEFT,
    TOP_KEY_RIGHT,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_TAB,
    TOP_KEY_BACK_TAB,
    TOP_KEY_ENTER,
    TOP_KEY_ESCAPE,
    TOP_KEY_BACKSPACE,
    TOP_KEY_RESIZE,
    TOP_KEY_GONE /* the terminal is gone, or a signal asks to stop */
};

/* Takes over the terminal. Returns whether it could; if not, err says why. */
bool top_screen_begin(bool color, struct dfopt_error *err);
void top_screen_end(void);

void top_screen_size(int *rows, int *columns);
void top_screen_show(const struct top_canvas *c);

/* Waits up to the timeout for the next key. */
int top_screen_key(int timeout_ms);

#endif
