/* Rows and plans of one event. Invariant: the positions of an event's rows differ,
 * except those of withdrawn plans. */
#include "planner/control/pass.h"

#include "planner/control/trial.h"
#include "planner/operator/operator.h"

#include <stdlib.h>
#include <string.h>

#define BY(name, type, member)                                                     \
    static int name(const void *a, const void *b)                                  \
    {                                                                              \
        const type *x = a, *y = b;                                                 \
        return (x->member > y->member) - (x->member < y->member);                  \
    }

BY(by_verdict, struct dfopt_verdict_row, position)
BY(by_plan, struct dfopt_plan, position)

static int by_outcome(const void *a, const void *b)
{
    const struct dfopt_outcome_row *x = a, *y = b;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    return (x->plan_id > y->plan_id) - (x->plan_id < y->plan_id);
}

/* Sorts the rows from `start` on, which are usually in order. */
static void sort_rows(struct dfopt_buf *b, size_t start, size_t size,
                      int (*compare)(const void *a, const void *b))
{
    for (size_t at = start + size; at < b->len; at += size)
        if (compare(b->data + at - size, b->data + at) > 0) {
            qsort(b->data + start, (b->len - start) / size, size, compare);
            return;
        }
}

/* The window in which a plan that was not sent counts as rejected. */
static int64_t window_now(const struct dfopt_planner *p,
                          const struct dfopt_key *key, int64_t planned)
{
    const struct dfopt_site *site = p->slots.nodes[key->node].site;
    if (p->control)
        return (site && site->clock > planned ? site->clock : planned) + 1;
    return key->slot->has_seen && key->slot->seen > planned ? key->slot->seen
                                                            : planned;
}

static void reject_withheld(struct dfopt_planner *p, const struct dfopt_key *key)
{
    if (!key->slot->has_pending)
        return;
    const struct dfopt_pending was = key->slot->pending;
    const int64_t window = window_now(p, key, was.window);
    dfopt_planner_settle(p, key);
    dfopt_planner_restore(p, key, &was);
    key->slot->has_cooldown = true;
    key->slot->cooldown_window = window;
    key->slot->cooldown_severity = 0.0;
    if (p->control)
        dfopt_trial_answered(p, key, true, NULL, window);
}

void dfopt_pass_reject_withheld(struct dfopt_pass *s)
{
    for (size_t i = 0; i < DFOPT_ROWS(&s->withheld, struct dfopt_key); i++)
        reject_withheld(s->p, DFOPT_ROW(&s->withheld, const struct dfopt_key) + i);
    dfopt_buf_free(&s->withheld);
}

void dfopt_pass_sort(struct dfopt_pass *s)
{
    struct dfopt_decisions *d = s->out;
    if (d->outcomes.len > s->outcomes)
        sort_rows(&d->outcomes, s->outcomes, sizeof(struct dfopt_outcome_row),
                  by_outcome);
    if (!s->unsorted)
        return;
    sort_rows(&d->verdicts, s->verdicts, sizeof(struct dfopt_verdict_row),
              by_verdict);
    sort_rows(&d->plans, s->plans, sizeof(struct dfopt_plan), by_plan);
}

static struct dfopt_plan complete(const struct dfopt_pass *s,
                                  const struct dfopt_key *key,
                                  const struct dfopt_plan *draft)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_knob *k = &p->registry.knobs[key->knob];
    struct dfopt_plan plan = *draft;
    plan.seq = s->seq;
    plan.plan_id = s->seq * DFOPT_PLANS_PER_EVENT + draft->position;
    plan.number = draft->position;
    plan.relay_id = DFOPT_SYM_NONE;
    plan.knob = k->id;
    plan.target_function = k->target_function;
    plan.node = dfopt_slots_node_name(&p->slots, key->node);
    plan.targets = DFOPT_LIST_EMPTY;
    plan.rationale = DFOPT_SYM_NONE;
    return plan;
}

void dfopt_pass_plan(struct dfopt_pass *s, const struct dfopt_key *key,
                     const struct dfopt_plan *draft)
{
    struct dfopt_planner *p = s->p;
    const struct dfopt_plan plan = complete(s, key, draft);
    struct dfopt_adjustment *a =
        p->control ? dfopt_site_adjustment(p, key->node, key->knob) : NULL;
    if (a)
        a->touched = true;
    dfopt_operator_count(p, plan.window);
    dfopt_pass_fail(s, dfopt_planner_put_in_force(p, key, &plan));
    if (p->control)
        dfopt_trial_planned(p, key, plan.plan_id);
    if (p->control && p->assumed_acks)
        dfopt_trial_assumed(s, key, &plan.new_value);
    if (dfopt_pass_speaks(s, key->node))
        dfopt_pass_fail(s, dfopt_buf_add(&s->out->plans, &plan, sizeof plan));
}

void dfopt_pass_withhold(struct dfopt_pass *s, const struct dfopt_key *key,
                         const struct dfopt_plan *draft)
{
    struct dfopt_planner *p = s->p;
    const struct dfopt_plan plan = complete(s, key, draft);
    const struct dfopt_pending pending = {.plan_id = plan.plan_id,
                                          .window = plan.window,
                                          .severity = plan.severity,
                                          .old = plan.old_value,
                                          .had =
                                              dfopt_planner_has_override(p, key)};
    dfopt_operator_count(p, plan.window);
    dfopt_planner_set_value(p, key, plan.new_value);
    dfopt_pass_fail(s, dfopt_planner_launch(p, key, &pending));
    dfopt_pass_fail(s, dfopt_buf_add(&s->withheld, key, sizeof *key));
}
