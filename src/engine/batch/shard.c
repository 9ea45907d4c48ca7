/* One planner among several: what it decides but is not to report is cut off
 * again, which is cheaper than telling the planner to be silent. */
#include "engine/batch/shard.h"

#include "codec/codec.h"
#include "engine/batch/restore.h"

static bool owns(void *arg, dfopt_sym node)
{
    const struct dfopt_shard *d = arg;
    size_t len;
    const char *text = dfopt_dict_text(d->dict, node, &len);
    return dfopt_partition_owner(text, len, d->planners) == d->index;
}

enum dfopt_err dfopt_shard_start(struct dfopt_shard *d, struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 bool assumed_acks, dfopt_sym relay_hostname,
                                 uint32_t index, uint32_t planners)
{
    d->dict = dict;
    d->index = index;
    d->planners = planners;
    const struct dfopt_planner_config config = {
        .policy = policy,
        .assumed_acks = assumed_acks,
        .relay_hostname = relay_hostname,
        .owns = planners > 1 ? owns : NULL,
        .owns_arg = d,
    };
    return dfopt_planner_create(&d->planner, dict, &config);
}

void dfopt_shard_end(struct dfopt_shard *d)
{
    dfopt_planner_destroy(d->planner);
    d->planner = NULL;
}

static bool is_speaker(const struct dfopt_shard *d)
{
    return d->index == DFOPT_PARTITION_SPEAKER;
}

enum dfopt_err dfopt_shard_finding(struct dfopt_shard *d, uint64_t seq,
                                   const struct dfopt_finding *f,
                                   struct dfopt_decisions *out)
{
    const size_t verdicts = out->verdicts.len, plans = out->plans.len,
                 suppressions = out->suppressions.len, seen = out->seen.len,
                 timeouts = out->timeouts.len;
    enum dfopt_err e = dfopt_planner_finding(d->planner, seq, f, out);
    if (f->node == DFOPT_SYM_EMPTY && !is_speaker(d)) {
        out->verdicts.len = verdicts;
        out->plans.len = plans;
        out->suppressions.len = suppressions;
        out->seen.len = seen;
        out->timeouts.len = timeouts;
    }
    return e;
}

enum dfopt_err dfopt_shard_ack(struct dfopt_shard *d, uint64_t seq,
                               const struct dfopt_ack *a,
                               struct dfopt_decisions *out)
{
    const size_t before = out->acks.len;
    enum dfopt_err e = dfopt_planner_ack(d->planner, seq, a, out);
    if (e)
        return e;
    const struct dfopt_ack_row *row = (const void *)(out->acks.data + before);
    /* a plan for the whole job is known to all: the speaker reports it */
    if (!is_speaker(d) && (row->outcome == DFOPT_ACK_OUTCOME_UNMATCHED ||
                           row->node == DFOPT_SYM_EMPTY))
        out->acks.len = before;
    return DFOPT_OK;
}

enum dfopt_err dfopt_shard_global_plan(struct dfopt_shard *d, uint64_t seq,
                                       const struct dfopt_global_plan *g,
                                       struct dfopt_decisions *out)
{
    const size_t relays = out->relays.len, plans = out->plans.len;
    enum dfopt_err e = dfopt_planner_global_plan(d->planner, seq, g, out);
    if (!is_speaker(d)) {
        out->relays.len = relays;
        out->plans.len = plans;
    }
    return e;
}

enum dfopt_err dfopt_shard_state(const struct dfopt_shard *d,
                                 struct dfopt_buf *rows,
                                 struct dfopt_buf *suppressions)
{
    return dfopt_planner_state(d->planner, is_speaker(d), rows, suppressions);
}

enum dfopt_err dfopt_shard_item(struct dfopt_shard *d,
                                const struct dfopt_item *item,
                                struct dfopt_decisions *out)
{
    const struct dfopt_finding_row *finding;
    struct dfopt_event event;
    uint64_t seq;
    enum dfopt_err e;
    switch (item->kind) {
    case DFOPT_ITEM_FINDING:
        e = dfopt_item_finding(item, &finding);
        return e ? e : dfopt_shard_finding(d, finding->seq, &finding->f, out);
    case DFOPT_ITEM_ACK:
        e = dfopt_item_ack(item, &seq, &event.ack);
        return e ? e : dfopt_shard_ack(d, seq, &event.ack, out);
    case DFOPT_ITEM_GLOBAL_PLAN:
        e = dfopt_item_global_plan(item, &seq, &event.global_plan);
        return e ? e : dfopt_shard_global_plan(d, seq, &event.global_plan, out);
    case DFOPT_ITEM_REGISTRATION:
        e = dfopt_item_registration(item, &seq, &event.registration);
        if (!e) {
            e = dfopt_planner_register(d->planner, &event.registration);
            dfopt_registration_clear(&event.registration);
        }
        return e;
    case DFOPT_ITEM_STATE_ROWS:
    case DFOPT_ITEM_SUPPRESSION_STATES:
        return dfopt_restore_item(d->planner, item);
    default:
        return DFOPT_ERR_FORMAT;
    }
}
