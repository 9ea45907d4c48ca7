/* Objectives: the application's results, for its node, the job, or both. */
#include "client/impl.h"

#include <math.h>

#define WINDOW_MAX ((int64_t)1 << 53)

static bool is_good(const struct dfopt_client_objective *o)
{
    if (!o || !isfinite(o->value) || o->window_index < -WINDOW_MAX ||
        o->window_index > WINDOW_MAX || (unsigned)o->goal > DFOPT_CLIENT_MIN ||
        (unsigned)o->reports > DFOPT_CLIENT_REPORTS_NONE ||
        (o->n_metrics && !o->metrics))
        return false;
    for (size_t i = 0; i < o->n_metrics; i++)
        if (!o->metrics[i].name || !isfinite(o->metrics[i].value))
            return false;
    return true;
}

/* node "": the whole job. */
static enum dfopt_err push(dfopt_client *c, const struct dfopt_client_objective *o,
                           const char *node)
{
    struct dfopt_buf meta = {0}, body = {0};
    const enum dfopt_err e = dfopt_client_objective_json(o, node, &meta, &body);
    return dfopt_client_queue_put(c, &c->objectives,
                                  dfopt_client_item(e, &meta, &body));
}

enum dfopt_err dfopt_client_objective(dfopt_client *c,
                                      const struct dfopt_client_objective *o)
{
    if (!dfopt_client_usable(c))
        return DFOPT_ERR_STATE;
    if (!is_good(o))
        return DFOPT_ERR_ARG;
    const enum dfopt_client_reports whose = dfopt_client_whose(c, o->reports);
    if (!c->options.objectives_endpoint)
        return DFOPT_OK;
    enum dfopt_err e = DFOPT_OK;
    if (whose == DFOPT_CLIENT_REPORTS_NODE || whose == DFOPT_CLIENT_REPORTS_BOTH)
        e = push(c, o, c->options.hostname);
    if (!e &&
        (whose == DFOPT_CLIENT_REPORTS_JOB || whose == DFOPT_CLIENT_REPORTS_BOTH))
        e = push(c, o, "");
    return e;
}
