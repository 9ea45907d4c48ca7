/* The response of one knob to a finding: the gates, the new value, the plan.
 * Private to the planner. */
#ifndef DFOPT_PLANNER_CONTROL_RESPOND_H
#define DFOPT_PLANNER_CONTROL_RESPOND_H

#include "planner/control/trial.h"

/* How one site handles a finding. */
struct dfopt_look {
    struct dfopt_pass *pass;
    const struct dfopt_finding *f;
    uint32_t node;             /* the site */
    struct dfopt_site *site;   /* NULL without control */
    bool follow_up;            /* it helped: take the next step at once */
    bool job_tries;            /* the site is a node, and the job's trial is open */
    bool superseded;           /* findings about the whole job take precedence */
    enum dfopt_knob_mode mode; /* of the current pair */
};

/* Where a row goes: a given position, or the site's next own one, taken when
 * needed. */
struct dfopt_place {
    bool taken;
    uint32_t position;
};

uint32_t dfopt_place_take(const struct dfopt_look *l, struct dfopt_place *place);

/* Returns exactly one verdict; makes the plan. */
enum dfopt_verdict dfopt_respond(struct dfopt_look *l,
                                 const struct dfopt_tag_response *r,
                                 struct dfopt_place *place,
                                 struct dfopt_compared *c);

/* Appends the pair's row. */
static inline void dfopt_look_row(const struct dfopt_look *l, uint32_t position,
                                  enum dfopt_verdict verdict, dfopt_sym tag,
                                  dfopt_sym knob, struct dfopt_compared c)
{
    const struct dfopt_about about = {
        tag, knob, dfopt_slots_node_name(&l->pass->p->slots, l->node)};
    dfopt_pass_row(l->pass, l->node, position, verdict, about, c);
}

/* A knob without room in a budget: another gives up half of what it has, and both
 * are tried together. TRADE, WOULD_PLAN or BUDGET. */
enum dfopt_verdict dfopt_trade(struct dfopt_look *l,
                               const struct dfopt_tag_response *r,
                               struct dfopt_value old, struct dfopt_value want,
                               struct dfopt_place *place, struct dfopt_compared *c);

/* Makes the pair's plan, which is not sent if its knob is in shadow mode. */
void dfopt_look_plan(const struct dfopt_look *l, const struct dfopt_key *key,
                     const struct dfopt_plan *draft);

#endif
