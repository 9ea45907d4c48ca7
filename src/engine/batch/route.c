/* Routing. Events about a node go to its owner; all others go to every planner, for
 * each keeps the state of the job. */
#include "engine/batch/route.h"

void dfopt_router_free(struct dfopt_router *r)
{
    dfopt_symmap_free(&r->owner);
}

uint32_t dfopt_route_owner(const struct dfopt_dict *dict, dfopt_sym node,
                           uint32_t planners)
{
    size_t len;
    const char *name = dfopt_dict_text(dict, node, &len);
    return dfopt_partition_owner(name, len, planners);
}

/* The same, remembered by the node's number. */
static enum dfopt_err owner_of(struct dfopt_router *r, dfopt_sym node,
                               uint32_t *out)
{
    *out = dfopt_symmap_get(&r->owner, node);
    if (*out != DFOPT_SYMMAP_NONE)
        return DFOPT_OK;
    *out = dfopt_route_owner(r->dict, node, r->planners);
    return dfopt_symmap_set(&r->owner, node, *out);
}

enum dfopt_err dfopt_route_node(struct dfopt_router *r, uint32_t stream,
                                dfopt_sym node, struct dfopt_route *out)
{
    *out = (struct dfopt_route){0, r->planners - 1, DFOPT_PARTITION_SPEAKER};
    if (stream == DFOPT_STREAM_ACK)
        out->reporter = DFOPT_REPORTER_NONE;
    if (stream != DFOPT_STREAM_FINDING || node == DFOPT_SYM_EMPTY ||
        r->planners == 1)
        return DFOPT_OK;
    enum dfopt_err e = owner_of(r, node, &out->reporter);
    out->first = out->last = out->reporter;
    return e;
}

enum dfopt_err dfopt_route_event(struct dfopt_router *r,
                                 const struct dfopt_event *event,
                                 struct dfopt_route *out)
{
    return dfopt_route_node(r, event->stream,
                            event->stream == DFOPT_STREAM_FINDING
                                ? event->finding.node
                                : DFOPT_SYM_EMPTY,
                            out);
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
    default:
        return dfopt_frame_global_plan(f, seq, &event->global_plan);
    }
}

enum dfopt_err dfopt_item_event(const struct dfopt_item *item, uint64_t *seq,
                                struct dfopt_event *out)
{
    const struct dfopt_finding_row *row;
    enum dfopt_err e;
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
        return dfopt_planner_register(p, &event->registration);
    case DFOPT_STREAM_ACK:
        return dfopt_planner_ack(p, seq, &event->ack, out);
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
