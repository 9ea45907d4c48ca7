/* Turns rows of knobs, plans and acks into changes of a value. */
#include "cmd/log/values.h"
#include "cmd/log/merge.h"

#include <stdlib.h>
#include <string.h>

static struct dl_slot *slot_at(struct dl_values *v, uint32_t i)
{
    return &DFOPT_ROW(&v->slots, struct dl_slot)[i];
}

/* Finds a node's slot or adds one; *slot is its index. */
static enum dfopt_err slot_of(struct dl_values *v, dfopt_sym node, uint32_t *slot)
{
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

/* The job's value c replaces the nodes' own values. */
static enum dfopt_err override_nodes(struct dl_values *v, struct dl_change c)
{
    enum dfopt_err e = DFOPT_OK;
    c.own = false;
    c.cause = "override";
    for (uint32_t i = 1; !e && i < DFOPT_ROWS(&v->slots, struct dl_slot); i++) {
        c.slot = i;
        if (slot_at(v, i)->own)
            e = change(v, c);
    }
    return e;
}

/* ---- rows ---- */

static enum dfopt_err see_knob(struct dl_values *v,
                               const struct dfopt_declog_knob_row *k)
{
    bool first = slot_at(v, 0)->value.kind == DFOPT_KIND_NULL;
    if (k->knob != v->knob || (!k->has_current && !first))
        return DFOPT_OK;
    return change(v, (struct dl_change){
                         .seq = k->seq,
                         .window = v->last >= v->first ? v->last : INT64_MIN,
                         .own = true,
                         .cause = "registered",
                         .value = k->has_current ? k->current : k->default_value});
}

static enum dfopt_err plan_for(struct dl_values *v, const struct dfopt_plan *p,
                               dfopt_sym node)
{
    bool own = p->relay_id == DFOPT_SYM_NONE;
    uint32_t slot = 0;
    enum dfopt_err e = slot_of(v, node, &slot);
    struct dl_change c = {.seq = p->seq,
                          .window = p->window >= 0 ? p->window : v->last,
                          .slot = slot,
                          .own = true,
                          .cause = own ? "planned" : "relayed",
                          .value = p->new_value,
                          .plan_id = p->plan_id};
    if (!e)
        e = change(v, c);
    c.plan_id = 0;
    if (!e && slot == 0 && v->overrides && (!own || v->assumed))
        e = override_nodes(v, c);
    return e;
}

static enum dfopt_err see_plan(struct dl_values *v, const struct dfopt_plan *p)
{
    size_t n;
    const dfopt_sym *targets = dfopt_dict_items(v->job->dict, p->targets, &n);
    enum dfopt_err e = DFOPT_OK;
    if (p->window > v->last)
        v->last = p->window;
    if (p->window >= 0 && p->window < v->first)
        v->first = p->window;
    if (p->knob != v->knob)
        return DFOPT_OK;
    if (n == 0 || !v->overrides) /* upstream: ignores the targets */
        return plan_for(v, p, p->node);
    for (size_t i = 0; !e && i < n; i++)
        e = plan_for(v, p, targets[i]);
    return e;
}

/* The value that an ack, or a plan that is given up, leaves: c->value. A node whose
 * plan was taken back to the job's value follows the job again. */
static enum dfopt_err settle(struct dl_values *v, dfopt_sym node, bool taken_back,
                             struct dl_change *c)
{
    enum dfopt_err e = slot_of(v, node, &c->slot);
    if (e)
        return e;
    bool back = taken_back && c->slot > 0 &&
                dfopt_value_equal(v->job->dict, c->value, slot_at(v, 0)->value);
    struct dfopt_value was = value_of(v, c->slot);
    if (c->window > v->last)
        v->last = c->window;
    c->own = !back;
    bool same =
        was.kind == c->value.kind && dfopt_value_equal(v->job->dict, was, c->value);
    return same && !back ? DFOPT_OK : change(v, *c);
}

static enum dfopt_err see_ack(struct dl_values *v,
                              const struct dfopt_declog_ack_row *a)
{
    if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED || a->knob != v->knob ||
        a->node == DFOPT_SYM_NONE)
        return DFOPT_OK;
    struct dl_change c = {.seq = a->seq,
                          .window = a->window >= 0            ? a->window
                                    : a->cooldown_window >= 0 ? a->cooldown_window
                                                              : v->last,
                          .cause = dfopt_ack_outcome_name(a->outcome),
                          .value = a->value};
    enum dfopt_err e =
        settle(v, a->node, a->outcome == DFOPT_ACK_OUTCOME_REJECTED, &c);
    if (!e && c.slot == 0 && a->outcome == DFOPT_ACK_OUTCOME_APPLIED &&
        v->overrides)
        e = override_nodes(v, c);
    return e;
}

static enum dfopt_err see_timeout(struct dl_values *v,
                                  const struct dfopt_timeout_row *t)
{
    struct dl_change c = {
        .seq = t->seq, .window = t->window, .cause = "given_up", .value = t->value};
    return t->knob == v->knob && t->node != DFOPT_SYM_NONE
               ? settle(v, t->node, true, &c)
               : DFOPT_OK;
}

static void see_finding(struct dl_values *v,
                        const struct dfopt_declog_finding_row *f)
{
    if (f->window < v->first)
        v->first = f->window;
    if (f->window > v->last)
        v->last = f->window;
}

static enum dfopt_err see(void *arg, enum dl_kind kind, const void *row)
{
    struct dl_values *v = arg;
    switch (kind) {
    case DL_FINDING:
        see_finding(v, row);
        return DFOPT_OK;
    case DL_KNOB:
        return see_knob(v, row);
    case DL_ACK:
        return see_ack(v, row);
    case DL_TIMEOUT:
        return see_timeout(v, row);
    default:
        return see_plan(v, &((const struct dfopt_declog_plan_row *)row)->p);
    }
}

enum dfopt_err dl_values_read(struct dl_values *v, struct dl_job *j, dfopt_sym knob)
{
    const uint32_t kinds = DL_KIND_BIT(DL_FINDING) | DL_KIND_BIT(DL_KNOB) |
                           DL_KIND_BIT(DL_ACK) | DL_KIND_BIT(DL_TIMEOUT) |
                           DL_KIND_BIT(DL_PLAN);
    const size_t members[] = {offsetof(struct dfopt_declog_finding_row, seq),
                              offsetof(struct dfopt_declog_finding_row, window)};
    struct dl_merge m;
    uint32_t job_slot;
    v->job = j;
    v->knob = knob;
    v->assumed = strcmp(j->run->acks_mode, "assumed") == 0;
    v->overrides = !strstr(j->run->policy, "\"global_overrides_nodes\":false");
    v->first = INT64_MAX;
    v->last = INT64_MIN;
    v->index = calloc((size_t)dfopt_dict_strings(j->dict) + 1, sizeof *v->index);
    if (!v->index || slot_of(v, DFOPT_SYM_EMPTY, &job_slot) != DFOPT_OK)
        return DFOPT_ERR_NOMEM;
    slot_at(v, job_slot)->own = true;
    enum dfopt_err e = dl_merge_init(&m, j->reader, kinds, 0, &j->err);
    m.cursor[DL_FINDING].columns =
        dfopt_declog_columns(DFOPT_TABLE_FINDINGS, 2, members);
    if (!e)
        e = dl_merge_each(&m, NULL, see, v, &j->err);
    dl_merge_free(&m);
    return e;
}

void dl_values_free(struct dl_values *v)
{
    dfopt_buf_free(&v->slots);
    dfopt_buf_free(&v->changes);
    free(v->index);
    v->index = NULL;
}
