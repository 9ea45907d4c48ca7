/* Sites: objectives, demands and backoffs. Arithmetic follows the specification
 * operation by operation. */
#include "planner/control/site.h"

#include "planner/control/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct dfopt_site *dfopt_site_add(struct dfopt_pass *s, uint32_t node)
{
    struct dfopt_planner *p = s->p;
    /* the first cache line holds what every finding reads */
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
    for (uint32_t i = 0; i < site->n_runs; i++)
        free(site->runs[i]);
    free(site->runs);
    for (struct dfopt_adjustment *a = site->first, *next; a; a = next) {
        next = a->next;
        free(a);
    }
    free(site);
}

uint64_t dfopt_site_bytes(uint64_t nodes, uint64_t knobs)
{
    const uint64_t heap = 16, pages = 2; /* of malloc; of runs: a guess */
    const uint64_t adjusted =
        knobs < DFOPT_ADJUSTMENTS_MAX ? knobs : DFOPT_ADJUSTMENTS_MAX;
    return nodes *
           (sizeof(struct dfopt_site) + 64 + sizeof(struct dfopt_series) + heap +
            heap + pages * (DFOPT_RUNS_A_PAGE * sizeof(struct dfopt_run) + heap) +
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
        /* the lower quartile: most jumps may stem from outside changes */
        sigma = 2.22 * dfopt_series_noise(r, r->n_diffs / 4);
    }
    return on->noise_z * sigma * sqrt(1 / (double)n + 1 / (double)m);
}

double dfopt_site_noise(const struct dfopt_site *site)
{
    const struct dfopt_series *r = site->series;
    if (!r || r->n_diffs < 4)
        return NAN;
    const double low = 2.22 * dfopt_series_noise(r, r->n_diffs / 4);
    const double middle = 1.05 * dfopt_series_noise(r, r->n_diffs / 2);
    return middle > low ? middle : low;
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
        dfopt_series_clear(r);
        site->reference_n = 0;
        site->goal = (int8_t)goal;
    }
    dfopt_series_take(r, window, value, r->n && r->newest >= site->since);
    if (site->trial)
        site->trial->looked_at = false;
}

/* ---- findings ---- */

/* Makes room for this many pages. */
static bool make_room(struct dfopt_site *site, uint32_t pages)
{
    if (pages <= site->n_runs)
        return true;
    struct dfopt_run **more = realloc(site->runs, pages * sizeof *more);
    if (!more)
        return false;
    for (uint32_t i = site->n_runs; i < pages; i++)
        more[i] = NULL;
    site->runs = more;
    site->n_runs = pages;
    return true;
}

static struct dfopt_run *new_page(void)
{
    struct dfopt_run *runs = malloc(DFOPT_RUNS_A_PAGE * sizeof *runs);
    for (uint32_t i = 0; runs && i < DFOPT_RUNS_A_PAGE; i++)
        runs[i] = (struct dfopt_run){DFOPT_NO_WINDOW, DFOPT_NO_WINDOW};
    return runs;
}

struct dfopt_run *dfopt_site_add_run(struct dfopt_pass *s, struct dfopt_site *site,
                                     dfopt_sym name)
{
    const uint32_t tag = dfopt_registry_tag(&s->p->registry, name);
    const uint32_t page = tag / DFOPT_RUNS_A_PAGE;
    if (tag == DFOPT_SYMMAP_NONE || !make_room(site, page + 1)) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return NULL;
    }
    if (!site->runs[page] && !(site->runs[page] = new_page())) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return NULL;
    }
    return &site->runs[page][tag % DFOPT_RUNS_A_PAGE];
}

/* ---- learning and forgetting ---- */

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
    /* a multiple of the minimum keeps a job's nodes in step */
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
