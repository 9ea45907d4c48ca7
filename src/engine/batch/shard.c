/* One planner among several. Rows that another planner reports are cut off again,
 * which is cheaper than telling this one to be silent. */
#include "engine/batch/shard.h"

#include "engine/batch/start.h"

static bool owns(void *arg, dfopt_sym node)
{
    const struct dfopt_shard *s = arg;
    return dfopt_route_owner(s->router.dict, node, s->router.planners) == s->index;
}

enum dfopt_err dfopt_shard_start(struct dfopt_shard *s, struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 bool assumed_acks, dfopt_sym relay_hostname,
                                 uint32_t index, uint32_t planners)
{
    s->router = (struct dfopt_router){.dict = dict, .planners = planners};
    s->index = index;
    const struct dfopt_planner_config config = {
        .policy = policy,
        .assumed_acks = assumed_acks,
        .relay_hostname = relay_hostname,
        .owns = planners > 1 ? owns : NULL,
        .owns_arg = s,
    };
    return dfopt_planner_create(&s->planner, dict, &config);
}

void dfopt_shard_end(struct dfopt_shard *s)
{
    dfopt_planner_destroy(s->planner);
    s->planner = NULL;
    dfopt_router_free(&s->router);
}

static bool is_speaker(const struct dfopt_shard *s)
{
    return s->index == DFOPT_PARTITION_SPEAKER;
}

/* Whether the last ack's row is for this planner to report: a match, but the
 * speaker alone reports no match, and a plan for the job, which all know. */
static bool reports_ack(const struct dfopt_shard *s,
                        const struct dfopt_decisions *d)
{
    const struct dfopt_ack_row *row =
        DFOPT_ROW(&d->acks, const struct dfopt_ack_row) +
        DFOPT_ROWS(&d->acks, struct dfopt_ack_row) - 1;
    return is_speaker(s) || (row->outcome != DFOPT_ACK_OUTCOME_UNMATCHED &&
                             row->node != DFOPT_SYM_EMPTY);
}

enum dfopt_err dfopt_shard_event(struct dfopt_shard *s, uint64_t seq,
                                 const struct dfopt_event *event,
                                 struct dfopt_decisions *out)
{
    struct dfopt_route to;
    size_t before[DFOPT_DECISION_TABLES];
    enum dfopt_err e = dfopt_route_event(&s->router, event, &to);
    if (e)
        return e;
    if (to.first == to.last) /* no other planner gets it */
        return dfopt_decide_event(s->planner, seq, event, out);
    for (int i = 0; i < DFOPT_DECISION_TABLES; i++)
        before[i] = dfopt_decision_rows(out, i)->len;
    e = dfopt_decide_event(s->planner, seq, event, out);
    if (e || (to.reporter == DFOPT_REPORTER_NONE ? reports_ack(s, out)
                                                 : to.reporter == s->index))
        return e;
    for (int i = 0; i < DFOPT_DECISION_TABLES; i++)
        dfopt_decision_rows(out, i)->len = before[i];
    return DFOPT_OK;
}

enum dfopt_err dfopt_shard_item(struct dfopt_shard *s,
                                const struct dfopt_item *item,
                                struct dfopt_decisions *out)
{
    struct dfopt_event event;
    uint64_t seq;
    if (item->kind == DFOPT_ITEM_STATE_ROWS ||
        item->kind == DFOPT_ITEM_SUPPRESSION_STATES)
        return dfopt_start_restore(s->planner, item);
    enum dfopt_err e = dfopt_item_event(item, &seq, &event);
    if (e)
        return e;
    e = dfopt_shard_event(s, seq, &event, out);
    if (event.stream == DFOPT_STREAM_REGISTRATION)
        dfopt_registration_clear(&event.registration);
    return e;
}

enum dfopt_err dfopt_shard_state(const struct dfopt_shard *s,
                                 struct dfopt_buf *rows,
                                 struct dfopt_buf *suppressions)
{
    return dfopt_planner_state(s->planner, is_speaker(s), rows, suppressions);
}
