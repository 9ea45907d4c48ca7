/* The grid of static settings. Each setting runs for some windows and is rated by
 * their median; the best is the reference for a tuned run. Pure: the caller
 * supplies the measurements. */
#ifndef DFOPT_CMD_DEMO_GRID_H
#define DFOPT_CMD_DEMO_GRID_H

#include "cmd/demo/diagnosis.h"

enum demo_grid_values {
    DEMO_GRID_NONE,
    DEMO_GRID_POWERS, /* 1, 2, 4, 8 ... and the maximum of each knob */
    DEMO_GRID_FULL    /* every value */
};

#define DEMO_GRID_MAX_WINDOWS 99 /* per setting */

/* Zeroed except values, windows and maxima: before the first setting. */
struct demo_grid {
    enum demo_grid_values values;
    size_t windows; /* per setting; 1 to DEMO_GRID_MAX_WINDOWS */
    unsigned max_threads, max_prefetch;
    unsigned threads, prefetch;                      /* the current setting */
    struct demo_window tried[DEMO_GRID_MAX_WINDOWS]; /* of it, slowest first */
    size_t n_tried;
    int64_t settings;        /* measured so far */
    struct demo_window best; /* of the settings measured; of equals the first */
};

/* Moves to the next setting; prefetch changes first. Returns false at the end. */
bool demo_grid_next(struct demo_grid *g);

/* Adds a window with the current setting. Returns whether it was the setting's
 * last: then the window of median throughput (of two, the slower) represents the
 * setting. One that holds more than its memory budget (mem_frac above 1) is never
 * the best, unless there is no other. */
bool demo_grid_add(struct demo_grid *g, const struct demo_window *w);

#endif
