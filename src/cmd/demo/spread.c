/* Bins of times: each is a sixteenth of the power of two it starts at. The lowest
 * powers are too short to divide and have one bin per ns. */
#include "cmd/demo/spread.h"

#include <stdbool.h>
#include <stddef.h>

static size_t bin_of(int64_t ns)
{
    const uint64_t v = ns > 0 ? (uint64_t)ns : 0;
    int shift = 0;
    while (v >> shift >= 2 * DEMO_SPREAD_STEPS)
        shift++;
    return (size_t)shift * DEMO_SPREAD_STEPS + (size_t)(v >> shift);
}

/* The middle of a bin. */
static double time_of(size_t bin)
{
    const size_t power = bin / DEMO_SPREAD_STEPS;
    const int shift = power > 1 ? (int)power - 1 : 0;
    const double first = (double)(bin - (size_t)shift * DEMO_SPREAD_STEPS);
    return (first + 0.5) * (double)(UINT64_C(1) << shift);
}

void demo_spread_add(struct demo_spread *s, int64_t ns)
{
    atomic_fetch_add_explicit(&s->counts[bin_of(ns)], 1, memory_order_relaxed);
}

/* The bin of the read at this rank, from 0, counting up or down. */
static size_t bin_at(const unsigned counts[DEMO_SPREAD_BINS], uint64_t place,
                     bool upwards)
{
    uint64_t before = 0;
    for (size_t i = 0; i < DEMO_SPREAD_BINS; i++) {
        const size_t bin = upwards ? i : DEMO_SPREAD_BINS - 1 - i;
        before += counts[bin];
        if (before > place)
            return bin;
    }
    return 0;
}

double demo_spread_take(struct demo_spread *s)
{
    unsigned counts[DEMO_SPREAD_BINS];
    uint64_t reads = 0;
    for (size_t i = 0; i < DEMO_SPREAD_BINS; i++) {
        counts[i] =
            atomic_exchange_explicit(&s->counts[i], 0, memory_order_relaxed);
        reads += counts[i];
    }
    if (reads < DEMO_SPREAD_TAIL)
        return 0;
    const uint64_t tail = reads / DEMO_SPREAD_TAIL;
    return time_of(bin_at(counts, tail, false)) /
           time_of(bin_at(counts, tail, true));
}
