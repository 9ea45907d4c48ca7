/* A window's measurements, and their conversion for the diagnosis. */
#ifndef DFOPT_CMD_DEMO_DIAGNOSIS_H
#define DFOPT_CMD_DEMO_DIAGNOSIS_H

#include "diagnosis/diagnosis.h"

struct demo_window {
    int64_t index; /* from 1 */
    uint64_t samples;
    double seconds;             /* wall-clock */
    double fetch_s, compute_s;  /* of the consumer: waiting for data; computing */
    unsigned threads, prefetch; /* at its end */
    bool has_memory;            /* the storage has a memory budget: */
    double mem_frac;            /* peak of bytes held, as a share of it */
    double read_spread;         /* of read latencies; 0: too few reads */
};

double demo_window_rate(const struct demo_window *w); /* samples a second */

/* Share of the time the consumer waited, 0..1. */
double demo_window_fetch_share(const struct demo_window *w);

/* Converts the window for the diagnosis. */
struct dfopt_client_window demo_window_measured(const struct demo_window *w);

#endif
