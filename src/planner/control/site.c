/* Sites: their objectives, demands and backoffs. Arithmetic is that of the
 * specification, operation by operation. */
#include "planner/control/site.h"

#include "planner/control/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dfopt_site *dfopt_site_add(struct dfopt_pass *s, uint32_t node)
{
    struct dfopt_planner *p = s->p;
    /* what each finding looks at lies in its first cache line */
    struct dfopt_site *site = aligned_alloc(64, sizeof *site);
    if (!site) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return NULL;
    }
    memset(site, 0, sizeof *site);
    site->generation = p->generation;
    site->job_changes = p->job_changes;
    site->clock = site->rest = site->epoch_delay = -1;
    site->goal = 1;
    p->slots.nodes[node].site = site;
    return site;
}

void dfopt_site_free(struct dfopt_site *site)
{
    if (!site)
        return;
    dfopt_trial_free(site->trial);
    free(site->series);
    free(site->demand);
    for (struct dfopt_adjustment *a = site->first, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    free(site);
}

uint64_t dfopt_site_bytes(uint64_t nodes, uint64_t knobs)
{
    const uint64_t heap = 16, tags = 8; /* of malloc; a guess */
    const uint64_t adjusted =
        knobs < DFOPT_ADJUSTMENTS_MAX ? knobs : DFOPT_ADJUSTMENTS_MAX;
    return nodes * (sizeof(struct dfopt_site) + 64 + sizeof(struct dfopt_series) +
                    heap + tags * sizeof(struct dfopt_run) + heap +
                    sizeof(struct dfopt_trial) + heap +
                    adjusted * (sizeof(struct dfopt_adjustment) + heap +
                                2 * sizeof(struct dfopt_move)));
}

struct dfopt_value dfopt_site_value(const struct dfopt_planner *p, uint32_t node,
                                    uint32_t knob)
{
    struct dfopt_key key = {.knob = knob, .node = node};
    key.slot = dfopt_slots_find(&p->slots, node, knob);
    if (!key.slot) {
        key.node = DFOPT_JOB_NODE;
        key.slot = dfopt_slots_find(&p->slots, DFOPT_JOB_NODE, knob);
    }
    return dfopt_planner_value(p, &key);
}

struct dfopt_adjustment *dfopt_site_adjust(struct dfopt_pass *s, uint32_t node,
                                           uint32_t knob)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[node].site;
    struct dfopt_slot *slot = dfopt_slots_at(&p->slots, node, knob);
    if (slot && slot->adjustment)
        return slot->adjustment;
    struct dfopt_adjustment *a = slot ? calloc(1, sizeof *a) : NULL;
    if (!a) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return NULL;
    }
    a->knob = knob;
    a->delta = dfopt_value_int(0);
    if (site->last)
        site->last->next = a;
    else
        site->first = a;
    site->last = a;
    site->n_adjustments++;
    slot->adjustment = a;
    return a;
}

struct dfopt_adjustment *dfopt_site_next(const struct dfopt_site *site,
                                         uint32_t from)
{
    struct dfopt_adjustment *best = NULL;
    for (struct dfopt_adjustment *a = site->first; a; a = a->next)
        if (a->knob >= from && (!best || a->knob < best->knob))
            best = a;
    return best;
}

/* ---- objectives ---- */

uint32_t dfopt_series_since(const struct dfopt_series *r, int64_t since)
{
    uint32_t first = 0; /* counted, for nobody can foretell where a search ends */
    for (uint32_t i = 0; i < r->n; i++)
        first += r->window[i] < since;
    return first;
}

static void sort(const double *from, uint32_t n, double *to)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i;
        for (; at > 0 && from[i] < to[at - 1]; at--)
            to[at] = to[at - 1];
        to[at] = from[i];
    }
}

double dfopt_median(const double *values, uint32_t n)
{
    double sorted[DFOPT_RING];
    sort(values, n, sorted);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double dfopt_site_gain(const struct dfopt_site *site, double before, double now)
{
    const double goal = site->goal;
    if (before != 0)
        return goal * (now - before) / fabs(before);
    return goal * ((now > 0) - (now < 0));
}

double dfopt_site_band(const struct dfopt_planner *p, const struct dfopt_site *site,
                       uint32_t n, uint32_t m)
{
    const struct dfopt_switches *on = &p->policy->on;
    const struct dfopt_series *r = site->series;
    double sigma = on->min_effect;
    if (r->n_diffs >= 4) {
        /* the lower quartile: most jumps may be somebody's changes */
        sigma = 2.22 * r->sorted[r->n_diffs / 4];
    }
    return on->noise_z * sigma * sqrt(1 / (double)n + 1 / (double)m);
}

double dfopt_site_noise(const struct dfopt_site *site)
{
    const struct dfopt_series *r = site->series;
    if (!r || r->n_diffs < 4)
        return NAN;
    const double low = 2.22 * r->sorted[r->n_diffs / 4];
    const double middle = 1.05 * r->sorted[r->n_diffs / 2];
    return middle > low ? middle : low;
}

/* Appends to one of a series' arrays, whose oldest gives way. */
static void append(double *values, uint32_t n, double v)
{
    if (n == DFOPT_RING)
        memmove(values, values + 1, (DFOPT_RING - 1) * sizeof *values);
    values[n == DFOPT_RING ? DFOPT_RING - 1 : n] = v;
}

/* Puts v where it belongs among n others, none of them NaN. */
static void insert(double *sorted, uint32_t n, double v)
{
    double from[DFOPT_RING];
    memcpy(from, sorted, n * sizeof *from);
    for (uint32_t i = 0; i < n; i++) {
        const double least = from[i] < v ? from[i] : v;
        sorted[i] = i && from[i - 1] > least ? from[i - 1] : least;
    }
    sorted[n] = n && from[n - 1] > v ? from[n - 1] : v;
}

/* Takes the first of n that equal v away. */
static void take_away(double *sorted, uint32_t n, double v)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++)
        at += sorted[i] < v;
    memmove(sorted + at, sorted + at + 1, (n - at - 1) * sizeof *sorted);
}

static void note_noise(struct dfopt_series *r, double value)
{
    const double last = r->value[r->n - 1];
    const double mean = (fabs(last) + fabs(value)) / 2;
    const double sample = mean != 0 ? fabs(value - last) / mean : 0.0;
    const double oldest = r->diff[0];
    const bool full = r->n_diffs == DFOPT_RING;
    append(r->diff, r->n_diffs, sample);
    r->n_diffs += !full;
    if (isnan(sample))
        r->unordered = DFOPT_RING + 1;
    if (r->unordered) {
        r->unordered--;
        sort(r->diff, r->n_diffs, r->sorted);
        return;
    }
    if (full)
        take_away(r->sorted, DFOPT_RING, oldest);
    insert(r->sorted, r->n_diffs - 1, sample);
}

void dfopt_site_take(struct dfopt_pass *s, struct dfopt_site *site, int64_t window,
                     double value, int goal)
{
    if (!site->series)
        site->series = calloc(1, sizeof *site->series);
    struct dfopt_series *r = site->series;
    if (!r) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return;
    }
    if (goal != site->goal) {
        r->n = r->n_diffs = 0;
        site->reference_n = 0;
        site->goal = (int8_t)goal;
    }
    if (r->n && r->newest >= site->since)
        note_noise(r, value);
    if (r->n == DFOPT_RING)
        memmove(r->window, r->window + 1, (DFOPT_RING - 1) * sizeof *r->window);
    append(r->value, r->n, value);
    r->n += r->n < DFOPT_RING;
    r->window[r->n - 1] = window;
    r->second = r->newest;
    r->newest = window;
    if (site->trial)
        site->trial->looked_at = false;
}

/* ---- findings ---- */

static struct dfopt_run *new_run(struct dfopt_site *site)
{
    if (site->n_demand == site->cap_demand) {
        const uint32_t cap = site->cap_demand ? site->cap_demand * 2 : 2;
        struct dfopt_run *more = realloc(site->demand, cap * sizeof *more);
        if (!more)
            return NULL;
        site->demand = more;
        site->cap_demand = cap;
    }
    return &site->demand[site->n_demand++];
}

/* To the end, for nobody can foretell where a search would stop. */
static struct dfopt_run *find_run(const struct dfopt_site *site, dfopt_sym tag)
{
    struct dfopt_run *run = NULL;
    for (uint32_t i = 0; i < site->n_demand; i++)
        run = site->demand[i].tag == tag ? &site->demand[i] : run;
    return run;
}

const struct dfopt_run *dfopt_site_run(const struct dfopt_site *site, dfopt_sym tag)
{
    return find_run(site, tag);
}

void dfopt_site_demand(struct dfopt_pass *s, struct dfopt_site *site, dfopt_sym tag,
                       int64_t window)
{
    struct dfopt_run *run = find_run(site, tag);
    if (run) {
        run->first = window - run->last <= 1 ? run->first : window;
        run->last = window;
        return;
    }
    run = new_run(site);
    if (run)
        *run = (struct dfopt_run){.first = window, .last = window, .tag = tag};
    else
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
}

/* ---- what is learned, and forgotten ---- */

static int64_t up_to_multiple(int64_t window, int64_t grid)
{
    const int64_t rest = window % grid;
    return rest > 0 ? window + (grid - rest) : window - rest;
}

void dfopt_back_off(const struct dfopt_planner *p, struct dfopt_adjustment *a,
                    uint32_t direction, int64_t window)
{
    const int64_t least = p->policy->on.backoff_windows;
    const uint32_t failures = a->failures[direction];
    const int64_t times = (int64_t)1 << (failures < 6 ? failures : 6);
    /* a multiple of the least: so the nodes of a job stay in step */
    a->until[direction] =
        least ? up_to_multiple(window + least * times, least) : window;
    a->failures[direction] = failures < UINT32_MAX ? failures + 1 : failures;
}

void dfopt_site_relearn(struct dfopt_site *site)
{
    site->isolate = false;
    for (struct dfopt_adjustment *a = site->first; a; a = a->next) {
        for (uint32_t d = 0; d < DFOPT_MOVE_COUNT; d++)
            if (d != DFOPT_MOVE_RELEASE)
                a->failures[d] = 0;
        a->delta = dfopt_value_int(0);
        a->proven = false;
        a->inconclusive = 0;
    }
}
