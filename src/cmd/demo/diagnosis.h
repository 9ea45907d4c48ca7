/* The measurements of a window, and their conversion for the diagnosis. */
#ifndef DFOPT_CMD_DEMO_DIAGNOSIS_H
#define DFOPT_CMD_DEMO_DIAGNOSIS_H

#include "diagnosis/diagnosis.h"

struct demo_window {
    int64_t index; /* from 1 */
    uint64_t samples;
    double seconds;             /* by the clock */
    double fetch_s, compute_s;  /* the consumer waited for data; computed */
    unsigned threads, prefetch; /* at its end */
    bool has_memory;            /* the storage has a budget of memory: */
    double mem_frac;            /* most bytes held, as a share of it */
    double read_spread;         /* of the latency of reads; 0: too few of them */
};

double demo_window_rate(const struct demo_window *w); /* samples a second */

/* Share of the time that the consumer waited, 0..1. */
double demo_window_fetch_share(const struct demo_window *w);

/* The window as the diagnosis takes it. */
struct dfopt_client_window demo_window_measured(const struct demo_window *w);

#endif
