/* Routing. Events about a node go to its owner, unless they also concern the job;
 * all others go to every planner, as each keeps the job's state. */
#include "engine/batch/route.h"

void dfopt_router_free(struct dfopt_router *r)
{
    dfopt_symmap_free(&r->owner);
    dfopt_symmap_free(&r->tags);
}

uint32_t dfopt_route_owner(const struct dfopt_dict *dict, dfopt_sym node,
                           uint32_t planners)
{
    size_t len;
    const char *name = dfopt_dict_text(dict, node, &len);
    return dfopt_partition_owner(name, len, planners);
}

uint32_t dfopt_router_owner(struct dfopt_router *r, dfopt_sym node)
{
    uint32_t owner = dfopt_symmap_get(&r->owner, node);
    if (owner != DFOPT_SYMMAP_NONE)
        return owner;
    owner = dfopt_route_owner(r->dict, node, r->planners);
    (void)dfopt_symmap_set(&r->owner, node, owner); /* else looked up again */
    return owner;
}

/* ---- what concerns the job ---- */

static bool is_of_job(const struct dfopt_router *r, const struct dfopt_knob *k)
{
    return r->policy->on.scope == DFOPT_SCOPE_INTERPRET &&
           !dfopt_knob_is_per_node(r->dict, k);
}

bool dfopt_router_is_news(const struct dfopt_router *r,
                          const struct dfopt_registration *g)
{
    for (size_t i = 0; i < g->n_knobs; i++) {
        const struct dfopt_knob *k = &g->knobs[i];
        if (!is_of_job(r, k))
            continue;
        if (!r->job_knobs)
            return true;
        for (size_t j = 0; j < k->n_responses; j++)
            if (dfopt_symmap_get(&r->tags, k->responses[j].tag) ==
                DFOPT_SYMMAP_NONE)
                return true;
    }
    return false;
}

enum dfopt_err dfopt_router_learn(struct dfopt_router *r,
                                  const struct dfopt_registration *g)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < g->n_knobs; i++) {
        const struct dfopt_knob *k = &g->knobs[i];
        if (!is_of_job(r, k))
            continue;
        r->job_knobs = true;
        for (size_t j = 0; j < k->n_responses && !e; j++)
            e = dfopt_symmap_set(&r->tags, k->responses[j].tag, 1);
    }
    return e;
}

void dfopt_router_reform(struct dfopt_router *r, const struct dfopt_policy *policy)
{
    r->reformed |= policy->n_guards > 0;
}

static bool may_concern_job(const struct dfopt_router *r,
                            const struct dfopt_finding *f)
{
    if (r->all)
        return true;
    if (!r->job_knobs)
        return false;
    if (r->reformed)
        return true;
    size_t n;
    const dfopt_sym *tag = dfopt_dict_items(r->dict, f->tags, &n);
    for (size_t i = 0; i < n; i++)
        if (dfopt_symmap_get(&r->tags, tag[i]) != DFOPT_SYMMAP_NONE)
            return true;
    double x;
    return dfopt_policy_guard(r->policy, f->type, f->metric_state, f->metric, &x) <
           r->policy->n_guards;
}

/* ---- routes ---- */

static enum dfopt_err route_node(struct dfopt_router *r, dfopt_sym node,
                                 struct dfopt_route *out)
{
    *out = (struct dfopt_route){0, r->planners - 1, DFOPT_PARTITION_SPEAKER};
    if (node == DFOPT_SYM_EMPTY || r->planners == 1)
        return DFOPT_OK;
    if (r->policy->limits.given) { /* each planner counts the plans of all nodes */
        out->reporter = DFOPT_REPORTER_ALL;
        return DFOPT_OK;
    }
    out->first = out->last = out->reporter = dfopt_router_owner(r, node);
    return DFOPT_OK;
}

enum dfopt_err dfopt_route_finding(struct dfopt_router *r,
                                   const struct dfopt_finding *f,
                                   struct dfopt_route *out)
{
    if (f->node == DFOPT_SYM_EMPTY || r->planners == 1 || r->policy->limits.given ||
        !may_concern_job(r, f))
        return route_node(r, f->node, out);
    *out = (struct dfopt_route){0, r->planners - 1, DFOPT_REPORTER_ALL};
    return DFOPT_OK;
}

enum dfopt_err dfopt_route_event(struct dfopt_router *r,
                                 const struct dfopt_event *event,
                                 struct dfopt_route *out)
{
    switch (event->stream) {
    case DFOPT_STREAM_FINDING:
        return dfopt_route_finding(r, &event->finding, out);
    case DFOPT_STREAM_OBJECTIVE:
        return route_node(r, event->objective.node, out);
    case DFOPT_STREAM_GLOBAL_PLAN:
        return route_node(r, DFOPT_SYM_EMPTY, out);
    default: /* registrations, acks and commands: for the job, and for each
              * planner's nodes */
        *out = (struct dfopt_route){0, r->planners - 1, DFOPT_REPORTER_ALL};
        return DFOPT_OK;
    }
}

enum dfopt_err dfopt_frame_event(struct dfopt_frame *f, uint64_t seq,
                                 const struct dfopt_event *event)
{
    switch (event->stream) {
    case DFOPT_STREAM_FINDING:
        return dfopt_frame_finding(f, seq, &event->finding);
    case DFOPT_STREAM_REGISTRATION:
        return dfopt_frame_registration(f, seq, &event->registration);
    case DFOPT_STREAM_ACK:
        return dfopt_frame_ack(f, seq, &event->ack);
    case DFOPT_STREAM_OBJECTIVE:
        return dfopt_frame_objective(f, seq, &event->objective);
    case DFOPT_STREAM_CONTROL:
        return dfopt_frame_command(f, seq, &event->command, event->policy);
    default:
        return dfopt_frame_global_plan(f, seq, &event->global_plan);
    }
}

enum dfopt_err dfopt_item_event(const struct dfopt_item *item, uint64_t *seq,
                                struct dfopt_event *out)
{
    const struct dfopt_finding_row *row;
    enum dfopt_err e;
    out->policy = NULL;
    switch (item->kind) {
    case DFOPT_ITEM_FINDING:
        out->stream = DFOPT_STREAM_FINDING;
        e = dfopt_item_finding(item, &row);
        if (!e) {
            *seq = row->seq;
            out->finding = row->f;
        }
        return e;
    case DFOPT_ITEM_REGISTRATION:
        out->stream = DFOPT_STREAM_REGISTRATION;
        return dfopt_item_registration(item, seq, &out->registration);
    case DFOPT_ITEM_ACK:
        out->stream = DFOPT_STREAM_ACK;
        return dfopt_item_ack(item, seq, &out->ack);
    case DFOPT_ITEM_OBJECTIVE:
        out->stream = DFOPT_STREAM_OBJECTIVE;
        return dfopt_item_objective(item, seq, &out->objective);
    case DFOPT_ITEM_COMMAND:
        out->stream = DFOPT_STREAM_CONTROL;
        return dfopt_item_command(item, seq, &out->command, &out->policy);
    case DFOPT_ITEM_GLOBAL_PLAN:
        out->stream = DFOPT_STREAM_GLOBAL_PLAN;
        return dfopt_item_global_plan(item, seq, &out->global_plan);
    default:
        return DFOPT_ERR_FORMAT;
    }
}

enum dfopt_err dfopt_decide_event(struct dfopt_planner *p, uint64_t seq,
                                  const struct dfopt_event *event,
                                  struct dfopt_decisions *out)
{
    switch (event->stream) {
    case DFOPT_STREAM_FINDING:
        return dfopt_planner_finding(p, seq, &event->finding, out);
    case DFOPT_STREAM_REGISTRATION:
        return dfopt_planner_register(p, seq, &event->registration, out);
    case DFOPT_STREAM_ACK:
        return dfopt_planner_ack(p, seq, &event->ack, out);
    case DFOPT_STREAM_OBJECTIVE:
        return dfopt_planner_objective(p, seq, &event->objective, out);
    case DFOPT_STREAM_CONTROL:
        return dfopt_planner_command(p, seq, &event->command, event->policy, out);
    default:
        return dfopt_planner_global_plan(p, seq, &event->global_plan, out);
    }
}

enum dfopt_err dfopt_decide_invalid(uint64_t seq, struct dfopt_decisions *out)
{
    const struct dfopt_verdict_row row = {
        .seq = seq,
        .verdict = DFOPT_VERDICT_INVALID,
        .tag = DFOPT_SYM_NONE,
        .knob = DFOPT_SYM_NONE,
        .node = DFOPT_SYM_EMPTY,
        .value = __builtin_nan(""),
        .threshold = __builtin_nan(""),
    };
    return dfopt_buf_add(&out->verdicts, &row, sizeof row);
}
