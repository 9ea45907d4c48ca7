/* Whether a trial helped: by the objective, else by later findings. */
#include "planner/control/control.h"

/* ---- by the objective ---- */

/* The baseline of a release: the better of base and reference, so that small
 * losses do not add up. */
static void better_base(const struct dfopt_site *site, const struct dfopt_trial *t,
                        double *base, uint32_t *n)
{
    *base = t->base;
    *n = t->base_n;
    if (t->kind == DFOPT_TRIAL_RELEASE && site->reference_n &&
        site->goal * (site->reference - t->base) > 0) {
        *base = site->reference;
        *n = site->reference_n;
    }
}

/* PLANNED: not yet. An early verdict needs twice the evidence. */
static enum dfopt_verdict verdict_on(const struct dfopt_trial *t, double gain,
                                     double band, double threshold, double least,
                                     bool final)
{
    if (t->kind == DFOPT_TRIAL_RELEASE) { /* must be shown to be harmless */
        const bool safe = gain > -least / 4 && gain - band / 2 > -least;
        if (gain <= -threshold || (final && !safe))
            return DFOPT_VERDICT_WORSE;
        return !t->unanswered && (final || gain - band > -least / 4)
                   ? DFOPT_VERDICT_NEUTRAL
                   : DFOPT_VERDICT_PLANNED;
    }
    if (gain >= threshold)
        return DFOPT_VERDICT_IMPROVED;
    if (gain <= -threshold)
        return DFOPT_VERDICT_WORSE;
    return !t->unanswered && (final || gain + band < least) ? DFOPT_VERDICT_NEUTRAL
                                                            : DFOPT_VERDICT_PLANNED;
}

static void judge_by_objective(struct dfopt_pass *s, uint32_t node, int64_t window)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_switches *on = &p->policy->on;
    struct dfopt_site *site = p->slots.nodes[node].site;
    struct dfopt_trial *t = site->trial;
    const struct dfopt_series *r = site->series;
    const uint32_t all = dfopt_series_count(r, site->since, DFOPT_RING);
    const uint32_t n =
        all > on->verify_windows ? (uint32_t)on->verify_windows : all;
    /* or objectives stopped */
    const bool final =
        n >= on->verify_windows ||
        site->clock - site->since >= on->verify_windows + on->ack_timeout_windows;
    if (n == 0) {
        if (final)
            dfopt_trial_drop(s, node, DFOPT_VERDICT_VOID, window);
        return;
    }
    double base;
    uint32_t base_n;
    better_base(site, t, &base, &base_n);
    const double now = dfopt_series_median(r, n, all - n);
    const double gain = dfopt_site_gain(site, base, now);
    const double band = dfopt_site_band(p, site, base_n, n);
    const double enough = final ? band / 2 : band;
    const double threshold = enough > on->min_effect ? enough : on->min_effect;
    const enum dfopt_verdict v =
        verdict_on(t, gain, band, threshold, on->min_effect, final);
    if (v == DFOPT_VERDICT_PLANNED)
        return;
    if (v == DFOPT_VERDICT_IMPROVED ||
        (t->kind != DFOPT_TRIAL_RELEASE && gain > 0)) {
        site->reference = now;
        site->reference_n = n;
    }
    const struct dfopt_outcome_row judged = {.base = base,
                                             .base_n = base_n,
                                             .now = now,
                                             .now_n = n,
                                             .gain = gain,
                                             .threshold = threshold,
                                             .noise = dfopt_site_noise(site)};
    const struct dfopt_reason reason = {.why = DFOPT_WHY_OBJECTIVE,
                                        .count = n,
                                        .figures = {now, base, gain, threshold}};
    dfopt_trial_close(s, node, v, window, (struct dfopt_compared){gain, threshold},
                      &judged, &reason);
}

/* ---- by findings ---- */

static bool only_up(const struct dfopt_trial *t)
{
    for (uint32_t i = 0; i < t->n_moves; i++)
        if (t->moves[i].direction == DFOPT_DIRECTION_DECREASE)
            return false;
    return true;
}

/* Whether less of a moved knob has been asked for since the moves took effect. */
static bool is_opposed(const struct dfopt_pass *s, const struct dfopt_site *site,
                       const struct dfopt_trial *t, const struct dfopt_finding *f)
{
    const struct dfopt_planner *p = s->p;
    const int64_t from = site->since - p->policy->on.settle_windows;
    size_t n;
    const dfopt_sym *tags = dfopt_dict_items(p->dict, f->tags, &n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t at = dfopt_symmap_get(&p->registry.tag_of, tags[i]);
        const struct dfopt_run *run =
            at == DFOPT_SYMMAP_NONE ? NULL : dfopt_site_run(site, at);
        if (!run || run->first < from)
            continue;
        const struct dfopt_tag *tag = &p->registry.tags[at];
        for (uint32_t k = 0; k < tag->n_responses; k++) {
            const struct dfopt_tag_response *r = &tag->responses[k];
            const struct dfopt_adjustment *a =
                dfopt_site_adjustment(p, t->node, r->knob);
            if (a && a->in_trial && r->r.direction == DFOPT_DIRECTION_DECREASE)
                return true;
        }
    }
    return false;
}

static void judge_by_findings(struct dfopt_pass *s, uint32_t node,
                              const struct dfopt_finding *f)
{
    struct dfopt_site *site = s->p->slots.nodes[node].site;
    struct dfopt_trial *t = site->trial;
    const bool same = f->type == t->f.type && f->scope == t->f.scope;
    if (f->window < site->since)
        return;
    if (same && f->window > t->last) {
        t->seen++;
        t->last = f->window;
    }
    const int64_t from = t->last > site->since - 1 ? t->last : site->since - 1;
    const int64_t quiet = site->clock - from;
    /* a severity clipped at 1 hides small changes */
    const uint32_t enough = f->severity >= 1.0 ? 2 : DFOPT_FINDING_WINDOWS;
    enum dfopt_verdict v = DFOPT_VERDICT_PLANNED;
    const bool opposed = t->seen && f->window - t->last <= 1 && only_up(t) &&
                         is_opposed(s, site, t, f);
    if (opposed || (same && f->trend == DFOPT_TREND_WORSENING && t->seen >= 2 &&
                    quiet < DFOPT_FINDING_WINDOWS))
        v = DFOPT_VERDICT_WORSE;
    else if (quiet >= DFOPT_FINDING_WINDOWS ||
             (same && f->trend == DFOPT_TREND_IMPROVING))
        v = DFOPT_VERDICT_IMPROVED;
    else if (same && !t->unanswered && t->seen >= enough)
        v = DFOPT_VERDICT_INCONCLUSIVE;
    if (v == DFOPT_VERDICT_PLANNED)
        return;
    const struct dfopt_reason reason = {.why = DFOPT_WHY_TREND,
                                        .other = f->type,
                                        .trend = f->trend_text,
                                        .count = t->seen};
    const struct dfopt_compared c = {t->seen, DFOPT_FINDING_WINDOWS};
    dfopt_trial_close(s, node, v, f->window, c, NULL, &reason);
}

void dfopt_judge(struct dfopt_pass *s, uint32_t node, int64_t window,
                 const struct dfopt_finding *f)
{
    const struct dfopt_site *site = s->p->slots.nodes[node].site;
    struct dfopt_trial *t = site->trial;
    if (!t || t->kind == DFOPT_TRIAL_ROLLBACK || t->opening || t->unanswered_epoch)
        return;
    if (t->base_n == 0) {
        if (f)
            judge_by_findings(s, node, f);
    } else if (!t->looked_at || t->judged_clock != site->clock) {
        t->looked_at = true;
        t->judged_clock = site->clock;
        judge_by_objective(s, node, window);
    }
}
