/* Two clocks that run apart show as a distance between the newest windows that
 * grows or stays while both advance; one that stands still is not told of. */
#include "engine/online/reports.h"

#define PATIENCE_WINDOWS 20 /* of findings, without an objective */
#define APART_ADVANCES   3  /* of each clock, while they are apart */

struct dfopt_report_site {
    int64_t newest[2];    /* window: of findings, of objectives */
    uint32_t advances[2]; /* since they are apart */
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
        DFOPT_F_TEXT("note", "no application reports an objective: changes are "
                             "judged by findings alone, and none is released"));
}

/* NULL: memory is short, and the site is not watched. */
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
        DFOPT_F_TEXT("note", "objectives must carry the window index of the "
                             "findings, not a count of their own"));
}

/* `kind`: 0 a finding, 1 an objective. */
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
    if (s->advances[0] >= APART_ADVANCES && s->advances[1] >= APART_ADVANCES)
        tell_clock(r, node, s);
}

void dfopt_reports_event(struct dfopt_reports *r, const struct dfopt_event *event)
{
    const bool finding = event->stream == DFOPT_STREAM_FINDING;
    const bool objective = event->stream == DFOPT_STREAM_OBJECTIVE;
    if ((!finding && !objective) || !wants_objectives(r))
        return;
    r->any_objective = r->any_objective || objective;
    if (finding && (r->findings++ == 0 || event->finding.window > r->newest)) {
        r->newest = event->finding.window;
        if (++r->windows > PATIENCE_WINDOWS)
            tell_missing(r);
    }
    if (r->told_clock)
        return;
    if (finding)
        advance(r, event->finding.node, 0, event->finding.window);
    else
        advance(r, event->objective.node, 1, event->objective.window);
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
