/* Rows and plans of one event. Invariant: positions of an event's rows differ, but
 * for those of plans that are withdrawn. */
#include "planner/control/pass.h"

#include "planner/control/trial.h"

#include <stdlib.h>
#include <string.h>

struct dfopt_pass dfopt_pass_begin(struct dfopt_planner *p, uint64_t seq,
                                   struct dfopt_decisions *out)
{
    return (struct dfopt_pass){.p = p,
                               .seq = seq,
                               .out = out,
                               .verdicts = out->verdicts.len,
                               .plans = out->plans.len,
                               .outcomes = out->outcomes.len,
                               .own = {DFOPT_POSITION_JOB, DFOPT_POSITION_NODE}};
}

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

enum dfopt_err dfopt_pass_end(struct dfopt_pass *s)
{
    struct dfopt_decisions *d = s->out;
    if (d->outcomes.len > s->outcomes)
        sort_rows(&d->outcomes, s->outcomes, sizeof(struct dfopt_outcome_row),
                  by_outcome);
    if (!s->unsorted)
        return s->e;
    sort_rows(&d->verdicts, s->verdicts, sizeof(struct dfopt_verdict_row),
              by_verdict);
    sort_rows(&d->plans, s->plans, sizeof(struct dfopt_plan), by_plan);
    return s->e;
}

uint32_t dfopt_pass_own(struct dfopt_pass *s, uint32_t site)
{
    return s->own[site != DFOPT_JOB_NODE]++;
}

void dfopt_pass_row(struct dfopt_pass *s, uint32_t site, uint32_t position,
                    enum dfopt_verdict verdict, struct dfopt_about about,
                    struct dfopt_compared c)
{
    if (!dfopt_pass_speaks(s, site))
        return;
    struct dfopt_verdict_row *row = dfopt_buf_grow(&s->out->verdicts, sizeof *row);
    if (!row) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return;
    }
    row->seq = s->seq;
    row->position = position;
    row->verdict = verdict;
    row->tag = about.tag;
    row->knob = about.knob;
    row->node = about.node;
    row->value = c.value;
    row->threshold = c.threshold;
    s->unsorted |= position < s->last;
    s->last = position;
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
