/* Guards: a limit was hit, so the last step is undone at once. */
#include "planner/guard.h"

#include "planner/control/control.h"
#include "planner/operator/operator.h"

#include <stdlib.h>
#include <string.h>

static bool is_for(const struct dfopt_planner *p, const struct dfopt_guard *g,
                   uint32_t knob)
{
    for (uint32_t i = 0; i < g->knobs.n; i++)
        if (p->policy->names[g->knobs.first + i] == p->registry.knobs[knob].id)
            return true;
    return !g->some_knobs;
}

/* Rolls back each knob's last kept step, as a trial of its own. */
static struct dfopt_trial *last_steps(struct dfopt_pass *s, uint32_t node,
                                      const struct dfopt_guard *g, int64_t window)
{
    struct dfopt_planner *p = s->p;
    const struct dfopt_site *site = p->slots.nodes[node].site;
    struct dfopt_trial *t = calloc(1, sizeof *t);
    if (t)
        t->moves = calloc(site->n_adjustments + 1, sizeof *t->moves);
    if (!t || !t->moves) {
        dfopt_trial_free(t);
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return NULL;
    }
    t->node = node;
    t->window = window;
    for (struct dfopt_adjustment *a = site->first; a; a = a->next) {
        const struct dfopt_value now = dfopt_site_value(p, node, a->knob);
        const bool above = dfopt_value_order(a->prev, now) == -1;
        const struct dfopt_value to = above ? a->prev : a->base;
        if (dfopt_value_order(to, now) != -1 || !is_for(p, g, a->knob) ||
            p->registry.states[a->knob].left ||
            (!a->touched &&
             dfopt_operator_mode(p, a->knob, a->tag) == DFOPT_MODE_SHADOW))
            continue;
        t->moves[t->n_moves++] =
            (struct dfopt_move){.old = to,
                                .new = now,
                                .tag = a->tag,
                                .apply_when = a->apply_when,
                                .knob = a->knob,
                                .direction = DFOPT_DIRECTION_INCREASE,
                                .answered = true};
        memset(&t->f, 0, sizeof t->f);
        t->f.type = a->type;
        t->f.scope = a->scope;
        t->f.severity = a->severity;
        a->prev = a->base;
    }
    return t;
}

static void take_back(struct dfopt_pass *s, uint32_t node, struct dfopt_trial *t,
                      struct dfopt_compared c, int64_t window)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[node].site;
    static const struct dfopt_reason reason = {.why = DFOPT_WHY_GUARD};
    for (uint32_t i = 0; i < t->n_moves; i++) {
        struct dfopt_adjustment *a =
            dfopt_site_adjustment(p, node, t->moves[i].knob);
        dfopt_back_off(p, a, DFOPT_DIRECTION_INCREASE, window);
        a->delta = dfopt_value_int(0);
    }
    if (t->n_moves == 0)
        return;
    site->isolate |= t->n_moves > 1;
    struct dfopt_outcome_row draft = dfopt_not_judged;
    draft.window = window;
    dfopt_trial_rows(s, t, DFOPT_VERDICT_GUARD, c, &draft);
    dfopt_trial_assume(p, t);
    if (site->trial)
        dfopt_trial_detach(p, site);
    dfopt_roll_back(s, node, t, window, &reason);
}

void dfopt_guards_check(struct dfopt_pass *s, uint32_t node, dfopt_sym type,
                        const uint8_t state[DFOPT_METRIC_COUNT],
                        const double metric[DFOPT_METRIC_COUNT], int64_t window)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_policy *policy = p->policy;
    const struct dfopt_site *site = p->slots.nodes[node].site;
    double x;
    if (policy->n_guards == 0)
        return;
    const size_t at = dfopt_policy_guard(policy, type, state, metric, &x);
    if (at == policy->n_guards)
        return;
    struct dfopt_trial *t = site->trial;
    if ((t && (t->kind == DFOPT_TRIAL_ROLLBACK || t->kind == DFOPT_TRIAL_RELEASE ||
               window < t->effect)) ||
        window < site->since - policy->on.settle_windows)
        return; /* the last rollback is still in flight */
    const struct dfopt_guard *g = &policy->guards[at];
    const struct dfopt_compared c = {x, g->above};
    t = t ? t : last_steps(s, node, g, window);
    if (!t)
        return;
    take_back(s, node, t, c, window);
    if (t != site->trial)
        dfopt_trial_free(t);
}
