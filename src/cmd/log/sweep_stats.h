/* Statistics of the variants of a sweep: the best by a metric, those that no
 * other beats in two, and how much each parameter moves a metric. */
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

/* All variants, the best first; NaN last; equals by number. Returns owned (free),
 * or NULL: no memory. */
size_t *dl_sweep_order(const struct dfopt_sweep_table *t,
                       const struct dl_sweep_aim *aim);

/* The variants that no other is at least as good as in both and better than in
 * one; by the first metric, the best first. Of equals only the first. Returns
 * owned, or NULL; *n their number. */
size_t *dl_sweep_pareto(const struct dfopt_sweep_table *t,
                        const struct dl_sweep_aim *a, const struct dl_sweep_aim *b,
                        size_t *n);

#define DL_SWEEP_GROUPS_MAX 12

/* Variants with like values of a parameter. */
struct dl_sweep_group {
    const char *from, *to; /* settings: the least and the greatest */
    size_t n;
    double mean; /* of the metric */
};

struct dl_sweep_effect {
    size_t parameter;
    /* of the metric's variance, explained by the groups, beyond what as many groups
     * drawn at random would; 0 .. 1 */
    double share;
    size_t n_groups;
    struct dl_sweep_group groups[DL_SWEEP_GROUPS_MAX];
};

/* The effect of each parameter, the greatest first: variants are put in a group for
 * each value, or, where there are more than DL_SWEEP_GROUPS_MAX, in as many groups
 * of like size, in the order of the values. Variants that do not set the parameter,
 * or whose metric is NaN, are left out. Returns owned, or NULL: no memory. */
struct dl_sweep_effect *dl_sweep_effects(const struct dfopt_sweep_table *t,
                                         const struct dl_sweep_aim *aim);

#endif
