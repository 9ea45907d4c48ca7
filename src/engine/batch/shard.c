/* One planner among several. Only the speaker reports decisions about the job. */
#include "engine/batch/shard.h"

#include "engine/batch/start.h"

static bool owns(void *arg, dfopt_sym node)
{
    struct dfopt_shard *s = arg;
    return dfopt_router_owner(&s->router, node) == s->index;
}

enum dfopt_err dfopt_shard_start(struct dfopt_shard *s, struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 bool assumed_acks, dfopt_sym relay_hostname,
                                 uint32_t index, uint32_t planners)
{
    s->router =
        (struct dfopt_router){.dict = dict, .policy = policy, .planners = planners};
    s->index = index;
    const struct dfopt_planner_config config = {
        .policy = policy,
        .assumed_acks = assumed_acks,
        .relay_hostname = relay_hostname,
        .owns = planners > 1 ? owns : NULL,
        .owns_arg = s,
        .silent_job = index != DFOPT_PARTITION_SPEAKER,
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

/* Drops rows that the speaker reports: acks without a match, acks for job plans
 * (known to every planner), and relayed plans. */
static void leave_to_others(struct dfopt_decisions *out, uint32_t stream,
                            size_t acks, size_t relays, size_t plans)
{
    if (stream == DFOPT_STREAM_GLOBAL_PLAN) {
        out->relays.len = relays;
        out->plans.len = plans;
    } else if (stream == DFOPT_STREAM_ACK && out->acks.len > acks) {
        const struct dfopt_ack_row *row = (const void *)(out->acks.data + acks);
        if (row->outcome == DFOPT_ACK_OUTCOME_UNMATCHED ||
            row->node == DFOPT_SYM_EMPTY)
            out->acks.len = acks;
    }
}

enum dfopt_err dfopt_shard_event(struct dfopt_shard *s, uint64_t seq,
                                 const struct dfopt_event *event,
                                 struct dfopt_decisions *out)
{
    const size_t acks = out->acks.len, relays = out->relays.len,
                 plans = out->plans.len;
    enum dfopt_err e = event->stream == DFOPT_STREAM_REGISTRATION
                           ? dfopt_router_learn(&s->router, &event->registration)
                           : DFOPT_OK;
    if (event->policy)
        dfopt_router_reform(&s->router, event->policy);
    if (!e)
        e = dfopt_decide_event(s->planner, seq, event, out);
    s->decided++;
    if (!e && !is_speaker(s))
        leave_to_others(out, event->stream, acks, relays, plans);
    return e;
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
    if (event.stream == DFOPT_STREAM_REGISTRATION && seq == DFOPT_SEQ_INITIAL)
        e = dfopt_start_register(s->planner, &s->router, &event.registration);
    else
        e = dfopt_shard_event(s, seq, &event, out);
    dfopt_event_clear(&event);
    return e;
}

enum dfopt_err dfopt_shard_state(const struct dfopt_shard *s,
                                 struct dfopt_buf *rows,
                                 struct dfopt_buf *suppressions)
{
    return dfopt_planner_state(s->planner, is_speaker(s), rows, suppressions);
}

enum dfopt_err dfopt_shard_commanded(const struct dfopt_shard *s,
                                     struct dfopt_buf *rows)
{
    return dfopt_planner_commanded(s->planner, is_speaker(s), rows);
}
