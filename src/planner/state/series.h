/* A site's objectives, newest last, and samples of their noise. Private to the
 * planner. */
#ifndef DFOPT_PLANNER_STATE_SERIES_H
#define DFOPT_PLANNER_STATE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#define DFOPT_RING 16 /* objectives, and noise samples */

/* Rings: the newest replaces the oldest. Windows ascend. All zero: empty. */
struct dfopt_series {
    uint32_t n, next; /* number of objectives; index of the next */
    uint32_t n_diffs, next_diff;
    int64_t newest, second; /* the last two windows */
    int64_t window[DFOPT_RING];
    double value[DFOPT_RING], diff[DFOPT_RING];
};

/* Forgets objectives and noise. */
void dfopt_series_clear(struct dfopt_series *r);

/* Adds an objective, of a window later than all others. `steady`: the previous one
 * was measured with the same settings, so their difference is noise. */
void dfopt_series_take(struct dfopt_series *r, int64_t window, double value,
                       bool steady);

/* How many of the newest `most` objectives (at most DFOPT_RING) are of window
 * `since` or later. */
uint32_t dfopt_series_count(const struct dfopt_series *r, int64_t since,
                            uint32_t most);

/* The index of the n-th newest value in a ring whose next index is `next`. */
static inline uint32_t dfopt_ring_at(uint32_t next, uint32_t n)
{
    return (next - n) % DFOPT_RING;
}

/* The window of the n-th newest objective, 1 <= n <= r->n. */
static inline int64_t dfopt_series_window(const struct dfopt_series *r, uint32_t n)
{
    return r->window[dfopt_ring_at(r->next, n)];
}

/* The median of n >= 1 objectives that are followed by `behind` newer ones. */
double dfopt_series_median(const struct dfopt_series *r, uint32_t n,
                           uint32_t behind);

/* The noise sample with `rank` smaller ones; rank < n_diffs. */
double dfopt_series_noise(const struct dfopt_series *r, uint32_t rank);

#endif
