/* Statistics of a sweep's variants: the best by a metric, the Pareto front of two
 * metrics, and how much each parameter moves a metric. */
#ifndef DFOPT_CMD_LOG_SWEEP_STATS_H
#define DFOPT_CMD_LOG_SWEEP_STATS_H

#include "declog/sweep_file.h"

/* A metric, and which way is better. */
struct dl_sweep_aim {
    size_t metric; /* in the table */
    bool more;
};

/* Finds METRIC, min:METRIC or max:METRIC. Returns whether there is one. */
bool dl_sweep_aim_find(const struct dfopt_sweep_table *t, const char *text,
                       struct dl_sweep_aim *out);

double dl_sweep_value(const struct dfopt_sweep_table *t,
                      const struct dl_sweep_aim *aim, size_t variant);

/* All variants, best first; NaN last; ties by number. Returns owned (free), or
 * NULL: no memory. */
size_t *dl_sweep_order(const struct dfopt_sweep_table *t,
                       const struct dl_sweep_aim *aim);

/* The Pareto front: variants that no other one equals or beats in both metrics and
 * beats in one. Sorted by the first metric, best first; of equal ones only the
 * first. Returns owned, or NULL; *n their number. */
size_t *dl_sweep_pareto(const struct dfopt_sweep_table *t,
                        const struct dl_sweep_aim *a, const struct dl_sweep_aim *b,
                        size_t *n);

#define DL_SWEEP_GROUPS_MAX 12

/* Variants with similar values of a parameter. */
struct dl_sweep_group {
    const char *from, *to; /* settings: the lowest and the highest */
    size_t n;
    double mean; /* of the metric */
};

struct dl_sweep_effect {
    size_t parameter;
    /* share of the metric's variance explained by the groups, beyond that of as
     * many groups drawn at random; 0..1 */
    double share;
    size_t n_groups;
    struct dl_sweep_group groups[DL_SWEEP_GROUPS_MAX];
};

/* The effect of each parameter, largest first. Variants are grouped by value or, if
 * there are more than DL_SWEEP_GROUPS_MAX, into that many groups of similar size,
 * in the order of the values. Variants without the parameter, or with a NaN metric,
 * are left out. Returns owned, or NULL: no memory. */
struct dl_sweep_effect *dl_sweep_effects(const struct dfopt_sweep_table *t,
                                         const struct dl_sweep_aim *aim);

#endif
