/* Operator commands. A command acts at once, at one site, between two events. A
 * refused command changes nothing. */
#include "planner/planner.h"

#include "planner/control/control.h"
#include "planner/control/respond.h"
#include "planner/operator/operator.h"
#include "planner/reform.h"
#include "planner/step/step.h"

/* A command being executed. */
struct order {
    struct dfopt_pass *s;
    const struct dfopt_command *c;
};

/* ---- for both kinds of plans ---- */

/* The current window at the knob's site. */
static int64_t clock_of(const struct dfopt_planner *p, const struct dfopt_key *key)
{
    const struct dfopt_site *site = p->slots.nodes[key->node].site;
    if (p->control)
        return site ? site->clock : -1;
    return key->slot && key->slot->has_seen ? key->slot->seen : -1;
}

static bool is_same(const struct dfopt_planner *p, struct dfopt_value a,
                    struct dfopt_value b)
{
    return (a.kind == DFOPT_KIND_BOOL) == (b.kind == DFOPT_KIND_BOOL) &&
           dfopt_value_equal(p->dict, a, b);
}

/* Whether a budget or the site's memory leaves no room for the change. */
static bool is_too_much(struct dfopt_pass *s, const struct dfopt_key *key,
                        struct dfopt_value old, struct dfopt_value new)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_site *site = p->control ? dfopt_site_at(s, key->node) : NULL;
    struct dfopt_value fits = new;
    if (!site)
        return false;
    if (site->n_adjustments >= DFOPT_ADJUSTMENTS_MAX &&
        !dfopt_site_adjustment(p, key->node, key->knob))
        return true;
    return !dfopt_budget_fit(p, key->node, key->knob, old, &fits) ||
           !dfopt_value_equal(p->dict, fits, new);
}

/* The key of a knob at a site; creates its slot. false: out of memory. */
static bool make_key(struct dfopt_pass *s, uint32_t knob, dfopt_sym node,
                     struct dfopt_key *key)
{
    struct dfopt_planner *p = s->p;
    *key = (struct dfopt_key){.knob = knob};
    key->node = dfopt_slots_node(&p->slots, node);
    key->slot = key->node == DFOPT_SYMMAP_NONE
                    ? NULL
                    : dfopt_slots_at(&p->slots, key->node, knob);
    if (!key->slot)
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
    return key->slot != NULL;
}

static void add_row(struct dfopt_pass *s, const struct dfopt_key *key,
                    uint32_t position, enum dfopt_verdict verdict, dfopt_sym tag,
                    struct dfopt_value new, struct dfopt_value old)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_about about = {tag, p->registry.knobs[key->knob].id,
                                      dfopt_slots_node_name(&p->slots, key->node)};
    const struct dfopt_compared c = {dfopt_value_as_double(new),
                                     dfopt_value_as_double(old)};
    dfopt_pass_row(s, key->node, position, verdict, about, c);
}

/* ---- set and restore ---- */

/* Whether a knob takes its own value for a node, or for the job. */
static bool takes(const struct dfopt_planner *p, uint32_t knob, dfopt_sym node)
{
    return p->policy->on.scope == DFOPT_SCOPE_CARRY ||
           p->registry.states[knob].per_node == (node != DFOPT_SYM_EMPTY);
}

/* Ends the trial that is open at the site. */
static void clear_site(struct dfopt_pass *s, uint32_t node)
{
    struct dfopt_site *site = dfopt_site_at(s, node);
    if (site)
        dfopt_trial_drop(s, node, DFOPT_VERDICT_VOID, site->clock);
}

/* Adds the move to the operator's trial, which is not judged; releases and guards
 * do not go below the value. */
static void join_order(struct dfopt_pass *s, const struct dfopt_key *key,
                       const struct dfopt_finding *f, const struct dfopt_move *m)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[key->node].site;
    if (!site->trial && !dfopt_trial_open(s, key->node, DFOPT_TRIAL_ROLLBACK, f, 0))
        return;
    if (!dfopt_trial_add(s, site->trial, f, m))
        return;
    struct dfopt_adjustment *a = dfopt_site_adjustment(p, key->node, key->knob);
    a->base = a->prev = a->anchor = m->new;
    a->delta = dfopt_value_int(0);
    a->proven = false;
    a->inconclusive = 0;
}

/* Makes one plan for the operator. */
static void plan_value(const struct order *o, const struct dfopt_key *key,
                       struct dfopt_value new, enum dfopt_verdict verdict)
{
    struct dfopt_pass *s = o->s;
    struct dfopt_planner *p = s->p;
    const dfopt_sym boundary = p->registry.states[key->knob].boundary;
    if (key->slot->has_pending) { /* the earlier plan, still in flight */
        dfopt_planner_settle(p, key);
        dfopt_planner_applied(p, key, 0, NULL, -1);
    }
    const struct dfopt_value old = dfopt_planner_value(p, key);
    const struct dfopt_finding f = {.type = o->c->word_operator,
                                    .scope = DFOPT_SYM_EMPTY,
                                    .window = clock_of(p, key)};
    const struct dfopt_move m = {.old = old,
                                 .new = new,
                                 .tag = DFOPT_SYM_EMPTY,
                                 .apply_when = boundary == DFOPT_SYM_NONE
                                                   ? o->c->word_next_window
                                                   : boundary,
                                 .knob = key->knob,
                                 .direction = DFOPT_DIRECTION_SET};
    const struct dfopt_plan plan = {
        .position = dfopt_pass_own(s, key->node),
        .apply_when = m.apply_when,
        .finding_type = f.type,
        .tag = DFOPT_SYM_EMPTY,
        .old_value = old,
        .new_value = new,
        .window = f.window,
        .why = verdict == DFOPT_VERDICT_SET ? DFOPT_WHY_SET : DFOPT_WHY_RESTORED,
        .other = o->c->by};
    add_row(s, key, plan.position, verdict, DFOPT_SYM_EMPTY, new, old);
    if (p->control)
        join_order(s, key, &f, &m);
    if (!s->e)
        dfopt_pass_plan(s, key, &plan);
}

static void end_order(struct dfopt_pass *s, uint32_t node)
{
    struct dfopt_site *site = s->p->slots.nodes[node].site;
    if (!s->p->control || !site || s->e)
        return;
    site->reference_n = 0;
    dfopt_trial_opened(s->p, node);
}

/* Whether this planner decides a node that is there (or the job). */
static uint32_t check_node(const struct dfopt_planner *p, dfopt_sym node)
{
    return !dfopt_planner_decides(p, node) ? DFOPT_COMMAND_UNKNOWN_PLAN
           : dfopt_slots_find_node(&p->slots, node) == DFOPT_SYMMAP_NONE
               ? DFOPT_COMMAND_UNKNOWN_NODE
               : DFOPT_COMMAND_DONE;
}

static uint32_t check_set(const struct dfopt_planner *p,
                          const struct dfopt_command *c, uint32_t *knob,
                          struct dfopt_value *new)
{
    *knob = dfopt_registry_knob(&p->registry, c->name);
    if (*knob == DFOPT_SYMMAP_NONE)
        return DFOPT_COMMAND_UNKNOWN_KNOB;
    if (!takes(p, *knob, c->node))
        return c->node != DFOPT_SYM_EMPTY ? DFOPT_COMMAND_JOB_KNOB
                                          : DFOPT_COMMAND_NEEDS_NODE;
    if (p->registry.states[*knob].left)
        return DFOPT_COMMAND_UNREGISTERED;
    if (!dfopt_step_accept(p->dict, &p->policy->on, &p->registry.knobs[*knob],
                           c->value, new) ||
        !is_same(p, *new, c->value))
        return DFOPT_COMMAND_WRONG_VALUE;
    return check_node(p, c->node);
}

static uint32_t set_value(const struct order *o)
{
    struct dfopt_planner *p = o->s->p;
    struct dfopt_value new;
    struct dfopt_key key;
    uint32_t knob;
    const uint32_t flaw = check_set(p, o->c, &knob, &new);
    if (flaw != DFOPT_COMMAND_DONE || !make_key(o->s, knob, o->c->node, &key))
        return flaw;
    const struct dfopt_value old = dfopt_planner_value(p, &key);
    if (is_same(p, new, old))
        return DFOPT_COMMAND_SAME_VALUE;
    if (p->control && !dfopt_site_at(o->s, key.node))
        return DFOPT_COMMAND_BUDGET; /* out of memory, as the pass says */
    if (dfopt_operator_full(p, &key, clock_of(p, &key), 1, NULL))
        return DFOPT_COMMAND_RATE;
    if (is_too_much(o->s, &key, old, new))
        return DFOPT_COMMAND_BUDGET;
    if (p->control)
        clear_site(o->s, key.node);
    if (!o->s->e)
        plan_value(o, &key, new, DFOPT_VERDICT_SET);
    end_order(o->s, key.node);
    return DFOPT_COMMAND_DONE;
}

/* The value a restore puts back: the node's, else the job's. */
static struct dfopt_value registered(const struct dfopt_planner *p,
                                     const struct dfopt_key *key)
{
    if (key->slot && key->slot->has_registered)
        return key->slot->registered;
    return dfopt_slots_find(&p->slots, DFOPT_JOB_NODE, key->knob)->registered;
}

/* Whether a restore must change the knob at a node. */
static bool has_moved(const struct dfopt_planner *p, uint32_t knob, uint32_t node,
                      dfopt_sym name)
{
    const struct dfopt_key key = {knob, node,
                                  dfopt_slots_find(&p->slots, node, knob)};
    return takes(p, knob, name) && !p->registry.states[knob].left &&
           !is_same(p, dfopt_site_value(p, node, knob), registered(p, &key));
}

static uint32_t restore(const struct order *o)
{
    struct dfopt_planner *p = o->s->p;
    const dfopt_sym name = o->c->node;
    const uint32_t flaw = check_node(p, name);
    if (flaw != DFOPT_COMMAND_DONE)
        return flaw;
    const uint32_t node =
        dfopt_slots_node(&p->slots, name); /* the name is in use */
    bool any = false;
    if (node == DFOPT_SYMMAP_NONE)
        dfopt_pass_fail(o->s, DFOPT_ERR_NOMEM);
    for (uint32_t knob = 0; !o->s->e && knob < p->registry.n_knobs; knob++) {
        struct dfopt_key key;
        if (!has_moved(p, knob, node, name))
            continue;
        if (!any && p->control)
            clear_site(o->s, node);
        any = true;
        if (!o->s->e && make_key(o->s, knob, name, &key))
            plan_value(o, &key, registered(p, &key), DFOPT_VERDICT_RESTORED);
    }
    if (!any)
        return DFOPT_COMMAND_SAME_VALUE;
    end_order(o->s, node);
    return DFOPT_COMMAND_DONE;
}

/* ---- proposals ---- */

/* The proposal a command names, if it is still valid. */
static const struct dfopt_proposal *find_proposal(const struct order *o,
                                                  struct dfopt_key *key)
{
    const struct dfopt_planner *p = o->s->p;
    const struct dfopt_proposal *x = dfopt_operator_find(p, o->c->plan_id, key);
    return x && !dfopt_operator_expired(p, x, clock_of(p, key)) ? x : NULL;
}

static uint32_t reject(const struct order *o)
{
    struct dfopt_planner *p = o->s->p;
    struct dfopt_key key;
    const struct dfopt_proposal *x = find_proposal(o, &key);
    if (!x)
        return DFOPT_COMMAND_UNKNOWN_PLAN;
    const int64_t now = clock_of(p, &key);
    key.slot->has_cooldown = true;
    key.slot->cooldown_window =
        (x->f.window > now ? x->f.window : now) + (p->control ? 1 : 0);
    key.slot->cooldown_severity = 0.0;
    dfopt_operator_drop(p, &key);
    return DFOPT_COMMAND_DONE;
}

/* Whether the open trial is one the move cannot join. */
static bool is_busy(struct dfopt_pass *s, const struct dfopt_key *key,
                    int64_t window)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_site *site = p->slots.nodes[key->node].site;
    const struct dfopt_trial *t = site ? site->trial : NULL;
    const struct dfopt_adjustment *a =
        dfopt_site_adjustment(p, key->node, key->knob);
    return dfopt_job_tries(p, key->node) ||
           (t && (t->window != window || t->kind != DFOPT_TRIAL_DEMAND ||
                  site->isolate || (a && a->in_trial)));
}

/* Whether a proposal waits for approval still, if it has not expired. */
static bool is_open(const struct dfopt_planner *p, const struct dfopt_key *key,
                    const struct dfopt_proposal *x)
{
    return !p->registry.states[key->knob].left &&
           dfopt_operator_mode(p, key->knob, x->tag) == DFOPT_MODE_ADVISE &&
           dfopt_operator_stands(p, key, x) && !key->slot->has_pending;
}

static uint32_t check_approval(const struct order *o, const struct dfopt_key *key,
                               const struct dfopt_proposal *x, int64_t window)
{
    const struct dfopt_planner *p = o->s->p;
    if (!is_open(p, key, x))
        return DFOPT_COMMAND_UNKNOWN_PLAN;
    if (p->control && is_busy(o->s, key, window))
        return DFOPT_COMMAND_TRIAL;
    if (dfopt_operator_full(p, key, window, 1, NULL))
        return DFOPT_COMMAND_RATE;
    return is_too_much(o->s, key, x->old, x->new) ? DFOPT_COMMAND_BUDGET
                                                  : DFOPT_COMMAND_DONE;
}

/* Adds the move to the window's trial, or opens one. */
static void join_trial(struct dfopt_pass *s, const struct dfopt_key *key,
                       const struct dfopt_proposal *x)
{
    struct dfopt_site *site = dfopt_site_at(s, key->node);
    const struct dfopt_move m = {.old = x->old,
                                 .new = x->new,
                                 .tag = x->tag,
                                 .apply_when = x->apply_when,
                                 .knob = key->knob,
                                 .direction = (uint8_t)x->direction};
    struct dfopt_trial *t = site ? site->trial : NULL;
    if (site && !t)
        t = dfopt_trial_open(s, key->node, DFOPT_TRIAL_DEMAND, &x->f, site->since);
    if (!t)
        return;
    t->opening = true;
    dfopt_trial_add(s, t, &x->f, &m);
}

static uint32_t approve(const struct order *o)
{
    struct dfopt_pass *s = o->s;
    struct dfopt_key key;
    const struct dfopt_proposal *found = find_proposal(o, &key);
    if (!found)
        return DFOPT_COMMAND_UNKNOWN_PLAN;
    const int64_t now = clock_of(s->p, &key);
    const int64_t window = now >= 0 ? now : found->f.window;
    const uint32_t flaw = check_approval(o, &key, found, window);
    if (flaw != DFOPT_COMMAND_DONE)
        return flaw;
    struct dfopt_proposal x = *found;
    dfopt_operator_drop(s->p, &key);
    x.f.window = window;
    const struct dfopt_plan plan = {.position = dfopt_pass_own(s, key.node),
                                    .apply_when = x.apply_when,
                                    .finding_type = x.f.type,
                                    .tag = x.tag,
                                    .old_value = x.old,
                                    .new_value = x.new,
                                    .severity = x.f.severity,
                                    .window = window,
                                    .why = DFOPT_WHY_APPROVED,
                                    .other = o->c->by,
                                    .other_old = dfopt_value_int((int64_t)x.id)};
    add_row(s, &key, plan.position, DFOPT_VERDICT_APPROVED, x.tag, x.new, x.old);
    if (s->p->control)
        join_trial(s, &key, &x);
    if (!s->e)
        dfopt_pass_plan(s, &key, &plan);
    if (s->p->control && !s->e)
        dfopt_trial_opened(s->p, key.node);
    return DFOPT_COMMAND_DONE;
}

/* ---- modes, freezes, and dispatch ---- */

static uint32_t set_mode(const struct order *o)
{
    struct dfopt_planner *p = o->s->p;
    const struct dfopt_mode_entry m = {o->c->target, o->c->mode, o->c->name};
    if (m.target == DFOPT_TARGET_KNOB &&
        dfopt_registry_knob(&p->registry, m.name) == DFOPT_SYMMAP_NONE)
        return DFOPT_COMMAND_UNKNOWN_KNOB;
    if (m.target == DFOPT_TARGET_TAG &&
        !dfopt_registry_answers(&p->registry, m.name))
        return DFOPT_COMMAND_UNKNOWN_TAG;
    dfopt_pass_fail(o->s, dfopt_operator_set_mode(p->operator, & m));
    return DFOPT_COMMAND_DONE;
}

static uint32_t freeze(const struct order *o, bool frozen)
{
    struct dfopt_operator *x = o->s->p->operator;
    x->frozen = frozen;
    x->bounded = o->c->bounded;
    x->until = o->c->until;
    return DFOPT_COMMAND_DONE;
}

static uint32_t obey(const struct order *o, const struct dfopt_policy *policy)
{
    uint32_t outcome = DFOPT_COMMAND_DONE;
    switch (o->c->action) {
    case DFOPT_COMMAND_ACTION_MODE:
        return set_mode(o);
    case DFOPT_COMMAND_ACTION_APPROVE:
        return approve(o);
    case DFOPT_COMMAND_ACTION_REJECT:
        return reject(o);
    case DFOPT_COMMAND_ACTION_FREEZE:
        return freeze(o, true);
    case DFOPT_COMMAND_ACTION_THAW:
        return freeze(o, false);
    case DFOPT_COMMAND_ACTION_SET:
        return set_value(o);
    case DFOPT_COMMAND_ACTION_RESTORE:
        return restore(o);
    default:
        if (o->c->check)
            return dfopt_planner_check(o->s->p, policy);
        dfopt_pass_fail(o->s, dfopt_planner_reform(o->s->p, policy, &outcome));
        return outcome;
    }
}

enum dfopt_err dfopt_planner_command(struct dfopt_planner *p, uint64_t seq,
                                     const struct dfopt_command *c,
                                     const struct dfopt_policy *policy,
                                     struct dfopt_decisions *out)
{
    struct dfopt_pass s = dfopt_pass_begin(p, seq, out);
    const struct order o = {&s, c};
    const struct dfopt_command_row row = {
        .seq = seq, .action = c->action, .outcome = obey(&o, policy)};
    dfopt_pass_fail(&s, dfopt_buf_add(&out->commands, &row, sizeof row));
    return dfopt_pass_end(&s);
}

/* ---- what commands have set ---- */

static enum dfopt_err list_proposals(const struct dfopt_planner *p, bool job,
                                     struct dfopt_buf *rows)
{
    const void *at = NULL;
    const struct dfopt_proposal *x;
    struct dfopt_key key;
    enum dfopt_err e = DFOPT_OK;
    while (!e && (x = dfopt_operator_next(p, &at, &key))) {
        const bool mine =
            key.node == DFOPT_JOB_NODE ? job : dfopt_planner_reports(p, key.node);
        const struct dfopt_commanded_row row = {
            .kind = DFOPT_COMMANDED_PROPOSAL,
            .name = p->registry.knobs[key.knob].id,
            .node = dfopt_slots_node_name(&p->slots, key.node),
            .tag = x->tag,
            .id = x->id,
            .old = x->old,
            .new = x->new};
        if (mine && is_open(p, &key, x) &&
            !dfopt_operator_expired(p, x, clock_of(p, &key)))
            e = dfopt_buf_add(rows, &row, sizeof row);
    }
    return e;
}

enum dfopt_err dfopt_planner_commanded(const struct dfopt_planner *p, bool job,
                                       struct dfopt_buf *rows)
{
    const struct dfopt_operator *o = p->operator;
    const struct dfopt_mode_entry *m =
        DFOPT_ROW(&o->modes, const struct dfopt_mode_entry);
    const size_t n = job ? DFOPT_ROWS(&o->modes, struct dfopt_mode_entry) : 0;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        const struct dfopt_commanded_row row = {.kind = DFOPT_COMMANDED_MODE,
                                                .target = m[i].target,
                                                .mode = m[i].mode,
                                                .name = m[i].name};
        e = dfopt_buf_add(rows, &row, sizeof row);
    }
    const struct dfopt_commanded_row freeze = {
        .kind = DFOPT_COMMANDED_FREEZE, .bounded = o->bounded, .until = o->until};
    if (!e && job && o->frozen)
        e = dfopt_buf_add(rows, &freeze, sizeof freeze);
    return e ? e : list_proposals(p, job, rows);
}
