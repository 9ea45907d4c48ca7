/* Where windows of analysis begin and end. Included by dfopt/client.h. */
#ifndef DFOPT_CLIENT_WINDOW_H
#define DFOPT_CLIENT_WINDOW_H

#include "dfopt/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- analysis windows ---- */

/* Where windows of analysis begin and end: every every_n-th iteration, where
 * every_n doubles and halves as the optimizer asks. Source: DFOptimizer 0.1.0,
 * dfoptimizer/runtime/window.py, which it equals call by call. Plain data, no
 * memory of its own; read the members, change them by the functions. */
struct dfopt_window {
    int64_t every_n;     /* iterations a window; at least 1 */
    int64_t max_every_n; /* 0: no upper bound */
    int64_t counter;     /* iterations since the last flush */
    int64_t index;       /* number of the last window, from 1; 0: none yet */
    int64_t start_ns;    /* when the window began */
    bool active;         /* begun, not yet ended */
};

/* What to tell the tracer at a boundary. */
struct dfopt_window_event {
    const char *name; /* "window.start" or "window.stop"; static storage */
    int64_t window_index, every_n, counter;
    int64_t start_ns, duration_ns;
    bool flush; /* forced by dfopt_window_flush */
};

/* Begins with every_n 1. max_every_n: 0 or less: no upper bound. */
DFOPT_CLIENT_API void dfopt_window_init(struct dfopt_window *w,
                                        int64_t max_every_n);

/* At the start and the end of each iteration. Each returns whether that is a
 * boundary; then *event (may be NULL) is set. now_ns is on any clock. */
DFOPT_CLIENT_API bool dfopt_window_start(struct dfopt_window *w, int64_t now_ns,
                                         struct dfopt_window_event *event);
DFOPT_CLIENT_API bool dfopt_window_stop(struct dfopt_window *w, int64_t now_ns,
                                        struct dfopt_window_event *event);

/* At the end of an epoch or phase: ends the window under way, or the part of one
 * that no boundary has ended, and counts from 0 again. Returns as above. */
DFOPT_CLIENT_API bool dfopt_window_flush(struct dfopt_window *w, int64_t now_ns,
                                         struct dfopt_window_event *event);

/* Doubles every_n, halves it, sets it: never below 1, and but for halving never
 * above max_every_n. Each returns whether it changed. */
DFOPT_CLIENT_API bool dfopt_window_increase(struct dfopt_window *w);
DFOPT_CLIENT_API bool dfopt_window_decrease(struct dfopt_window *w);
DFOPT_CLIENT_API bool dfopt_window_update(struct dfopt_window *w, int64_t every_n);

#ifdef __cplusplus
}
#endif
#endif
