/* Windows measured by the application, and its own findings: which sites they are
 * for, and the messages that they become. */
#include "client/impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_MAX ((int64_t)1 << 53)

/* ---- whose they are ---- */

/* Any scope that is not per node belongs to the job. */
static bool has_job_knob(const dfopt_client *c)
{
    for (size_t i = 0; i < c->n_knobs; i++)
        if (strcmp(c->knobs[i]->scope, "node") != 0 &&
            strcmp(c->knobs[i]->scope, "rank_local") != 0)
            return true;
    return false;
}

/* With PULL, only one application process gets plans. */
static bool is_only_one(const struct dfopt_client_options *o)
{
    return o->plans_endpoint && o->plans_pattern == DFOPT_CLIENT_PULL &&
           strcmp(o->transport, "zmq") == 0;
}

enum dfopt_client_reports dfopt_client_whose(dfopt_client *c,
                                             enum dfopt_client_reports own)
{
    if (own || c->options.reports)
        return own ? own : c->options.reports;
    pthread_mutex_lock(&c->lock);
    const bool both =
        has_job_knob(c) && (c->heads_group || is_only_one(&c->options));
    pthread_mutex_unlock(&c->lock);
    return both ? DFOPT_CLIENT_REPORTS_BOTH : DFOPT_CLIENT_REPORTS_NODE;
}

void dfopt_client_head(dfopt_client *c)
{
    if (!dfopt_client_usable(c))
        return;
    pthread_mutex_lock(&c->lock);
    c->heads_group = true;
    pthread_mutex_unlock(&c->lock);
}

/* ---- findings ---- */

static enum dfopt_err push_finding(dfopt_client *c,
                                   const struct dfopt_client_finding *f)
{
    const enum dfopt_client_reports whose = dfopt_client_whose(c, f->reports);
    struct dfopt_buf meta = {0}, body = {0};
    char scope[DFOPT_CLIENT_TEXT_SIZE + 32] = "job:window";
    if (!c->options.findings_endpoint || whose == DFOPT_CLIENT_REPORTS_NONE)
        return DFOPT_OK;
    if (whose != DFOPT_CLIENT_REPORTS_JOB)
        snprintf(scope, sizeof scope, "node:%s:window", c->options.hostname);
    const enum dfopt_err e = dfopt_finding_json(f, scope, &meta, &body);
    return dfopt_client_queue_put(c, &c->findings,
                                  dfopt_client_item(e, &meta, &body));
}

enum dfopt_err dfopt_client_finding(dfopt_client *c,
                                    const struct dfopt_client_finding *f)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!dfopt_finding_is_good(f))
        return DFOPT_ERR_ARG;
    dfopt_client_diagnoses(c);
    return push_finding(c, f);
}

/* ---- windows ---- */

static bool is_amount(double d)
{
    return isfinite(d) && d >= 0;
}

static bool is_good(const struct dfopt_client_window *w)
{
    return w && w->index >= -WINDOW_MAX && w->index <= WINDOW_MAX &&
           is_amount(w->units) && is_amount(w->seconds) && w->seconds > 0 &&
           is_amount(w->fetch_s) && is_amount(w->compute_s) && w->workers >= 0 &&
           is_amount(w->memory) && is_amount(w->read_spread) &&
           isfinite(w->units / w->seconds);
}

static enum dfopt_err push_rate(dfopt_client *c,
                                const struct dfopt_client_window *w)
{
    struct dfopt_client_metric metrics[3];
    size_t n = 0;
    if (w->fetch_s + w->compute_s > 0) {
        metrics[n++] = (struct dfopt_client_metric){"fetch_frac",
                                                    dfopt_diagnosis_fetch_share(w)};
        metrics[n++] = (struct dfopt_client_metric){
            "compute_frac", dfopt_diagnosis_compute_share(w)};
    }
    if (w->memory > 0)
        metrics[n++] = (struct dfopt_client_metric){"mem_frac", w->memory};
    return dfopt_client_objective(
        c, &(struct dfopt_client_objective){.window_index = w->index,
                                            .value = w->units / w->seconds,
                                            .metrics = metrics,
                                            .n_metrics = n});
}

/* Diagnoses the windows reported so far. */
static size_t diagnose(dfopt_client *c, const struct dfopt_client_window *w,
                       struct dfopt_diagnosed found[DFOPT_FINDING_KINDS])
{
    struct dfopt_client_window own = *w;
    pthread_mutex_lock(&c->lock);
    own.changed = w->changed || c->n_applied != c->n_reported;
    c->n_reported = c->n_applied;
    const size_t n = dfopt_diagnose(&c->diagnosis, &own, found);
    pthread_mutex_unlock(&c->lock);
    return n;
}

enum dfopt_err dfopt_client_window(dfopt_client *c,
                                   const struct dfopt_client_window *w)
{
    struct dfopt_diagnosed found[DFOPT_FINDING_KINDS];
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!is_good(w))
        return DFOPT_ERR_ARG;
    dfopt_client_diagnoses(c);
    enum dfopt_err e = push_rate(c, w);
    const size_t n = diagnose(c, w, found);
    for (size_t i = 0; !e && i < n; i++) {
        struct dfopt_client_metric metrics[DFOPT_DIAGNOSED_METRICS];
        struct dfopt_client_finding f;
        dfopt_diagnosed_finding(&found[i], &f, metrics);
        e = push_finding(c, &f);
    }
    return e;
}
