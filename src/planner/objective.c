/* Objectives: judge trials and detect a changed environment. */
#include "planner/objective.h"

#include "planner/control/control.h"

#include <math.h>

/* Adds a row about the site itself. */
static void add_row(struct dfopt_pass *s, uint32_t node, enum dfopt_verdict verdict,
                    struct dfopt_compared c)
{
    const struct dfopt_about about = {DFOPT_SYM_NONE, DFOPT_SYM_NONE,
                                      dfopt_slots_node_name(&s->p->slots, node)};
    dfopt_pass_row(s, node, dfopt_pass_own(s, node), verdict, about, c);
}

/* The objective moved without a change of ours: what was learned is void. */
static void check_shift(struct dfopt_pass *s, uint32_t node)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_switches *on = &p->policy->on;
    struct dfopt_site *site = p->slots.nodes[node].site;
    const struct dfopt_series *r = site->series;
    const uint32_t n = site->trial ? 0 : dfopt_series_count(r, site->since, 3);
    if (n < 2)
        return;
    const double now = dfopt_series_median(r, n, 0);
    const double least = 3 * on->min_effect;
    const bool compared = site->reference_n > 0;
    const double gain = compared ? dfopt_site_gain(site, site->reference, now) : 0;
    if (compared && !(fabs(gain) >= least))
        return;
    double threshold = least;
    if (compared) {
        const double band = 2 * dfopt_site_band(p, site, site->reference_n, n);
        threshold = band > least ? band : least;
        if (!(fabs(gain) >= threshold))
            return;
        dfopt_site_relearn(site);
        site->since = dfopt_series_window(r, n);
    }
    site->reference = now;
    site->reference_n = n;
    if (!compared)
        return;
    add_row(s, node, DFOPT_VERDICT_SHIFT, (struct dfopt_compared){gain, threshold});
}

void dfopt_objective_take(struct dfopt_pass *s, uint32_t node, int64_t window,
                          double value, int goal)
{
    const struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[node].site;
    const struct dfopt_series *r = site->series;
    if (p->policy->on.effect != DFOPT_EFFECT_OBJECTIVE)
        return;
    if (r && r->n && window <= r->newest) {
        const struct dfopt_compared c = {(double)window, (double)r->newest};
        add_row(s, node, DFOPT_VERDICT_STALE, c);
        return;
    }
    dfopt_site_take(s, site, window, value, goal);
    if (s->e)
        return;
    dfopt_judge(s, node, window, NULL);
    check_shift(s, node);
    dfopt_release(s, node, window);
}
