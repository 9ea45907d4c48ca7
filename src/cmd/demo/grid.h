/* The grid of static settings. Each runs for some windows, whose median counts; the
 * best is the reference for a tuned run. Pure: the caller supplies the
 * measurements. */
#ifndef DFOPT_CMD_DEMO_GRID_H
#define DFOPT_CMD_DEMO_GRID_H

#include "cmd/demo/diagnosis.h"

enum demo_grid_values {
    DEMO_GRID_NONE,
    DEMO_GRID_POWERS, /* 1, 2, 4, 8 ... and the maximum of each knob */
    DEMO_GRID_FULL    /* every value */
};

#define DEMO_GRID_MAX_WINDOWS 99 /* a setting */

/* Zeroed, with values, windows and maxima, it is before the first setting. */
struct demo_grid {
    enum demo_grid_values values;
    size_t windows; /* a setting; 1 to DEMO_GRID_MAX_WINDOWS */
    unsigned max_threads, max_prefetch;
    unsigned threads, prefetch;                      /* the present setting */
    struct demo_window tried[DEMO_GRID_MAX_WINDOWS]; /* of it, the slowest first */
    size_t n_tried;
    int64_t settings;        /* measured so far */
    struct demo_window best; /* of the settings measured; the earlier of equals */
};

/* Goes to the next setting: prefetch changes first. False: there is none. */
bool demo_grid_next(struct demo_grid *g);

/* Adds a window with the present setting. Returns whether it was the last of them:
 * then the median by throughput, of two the slower, stands for the setting. One
 * that holds more memory than there is (mem_frac above 1) is never the best, unless
 * there is no other. */
bool demo_grid_add(struct demo_grid *g, const struct demo_window *w);

#endif
