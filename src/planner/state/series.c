/* Rings of objectives. Adding is cheap and frequent; noise is sorted only when a
 * difference has to be judged. Unpredictable branches are avoided. */
#include "planner/state/series.h"

#include <math.h>

void dfopt_series_clear(struct dfopt_series *r)
{
    r->n = r->next = r->n_diffs = r->next_diff = 0;
}

void dfopt_series_take(struct dfopt_series *r, int64_t window, double value,
                       bool steady)
{
    if (steady) {
        const double last = r->value[dfopt_ring_at(r->next, 1)];
        const double mean = (fabs(last) + fabs(value)) / 2;
        r->diff[r->next_diff] = mean != 0 ? fabs(value - last) / mean : 0.0;
        r->next_diff = (r->next_diff + 1) % DFOPT_RING;
        r->n_diffs += r->n_diffs < DFOPT_RING;
    }
    r->value[r->next] = value;
    r->window[r->next] = window;
    r->next = (r->next + 1) % DFOPT_RING;
    r->n += r->n < DFOPT_RING;
    r->second = r->newest;
    r->newest = window;
}

uint32_t dfopt_series_count(const struct dfopt_series *r, int64_t since,
                            uint32_t most)
{
    uint32_t n = 0;
    most = most < r->n ? most : r->n;
    while (n < most && dfopt_series_window(r, n + 1) >= since)
        n++;
    return n;
}

/* Sorts the n values of a ring before index `next` in ascending order; stable. */
static void sort(const double *ring, uint32_t next, uint32_t n, double *to)
{
    for (uint32_t i = 0; i < n; i++) {
        const double v = ring[dfopt_ring_at(next, n - i)];
        uint32_t at = i;
        for (; at > 0 && v < to[at - 1]; at--)
            to[at] = to[at - 1];
        to[at] = v;
    }
}

static double median_of_3(double a, double b, double c)
{
    const double low = b < a ? b : a, high = b < a ? a : b;
    const double least = c < low ? low : c;
    return c < high ? least : high;
}

double dfopt_series_median(const struct dfopt_series *r, uint32_t n,
                           uint32_t behind)
{
    double sorted[DFOPT_RING];
    const uint32_t end = dfopt_ring_at(r->next, behind);
    if (n == 3)
        return median_of_3(r->value[dfopt_ring_at(end, 3)],
                           r->value[dfopt_ring_at(end, 2)],
                           r->value[dfopt_ring_at(end, 1)]);
    sort(r->value, end, n, sorted);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* With a NaN among them, arrival order matters. */
static double noise_unordered(const struct dfopt_series *r, uint32_t rank)
{
    double sorted[DFOPT_RING];
    sort(r->diff, r->next_diff, r->n_diffs, sorted);
    return sorted[rank];
}

/* Inlined for each frequent rank, so that the lowest values stay in registers. */
static inline double noise(const struct dfopt_series *r, uint32_t rank)
{
    double least[DFOPT_RING], sum = 0;
    for (uint32_t k = 0; k <= rank; k++)
        least[k] = INFINITY;
    for (uint32_t i = 0; i < r->n_diffs; i++) {
        double v = r->diff[i];
        sum += v;
        for (uint32_t k = 0; k <= rank; k++) {
            const double more = v > least[k] ? v : least[k];
            least[k] = v < least[k] ? v : least[k];
            v = more;
        }
    }
    return isnan(sum) ? noise_unordered(r, rank) : least[rank];
}

double dfopt_series_noise(const struct dfopt_series *r, uint32_t rank)
{
    return rank == DFOPT_RING / 4 ? noise(r, DFOPT_RING / 4) : noise(r, rank);
}
