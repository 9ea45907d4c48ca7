/* Rows and plans of one event. Invariant: positions of an event's rows differ, but
 * for those of plans that are withdrawn. */
#include "planner/control/pass.h"

#include "planner/control/trial.h"

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

/* Sorts the rows behind `start`, which are in order as a rule. */
static void sort_rows(struct dfopt_buf *b, size_t start, size_t size,
                      int (*compare)(const void *a, const void *b))
{
    for (size_t at = start + size; at < b->len; at += size)
        if (compare(b->data + at - size, b->data + at) > 0) {
            qsort(b->data + start, (b->len - start) / size, size, compare);
            return;
        }
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

void dfopt_pass_plan(struct dfopt_pass *s, const struct dfopt_key *key,
                     const struct dfopt_plan *draft)
{
    struct dfopt_planner *p = s->p;
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
    dfopt_pass_fail(s, dfopt_planner_put_in_force(p, key, &plan));
    if (p->control)
        dfopt_trial_planned(p, key, plan.plan_id);
    if (p->control && p->assumed_acks)
        dfopt_trial_assumed(s, key, &plan.new_value);
    if (dfopt_pass_speaks(s, key->node))
        dfopt_pass_fail(s, dfopt_buf_add(&s->out->plans, &plan, sizeof plan));
}
