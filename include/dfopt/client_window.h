/* The boundaries of analysis windows. Included by dfopt/client.h. */
#ifndef DFOPT_CLIENT_WINDOW_H
#define DFOPT_CLIENT_WINDOW_H

#include "dfopt/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- analysis windows ---- */

/* An analysis window ends every every_n iterations; every_n doubles and halves as
 * the optimizer requests. Equals dfoptimizer/runtime/window.py of DFOptimizer 0.1.0
 * call by call. Plain data, owns no memory. Read the members; change them only by
 * the functions. */
struct dfopt_window {
    int64_t every_n;     /* iterations per window; at least 1 */
    int64_t max_every_n; /* 0: no upper bound */
    int64_t counter;     /* iterations since the last flush */
    int64_t index;       /* number of the last window, from 1; 0: none yet */
    int64_t start_ns;    /* when the window began */
    bool active;         /* begun and not yet ended */
};

/* The event to pass to the tracer at a boundary. */
struct dfopt_window_event {
    const char *name; /* "window.start" or "window.stop"; static storage */
    int64_t window_index, every_n, counter;
    int64_t start_ns, duration_ns;
    bool flush; /* forced by dfopt_window_flush */
};

/* Begins with every_n 1. max_every_n: 0 or less: no upper bound. */
DFOPT_CLIENT_API void dfopt_window_init(struct dfopt_window *w,
                                        int64_t max_every_n);

/* Call them at the start and the end of each iteration. Each returns whether this
 * is a boundary, and then sets *event (may be NULL). now_ns may be of any clock. */
DFOPT_CLIENT_API bool dfopt_window_start(struct dfopt_window *w, int64_t now_ns,
                                         struct dfopt_window_event *event);
DFOPT_CLIENT_API bool dfopt_window_stop(struct dfopt_window *w, int64_t now_ns,
                                        struct dfopt_window_event *event);

/* Call it at the end of an epoch or phase: ends the current or partial window, and
 * restarts the count at 0. Returns as above. */
DFOPT_CLIENT_API bool dfopt_window_flush(struct dfopt_window *w, int64_t now_ns,
                                         struct dfopt_window_event *event);

/* Double, halve or set every_n: never below 1 and, except when halving, never above
 * max_every_n. Each returns whether it changed. */
DFOPT_CLIENT_API bool dfopt_window_increase(struct dfopt_window *w);
DFOPT_CLIENT_API bool dfopt_window_decrease(struct dfopt_window *w);
DFOPT_CLIENT_API bool dfopt_window_update(struct dfopt_window *w, int64_t every_n);

#ifdef __cplusplus
}
#endif
#endif
