/* Feeds rows into the model. A plan's value counts until an ack contradicts it. */
#include "cmd/log/top/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NONE_RECENT UINT8_MAX

size_t top_knobs(const struct top_model *m)
{
    return DFOPT_ROWS(&m->knobs, struct top_knob);
}

struct top_knob *top_knob_at(const struct top_model *m, size_t i)
{
    return DFOPT_ROW(&m->knobs, struct top_knob) + i;
}

size_t top_nodes(const struct top_model *m)
{
    return DFOPT_ROWS(&m->nodes, struct top_node);
}

struct top_node *top_node_at(const struct top_model *m, size_t i)
{
    return DFOPT_ROW(&m->nodes, struct top_node) + i;
}

const struct top_plan *top_plan_at(const struct top_model *m, size_t i)
{
    if (i >= m->n_plans || i >= TOP_PLANS)
        return NULL;
    return &m->plans[(m->n_plans - 1 - i) % TOP_PLANS];
}

const char *top_fate_name(uint32_t fate)
{
    static const char *const names[] = {
        [TOP_SENT] = "open",          [TOP_APPLIED] = "on trial",
        [TOP_REJECTED] = "rejected",  [TOP_GIVEN_UP] = "unanswered",
        [TOP_KEPT] = "kept",          [TOP_REVERTED] = "reverted",
        [TOP_WITHDRAWN] = "withdrawn"};
    return fate < sizeof names / sizeof *names ? names[fate] : "?";
}

void top_model_init(struct top_model *m, const struct dfopt_dict *dict)
{
    *m = (struct top_model){.dict = dict,
                            .window = -1,
                            .goal = 1,
                            .first_objective = NAN,
                            .objective = NAN};
}

void top_model_free(struct top_model *m)
{
    dfopt_buf_free(&m->knobs);
    dfopt_buf_free(&m->nodes);
    dfopt_buf_free(&m->slots);
    dfopt_symmap_free(&m->knob_of);
    dfopt_symmap_free(&m->node_of);
    free(m->slot_of);
    m->slot_of = NULL;
}

/* ---- find or make what a row is about; NULL: no memory ---- */

static struct top_knob *knob_of(struct top_model *m, dfopt_sym knob)
{
    uint32_t i = dfopt_symmap_get(&m->knob_of, knob);
    if (i != DFOPT_SYMMAP_NONE)
        return top_knob_at(m, i);
    i = (uint32_t)top_knobs(m);
    struct top_knob *k = dfopt_buf_grow(&m->knobs, sizeof *k);
    if (!k || dfopt_symmap_set(&m->knob_of, knob, i))
        return NULL;
    k->knob = knob;
    k->min = k->median = k->max = k->job = NAN;
    k->lo = 1;
    k->hi = 0;
    k->per_point = 1;
    memset(k->recent, NONE_RECENT, sizeof k->recent);
    return k;
}

static struct top_node *node_of(struct top_model *m, dfopt_sym node)
{
    uint32_t i = dfopt_symmap_get(&m->node_of, node);
    if (i != DFOPT_SYMMAP_NONE)
        return top_node_at(m, i);
    i = (uint32_t)top_nodes(m);
    struct top_node *n = dfopt_buf_grow(&m->nodes, sizeof *n);
    if (!n || dfopt_symmap_set(&m->node_of, node, i))
        return NULL;
    *n = (struct top_node){.node = node,
                           .window = -1,
                           .verdict = DFOPT_VERDICT_COUNT,
                           .knob = DFOPT_SYM_NONE,
                           .objective = NAN};
    return n;
}

static size_t hash(dfopt_sym knob, dfopt_sym node)
{
    return (size_t)(((uint64_t)knob << 32 | node) * UINT64_C(0x9E3779B97F4A7C15) >>
                    20);
}

static bool grow_slots(struct top_model *m)
{
    const size_t cap = m->cap_slots ? 2 * m->cap_slots : 1024;
    uint32_t *fresh = calloc(cap, sizeof *fresh);
    if (!fresh)
        return false;
    const struct top_slot *s = DFOPT_ROW(&m->slots, const struct top_slot);
    for (size_t i = 0; i < DFOPT_ROWS(&m->slots, struct top_slot); i++) {
        size_t at = hash(s[i].knob, s[i].node) % cap;
        while (fresh[at])
            at = (at + 1) % cap;
        fresh[at] = (uint32_t)i + 1;
    }
    free(m->slot_of);
    m->slot_of = fresh;
    m->cap_slots = cap;
    return true;
}

static struct top_slot *slot_of(struct top_model *m, dfopt_sym knob, dfopt_sym node)
{
    const size_t n = DFOPT_ROWS(&m->slots, struct top_slot);
    if (2 * n >= m->cap_slots && !grow_slots(m))
        return NULL;
    struct top_slot *s = DFOPT_ROW(&m->slots, struct top_slot);
    size_t at = hash(knob, node) % m->cap_slots;
    while (m->slot_of[at]) {
        struct top_slot *there = &s[m->slot_of[at] - 1];
        if (there->knob == knob && there->node == node)
            return there;
        at = (at + 1) % m->cap_slots;
    }
    s = dfopt_buf_grow(&m->slots, sizeof *s);
    if (!s)
        return NULL;
    m->slot_of[at] = (uint32_t)n + 1;
    s->knob = knob;
    s->node = node;
    return s;
}

static enum dfopt_err set_value(struct top_model *m, dfopt_sym knob, dfopt_sym node,
                                struct dfopt_value value)
{
    struct top_slot *s = slot_of(m, knob, node);
    struct top_knob *k = knob_of(m, knob);
    if (!s || !k)
        return DFOPT_ERR_NOMEM;
    const double was = s->own ? dfopt_value_as_double(s->value) : NAN;
    const double now = dfopt_value_as_double(value);
    s->value = value;
    s->own = true;
    m->values_stale = true;
    k->text = isnan(now) ? value : dfopt_value_null();
    if (node == DFOPT_SYM_EMPTY) {
        k->job = now;
        return DFOPT_OK;
    }
    if (!isnan(was)) {
        k->sum -= was;
        k->nodes--;
    }
    if (!isnan(now)) {
        k->sum += now;
        k->nodes++;
    }
    return DFOPT_OK;
}

/* ---- sums over nodes ---- */

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void settle_knob(struct top_model *m, struct top_knob *k, double *values)
{
    const struct top_slot *s = DFOPT_ROW(&m->slots, const struct top_slot);
    size_t n = 0;
    for (size_t i = 0; i < DFOPT_ROWS(&m->slots, struct top_slot); i++) {
        if (s[i].knob != k->knob || !s[i].own || s[i].node == DFOPT_SYM_EMPTY)
            continue;
        const double v = dfopt_value_as_double(s[i].value);
        if (!isnan(v))
            values[n++] = v;
    }
    if (n == 0)
        values[n++] = k->job;
    qsort(values, n, sizeof *values, order);
    k->min = values[0];
    k->median = values[(n - 1) / 2];
    k->max = values[n - 1];
}

enum dfopt_err top_model_settle(struct top_model *m)
{
    const size_t n = DFOPT_ROWS(&m->slots, struct top_slot) + 1;
    if (!m->values_stale)
        return DFOPT_OK;
    double *values = malloc(n * sizeof *values);
    if (!values)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < top_knobs(m); i++)
        settle_knob(m, top_knob_at(m, i), values);
    free(values);
    m->values_stale = false;
    return DFOPT_OK;
}

/* Adds a knob's mean in a finished window. When the trend is full, points are
 * merged in pairs. */
static void add_point(struct top_knob *k)
{
    const double mean = k->nodes ? k->sum / k->nodes : k->job;
    if (isnan(mean))
        return;
    if (k->in_point == 0 && k->n_trend == TOP_TREND) {
        for (uint32_t i = 0; i < TOP_TREND / 2; i++)
            k->trend[i] = k->trend[2 * i + 1];
        k->n_trend = TOP_TREND / 2;
        k->per_point *= 2;
    }
    if (k->in_point == 0)
        k->n_trend++;
    k->trend[k->n_trend - 1] = mean;
    k->in_point = (k->in_point + 1) % k->per_point;
}

static void take_window(struct top_model *m, int64_t window)
{
    if (window <= m->window)
        return;
    for (size_t i = 0; i < top_knobs(m); i++)
        add_point(top_knob_at(m, i));
    m->window = window;
}

/* ---- rows ---- */

static enum dfopt_err take_knob(struct top_model *m,
                                const struct dfopt_declog_knob_row *r)
{
    struct top_knob *k = knob_of(m, r->knob);
    if (!k)
        return DFOPT_ERR_NOMEM;
    if (r->range_state == DFOPT_RANGE_OK) {
        k->lo = dfopt_value_as_double(r->lo);
        k->hi = dfopt_value_as_double(r->hi);
    }
    if (k->first.kind != DFOPT_KIND_NULL)
        return DFOPT_OK; /* registered again: keep what has changed */
    k->first = r->has_current ? r->current : r->default_value;
    return set_value(m, r->knob, DFOPT_SYM_EMPTY, k->first);
}

static enum dfopt_err take_finding(struct top_model *m,
                                   const struct dfopt_declog_finding_row *f)
{
    struct top_node *n = node_of(m, f->node);
    size_t n_tags;
    take_window(m, f->window);
    if (!n)
        return DFOPT_ERR_NOMEM;
    m->findings++;
    n->findings++;
    if (f->window < n->window ||
        (f->window == n->window && f->severity <= n->severity))
        return DFOPT_OK;
    const dfopt_sym *tags = dfopt_dict_items(m->dict, f->tags, &n_tags);
    n->window = f->window;
    n->severity = f->severity;
    n->type = f->type;
    n->tag = n_tags ? tags[0] : DFOPT_SYM_NONE;
    return DFOPT_OK;
}

static enum dfopt_err take_objective(struct top_model *m,
                                     const struct dfopt_declog_objective_row *o)
{
    struct top_node *n = node_of(m, o->node);
    take_window(m, o->window);
    if (!n)
        return DFOPT_ERR_NOMEM;
    n->objective = o->value;
    m->goal = o->goal;
    if (o->node == DFOPT_SYM_EMPTY) {
        m->objective = o->value;
        if (isnan(m->first_objective))
            m->first_objective = o->value;
    }
    return DFOPT_OK;
}

static enum dfopt_err take_verdict(struct top_model *m,
                                   const struct dfopt_verdict_row *v)
{
    if (v->knob == DFOPT_SYM_NONE)
        return DFOPT_OK;
    struct top_knob *k = knob_of(m, v->knob);
    struct top_node *n = node_of(m, v->node);
    if (!k || !n)
        return DFOPT_ERR_NOMEM;
    n->knob = v->knob;
    n->verdict = v->verdict;
    uint8_t *at = &k->recent[k->next++ % TOP_RECENT];
    if (*at != NONE_RECENT)
        k->of[*at]--;
    *at = (uint8_t)v->verdict;
    k->of[v->verdict]++;
    return DFOPT_OK;
}

/* A global optimizer's plan may be for several nodes. */
static enum dfopt_err change_targets(struct top_model *m,
                                     const struct dfopt_plan *p, size_t *n)
{
    const dfopt_sym *target = dfopt_dict_items(m->dict, p->targets, n);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < *n && !e; i++)
        e = set_value(m, p->knob, target[i], p->new_value);
    return e || *n ? e : set_value(m, p->knob, p->node, p->new_value);
}

static enum dfopt_err take_plan(struct top_model *m,
                                const struct dfopt_declog_plan_row *row)
{
    const struct dfopt_plan *p = &row->p;
    size_t targets;
    struct top_knob *k = knob_of(m, p->knob);
    struct top_node *n = node_of(m, p->node);
    if (!k || !n)
        return DFOPT_ERR_NOMEM;
    k->plans++;
    n->plans++;
    take_window(m, p->window);
    enum dfopt_err e = change_targets(m, p, &targets);
    m->plans[m->n_plans++ % TOP_PLANS] =
        (struct top_plan){.id = p->plan_id,
                          .window = p->window,
                          .knob = p->knob,
                          .node = p->node,
                          .targets = (uint32_t)targets,
                          .was = p->old_value,
                          .becomes = p->new_value,
                          .rationale = row->rationale,
                          .claim = {.gain = NAN, .error = NAN}};
    return e;
}

static struct top_plan *plan_of(struct top_model *m, uint64_t id)
{
    const uint64_t n = m->n_plans < TOP_PLANS ? m->n_plans : TOP_PLANS;
    for (uint64_t i = 0; id && i < n; i++) {
        struct top_plan *p = &m->plans[(m->n_plans - 1 - i) % TOP_PLANS];
        if (p->id == id)
            return p;
    }
    return NULL;
}

static enum dfopt_err take_ack(struct top_model *m,
                               const struct dfopt_declog_ack_row *a)
{
    struct top_plan *p = plan_of(m, a->plan_id);
    m->acks++;
    if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED)
        return DFOPT_OK;
    if (p && p->fate == TOP_SENT)
        p->fate = a->outcome == DFOPT_ACK_OUTCOME_APPLIED    ? TOP_APPLIED
                  : a->outcome == DFOPT_ACK_OUTCOME_REJECTED ? TOP_REJECTED
                                                             : TOP_SENT;
    return set_value(m, a->knob, a->node, a->value);
}

static enum dfopt_err take_timeout(struct top_model *m,
                                   const struct dfopt_timeout_row *t)
{
    struct top_plan *p = plan_of(m, t->plan_id);
    if (p)
        p->fate = TOP_GIVEN_UP;
    return set_value(m, t->knob, t->node, t->value);
}

static enum dfopt_err take_outcome(struct top_model *m,
                                   const struct dfopt_declog_outcome_row *r)
{
    struct top_knob *k = knob_of(m, r->o.knob);
    struct top_plan *p = plan_of(m, r->o.plan_id);
    const struct top_plan of = {
        .id = r->o.plan_id ? r->o.plan_id : 1, /* a guard has no plan id */
        .window = r->o.window,
        .knob = r->o.knob,
        .node = r->o.node,
        .verdict = r->o.verdict,
        .fate = r->o.verdict == DFOPT_VERDICT_WITHDRAWN ? TOP_WITHDRAWN
                : r->o.kept                             ? TOP_KEPT
                                                        : TOP_REVERTED,
        .claim = {r->o.gain, r->standard_error, r->certain != 0}};
    if (!k)
        return DFOPT_ERR_NOMEM;
    if (p) {
        p->fate = of.fate;
        p->verdict = of.verdict;
        p->claim = of.claim;
    }
    if (of.fate == TOP_WITHDRAWN)
        return DFOPT_OK;
    k->last = of;
    const bool neutral = of.verdict == DFOPT_VERDICT_NEUTRAL;
    k->neutral += neutral;
    k->kept += !neutral && of.fate == TOP_KEPT;
    k->reverted += !neutral && of.fate == TOP_REVERTED;
    m->neutral += neutral;
    m->kept += !neutral && of.fate == TOP_KEPT;
    m->reverted += !neutral && of.fate == TOP_REVERTED;
    return DFOPT_OK;
}

enum dfopt_err top_model_row(void *model, enum dl_kind kind, const void *row)
{
    struct top_model *m = model;
    switch (kind) {
    case DL_KNOB:
        return take_knob(m, row);
    case DL_FINDING:
        return take_finding(m, row);
    case DL_OBJECTIVE:
        return take_objective(m, row);
    case DL_VERDICT:
        return take_verdict(m, row);
    case DL_PLAN:
        return take_plan(m, row);
    case DL_ACK:
        return take_ack(m, row);
    case DL_TIMEOUT:
        return take_timeout(m, row);
    case DL_OUTCOME:
        return take_outcome(m, row);
    default:
        return DFOPT_OK;
    }
}

uint32_t top_blocked_by(const struct top_knob *k, double *share)
{
    uint32_t most = DFOPT_VERDICT_COUNT, sum = 0;
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++) {
        sum += k->of[v];
        const bool acts = v == DFOPT_VERDICT_PLANNED || v == DFOPT_VERDICT_TRADE ||
                          (v >= DFOPT_VERDICT_ROLLBACK && v <= DFOPT_VERDICT_SHIFT);
        if (!acts && k->of[v] &&
            (most == DFOPT_VERDICT_COUNT || k->of[v] > k->of[most]))
            most = v;
    }
    *share = most == DFOPT_VERDICT_COUNT ? 0 : (double)k->of[most] / sum;
    return most;
}
