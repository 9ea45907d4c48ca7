/* Feedback to the planner: acks from applications and plans from a global
 * optimizer. */
#include "planner/planner.h"

#include "base/hostname.h"
#include "planner/step/step.h"
#include "planner/control/trial.h"

#include <math.h>

/* ---- acks ---- */

/* The site of a knob named in an ack for this node. */
static dfopt_sym site_of(const struct dfopt_planner *p, uint32_t knob,
                         dfopt_sym node)
{
    return p->registry.states[knob].per_node ? node : DFOPT_SYM_EMPTY;
}

/* Finds the plan in flight that an ack is for. Returns whether it is here. */
static bool match_ack(struct dfopt_planner *p, const struct dfopt_ack *a,
                      struct dfopt_key *key)
{
    if (p->policy->on.ack_match == DFOPT_ACK_MATCH_PLAN_ID)
        return a->known_form && dfopt_planner_find_plan(p, a->plan_id, key);
    key->knob = dfopt_registry_knob(&p->registry, a->knob);
    if (key->knob == DFOPT_SYMMAP_NONE)
        return false;
    key->node = dfopt_slots_find_node(&p->slots, site_of(p, key->knob, a->node));
    if (key->node == DFOPT_SYMMAP_NONE)
        return false;
    key->slot = dfopt_slots_find(&p->slots, key->node, key->knob);
    return key->slot && key->slot->has_pending;
}

static void reject(struct dfopt_planner *p, const struct dfopt_key *key,
                   const struct dfopt_pending *was, const struct dfopt_ack *a,
                   int64_t window)
{
    const struct dfopt_switches *on = &p->policy->on;
    if (on->reject == DFOPT_REJECT_PREVIOUS)
        dfopt_planner_restore(p, key, was);
    else if (key->node != DFOPT_JOB_NODE)
        key->slot->has_value = false;
    else if (a->old_value.kind != DFOPT_KIND_NULL)
        dfopt_planner_set_value(p, key, a->old_value);
    else
        dfopt_planner_set_value(p, key, p->registry.knobs[key->knob].default_value);
    if (on->reject_cooldown) { /* time only: there is no severity to compare */
        key->slot->has_cooldown = true;
        key->slot->cooldown_window = window;
        key->slot->cooldown_severity = 0.0;
    }
}

/* The window in which the values changed, or from which a cooldown counts. */
static int64_t window_of(const struct dfopt_planner *p, const struct dfopt_key *key,
                         const struct dfopt_pending *was, const struct dfopt_ack *a)
{
    if (a->window >= 0)
        return a->window;
    if (p->control) { /* the current window */
        const struct dfopt_site *site = p->slots.nodes[key->node].site;
        const int64_t clock = site ? site->clock : -1;
        return (was->window > clock ? was->window : clock) + 1;
    }
    if (p->policy->on.ack_window == DFOPT_ACK_WINDOW_SEEN)
        return key->slot->has_seen && key->slot->seen > was->window
                   ? key->slot->seen
                   : was->window;
    return a->window;
}

static void take_ack(struct dfopt_planner *p, const struct dfopt_key *key,
                     const struct dfopt_pending *was, const struct dfopt_ack *a,
                     struct dfopt_ack_row *row)
{
    const int64_t window = window_of(p, key, was, a);
    const struct dfopt_value *value =
        a->new_value.kind == DFOPT_KIND_NULL ? NULL : &a->new_value;
    row->outcome = DFOPT_ACK_OUTCOME_CLEARED;
    if (a->status == DFOPT_ACK_APPLIED) {
        dfopt_planner_applied(p, key, was->severity, value, window);
        row->outcome = DFOPT_ACK_OUTCOME_APPLIED;
        if (!p->control)
            row->window = window;
    } else if (a->status == DFOPT_ACK_REJECTED) {
        reject(p, key, was, a, window);
        row->outcome = DFOPT_ACK_OUTCOME_REJECTED;
        if (p->policy->on.reject_cooldown)
            row->window = window;
    }
    if (p->control)
        dfopt_trial_answered(p, key, a->status == DFOPT_ACK_REJECTED, value,
                             window);
    row->plan_id = was->plan_id;
    row->other_plan = !a->known_form || a->plan_id != was->plan_id;
    row->knob = p->registry.knobs[key->knob].id;
    row->node = dfopt_slots_node_name(&p->slots, key->node);
    row->value = dfopt_planner_value(p, key);
}

/* ---- acks of plans that are no longer in flight ---- */

static bool is_legal(const struct dfopt_knob *k, struct dfopt_value v)
{
    switch (k->type) {
    case DFOPT_KNOB_STR:
        return v.kind == DFOPT_KIND_STR;
    case DFOPT_KNOB_BOOL:
        return v.kind == DFOPT_KIND_BOOL;
    default:
        return v.kind == DFOPT_KIND_INT ||
               (v.kind == DFOPT_KIND_REAL && isfinite(v.d));
    }
}

/* 1 + the event of the slot's last plan, settled or in flight; 0: none. */
static uint64_t last_event(const struct dfopt_slot *slot)
{
    const uint64_t flies =
        slot->has_pending ? slot->pending.plan_id / DFOPT_PLANS_PER_EVENT + 1 : 0;
    return flies > slot->settled ? flies : slot->settled;
}

/* The key for which an ack could be adopted. Returns whether there is one here; *e
 * is NOMEM if memory ran out. */
static bool may_adopt(struct dfopt_planner *p, uint64_t seq,
                      const struct dfopt_ack *a, struct dfopt_key *key,
                      enum dfopt_err *e)
{
    const uint64_t made = a->plan_id / DFOPT_PLANS_PER_EVENT;
    key->knob = dfopt_registry_knob(&p->registry, a->knob);
    if (a->status != DFOPT_ACK_APPLIED || key->knob == DFOPT_SYMMAP_NONE ||
        !a->known_form || p->registry.states[key->knob].left ||
        !is_legal(&p->registry.knobs[key->knob], a->new_value) || made >= seq)
        return false;
    if (!a->has_nodes && p->registry.states[key->knob].per_node)
        return false; /* the ack does not name its node */
    const dfopt_sym node = site_of(p, key->knob, a->node);
    if (!dfopt_planner_decides(p, node))
        return false;
    key->node = dfopt_slots_node(&p->slots, node);
    key->slot = key->node == DFOPT_SYMMAP_NONE
                    ? NULL
                    : dfopt_slots_at(&p->slots, key->node, key->knob);
    if (!key->slot)
        *e = DFOPT_ERR_NOMEM;
    return key->slot && last_event(key->slot) < made + 1;
}

/* A late ack still reports the current value. Returns whether it was adopted. */
static bool adopt(struct dfopt_pass *s, const struct dfopt_ack *a,
                  struct dfopt_key *key)
{
    struct dfopt_planner *p = s->p;
    enum dfopt_err e = DFOPT_OK;
    if (p->assumed_acks ||
        p->policy->on.unmatched_ack != DFOPT_UNMATCHED_ACK_ADOPT ||
        !may_adopt(p, s->seq, a, key, &e)) {
        dfopt_pass_fail(s, e);
        return false;
    }
    const struct dfopt_value old = dfopt_planner_value(p, key);
    dfopt_planner_applied(p, key, 0, &a->new_value, -1);
    key->slot->settled = a->plan_id / DFOPT_PLANS_PER_EVENT + 1;
    const struct dfopt_about about = {DFOPT_SYM_NONE,
                                      p->registry.knobs[key->knob].id,
                                      dfopt_slots_node_name(&p->slots, key->node)};
    const struct dfopt_compared c = {dfopt_value_as_double(a->new_value),
                                     dfopt_value_as_double(old)};
    dfopt_pass_row(s, key->node, dfopt_pass_own(s, key->node),
                   DFOPT_VERDICT_ADOPTED, about, c);
    if (p->control) {
        const struct dfopt_adjustment *x =
            dfopt_site_adjustment(p, key->node, key->knob);
        if (x && x->in_trial)
            p->slots.nodes[key->node].site->disturbed = true;
    }
    return true;
}

enum dfopt_err dfopt_planner_ack(struct dfopt_planner *p, uint64_t seq,
                                 const struct dfopt_ack *a,
                                 struct dfopt_decisions *out)
{
    struct dfopt_pass s = dfopt_pass_begin(p, seq, out);
    struct dfopt_ack_row row = {.seq = seq,
                                .outcome = DFOPT_ACK_OUTCOME_UNMATCHED,
                                .knob = DFOPT_SYM_EMPTY,
                                .window = DFOPT_WINDOW_NONE};
    struct dfopt_key key, other;
    struct dfopt_pending was = {0};
    const bool matched = match_ack(p, a, &key);
    if (matched) {
        was = key.slot->pending;
        dfopt_planner_settle(p, &key);
    }
    const bool adopted = adopt(&s, a, &other);
    if (matched) {
        take_ack(p, &key, &was, a, &row);
    } else if (adopted) {
        row.outcome = DFOPT_ACK_OUTCOME_ADOPTED;
        row.plan_id = a->plan_id;
        row.knob = p->registry.knobs[other.knob].id;
        row.node = dfopt_slots_node_name(&p->slots, other.node);
        row.value = a->new_value;
    }
    dfopt_pass_fail(&s, dfopt_buf_add(&out->acks, &row, sizeof row));
    return dfopt_pass_end(&s);
}

/* ---- plans of a global optimizer ---- */

/* Whether one of the nodes is this host. */
static bool names_host(const struct dfopt_planner *p, const dfopt_sym *nodes,
                       size_t n, dfopt_sym host)
{
    size_t len, node_len;
    const char *name = dfopt_dict_text(p->dict, host, &len);
    bool found = false;
    for (size_t i = 0; i < n && !found; i++) {
        const char *node = dfopt_dict_text(p->dict, nodes[i], &node_len);
        found = nodes[i] == host ||
                (p->slots.dict && dfopt_hostname_same(name, len, node, node_len));
    }
    return found;
}

static void start_cooldown(struct dfopt_slot *slot,
                           const struct dfopt_global_plan *g)
{
    slot->has_cooldown = true;
    slot->cooldown_window = g->window;
    slot->cooldown_severity = g->severity;
}

/* Sets the value on the target nodes that this planner owns. */
static enum dfopt_err set_on_nodes(struct dfopt_planner *p, uint32_t knob,
                                   const struct dfopt_global_plan *g,
                                   const dfopt_sym *nodes, size_t n,
                                   struct dfopt_value new)
{
    for (size_t i = 0; i < n; i++) {
        if (!dfopt_planner_decides(p, nodes[i]))
            continue;
        struct dfopt_key key = {.knob = knob};
        key.node = dfopt_slots_node(&p->slots, nodes[i]);
        if (key.node == DFOPT_SYMMAP_NONE)
            return DFOPT_ERR_NOMEM;
        key.slot = dfopt_slots_at(&p->slots, key.node, knob);
        if (!key.slot)
            return DFOPT_ERR_NOMEM;
        dfopt_planner_set_value(p, &key, new);
        start_cooldown(key.slot, g);
    }
    return DFOPT_OK;
}

static void set_for_job(struct dfopt_planner *p, const struct dfopt_key *key,
                        const struct dfopt_global_plan *g, struct dfopt_value new)
{
    if (p->policy->on.global_overrides_nodes)
        dfopt_planner_drop_overrides(p, key->knob);
    dfopt_planner_set_value(p, key, new);
    start_cooldown(key->slot, g);
}

/* Whether a global plan's target nodes matter; a job knob has one value. */
static bool is_for_nodes(const struct dfopt_planner *p, uint32_t knob, size_t n)
{
    return n > 0 && p->policy->on.global_overrides_nodes &&
           p->registry.states[knob].per_node;
}

/* A global plan changed a knob of these nodes, or of the job if there are none. */
static void disturb(struct dfopt_planner *p, const dfopt_sym *nodes, size_t n)
{
    const dfopt_sym job = DFOPT_SYM_EMPTY;
    for (size_t i = 0; i < (n ? n : 1); i++) {
        const uint32_t node = dfopt_slots_find_node(&p->slots, n ? nodes[i] : job);
        if (node != DFOPT_SYMMAP_NONE && p->slots.nodes[node].site)
            p->slots.nodes[node].site->disturbed = true;
    }
    if (n == 0) {
        p->job_changes++;
        p->job_since = -1;
    }
}

enum dfopt_err dfopt_planner_follow(struct dfopt_planner *p,
                                    const struct dfopt_key *job,
                                    const struct dfopt_global_plan *g,
                                    struct dfopt_value new)
{
    size_t n;
    const dfopt_sym *nodes = dfopt_dict_items(p->dict, g->target_nodes, &n);
    enum dfopt_err e = DFOPT_OK;
    if (!is_for_nodes(p, job->knob, n))
        n = 0;
    if (n > 0)
        e = set_on_nodes(p, job->knob, g, nodes, n, new);
    else
        set_for_job(p, job, g, new);
    if (!e && p->control)
        disturb(p, nodes, n);
    return e;
}

/* Appends the plan to relay. */
static enum dfopt_err relay(uint64_t seq, const struct dfopt_global_plan *g,
                            struct dfopt_value old, struct dfopt_value new,
                            struct dfopt_decisions *out)
{
    struct dfopt_plan *plan = dfopt_buf_grow(&out->plans, sizeof *plan);
    if (!plan)
        return DFOPT_ERR_NOMEM;
    *plan = (struct dfopt_plan){
        .seq = seq,
        .relay_id = g->plan_id,
        .knob = g->knob,
        .target_function = g->target_function,
        .apply_when = g->apply_when,
        .finding_type = g->finding_type,
        .tag = g->tag,
        .targets = g->target_nodes,
        .rationale = g->rationale,
        .old_value = old,
        .new_value = new,
        .severity = g->severity,
        .window = g->window,
    };
    return DFOPT_OK;
}

static enum dfopt_err apply_global(struct dfopt_planner *p, uint64_t seq,
                                   const struct dfopt_global_plan *g,
                                   const dfopt_sym *nodes, size_t n,
                                   struct dfopt_decisions *out, uint32_t *outcome)
{
    struct dfopt_key job = {.knob = dfopt_registry_knob(&p->registry, g->knob),
                            .node = DFOPT_JOB_NODE};
    struct dfopt_value new;
    *outcome = DFOPT_RELAY_NOT_TARGETED;
    if (p->relay_hostname != DFOPT_SYM_EMPTY && n > 0 &&
        !names_host(p, nodes, n, p->relay_hostname))
        return DFOPT_OK;
    *outcome = DFOPT_RELAY_UNKNOWN_KNOB;
    if (job.knob == DFOPT_SYMMAP_NONE)
        return DFOPT_OK;
    *outcome = DFOPT_RELAY_WRONG_VALUE;
    if (!dfopt_step_accept(p->dict, &p->policy->on, &p->registry.knobs[job.knob],
                           g->new_value, &new))
        return DFOPT_OK;
    job.slot = dfopt_slots_find(&p->slots, DFOPT_JOB_NODE, job.knob);
    const struct dfopt_value old = job.slot->value;
    const bool for_nodes = is_for_nodes(p, job.knob, n);
    *outcome = DFOPT_RELAY_SAME_VALUE;
    if (!for_nodes && dfopt_value_equal(p->dict, new, old))
        return DFOPT_OK;
    enum dfopt_err e = dfopt_planner_follow(p, &job, g, new);
    *outcome = DFOPT_RELAY_RELAYED;
    return e ? e : relay(seq, g, old, new, out);
}

enum dfopt_err dfopt_planner_global_plan(struct dfopt_planner *p, uint64_t seq,
                                         const struct dfopt_global_plan *g,
                                         struct dfopt_decisions *out)
{
    struct dfopt_relay_row *row = dfopt_buf_grow(&out->relays, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    *row = (struct dfopt_relay_row){
        .seq = seq,
        .plan_id = g->plan_id,
        .knob = g->knob,
        .targets = g->target_nodes,
        .new_value = g->new_value,
        .severity = g->severity,
        .window = g->window,
    };
    size_t n;
    const dfopt_sym *nodes = dfopt_dict_items(p->dict, g->target_nodes, &n);
    return apply_global(p, seq, g, nodes, n, out, &row->outcome);
}
