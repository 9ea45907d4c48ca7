/* Clocks that diverge show as a distance between the newest windows that grows or
 * stays while both advance; a clock that stands still is not reported. */
#include "engine/online/reports.h"

#include <math.h>

#define PATIENCE_WINDOWS 20 /* with findings but no objective */
#define APART_ADVANCES   3  /* of each clock, while they diverge */
#define LATE_WINDOWS     3  /* that a finding may lag without a warning */

struct dfopt_report_site {
    int64_t newest[2];    /* windows: of findings, of objectives */
    uint32_t advances[2]; /* since they diverged */
    dfopt_sym instance;   /* of the last registration */
    bool any[2];
};

static bool wants_objectives(const struct dfopt_reports *r)
{
    const struct dfopt_policy *p = r->config->policy;
    return r->config->run != 0 && p->on.effect == DFOPT_EFFECT_OBJECTIVE &&
           p->objective_metric.metric == DFOPT_METRIC_NONE;
}

static void tell_missing(struct dfopt_reports *r)
{
    if (r->any_objective || r->told_missing || r->findings == 0)
        return;
    r->told_missing = true;
    dfopt_log_event(
        r->config->log, DFOPT_LOG_WARNING, "optimizer.objective.missing",
        DFOPT_F_INT("findings", r->findings), DFOPT_F_INT("windows", r->windows),
        DFOPT_F_TEXT("note",
                     "no application reports an objective, so changes are judged "
                     "by findings alone and no resource is released"));
}

/* NULL: out of memory, and the site is not watched. */
static struct dfopt_report_site *site_of(struct dfopt_reports *r, dfopt_sym node)
{
    uint32_t i = dfopt_symmap_get(&r->site_of, node);
    if (i == DFOPT_SYMMAP_NONE) {
        const struct dfopt_report_site none = {.newest = {0, 0}};
        i = (uint32_t)DFOPT_ROWS(&r->sites, struct dfopt_report_site);
        if (dfopt_buf_add(&r->sites, &none, sizeof none))
            return NULL;
        if (dfopt_symmap_set(&r->site_of, node, i)) {
            r->sites.len -= sizeof none;
            return NULL;
        }
    }
    return DFOPT_ROW(&r->sites, struct dfopt_report_site) + i;
}

static void tell_clock(struct dfopt_reports *r, dfopt_sym node,
                       const struct dfopt_report_site *s)
{
    r->told_clock = true;
    dfopt_log_event(
        r->config->log, DFOPT_LOG_WARNING, "optimizer.objective.clock",
        DFOPT_F_TEXT("node", dfopt_dict_text(r->config->dict, node, NULL)),
        DFOPT_F_INT("finding_window", s->newest[0]),
        DFOPT_F_INT("objective_window", s->newest[1]),
        DFOPT_F_TEXT("note",
                     "window indices of objectives do not match those of findings; "
                     "report objectives with the window index of the findings"));
}

/* ---- windows that jump back ---- */

/* A process started or restarted: its windows may start over. */
static void begin_anew(struct dfopt_report_site *s, dfopt_sym instance)
{
    if (instance == DFOPT_SYM_EMPTY || instance != s->instance)
        s->any[0] = s->any[1] = false;
    s->instance = instance;
}

static double longest_cooldown(const struct dfopt_registration *g)
{
    double longest = 0;
    for (size_t i = 0; i < g->n_knobs; i++)
        for (size_t j = 0; j < g->knobs[i].n_responses; j++)
            longest = fmax(longest, g->knobs[i].responses[j].cooldown_windows);
    return longest;
}

static void take_registration(struct dfopt_reports *r,
                              const struct dfopt_registration *g)
{
    struct dfopt_report_site *s = DFOPT_ROW(&r->sites, struct dfopt_report_site);
    r->cooldown = fmax(r->cooldown, longest_cooldown(g));
    if (g->unregister)
        return;
    if (g->node == DFOPT_SYM_EMPTY) {
        const size_t n = DFOPT_ROWS(&r->sites, struct dfopt_report_site);
        for (size_t i = 0; i < n; i++)
            begin_anew(&s[i], DFOPT_SYM_EMPTY);
    } else if ((s = site_of(r, g->node))) {
        begin_anew(s, g->instance);
    }
    if ((s = site_of(r, DFOPT_SYM_EMPTY)))
        begin_anew(s, g->instance);
}

static void check_back(struct dfopt_reports *r, dfopt_sym node, int64_t window)
{
    const struct dfopt_report_site *s = site_of(r, node);
    if (!s || !s->any[0] || s->newest[0] - window <= LATE_WINDOWS)
        return;
    double cooldown = r->cooldown;
    for (size_t i = 0; i < r->config->n_initial; i++)
        cooldown =
            fmax(cooldown, longest_cooldown(&r->config->initial[i].registration));
    if ((double)(s->newest[0] - window) <= cooldown)
        return;
    r->told_back = true;
    dfopt_log_event(
        r->config->log, DFOPT_LOG_WARNING, "optimizer.window.back",
        DFOPT_F_TEXT("node", dfopt_dict_text(r->config->dict, node, NULL)),
        DFOPT_F_INT("window_index", window), DFOPT_F_INT("newest", s->newest[0]),
        DFOPT_F_TEXT(
            "note",
            "window indices went back: findings of earlier windows have little "
            "effect. They must increase for the whole run; a restarted application "
            "must register again, with a new instance"));
}

/* ---- windows of objectives and findings ---- */

/* `kind`: 0 for a finding, 1 for an objective. */
static void advance(struct dfopt_reports *r, dfopt_sym node, int kind,
                    int64_t window)
{
    struct dfopt_report_site *s = site_of(r, node);
    if (!s || (s->any[kind] && window <= s->newest[kind]))
        return;
    s->any[kind] = true;
    s->newest[kind] = window;
    const int64_t ahead = s->newest[0] - s->newest[1]; /* both at most 2^53 */
    const int64_t most = r->config->policy->on.ack_timeout_windows;
    if (!s->any[1 - kind] || (ahead <= most && -ahead <= most)) {
        s->advances[0] = s->advances[1] = 0;
        return;
    }
    s->advances[kind]++;
    if (!r->told_clock && wants_objectives(r) && s->advances[0] >= APART_ADVANCES &&
        s->advances[1] >= APART_ADVANCES)
        tell_clock(r, node, s);
}

/* Checks for objectives that are missing or have their own window count. */
static void compare(struct dfopt_reports *r, const struct dfopt_event *event)
{
    const bool finding = event->stream == DFOPT_STREAM_FINDING;
    r->any_objective = r->any_objective || !finding;
    if (finding && (r->findings++ == 0 || event->finding.window > r->newest)) {
        r->newest = event->finding.window;
        if (++r->windows > PATIENCE_WINDOWS)
            tell_missing(r);
    }
}

void dfopt_reports_event(struct dfopt_reports *r, const struct dfopt_event *event)
{
    const bool wanted = wants_objectives(r);
    if (r->config->run == 0)
        return;
    if (event->stream == DFOPT_STREAM_REGISTRATION) {
        take_registration(r, &event->registration);
    } else if (event->stream == DFOPT_STREAM_FINDING) {
        const struct dfopt_finding *f = &event->finding;
        if (wanted)
            compare(r, event);
        if (!r->told_back)
            check_back(r, f->node, f->window);
        if (!r->told_back || (wanted && !r->told_clock))
            advance(r, f->node, 0, f->window);
    } else if (event->stream == DFOPT_STREAM_OBJECTIVE && wanted) {
        compare(r, event);
        if (!r->told_clock)
            advance(r, event->objective.node, 1, event->objective.window);
    }
}

void dfopt_reports_end(struct dfopt_reports *r)
{
    if (wants_objectives(r))
        tell_missing(r);
}

void dfopt_reports_free(struct dfopt_reports *r)
{
    dfopt_symmap_free(&r->site_of);
    dfopt_buf_free(&r->sites);
}
