/* Turns rows of knobs, plans and acks into changes of a value. */
#include "cmd/log/values.h"
#include "cmd/log/merge.h"
#include "cmd/log/switches.h"
#include "cmd/log/verdicts_at.h"

#include <stdlib.h>
#include <string.h>

static struct dl_slot *slot_at(struct dl_values *v, uint32_t i)
{
    return &DFOPT_ROW(&v->slots, struct dl_slot)[i];
}

/* Finds a node's slot or adds one; *slot is its index. */
static enum dfopt_err slot_of(struct dl_values *v, dfopt_sym node, uint32_t *slot)
{
    if (node == DFOPT_SYM_NONE || v->of_job)
        node = DFOPT_SYM_EMPTY;
    if (v->index[node] == 0) {
        struct dl_slot fresh = {.node = node};
        enum dfopt_err e = dfopt_buf_add(&v->slots, &fresh, sizeof fresh);
        if (e)
            return e;
        v->index[node] = (uint32_t)DFOPT_ROWS(&v->slots, struct dl_slot);
    }
    *slot = v->index[node] - 1;
    return DFOPT_OK;
}

static struct dfopt_value value_of(struct dl_values *v, uint32_t slot)
{
    return slot_at(v, slot_at(v, slot)->own ? slot : 0)->value;
}

static enum dfopt_err change(struct dl_values *v, struct dl_change c)
{
    struct dl_slot *s = slot_at(v, c.slot);
    s->own = c.own || c.slot == 0;
    if (c.own)
        s->value = c.value;
    return dfopt_buf_add(&v->changes, &c, sizeof c);
}

/* The job's value replaces the nodes' own values. */
static enum dfopt_err override_nodes(struct dl_values *v, uint64_t seq,
                                     int64_t window)
{
    enum dfopt_err e = DFOPT_OK;
    struct dl_change c = {.seq = seq,
                          .window = window,
                          .cause = "override",
                          .value = slot_at(v, 0)->value};
    for (uint32_t i = 1; !e && i < DFOPT_ROWS(&v->slots, struct dl_slot); i++) {
        c.slot = i;
        if (slot_at(v, i)->own)
            e = change(v, c);
    }
    return e;
}

static void reach(struct dl_values *v, int64_t window)
{
    if (window > v->reached)
        v->reached = window;
}

static void show(struct dl_values *v, int64_t window)
{
    if (window < v->first)
        v->first = window;
    if (window > v->last)
        v->last = window;
}

/* ---- registrations ---- */

static enum dfopt_err register_value(struct dl_values *v,
                                     const struct dfopt_declog_knob_row *k,
                                     dfopt_sym node, struct dfopt_value value)
{
    struct dl_change c = {.seq = k->seq,
                          .window = v->reached,
                          .own = true,
                          .cause = "registered",
                          .value = value};
    enum dfopt_err e = slot_of(v, node, &c.slot);
    if (e)
        return e;
    slot_at(v, c.slot)->registered = k->seq + 1;
    return change(v, c);
}

/* A new knob has its default for the job, unless a value for the job comes with it.
 */
static enum dfopt_err see_knob(struct dl_values *v,
                               const struct dfopt_declog_knob_row *k)
{
    struct dl_registered by;
    enum dfopt_err e = dl_registered_by(&v->registrations, k, &by);
    if (e || by.refused || k->knob == DFOPT_SYM_NONE)
        return e;
    const bool of_node = !dl_is_job_knob(&v->scopes, k->knob);
    if (of_node)
        e = dl_nodes_enter(&v->nodes, by.node, &by.node);
    if (v->controls)
        dl_restarts_knob(&v->restarts, k->knob, by.node, of_node,
                         k->has_current || by.process);
    if (e || k->knob != v->knob)
        return e;
    const bool first = slot_at(v, 0)->value.kind == DFOPT_KIND_NULL;
    const bool told = k->has_current || by.process;
    const bool of_job = v->of_job || by.node == DFOPT_SYM_EMPTY;
    if (first && !(told && of_job))
        e = register_value(v, k, DFOPT_SYM_EMPTY, k->default_value);
    if (!e && told)
        e = register_value(v, k, by.node,
                           k->has_current ? k->current : k->default_value);
    return e;
}

/* ---- plans ---- */

static enum dfopt_err plan_for(struct dl_values *v, const struct dfopt_plan *p,
                               dfopt_sym node)
{
    const bool own = p->relay_id == DFOPT_SYM_NONE;
    struct dl_change c = {.seq = p->seq,
                          .window = p->window >= 0 ? p->window : v->reached,
                          .own = true,
                          .cause = own ? "planned" : "relayed",
                          .value = p->new_value,
                          .plan_id = p->plan_id};
    enum dfopt_err e = slot_of(v, node, &c.slot);
    if (e)
        return e;
    if (own) {
        slot_at(v, c.slot)->plan_id = p->plan_id;
        slot_at(v, c.slot)->before = p->old_value;
        slot_at(v, c.slot)->had = slot_at(v, c.slot)->own;
    }
    e = change(v, c);
    if (!e && c.slot == 0 && v->overrides && (!own || v->assumed))
        e = override_nodes(v, c.seq, c.window);
    return e;
}

/* The job's other plans are moves of its trial, too. */
static enum dfopt_err await(struct dl_values *v, const struct dfopt_plan *p)
{
    return v->waits && p->relay_id == DFOPT_SYM_NONE && p->node == DFOPT_SYM_EMPTY
               ? dl_unanswered_plan(&v->unanswered, v->job, p)
               : DFOPT_OK;
}

static enum dfopt_err enter_targets(struct dl_values *v, const struct dfopt_plan *p)
{
    size_t n;
    const dfopt_sym *targets = dfopt_dict_items(v->job->dict, p->targets, &n);
    const bool heeded = v->overrides && !dl_is_job_knob(&v->scopes, p->knob);
    dfopt_sym node;
    enum dfopt_err e = dl_nodes_enter(&v->nodes, p->node, &node);
    for (size_t i = 0; !e && heeded && i < n; i++)
        e = dl_nodes_enter(&v->nodes, targets[i], &node);
    return e;
}

static enum dfopt_err see_plan(struct dl_values *v, const struct dfopt_plan *p)
{
    size_t n;
    const dfopt_sym *targets = dfopt_dict_items(v->job->dict, p->targets, &n);
    enum dfopt_err e = enter_targets(v, p);
    if (!e)
        e = await(v, p);
    if (p->window >= 0)
        show(v, p->window);
    if (!v->has_findings)
        reach(v, p->window);
    if (e || p->knob != v->knob)
        return e;
    if (n == 0 || !v->overrides) /* upstream: ignores the targets */
        return plan_for(v, p, p->node);
    for (size_t i = 0; !e && i < (v->of_job ? 1 : n); i++)
        e = plan_for(v, p, dl_nodes_find(&v->nodes, targets[i]));
    return e;
}

/* ---- what becomes of plans ---- */

/* What an ack, or a plan that ends without one, leaves a node with. */
enum left {
    PLANNED,  /* a value of its own */
    RESTORED, /* its own if it had one before the plan */
    ENDED     /* the job's */
};

/* c->value is what is left. */
static enum dfopt_err settle(struct dl_values *v, dfopt_sym node, enum left left,
                             struct dl_change *c)
{
    enum dfopt_err e = slot_of(v, node, &c->slot);
    if (e)
        return e;
    const struct dl_slot *s = slot_at(v, c->slot);
    struct dfopt_value was = value_of(v, c->slot);
    if (c->window > v->last)
        v->last = c->window;
    c->own = c->slot == 0 || left == PLANNED || (left == RESTORED && s->had);
    bool same =
        was.kind == c->value.kind && dfopt_value_equal(v->job->dict, was, c->value);
    return same && s->own == c->own ? DFOPT_OK : change(v, *c);
}

static void answer(struct dl_values *v, uint64_t plan_id, bool ack)
{
    dfopt_sym knob;
    if (v->waits)
        dl_unanswered_end(&v->unanswered, plan_id, ack, &knob);
}

static enum dfopt_err see_ack(struct dl_values *v,
                              const struct dfopt_declog_ack_row *a)
{
    if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED)
        return DFOPT_OK;
    answer(v, a->plan_id, true);
    if (a->knob != v->knob)
        return DFOPT_OK;
    struct dl_change c = {.seq = a->seq,
                          .window = a->window >= 0            ? a->window
                                    : a->cooldown_window >= 0 ? a->cooldown_window
                                                              : v->reached,
                          .cause = dfopt_ack_outcome_name(a->outcome),
                          .value = a->value};
    enum dfopt_err e = settle(v, a->node,
                              a->outcome != DFOPT_ACK_OUTCOME_REJECTED ? PLANNED
                              : v->reject_ends                         ? ENDED
                                                                       : RESTORED,
                              &c);
    const bool applied = a->outcome == DFOPT_ACK_OUTCOME_APPLIED ||
                         a->outcome == DFOPT_ACK_OUTCOME_ADOPTED;
    if (!e && c.slot == 0 && applied && v->overrides)
        e = override_nodes(v, c.seq, c.window);
    return e;
}

static enum dfopt_err see_timeout(struct dl_values *v,
                                  const struct dfopt_timeout_row *t)
{
    struct dl_change c = {
        .seq = t->seq, .window = t->window, .cause = "given_up", .value = t->value};
    answer(v, t->plan_id, false);
    return t->knob == v->knob ? settle(v, t->node, RESTORED, &c) : DFOPT_OK;
}

/* The value before returns, unless a new process has just registered its own. */
static enum dfopt_err withdraw(struct dl_values *v,
                               const struct dfopt_outcome_row *o)
{
    uint32_t slot;
    enum dfopt_err e = slot_of(v, o->node, &slot);
    if (e)
        return e;
    const struct dl_slot *s = slot_at(v, slot);
    struct dl_change c = {.seq = o->seq,
                          .window = v->reached,
                          .cause = "withdrawn",
                          .value = s->before};
    return s->plan_id != o->plan_id || s->registered == o->seq + 1
               ? DFOPT_OK
               : settle(v, o->node, RESTORED, &c);
}

/* With the verdict on a trial, its plans count as applied, unless the application
 * has started again. */
static enum dfopt_err see_outcome(struct dl_values *v,
                                  const struct dfopt_outcome_row *o)
{
    const bool gone = o->verdict == DFOPT_VERDICT_WITHDRAWN ||
                      o->verdict == DFOPT_VERDICT_RESTART;
    dfopt_sym knob = DFOPT_SYM_NONE;
    if (v->waits && dl_unanswered_end(&v->unanswered, o->plan_id, false, &knob) &&
        knob == v->knob && !gone)
        return override_nodes(v, o->seq, o->window);
    return o->verdict == DFOPT_VERDICT_WITHDRAWN && o->knob == v->knob
               ? withdraw(v, o)
               : DFOPT_OK;
}

/* ---- windows ---- */

/* An event of the job's site. */
struct tick {
    struct dl_values *v;
    uint64_t seq;
    int64_t now;
};

/* A way back is dropped without a row of /outcomes. */
static enum dfopt_err see_verdict(void *arg, const struct dfopt_verdict_row *row)
{
    const struct tick *t = arg;
    struct dl_values *v = t->v;
    const bool dropped =
        row->node == DFOPT_SYM_EMPTY && (row->verdict == DFOPT_VERDICT_VOID ||
                                         row->verdict == DFOPT_VERDICT_RESTART);
    return dropped && dl_unanswered_drop(&v->unanswered, row->knob) &&
                   row->verdict == DFOPT_VERDICT_VOID && row->knob == v->knob
               ? override_nodes(v, t->seq, t->now)
               : DFOPT_OK;
}

/* An operator's command may drop the job's trial. */
static enum dfopt_err see_control(struct dl_values *v,
                                  const struct dfopt_declog_control_row *row)
{
    struct tick t = {v, row->seq, v->unanswered.clock};
    return v->waits && dl_unanswered_any(&v->unanswered)
               ? dl_verdicts_at(&v->verdicts, row->seq, see_verdict, &t,
                                &v->job->err)
               : DFOPT_OK;
}

static enum dfopt_err tick(struct dl_values *v, uint64_t seq, int64_t now)
{
    struct tick t = {v, seq, now};
    int64_t window;
    enum dfopt_err e = DFOPT_OK;
    if (!v->waits)
        return e;
    if (dl_unanswered_any(&v->unanswered))
        e = dl_verdicts_at(&v->verdicts, seq, see_verdict, &t, &v->job->err);
    if (!e && dl_unanswered_clock(&v->unanswered, now, v->knob, &window))
        e = override_nodes(v, seq, window);
    return e;
}

/* A node whose application has started again has the job's value, if a plan had
 * ever given it another. */
static enum dfopt_err restart(struct dl_values *v, uint32_t slot, uint64_t seq,
                              int64_t window)
{
    const struct dl_slot *s = slot_at(v, slot);
    return s->own && s->plan_id != 0
               ? change(v, (struct dl_change){.seq = seq,
                                              .window = window,
                                              .slot = slot,
                                              .cause = "restarted",
                                              .value = slot_at(v, 0)->value})
               : DFOPT_OK;
}

static enum dfopt_err see_node(struct dl_values *v, dfopt_sym name, uint64_t seq,
                               int64_t window)
{
    dfopt_sym node;
    enum dfopt_err e = dl_nodes_enter(&v->nodes, name, &node);
    if (e || !v->controls || node == DFOPT_SYM_EMPTY || node == DFOPT_SYM_NONE)
        return e;
    const uint32_t slot = v->index[node];
    return dl_restarts_event(&v->restarts, node, window) && slot > 1
               ? restart(v, slot - 1, seq, window)
               : DFOPT_OK;
}

static enum dfopt_err see_finding(struct dl_values *v,
                                  const struct dfopt_declog_finding_row *f)
{
    enum dfopt_err e = DFOPT_OK;
    show(v, f->window);
    reach(v, f->window);
    if (dl_concerns_job(&v->scopes, f->node, f->tags))
        e = tick(v, f->seq, f->window);
    return e ? e : see_node(v, f->node, f->seq, f->window);
}

static enum dfopt_err see_objective(struct dl_values *v,
                                    const struct dfopt_declog_objective_row *o)
{
    return o->node == DFOPT_SYM_EMPTY ? tick(v, o->seq, o->window)
                                      : see_node(v, o->node, o->seq, o->window);
}

/* ---- reading ---- */

static enum dfopt_err see(void *arg, enum dl_kind kind, const void *row)
{
    struct dl_values *v = arg;
    switch (kind) {
    case DL_FINDING:
        return see_finding(v, row);
    case DL_OBJECTIVE:
        return see_objective(v, row);
    case DL_KNOB:
        return see_knob(v, row);
    case DL_ACK:
        return see_ack(v, row);
    case DL_TIMEOUT:
        return see_timeout(v, row);
    case DL_CONTROL:
        return see_control(v, row);
    case DL_OUTCOME:
        return see_outcome(v, &((const struct dfopt_declog_outcome_row *)row)->o);
    default:
        return see_plan(v, &((const struct dfopt_declog_plan_row *)row)->p);
    }
}

/* The rules of the run: docs/planner.md. */
static enum dfopt_err read_rules(struct dl_values *v)
{
    struct dl_job *j = v->job;
    struct dl_switches on;
    enum dfopt_err e = dl_switches_read(&on, j->run);
    if (!e)
        e = dl_scopes_read(&v->scopes, j, on.job_knobs);
    if (!e)
        e = dl_nodes_init(&v->nodes, j->dict, on.names_nodes);
    if (!e)
        e = dl_restarts_init(&v->restarts, j->dict);
    if (e)
        return e;
    v->controls = on.controls;
    v->reject_ends = on.reject_ends;
    v->assumed = strcmp(j->run->acks_mode, "assumed") == 0;
    v->overrides = on.overrides;
    v->of_job = dl_is_job_knob(&v->scopes, v->knob);
    v->waits = on.controls && on.overrides && !v->assumed && !v->of_job;
    dl_registrations_init(&v->registrations, j, on.names_nodes);
    dl_unanswered_init(&v->unanswered, on.ack_timeout);
    dl_verdicts_init(&v->verdicts, j->reader);
    return DFOPT_OK;
}

static enum dfopt_err start(struct dl_values *v, struct dl_job *j, dfopt_sym knob)
{
    uint32_t job_slot;
    v->job = j;
    v->knob = knob;
    v->has_findings = dfopt_declog_reader_rows(j->reader, DFOPT_TABLE_FINDINGS) > 0;
    v->first = INT64_MAX;
    v->last = v->reached = INT64_MIN;
    v->index = calloc((size_t)dfopt_dict_strings(j->dict) + 1, sizeof *v->index);
    enum dfopt_err e = v->index ? read_rules(v) : DFOPT_ERR_NOMEM;
    if (!e)
        e = slot_of(v, DFOPT_SYM_EMPTY, &job_slot);
    if (!e)
        slot_at(v, job_slot)->own = true;
    return e;
}

enum dfopt_err dl_values_read(struct dl_values *v, struct dl_job *j, dfopt_sym knob)
{
    const uint32_t kinds = DL_KIND_BIT(DL_FINDING) | DL_KIND_BIT(DL_OBJECTIVE) |
                           DL_KIND_BIT(DL_KNOB) | DL_KIND_BIT(DL_ACK) |
                           DL_KIND_BIT(DL_TIMEOUT) | DL_KIND_BIT(DL_PLAN) |
                           DL_KIND_BIT(DL_OUTCOME) | DL_KIND_BIT(DL_CONTROL);
    const size_t members[] = {offsetof(struct dfopt_declog_finding_row, seq),
                              offsetof(struct dfopt_declog_finding_row, window),
                              offsetof(struct dfopt_declog_finding_row, node),
                              offsetof(struct dfopt_declog_finding_row, tags)};
    struct dl_merge m;
    enum dfopt_err e = start(v, j, knob);
    if (e)
        return e;
    e = dl_merge_init(&m, j->reader, kinds, 0, &j->err);
    m.cursor[DL_FINDING].columns =
        dfopt_declog_columns(DFOPT_TABLE_FINDINGS, 4, members);
    if (!e)
        e = dl_merge_each(&m, NULL, see, v, &j->err);
    dl_merge_free(&m);
    return e;
}

void dl_values_free(struct dl_values *v)
{
    dfopt_buf_free(&v->slots);
    dfopt_buf_free(&v->changes);
    dl_scopes_free(&v->scopes);
    dl_registrations_free(&v->registrations);
    dl_unanswered_free(&v->unanswered);
    dl_nodes_free(&v->nodes);
    dl_restarts_free(&v->restarts);
    dfopt_cursor_free(&v->verdicts);
    free(v->index);
    v->index = NULL;
}

dfopt_sym dl_values_node(const struct dl_values *v, dfopt_sym name)
{
    return dl_nodes_find(&v->nodes, name);
}
