/* Reads the items of a frame. Checks sizes before reading anything; on failure
 * keeps nothing. */
#include "engine/comm/frame.h"

#include <stdlib.h>
#include <string.h>

/* Maximum strings or lists: a table of this size takes half a gigabyte. */
#define MOST_NUMBERS ((uint32_t)1 << 26)

static enum dfopt_err as_format(enum dfopt_err e)
{
    return e == DFOPT_ERR_ARG ? DFOPT_ERR_FORMAT : e;
}

enum dfopt_err dfopt_item_define(struct dfopt_dict *replica,
                                 const struct dfopt_item *item)
{
    uint32_t number;
    if (item->size < sizeof number)
        return DFOPT_ERR_FORMAT;
    memcpy(&number, item->data, sizeof number);
    const char *rest = (const char *)item->data + sizeof number;
    const size_t n = item->size - sizeof number;
    if (number >= MOST_NUMBERS)
        return DFOPT_ERR_FORMAT;
    if (item->kind == DFOPT_ITEM_STRING)
        return as_format(dfopt_dict_define(replica, number, rest, n));
    if (item->kind != DFOPT_ITEM_LIST || n % sizeof(dfopt_sym) != 0)
        return DFOPT_ERR_FORMAT;
    return as_format(dfopt_dict_define_list(replica, number,
                                            (const dfopt_sym *)(const void *)rest,
                                            n / sizeof(dfopt_sym)));
}

enum dfopt_err dfopt_item_finding(const struct dfopt_item *item,
                                  const struct dfopt_finding_row **out)
{
    if (item->size != sizeof **out)
        return DFOPT_ERR_FORMAT;
    *out = item->data;
    return DFOPT_OK;
}

/* An event's number, then plain data of a known size. */
static enum dfopt_err numbered(const struct dfopt_item *item, uint64_t *seq,
                               void *out, size_t size)
{
    if (item->size != sizeof *seq + size)
        return DFOPT_ERR_FORMAT;
    memcpy(seq, item->data, sizeof *seq);
    memcpy(out, (const char *)item->data + sizeof *seq, size);
    return DFOPT_OK;
}

enum dfopt_err dfopt_item_ack(const struct dfopt_item *item, uint64_t *seq,
                              struct dfopt_ack *out)
{
    return numbered(item, seq, out, sizeof *out);
}

enum dfopt_err dfopt_item_global_plan(const struct dfopt_item *item, uint64_t *seq,
                                      struct dfopt_global_plan *out)
{
    return numbered(item, seq, out, sizeof *out);
}

enum dfopt_err dfopt_item_objective(const struct dfopt_item *item, uint64_t *seq,
                                    struct dfopt_objective *out)
{
    return numbered(item, seq, out, sizeof *out);
}

/* The unread rest of an item. */
struct cursor {
    const char *at;
    size_t left;
};

static bool take(struct cursor *c, void *out, size_t size)
{
    if (size > c->left)
        return false;
    memcpy(out, c->at, size);
    c->at += size;
    c->left -= size;
    return true;
}

/* Reads an array of n things into new memory of at least one byte. */
static enum dfopt_err take_array(struct cursor *c, size_t n, size_t size,
                                 void **out)
{
    if (n > c->left / size)
        return DFOPT_ERR_FORMAT;
    void *p = malloc(n ? n * size : 1);
    if (!p)
        return DFOPT_ERR_NOMEM;
    take(c, p, n * size);
    *out = p;
    return DFOPT_OK;
}

static enum dfopt_err take_knob(struct cursor *c, struct dfopt_knob *out)
{
    struct dfopt_knob k;
    if (!take(c, &k, sizeof k))
        return DFOPT_ERR_FORMAT;
    k.values = NULL;
    k.responses = NULL;
    void *values, *responses;
    enum dfopt_err e = take_array(c, k.n_values, sizeof *k.values, &values);
    if (e)
        return e;
    e = take_array(c, k.n_responses, sizeof *k.responses, &responses);
    if (e) {
        free(values);
        return e;
    }
    k.values = values;
    k.responses = responses;
    *out = k;
    return DFOPT_OK;
}

enum dfopt_err dfopt_item_registration(const struct dfopt_item *item, uint64_t *seq,
                                       struct dfopt_registration *out)
{
    struct cursor c = {item->data, item->size};
    uint64_t head[5];
    if (!take(&c, head, sizeof head) ||
        head[4] > c.left / sizeof(struct dfopt_knob))
        return DFOPT_ERR_FORMAT;
    struct dfopt_registration r = {.name_space = (dfopt_sym)(head[1] >> 32),
                                   .function = (dfopt_sym)head[1],
                                   .node = (dfopt_sym)(head[2] >> 32),
                                   .instance = (dfopt_sym)head[2],
                                   .unregister = (uint32_t)(head[3] >> 32),
                                   .flaw = (uint32_t)head[3]};
    r.knobs = calloc(head[4] ? head[4] : 1, sizeof *r.knobs);
    enum dfopt_err e = r.knobs ? DFOPT_OK : DFOPT_ERR_NOMEM;
    while (!e && r.n_knobs < head[4]) {
        e = take_knob(&c, &r.knobs[r.n_knobs]);
        if (!e)
            r.n_knobs++;
    }
    if (!e && c.left)
        e = DFOPT_ERR_FORMAT;
    if (e) {
        dfopt_registration_clear(&r);
        return e;
    }
    *seq = head[0];
    *out = r;
    return DFOPT_OK;
}

/* Whether everything a policy refers to is present. */
static bool policy_is_whole(const struct dfopt_policy *p)
{
    bool whole = true;
#define IN(range, limit)                                                           \
    whole &= (range).first <= (limit) && (range).n <= (limit) - (range).first
    for (size_t i = 0; i < p->n_terms; i++)
        IN(p->terms[i].knobs, p->n_names);
    for (size_t i = 0; i < p->n_guards; i++) {
        IN(p->guards[i].knobs, p->n_names);
        whole &= p->guards[i].metric == DFOPT_METRIC_NONE ||
                 p->guards[i].metric < DFOPT_METRIC_COUNT;
    }
    for (size_t i = 0; i < p->n_budgets; i++) {
        const struct dfopt_name_range terms = {p->budgets[i].first_term,
                                               p->budgets[i].n_terms};
        IN(terms, p->n_terms);
    }
    IN(p->objective_metric.types, p->n_names);
#undef IN
    return whole && (p->objective_metric.metric == DFOPT_METRIC_NONE ||
                     p->objective_metric.metric < DFOPT_METRIC_COUNT);
}

/* Reads an array of a policy; *items is NULL on failure. */
static enum dfopt_err take_part(struct cursor *c, uint64_t n, size_t size,
                                void *items, size_t *count)
{
    void *p = NULL;
    const enum dfopt_err e =
        n > SIZE_MAX ? DFOPT_ERR_FORMAT : take_array(c, (size_t)n, size, &p);
    memcpy(items, &p, sizeof p);
    *count = e ? 0 : (size_t)n;
    return e;
}

enum dfopt_err dfopt_item_config(const struct dfopt_item *item,
                                 struct dfopt_policy *policy,
                                 struct dfopt_frame_config *config)
{
    struct cursor c = {item->data, item->size};
    struct dfopt_frame_config read;
    if (!take(&c, &read, sizeof read))
        return DFOPT_ERR_FORMAT;
    struct dfopt_policy p = {.on = read.on,
                             .objective_metric = read.objective_metric,
                             .metrics = read.metrics,
                             .limits = read.limits};
    enum dfopt_err e = take_part(&c, read.n_overrides, sizeof *p.overrides,
                                 &p.overrides, &p.n_overrides);
    if (!e)
        e = take_part(&c, read.n_budgets, sizeof *p.budgets, &p.budgets,
                      &p.n_budgets);
    if (!e)
        e = take_part(&c, read.n_terms, sizeof *p.terms, &p.terms, &p.n_terms);
    if (!e)
        e = take_part(&c, read.n_guards, sizeof *p.guards, &p.guards, &p.n_guards);
    if (!e)
        e = take_part(&c, read.n_names, sizeof *p.names, &p.names, &p.n_names);
    if (!e && (c.left || !policy_is_whole(&p)))
        e = DFOPT_ERR_FORMAT;
    if (e) {
        dfopt_policy_clear(&p);
        return e;
    }
    *config = read;
    *policy = p;
    return DFOPT_OK;
}

enum dfopt_err dfopt_item_command(const struct dfopt_item *item, uint64_t *seq,
                                  struct dfopt_command *out,
                                  struct dfopt_policy **policy)
{
    const size_t skip = sizeof *seq + sizeof *out;
    struct dfopt_frame_config ignored;
    *policy = NULL;
    if (item->size < skip)
        return DFOPT_ERR_FORMAT;
    memcpy(seq, item->data, sizeof *seq);
    memcpy(out, (const char *)item->data + sizeof *seq, sizeof *out);
    if ((out->action == DFOPT_COMMAND_ACTION_POLICY) != (item->size > skip))
        return DFOPT_ERR_FORMAT;
    if (item->size == skip)
        return DFOPT_OK;
    const struct dfopt_item rest = {DFOPT_ITEM_CONFIG, item->size - skip,
                                    (const char *)item->data + skip};
    struct dfopt_policy *p = malloc(sizeof *p);
    enum dfopt_err e = p ? dfopt_item_config(&rest, p, &ignored) : DFOPT_ERR_NOMEM;
    if (e)
        free(p);
    else
        *policy = p;
    return e;
}

/* ---- rows returned to rank 0 ---- */

void dfopt_frame_translation_free(struct dfopt_frame_translation *t)
{
    free(t->to);
    *t = (struct dfopt_frame_translation){0};
}

static enum dfopt_err learn(const struct dfopt_item *item, struct dfopt_dict *dict,
                            struct dfopt_frame_translation *t)
{
    dfopt_sym s;
    if (item->size < sizeof s)
        return DFOPT_ERR_FORMAT;
    memcpy(&s, item->data, sizeof s);
    const uint32_t index = s & 0x7fffffffu;
    if (!dfopt_sym_is_local(s) || index >= MOST_NUMBERS)
        return DFOPT_ERR_FORMAT;
    if (index >= t->n) {
        dfopt_sym *to = realloc(t->to, (index + 1) * sizeof *to);
        if (!to)
            return DFOPT_ERR_NOMEM;
        memset(to + t->n, 0xff, (index + 1 - t->n) * sizeof *to);
        t->to = to;
        t->n = index + 1;
    }
    t->to[index] = dfopt_dict_intern(dict, (const char *)item->data + sizeof s,
                                     item->size - sizeof s);
    return t->to[index] == DFOPT_SYM_NONE ? DFOPT_ERR_NOMEM : DFOPT_OK;
}

static bool translate(const struct dfopt_frame_translation *t,
                      struct dfopt_value *v)
{
    if (v->kind != DFOPT_KIND_STR || !dfopt_sym_is_local(v->str))
        return true;
    const uint32_t index = v->str & 0x7fffffffu;
    if (index >= t->n || t->to[index] == DFOPT_SYM_NONE)
        return false;
    v->str = t->to[index];
    return true;
}

#define ROWS(type)                                                                 \
    {                                                                              \
        sizeof(struct type), {0}, 0                                                \
    }
#define ROWS_VALUE(type, a)                                                        \
    {                                                                              \
        sizeof(struct type), {offsetof(struct type, a)}, 1                         \
    }
#define ROWS_VALUES(type, a, b)                                                    \
    {                                                                              \
        sizeof(struct type), {offsetof(struct type, a), offsetof(struct type, b)}, \
            2                                                                      \
    }

const struct dfopt_row_kind *dfopt_row_kind(uint32_t item)
{
    static const struct dfopt_row_kind kinds[] = {
        [DFOPT_ITEM_VERDICTS] = ROWS(dfopt_verdict_row),
        [DFOPT_ITEM_PLANS] = ROWS_VALUES(dfopt_plan, old_value, new_value),
        [DFOPT_ITEM_SUPPRESSIONS] = ROWS(dfopt_suppression_row),
        [DFOPT_ITEM_ACK_ROWS] = ROWS_VALUE(dfopt_ack_row, value),
        [DFOPT_ITEM_RELAY_ROWS] = ROWS(dfopt_relay_row),
        [DFOPT_ITEM_SEEN_ROWS] = ROWS(dfopt_seen_row),
        [DFOPT_ITEM_TIMEOUT_ROWS] = ROWS_VALUE(dfopt_timeout_row, value),
        [DFOPT_ITEM_OUTCOME_ROWS] = ROWS(dfopt_outcome_row),
        [DFOPT_ITEM_COMMAND_ROWS] = ROWS(dfopt_command_row),
        [DFOPT_ITEM_STATE_ROWS] = ROWS_VALUES(dfopt_state_row, value, plan_old),
        [DFOPT_ITEM_SUPPRESSION_STATES] = ROWS(dfopt_suppression_state),
        [DFOPT_ITEM_COMMANDED_ROWS] = ROWS_VALUES(dfopt_commanded_row, old, new),
    };
    return item < sizeof kinds / sizeof *kinds && kinds[item].size ? &kinds[item]
                                                                   : NULL;
}

/* The buffer for an item's rows; NULL: none. */
static struct dfopt_buf *rows_of(uint32_t item, struct dfopt_decisions *d,
                                 struct dfopt_buf *state,
                                 struct dfopt_buf *suppressions,
                                 struct dfopt_buf *commanded)
{
    if (item == DFOPT_ITEM_STATE_ROWS)
        return state;
    if (item == DFOPT_ITEM_SUPPRESSION_STATES)
        return suppressions;
    if (item == DFOPT_ITEM_COMMANDED_ROWS)
        return commanded;
    const uint32_t table = item - DFOPT_ITEM_VERDICTS;
    return table < DFOPT_DECISION_TABLES ? dfopt_decision_rows(d, (int)table)
                                         : NULL;
}

enum dfopt_err
dfopt_item_rows(const struct dfopt_item *item, struct dfopt_dict *dict,
                struct dfopt_frame_translation *t,
                struct dfopt_decisions *decisions, struct dfopt_buf *state_rows,
                struct dfopt_buf *suppression_states, struct dfopt_buf *commanded)
{
    if (item->kind == DFOPT_ITEM_STRING)
        return learn(item, dict, t);
    const struct dfopt_row_kind *k = dfopt_row_kind(item->kind);
    struct dfopt_buf *to =
        rows_of(item->kind, decisions, state_rows, suppression_states, commanded);
    if (!k || !to || item->size % k->size != 0)
        return DFOPT_ERR_FORMAT;
    const size_t start = to->len;
    enum dfopt_err e = dfopt_buf_add(to, item->data, item->size);
    for (size_t at = start; !e && k->n_values && at < to->len; at += k->size)
        for (int i = 0; i < k->n_values; i++)
            if (!translate(t, (struct dfopt_value *)(void *)(to->data + at +
                                                             k->values[i])))
                e = DFOPT_ERR_FORMAT;
    if (e)
        to->len = start;
    return e;
}
