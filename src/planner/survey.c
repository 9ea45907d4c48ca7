/* Values are counted in a small table, as nodes seldom have many different ones;
 * if they do, all are sorted. */
#include "planner/survey.h"

#include "planner/control/trial.h"
#include "planner/state/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE (DFOPT_SURVEY_VALUES * 2) /* a power of two */

struct tally {
    struct dfopt_survey_row row; /* the knob's, without a value */
    double lo, hi;
    double value[TABLE];
    uint32_t nodes[TABLE]; /* 0: free */
    uint32_t n;
};

/* The bounds of a knob: its range, or the ends of its values. */
static bool bounds_of(const struct dfopt_knob *k, double *lo, double *hi)
{
    if (k->range_state == DFOPT_RANGE_OK) {
        *lo = dfopt_value_as_double(k->lo);
        *hi = dfopt_value_as_double(k->hi);
        return true;
    }
    *lo = INFINITY;
    *hi = -INFINITY;
    for (size_t i = 0; i < k->n_values; i++) {
        const double v = dfopt_value_as_double(k->values[i]);
        if (isnan(v))
            return false;
        *lo = v < *lo ? v : *lo;
        *hi = v > *hi ? v : *hi;
    }
    return k->n_values > 1;
}

static enum dfopt_err add_row(const struct tally *t, double value, uint32_t nodes,
                              struct dfopt_buf *rows)
{
    struct dfopt_survey_row row = t->row;
    row.value = value;
    row.nodes = nodes;
    if (row.has_bounds)
        row.bounds = (value <= t->lo ? (uint32_t)DFOPT_BOUND_LOW : 0u) |
                     (value >= t->hi ? (uint32_t)DFOPT_BOUND_HIGH : 0u);
    return dfopt_buf_add(rows, &row, sizeof row);
}

/* Counts a value. Returns false if there are too many different ones. */
static bool count(struct tally *t, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t i = (uint32_t)((bits * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % TABLE;
    while (t->nodes[i] && t->value[i] != value)
        i = (i + 1) % TABLE;
    if (t->nodes[i] == 0 && ++t->n > DFOPT_SURVEY_VALUES)
        return false;
    t->value[i] = value;
    t->nodes[i]++;
    return true;
}

/* The value of a knob at a node; NaN: not a number. */
static double value_at(const struct dfopt_planner *p, uint32_t node, uint32_t knob)
{
    const struct dfopt_key key = {knob, node,
                                  dfopt_slots_find(&p->slots, node, knob)};
    if (key.slot)
        return dfopt_value_as_double(dfopt_planner_value(p, &key));
    const struct dfopt_slot *job =
        dfopt_slots_find(&p->slots, DFOPT_JOB_NODE, knob);
    return job ? dfopt_value_as_double(job->value) : NAN;
}

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Rows for equal numbers of nodes. */
static enum dfopt_err thin(const struct dfopt_planner *p, uint32_t knob,
                           const struct tally *t, struct dfopt_buf *rows)
{
    double *all = malloc(p->slots.n_nodes * sizeof *all);
    size_t n = 0;
    enum dfopt_err e = DFOPT_OK;
    if (!all)
        return DFOPT_ERR_NOMEM;
    for (uint32_t node = 1; node < p->slots.n_nodes; node++) {
        const double v = value_at(p, node, knob);
        if (!isnan(v))
            all[n++] = v;
    }
    qsort(all, n, sizeof *all, order);
    for (size_t i = 0; i < DFOPT_SURVEY_VALUES && !e; i++) {
        const size_t first = i * n / DFOPT_SURVEY_VALUES;
        const size_t end = (i + 1) * n / DFOPT_SURVEY_VALUES;
        const size_t of = i == 0                         ? 0
                          : i == DFOPT_SURVEY_VALUES - 1 ? n - 1
                                                         : (first + end) / 2;
        e = add_row(t, all[of], (uint32_t)(end - first), rows);
    }
    free(all);
    return e;
}

static enum dfopt_err survey_nodes(const struct dfopt_planner *p, uint32_t knob,
                                   struct tally *t, struct dfopt_buf *rows)
{
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t node = 1; node < p->slots.n_nodes; node++) {
        const double v = value_at(p, node, knob);
        if (!isnan(v) && !count(t, v == 0 ? 0 : v))
            return thin(p, knob, t, rows);
    }
    for (uint32_t i = 0; i < TABLE && !e; i++)
        if (t->nodes[i])
            e = add_row(t, t->value[i], t->nodes[i], rows);
    return e;
}

static enum dfopt_err survey_knob(const struct dfopt_planner *p, uint32_t knob,
                                  bool job, struct dfopt_survey *out)
{
    /* without control, findings change any knob per node */
    const bool per_node = p->registry.states[knob].per_node || !p->control;
    struct tally t = {.row = {.knob = p->registry.knobs[knob].id}};
    enum dfopt_err e = DFOPT_OK;
    if (p->registry.states[knob].left)
        return e;
    t.row.has_bounds = bounds_of(&p->registry.knobs[knob], &t.lo, &t.hi);
    const double of_job = value_at(p, DFOPT_JOB_NODE, knob);
    if (job && !isnan(of_job))
        e = add_row(&t, of_job, per_node ? 0 : 1, &out->rows);
    return e || !per_node ? e : survey_nodes(p, knob, &t, &out->rows);
}

enum dfopt_err dfopt_planner_survey(const struct dfopt_planner *p, bool job,
                                    struct dfopt_survey *out)
{
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t knob = 0; knob < p->registry.n_knobs && !e; knob++)
        e = survey_knob(p, knob, job, out);
    for (uint32_t node = job ? 0 : 1; node < p->slots.n_nodes && !p->assumed_acks;
         node++)
        for (uint32_t knob = 0; knob < p->registry.n_knobs; knob++) {
            const struct dfopt_slot *slot = dfopt_slots_find(&p->slots, node, knob);
            out->awaiting += slot && slot->has_pending;
        }
    for (const struct dfopt_trial *t = p->trials; t; t = t->next)
        out->trials += job || t->node != DFOPT_JOB_NODE;
    return e;
}
