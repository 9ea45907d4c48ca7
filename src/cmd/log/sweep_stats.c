/* Sorts and groups variants. Orders are total, so that the same file gives the same
 * text everywhere. */
#include "cmd/log/sweep_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool dl_sweep_aim_find(const struct dfopt_sweep_table *t, const char *text,
                       struct dl_sweep_aim *out)
{
    const bool min = strncmp(text, "min:", 4) == 0,
               max = strncmp(text, "max:", 4) == 0;
    const char *name = min || max ? text + 4 : text;
    for (size_t m = 0; m < t->n_metrics; m++)
        if (strcmp(t->metrics[m].name, name) == 0) {
            const bool more = t->metrics[m].better == DFOPT_SWEEP_MORE;
            *out = (struct dl_sweep_aim){m, max || (more && !min)};
            return true;
        }
    return false;
}

double dl_sweep_value(const struct dfopt_sweep_table *t,
                      const struct dl_sweep_aim *aim, size_t variant)
{
    return t->values[aim->metric * t->n + variant];
}

/* ---- order ---- */

struct ranked {
    double first, second; /* lower is better; NaN becomes infinite */
    size_t variant;
};

static double cost(const struct dfopt_sweep_table *t,
                   const struct dl_sweep_aim *aim, size_t variant)
{
    const double v = dl_sweep_value(t, aim, variant);
    return isnan(v) ? INFINITY : aim->more ? -v : v;
}

static int compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    return (x->variant > y->variant) - (x->variant < y->variant);
}

static struct ranked *rank_all(const struct dfopt_sweep_table *t,
                               const struct dl_sweep_aim *a,
                               const struct dl_sweep_aim *b)
{
    struct ranked *r = calloc(t->n + 1, sizeof *r);
    if (!r)
        return NULL;
    for (size_t i = 0; i < t->n; i++)
        r[i] = (struct ranked){cost(t, a, i), b ? cost(t, b, i) : 0, i};
    qsort(r, t->n, sizeof *r, compare);
    return r;
}

size_t *dl_sweep_order(const struct dfopt_sweep_table *t,
                       const struct dl_sweep_aim *aim)
{
    struct ranked *r = rank_all(t, aim, NULL);
    size_t *order = calloc(t->n + 1, sizeof *order);
    for (size_t i = 0; r && order && i < t->n; i++)
        order[i] = r[i].variant;
    free(r);
    if (!r) {
        free(order);
        return NULL;
    }
    return order;
}

size_t *dl_sweep_pareto(const struct dfopt_sweep_table *t,
                        const struct dl_sweep_aim *a, const struct dl_sweep_aim *b,
                        size_t *n)
{
    struct ranked *r = rank_all(t, a, b);
    size_t *set = calloc(t->n + 1, sizeof *set);
    double best = INFINITY;
    *n = 0;
    for (size_t i = 0; r && set && i < t->n; i++)
        if (r[i].second < best && r[i].first < INFINITY) {
            best = r[i].second;
            set[(*n)++] = r[i].variant;
        }
    free(r);
    if (!r) {
        free(set);
        return NULL;
    }
    return set;
}

/* ---- effects ---- */

struct point {
    double number; /* of the setting; NaN: none */
    const char *text;
    double value; /* of the metric */
    size_t variant;
};

/* Texts before numbers. */
static int compare_points(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    const bool nx = !isnan(x->number), ny = !isnan(y->number);
    if (nx != ny)
        return nx ? 1 : -1;
    if (nx && x->number != y->number)
        return x->number < y->number ? -1 : 1;
    const int order = nx ? 0 : strcmp(x->text, y->text);
    return order ? order : (x->variant > y->variant) - (x->variant < y->variant);
}

static bool same_setting(const struct point *x, const struct point *y)
{
    return isnan(x->number) ? isnan(y->number) && strcmp(x->text, y->text) == 0
                            : x->number == y->number;
}

static size_t count_settings(const struct point *p, size_t n)
{
    size_t settings = n > 0;
    for (size_t i = 1; i < n; i++)
        settings += !same_setting(&p[i - 1], &p[i]);
    return settings;
}

/* Groups sorted points; equal settings are never separated. */
static void make_groups(struct dl_sweep_effect *e, const struct point *p, size_t n)
{
    const bool each = count_settings(p, n) <= DL_SWEEP_GROUPS_MAX;
    for (size_t i = 0; i < n; i++) {
        const size_t place = i * DL_SWEEP_GROUPS_MAX / n;
        const bool fresh = i == 0 || !same_setting(&p[i - 1], &p[i]);
        if (fresh && (i == 0 || each || place >= e->n_groups))
            e->groups[e->n_groups++] = (struct dl_sweep_group){.from = p[i].text};
        struct dl_sweep_group *g = &e->groups[e->n_groups - 1];
        g->to = p[i].text;
        g->mean += p[i].value;
        g->n++;
    }
    for (size_t g = 0; g < e->n_groups; g++)
        e->groups[g].mean /= (double)e->groups[g].n;
}

static double share_of(const struct dl_sweep_effect *e, const struct point *p,
                       size_t n)
{
    double mean = 0, total = 0, between = 0;
    for (size_t i = 0; i < n; i++)
        mean += p[i].value / (double)n;
    for (size_t i = 0; i < n; i++)
        total += (p[i].value - mean) * (p[i].value - mean);
    for (size_t g = 0; g < e->n_groups; g++)
        between += (double)e->groups[g].n * (e->groups[g].mean - mean) *
                   (e->groups[g].mean - mean);
    if (!(total > 0) || n <= e->n_groups)
        return 0;
    const double left =
        (1 - between / total) * (double)(n - 1) / (double)(n - e->n_groups);
    return left < 1 ? 1 - left : 0;
}

static int compare_effects(const void *a, const void *b)
{
    const struct dl_sweep_effect *x = a, *y = b;
    if (x->share != y->share)
        return x->share > y->share ? -1 : 1;
    return (x->parameter > y->parameter) - (x->parameter < y->parameter);
}

struct dl_sweep_effect *dl_sweep_effects(const struct dfopt_sweep_table *t,
                                         const struct dl_sweep_aim *aim)
{
    struct dl_sweep_effect *e = calloc(t->n_parameters + 1, sizeof *e);
    struct point *p = calloc(t->n + 1, sizeof *p);
    for (size_t k = 0; e && p && k < t->n_parameters; k++) {
        size_t n = 0;
        for (size_t i = 0; i < t->n; i++) {
            const size_t cell = i * t->n_parameters + k;
            const double value = dl_sweep_value(t, aim, i);
            if (!isnan(value) && *t->settings[cell])
                p[n++] =
                    (struct point){t->numbers[cell], t->settings[cell], value, i};
        }
        qsort(p, n, sizeof *p, compare_points);
        e[k].parameter = k;
        make_groups(&e[k], p, n);
        e[k].share = share_of(&e[k], p, n);
    }
    if (e && p)
        qsort(e, t->n_parameters, sizeof *e, compare_effects);
    free(p);
    if (p)
        return e;
    free(e);
    return NULL;
}
