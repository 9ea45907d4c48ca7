/* The planner: registrations and findings. Acks, global plans and the listing
 * of the state are in feedback.c; the new value of a knob in step.c.
 *
 * Invariant: every registered knob has a slot with a value for the job. */
#include "planner/planner_internal.h"

#include "planner/step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum dfopt_err dfopt_planner_create(struct dfopt_planner **out,
                                    struct dfopt_dict *dict,
                                    const struct dfopt_planner_config *config)
{
    struct dfopt_planner *p = calloc(1, sizeof *p);
    if (!p)
        return DFOPT_ERR_NOMEM;
    p->dict = dict;
    p->policy = config->policy;
    p->assumed_acks = config->assumed_acks;
    p->relay_hostname = config->relay_hostname;
    p->owns = config->owns;
    p->owns_arg = config->owns_arg;
    enum dfopt_err e = dfopt_slots_init(&p->slots);
    if (e) {
        dfopt_planner_destroy(p);
        return e;
    }
    *out = p;
    return DFOPT_OK;
}

void dfopt_planner_destroy(struct dfopt_planner *p)
{
    if (!p)
        return;
    dfopt_planner_free_refs(p);
    dfopt_registry_free(&p->registry);
    dfopt_slots_free(&p->slots);
    free(p->epoch);
    free(p->suppressed);
    free(p);
}

size_t dfopt_planner_knobs(const struct dfopt_planner *p)
{
    return p->registry.n_knobs;
}

uint64_t dfopt_planner_bytes(uint64_t nodes, uint64_t knobs, uint64_t names)
{
    const uint64_t maps = 3 * 2 * sizeof(uint32_t); /* as long as twice the names */
    return sizeof(struct dfopt_planner) + dfopt_slots_bytes(nodes, knobs) +
           names * maps + knobs * (sizeof(struct dfopt_knob) + 4096);
}

/* ---- registrations ---- */

static bool reserve_epochs(struct dfopt_planner *p, uint32_t knob)
{
    if (knob < p->cap_epoch)
        return true;
    uint32_t cap = p->cap_epoch ? p->cap_epoch * 2 : 16;
    uint32_t *epoch = realloc(p->epoch, cap * sizeof *epoch);
    if (!epoch)
        return false;
    memset(epoch + p->cap_epoch, 0, (cap - p->cap_epoch) * sizeof *epoch);
    p->epoch = epoch;
    p->cap_epoch = cap;
    return true;
}

enum dfopt_err dfopt_planner_register(struct dfopt_planner *p,
                                      const struct dfopt_registration *r)
{
    for (size_t i = 0; i < r->n_knobs; i++) {
        const struct dfopt_knob *k = &r->knobs[i];
        uint32_t knob = dfopt_registry_add(&p->registry, p->policy, k);
        if (knob == DFOPT_SYMMAP_NONE || !reserve_epochs(p, knob))
            return DFOPT_ERR_NOMEM;
        struct dfopt_key key = {.knob = knob, .node = DFOPT_JOB_NODE};
        key.slot = dfopt_slots_at(&p->slots, DFOPT_JOB_NODE, knob);
        if (!key.slot)
            return DFOPT_ERR_NOMEM;
        if (k->has_current)
            dfopt_planner_set_value(p, &key, k->current);
        else if (!key.slot->has_value)
            dfopt_planner_set_value(p, &key, k->default_value);
    }
    return DFOPT_OK;
}

/* ---- findings ---- */

/* A finding as it passes through the planner. */
struct pass {
    struct dfopt_planner *p;
    uint64_t seq;
    const struct dfopt_finding *f;
    struct dfopt_decisions *out;
    uint32_t node;     /* index */
    uint32_t position; /* of the next verdict */
    uint32_t plans;    /* made so far */
};

/* What was compared with what, for the verdict's row. */
struct compared {
    double value, threshold;
};

static enum dfopt_err add_verdict(struct pass *s, enum dfopt_verdict verdict,
                                  dfopt_sym tag, dfopt_sym knob, struct compared c)
{
    struct dfopt_verdict_row *row = dfopt_buf_grow(&s->out->verdicts, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    row->seq = s->seq;
    row->position = s->position++;
    row->verdict = verdict;
    row->tag = tag;
    row->knob = knob;
    row->node = tag == DFOPT_SYM_NONE ? DFOPT_SYM_EMPTY : s->f->node;
    row->value = c.value;
    row->threshold = c.threshold;
    return DFOPT_OK;
}

static const struct compared nothing = {NAN, NAN};

static enum dfopt_err add_suppression(struct pass *s, const struct dfopt_tag *t,
                                      enum dfopt_suppression_action action)
{
    struct dfopt_suppression_row *row =
        dfopt_buf_grow(&s->out->suppressions, sizeof *row);
    if (!row)
        return DFOPT_ERR_NOMEM;
    row->seq = s->seq;
    row->tag = t->name;
    row->finding_type = t->by_type;
    row->action = action;
    row->window = t->window;
    row->severity = t->severity;
    return DFOPT_OK;
}

/* A global finding sets the suppressions that it names. */
static enum dfopt_err suppress(struct pass *s, dfopt_sym tag)
{
    struct dfopt_tag *t = dfopt_planner_suppress(s->p, tag);
    if (!t)
        return DFOPT_ERR_NOMEM;
    t->by_type = s->f->type;
    t->window = s->f->window;
    t->severity = s->f->severity;
    return add_suppression(s, t, DFOPT_SUPPRESSION_SET);
}

/* A global finding that names none clears those of its own type. */
static enum dfopt_err clear_own_suppressions(struct pass *s)
{
    struct dfopt_planner *p = s->p;
    uint32_t kept = 0;
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < p->n_suppressed; i++) {
        struct dfopt_tag *t = &p->registry.tags[p->suppressed[i]];
        if (t->by_type == s->f->type && !e) {
            e = add_suppression(s, t, DFOPT_SUPPRESSION_CLEARED);
            t->suppressed = false;
        } else {
            p->suppressed[kept++] = p->suppressed[i];
        }
    }
    p->n_suppressed = kept;
    return e;
}

static enum dfopt_err update_suppressions(struct pass *s)
{
    size_t n;
    const dfopt_sym *tags = dfopt_dict_items(s->p->dict, s->f->suppresses, &n);
    if (n == 0)
        return clear_own_suppressions(s);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++)
        e = suppress(s, tags[i]);
    return e;
}

static bool is_suppressed(const struct pass *s, const struct dfopt_tag *t)
{
    const struct dfopt_switches *on = &s->p->policy->on;
    const struct dfopt_finding *f = s->f;
    if (!t->suppressed)
        return false;
    if (on->suppression_ttl_windows &&
        f->window - t->window >= on->suppression_ttl_windows)
        return false;
    if (f->global)
        return !on->global_exempt;
    return f->node == DFOPT_SYM_EMPTY || !(f->severity > t->severity);
}

/* Notes the largest window of the findings that the key was looked at for. */
static enum dfopt_err see_window(struct pass *s, const struct dfopt_key *key)
{
    const struct dfopt_planner *p = s->p;
    struct dfopt_slot *slot = key->slot;
    if (slot->has_seen && s->f->window <= slot->seen)
        return DFOPT_OK;
    slot->seen = s->f->window;
    slot->has_seen = true;
    if (p->assumed_acks || p->policy->on.ack_window != DFOPT_ACK_WINDOW_SEEN)
        return DFOPT_OK; /* no ack will ever look at it */
    const struct dfopt_seen_row row = {.seq = s->seq,
                                       .knob = p->registry.knobs[key->knob].id,
                                       .node = s->f->node,
                                       .window = s->f->window};
    return dfopt_buf_add(&s->out->seen, &row, sizeof row);
}

/* Gives up a plan in flight that has waited too long. */
static enum dfopt_err time_out(struct pass *s, const struct dfopt_key *key)
{
    const struct dfopt_pending was = key->slot->pending;
    dfopt_planner_withdraw(s->p, key);
    const struct dfopt_timeout_row row = {.seq = s->seq,
                                          .plan_id = was.plan_id,
                                          .knob =
                                              s->p->registry.knobs[key->knob].id,
                                          .node = s->f->node,
                                          .window = s->f->window,
                                          .value = dfopt_planner_value(s->p, key)};
    return dfopt_buf_add(&s->out->timeouts, &row, sizeof row);
}

/* Whether a plan in flight stands in the way; one that has waited too long does
 * not. */
static enum dfopt_err in_flight(struct pass *s, const struct dfopt_key *key,
                                bool *blocks, struct compared *c)
{
    const struct dfopt_slot *slot = key->slot;
    const int64_t timeout = s->p->policy->on.pending_timeout_windows;
    *blocks = false;
    if (!slot->has_pending)
        return DFOPT_OK;
    const int64_t waited = s->f->window - slot->pending.window;
    if (timeout && waited >= timeout)
        return time_out(s, key);
    *c = (struct compared){(double)waited, (double)timeout};
    *blocks = true;
    return DFOPT_OK;
}

/* The gates behind `pending`, in their order. PLANNED: all passed. */
static enum dfopt_verdict gates(const struct pass *s, const struct dfopt_key *key,
                                const struct dfopt_response *r, struct compared *c)
{
    const struct dfopt_finding *f = s->f;
    const struct dfopt_slot *slot = key->slot;
    *c = (struct compared){f->severity, r->min_severity};
    if (f->severity < r->min_severity)
        return DFOPT_VERDICT_SEVERITY;
    *c = (struct compared){(double)f->persistence, r->min_persistence};
    if ((double)f->persistence < r->min_persistence)
        return DFOPT_VERDICT_PERSISTENCE;
    if (slot->has_cooldown) {
        *c = (struct compared){(double)(f->window - slot->cooldown_window),
                               r->cooldown_windows};
        if (c->value < c->threshold)
            return DFOPT_VERDICT_COOLDOWN_TIME;
        const double was = slot->cooldown_severity;
        *c = (struct compared){(was - f->severity) / was,
                               r->effectiveness_threshold};
        if (was > 0 && c->value < c->threshold)
            return DFOPT_VERDICT_COOLDOWN_INEFFECTIVE;
    }
    return DFOPT_VERDICT_PLANNED;
}

static bool against_direction(const struct dfopt_switches *on, uint32_t direction,
                              struct dfopt_value old, struct dfopt_value new)
{
    const int order = on->strict_direction ? dfopt_value_order(new, old) : 0;
    return (direction == DFOPT_DIRECTION_INCREASE && order == -1) ||
           (direction == DFOPT_DIRECTION_DECREASE && order == 1);
}

/* Appends the plan, sets the value and puts the plan in flight (or, with
 * assumed acks, has it applied at once). */
static enum dfopt_err make_plan(struct pass *s, const struct dfopt_key *key,
                                const struct dfopt_response *r,
                                struct dfopt_value old, struct dfopt_value new)
{
    struct dfopt_planner *p = s->p;
    const struct dfopt_finding *f = s->f;
    const struct dfopt_knob *k = &p->registry.knobs[key->knob];
    struct dfopt_plan *plan = dfopt_buf_grow(&s->out->plans, sizeof *plan);
    if (!plan)
        return DFOPT_ERR_NOMEM;
    *plan = (struct dfopt_plan){
        .seq = s->seq,
        .plan_id = s->seq * DFOPT_PLANS_PER_EVENT + s->plans,
        .position = s->position,
        .number = s->plans,
        .relay_id = DFOPT_SYM_NONE,
        .knob = k->id,
        .target_function = k->target_function,
        .apply_when = r->apply_when,
        .finding_type = f->type,
        .tag = r->tag,
        .node = f->node,
        .targets = DFOPT_LIST_EMPTY,
        .rationale = DFOPT_SYM_NONE,
        .motif = f->motif,
        .trend = f->trend_text,
        .scope = f->scope,
        .old_value = old,
        .new_value = new,
        .severity = f->severity,
        .window = f->window,
        .persistence = f->persistence,
    };
    s->plans++;
    return dfopt_planner_put_in_force(p, key, plan);
}

/* The value that the gates let through, if there is one to plan (PLANNED). */
static enum dfopt_verdict next_value(const struct pass *s,
                                     const struct dfopt_tag_response *tr,
                                     struct dfopt_value old,
                                     struct dfopt_value *new, struct compared *c)
{
    const struct dfopt_planner *p = s->p;
    const struct dfopt_switches *on = &p->policy->on;
    *c = (struct compared){dfopt_value_as_double(old), NAN};
    const enum dfopt_verdict verdict = dfopt_step_next(
        p->dict, on, &p->registry.knobs[tr->knob], &tr->r, old, s->f, new);
    if (verdict != DFOPT_VERDICT_PLANNED)
        return verdict;
    if (new->kind == DFOPT_KIND_NULL)
        return DFOPT_VERDICT_UNSUPPORTED;
    const bool moves = !dfopt_value_equal(p->dict, *new, old) &&
                       !against_direction(on, tr->r.direction, old, *new);
    if (moves && s->plans == DFOPT_PLANS_PER_EVENT)
        return DFOPT_VERDICT_UNSUPPORTED;
    *c = (struct compared){dfopt_value_as_double(*new), dfopt_value_as_double(old)};
    return moves ? DFOPT_VERDICT_PLANNED : DFOPT_VERDICT_NO_CHANGE;
}

/* One response of one knob to one tag of the finding: exactly one verdict. */
static enum dfopt_err respond(struct pass *s, const struct dfopt_tag_response *tr)
{
    struct dfopt_planner *p = s->p;
    struct dfopt_key key = {.knob = tr->knob, .node = s->node};
    key.slot = dfopt_slots_at(&p->slots, s->node, tr->knob);
    if (!key.slot)
        return DFOPT_ERR_NOMEM;
    struct compared c = nothing;
    bool blocked;
    enum dfopt_err e = see_window(s, &key);
    if (!e)
        e = in_flight(s, &key, &blocked, &c);
    if (e)
        return e;
    enum dfopt_verdict verdict =
        blocked ? DFOPT_VERDICT_PENDING : gates(s, &key, &tr->r, &c);
    if (verdict == DFOPT_VERDICT_PLANNED) {
        const struct dfopt_value old = dfopt_planner_value(p, &key);
        struct dfopt_value new;
        verdict = next_value(s, tr, old, &new, &c);
        if (verdict == DFOPT_VERDICT_PLANNED)
            e = make_plan(s, &key, &tr->r, old, new);
        if (e)
            return e;
    }
    return add_verdict(s, verdict, tr->r.tag, p->registry.knobs[tr->knob].id, c);
}

static enum dfopt_err handle_tag(struct pass *s, dfopt_sym tag)
{
    struct dfopt_planner *p = s->p;
    uint32_t index = dfopt_symmap_get(&p->registry.tag_of, tag);
    const struct dfopt_tag *t =
        index == DFOPT_SYMMAP_NONE ? NULL : &p->registry.tags[index];
    if (t && is_suppressed(s, t))
        return add_verdict(s, DFOPT_VERDICT_SUPPRESSED, tag, DFOPT_SYM_NONE,
                           (struct compared){s->f->severity, t->severity});
    if (!t || t->n_responses == 0)
        return add_verdict(s, DFOPT_VERDICT_NO_RESPONSE, tag, DFOPT_SYM_NONE,
                           nothing);
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < t->n_responses && !e; i++)
        e = respond(s, &t->responses[i]);
    return e;
}

enum dfopt_err dfopt_planner_finding(struct dfopt_planner *p, uint64_t seq,
                                     const struct dfopt_finding *f,
                                     struct dfopt_decisions *out)
{
    struct pass s = {.p = p, .seq = seq, .f = f, .out = out};
    enum dfopt_err e = DFOPT_OK;
    if (p->registry.n_knobs == 0 && !p->policy->on.suppress_before_registration)
        return add_verdict(&s, DFOPT_VERDICT_NO_KNOBS, DFOPT_SYM_NONE,
                           DFOPT_SYM_NONE, nothing);
    if (f->trend == DFOPT_TREND_IMPROVING)
        return add_verdict(&s, DFOPT_VERDICT_TREND, DFOPT_SYM_NONE, DFOPT_SYM_NONE,
                           nothing);
    if (f->global)
        e = update_suppressions(&s);
    if (!e && p->registry.n_knobs == 0)
        return add_verdict(&s, DFOPT_VERDICT_NO_KNOBS, DFOPT_SYM_NONE,
                           DFOPT_SYM_NONE, nothing);
    s.node = dfopt_slots_node(&p->slots, f->node);
    if (s.node == DFOPT_SYMMAP_NONE)
        e = DFOPT_ERR_NOMEM;
    size_t n;
    const dfopt_sym *tags = dfopt_dict_items(p->dict, f->tags, &n);
    for (size_t i = 0; i < n && !e; i++)
        e = handle_tag(&s, tags[i]);
    return e;
}
