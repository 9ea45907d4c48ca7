/* Budgets, guards, objective metric. Written by people: an unknown key is an
 * error that names it. */
#include "policy/policy_control_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dfopt_metric_known[DFOPT_METRIC_KNOWN] = {
#define NAME(name, text) [DFOPT_METRIC_##name] = text,
    DFOPT_METRIC_LIST(NAME)
#undef NAME
};

/* Appends a zeroed item; NULL: no memory. */
static void *add_item(void *array, size_t *n, size_t size)
{
    void *items;
    memcpy(&items, array, sizeof items);
    char *more = realloc(items, (*n + 1) * size);
    if (!more)
        return NULL;
    memcpy(array, &more, sizeof more);
    return memset(more + (*n)++ * size, 0, size);
}

static enum dfopt_err wrong(struct dfopt_error *err, const char *what)
{
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s", what);
}

/* Whether an object has no other keys than these. OK or SCHEMA. */
static enum dfopt_err check_keys(struct json_object *j, const char *const *keys,
                                 struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT)
        return wrong(err, "not an object");
    json_object_object_foreach(j, key, member)
    {
        (void)member;
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0)
            i++;
        char name[DFOPT_JSON_NAME_SIZE];
        if (!keys[i])
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "unknown key '%s'",
                                   dfopt_json_name(dfopt_text_z(key), name));
    }
    return DFOPT_OK;
}

static bool is_number(struct json_object *j)
{
    const enum dfopt_json_kind kind = dfopt_json_kind(j);
    return kind == DFOPT_JSON_INT || kind == DFOPT_JSON_REAL;
}

static enum dfopt_err read_number(struct json_object *j, const char *name,
                                  double *out, struct dfopt_error *err)
{
    struct json_object *member = dfopt_json_get(j, name);
    if (!is_number(member) || !dfopt_json_finite(member, out))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is not a finite number",
                               name);
    return DFOPT_OK;
}

/* A list of distinct strings. */
static enum dfopt_err read_names(struct dfopt_dict *dict, struct json_object *list,
                                 struct dfopt_policy *p,
                                 struct dfopt_name_range *out,
                                 struct dfopt_error *err)
{
    *out = (struct dfopt_name_range){(uint32_t)p->n_names, 0};
    const size_t n = list ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < n; i++) {
        dfopt_sym s;
        enum dfopt_err e = dfopt_json_intern(
            dict, dfopt_json_text(json_object_array_get_idx(list, i)), &s);
        dfopt_sym *at = e ? NULL : add_item(&p->names, &p->n_names, sizeof *at);
        if (!at)
            return DFOPT_ERR_NOMEM;
        *at = s;
        for (uint32_t k = out->first; k < out->first + out->n; k++)
            if (p->names[k] == s)
                return wrong(err, "duplicate name");
        out->n++;
    }
    return DFOPT_OK;
}

/* The slot of a metric, allocated if needed. */
static enum dfopt_err find_slot(struct dfopt_dict *dict, struct json_object *j,
                                struct dfopt_policy *p, uint32_t *slot,
                                struct dfopt_error *err)
{
    struct json_object *member = dfopt_json_get(j, "metric");
    const struct dfopt_text name = dfopt_json_text(member);
    if (name.len == 0)
        return wrong(err, "metric is not a non-empty string");
    for (*slot = 0; *slot < DFOPT_METRIC_KNOWN; ++*slot)
        if (dfopt_text_is(name, dfopt_metric_known[*slot]))
            return DFOPT_OK;
    dfopt_sym s;
    enum dfopt_err e = dfopt_json_intern(dict, name, &s);
    if (e)
        return e;
    for (; *slot < DFOPT_METRIC_COUNT; ++*slot) {
        dfopt_sym *at = &p->metrics.name[*slot - DFOPT_METRIC_KNOWN];
        if (*at == DFOPT_SYM_EMPTY)
            *at = s;
        if (*at == s)
            return DFOPT_OK;
    }
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                           "more than %d different metrics are named",
                           (int)DFOPT_METRIC_NAMED);
}

/* ---- budgets ---- */

static enum dfopt_err read_term(struct dfopt_dict *dict, struct json_object *j,
                                struct dfopt_policy *p, struct dfopt_error *err)
{
    static const char *const keys[] = {"factor", "knobs", NULL};
    struct json_object *factor, *knobs = NULL;
    struct dfopt_budget_term t = {.factor = dfopt_value_real(1.0)};
    enum dfopt_err e = check_keys(j, keys, err);
    if (!e && (factor = dfopt_json_get(j, "factor")) != NULL) {
        double finite;
        e = !is_number(factor) || !dfopt_json_finite(factor, &finite)
                ? wrong(err, "factor is not a finite number")
                : dfopt_json_intern_value(dict, factor, &t.factor);
    }
    if (!e)
        e = dfopt_json_get_texts(j, "knobs", &knobs, err);
    if (!e && !knobs)
        e = wrong(err, "knobs is missing");
    if (!e)
        e = read_names(dict, knobs, p, &t.knobs, err);
    if (e)
        return e;
    struct dfopt_budget_term *at = add_item(&p->terms, &p->n_terms, sizeof *at);
    if (!at)
        return DFOPT_ERR_NOMEM;
    *at = t;
    return DFOPT_OK;
}

static enum dfopt_err read_budget(struct dfopt_dict *dict, struct json_object *j,
                                  struct dfopt_policy *p, struct dfopt_error *err)
{
    static const char *const keys[] = {"name", "capacity", "terms", NULL};
    struct dfopt_budget b = {.first_term = (uint32_t)p->n_terms};
    struct dfopt_text name = dfopt_text_z("");
    struct json_object *terms = NULL;
    enum dfopt_err e = check_keys(j, keys, err);
    if (!e)
        e = dfopt_json_get_text(j, "name", &name, err);
    if (!e)
        e = dfopt_json_intern(dict, name, &b.name);
    if (!e)
        e = read_number(j, "capacity", &b.capacity, err);
    if (!e) {
        terms = dfopt_json_get(j, "terms");
        if (dfopt_json_kind(terms) != DFOPT_JSON_LIST)
            e = wrong(err, "terms is not a list");
    }
    const size_t n = e ? 0 : json_object_array_length(terms);
    for (size_t i = 0; i < n && !e; i++) {
        e = read_term(dict, json_object_array_get_idx(terms, i), p, err);
        if (e)
            dfopt_error_prefix(err, "term %zu", i);
    }
    if (e)
        return e;
    b.n_terms = (uint32_t)n;
    struct dfopt_budget *at = add_item(&p->budgets, &p->n_budgets, sizeof *at);
    if (!at)
        return DFOPT_ERR_NOMEM;
    *at = b;
    return DFOPT_OK;
}

/* ---- guards ---- */

static enum dfopt_err read_guard(struct dfopt_dict *dict, struct json_object *j,
                                 struct dfopt_policy *p, struct dfopt_error *err)
{
    static const char *const keys[] = {"finding_type", "metric", "above", "knobs",
                                       NULL};
    struct dfopt_guard g = {
        .above = NAN, .finding_type = DFOPT_SYM_NONE, .metric = DFOPT_METRIC_NONE};
    struct dfopt_text type = {0};
    struct json_object *knobs = NULL;
    enum dfopt_err e = check_keys(j, keys, err);
    if (!e)
        e = dfopt_json_get_text(j, "finding_type", &type, err);
    if (!e && type.at)
        e = dfopt_json_intern(dict, type, &g.finding_type);
    if (!e && dfopt_json_get(j, "metric")) {
        e = find_slot(dict, j, p, &g.metric, err);
        if (!e)
            e = read_number(j, "above", &g.above, err);
    } else if (!e && dfopt_json_get(j, "above")) {
        e = wrong(err, "above needs a metric");
    }
    if (!e)
        e = dfopt_json_get_texts(j, "knobs", &knobs, err);
    if (!e)
        e = read_names(dict, knobs, p, &g.knobs, err);
    if (e)
        return e;
    g.some_knobs = knobs != NULL;
    struct dfopt_guard *at = add_item(&p->guards, &p->n_guards, sizeof *at);
    if (!at)
        return DFOPT_ERR_NOMEM;
    *at = g;
    return DFOPT_OK;
}

/* ---- the parts ---- */

static enum dfopt_err
read_list(struct dfopt_dict *dict, struct json_object *j, const char *name,
          struct dfopt_policy *p,
          enum dfopt_err (*read)(struct dfopt_dict *dict, struct json_object *j,
                                 struct dfopt_policy *p, struct dfopt_error *err),
          struct dfopt_error *err)
{
    if (!j)
        return DFOPT_OK;
    if (dfopt_json_kind(j) != DFOPT_JSON_LIST)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is not a list", name);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < json_object_array_length(j) && !e; i++) {
        e = read(dict, json_object_array_get_idx(j, i), p, err);
        if (e)
            dfopt_error_prefix(err, "%s[%zu]", name, i);
    }
    return e;
}

enum dfopt_err dfopt_budgets_decode(struct dfopt_dict *dict, struct json_object *j,
                                    struct dfopt_policy *p, struct dfopt_error *err)
{
    p->n_budgets = p->n_terms = 0;
    return read_list(dict, j, "budgets", p, read_budget, err);
}

enum dfopt_err dfopt_guards_decode(struct dfopt_dict *dict, struct json_object *j,
                                   struct dfopt_policy *p, struct dfopt_error *err)
{
    p->n_guards = 0;
    return read_list(dict, j, "guards", p, read_guard, err);
}

static enum dfopt_err read_objective_metric(struct dfopt_dict *dict,
                                            struct json_object *j,
                                            struct dfopt_policy *p,
                                            struct dfopt_objective_metric *out,
                                            struct dfopt_error *err)
{
    static const char *const keys[] = {"metric", "goal", "finding_types", NULL};
    struct dfopt_text goal = dfopt_text_z("max");
    struct json_object *types = NULL;
    enum dfopt_err e = check_keys(j, keys, err);
    if (!e)
        e = find_slot(dict, j, p, &out->metric, err);
    if (!e)
        e = dfopt_json_get_text(j, "goal", &goal, err);
    if (!e && !dfopt_text_is(goal, "max") && !dfopt_text_is(goal, "min"))
        e = wrong(err, "goal must be \"max\" or \"min\"");
    if (!e)
        e = dfopt_json_get_texts(j, "finding_types", &types, err);
    if (!e)
        e = read_names(dict, types, p, &out->types, err);
    out->goal = dfopt_text_is(goal, "min") ? -1 : 1;
    out->some_types = types != NULL;
    return e;
}

enum dfopt_err dfopt_objective_metric_decode(struct dfopt_dict *dict,
                                             struct json_object *j,
                                             struct dfopt_policy *p,
                                             struct dfopt_error *err)
{
    struct dfopt_objective_metric m = {.metric = DFOPT_METRIC_NONE};
    enum dfopt_err e = j ? read_objective_metric(dict, j, p, &m, err) : DFOPT_OK;
    if (e)
        dfopt_error_prefix(err, "objective_metric");
    else
        p->objective_metric = m;
    return e;
}

/* ---- output ---- */

static void put_names(struct dfopt_put *put, const struct dfopt_policy *p,
                      const struct dfopt_name_range *r)
{
    dfopt_put_raw(put, "[");
    for (uint32_t i = 0; i < r->n; i++) {
        dfopt_put_raw(put, i ? "," : "");
        dfopt_put_sym(put, p->names[r->first + i]);
    }
    dfopt_put_raw(put, "]");
}

static void put_metric(struct dfopt_put *put, const struct dfopt_policy *p,
                       uint32_t slot)
{
    dfopt_put_raw(put, "\"metric\":");
    if (slot < DFOPT_METRIC_KNOWN)
        dfopt_put_text(put, dfopt_metric_known[slot],
                       strlen(dfopt_metric_known[slot]));
    else
        dfopt_put_sym(put, p->metrics.name[slot - DFOPT_METRIC_KNOWN]);
}

static void put_budget(struct dfopt_put *put, const struct dfopt_policy *p,
                       const struct dfopt_budget *b)
{
    dfopt_put_raw(put, "{\"name\":");
    dfopt_put_sym(put, b->name);
    dfopt_put_raw(put, ",\"capacity\":");
    dfopt_put_real(put, b->capacity);
    dfopt_put_raw(put, ",\"terms\":[");
    for (uint32_t i = 0; i < b->n_terms; i++) {
        const struct dfopt_budget_term *t = &p->terms[b->first_term + i];
        dfopt_put_raw(put, i ? ",{\"factor\":" : "{\"factor\":");
        dfopt_put_value(put, t->factor);
        dfopt_put_raw(put, ",\"knobs\":");
        put_names(put, p, &t->knobs);
        dfopt_put_raw(put, "}");
    }
    dfopt_put_raw(put, "]}");
}

static void put_guard(struct dfopt_put *put, const struct dfopt_policy *p,
                      const struct dfopt_guard *g)
{
    const char *before = "";
    dfopt_put_raw(put, "{");
    if (g->finding_type != DFOPT_SYM_NONE) {
        dfopt_put_raw(put, "\"finding_type\":");
        dfopt_put_sym(put, g->finding_type);
        before = ",";
    }
    if (g->metric != DFOPT_METRIC_NONE) {
        dfopt_put_raw(put, before);
        put_metric(put, p, g->metric);
        dfopt_put_raw(put, ",\"above\":");
        dfopt_put_real(put, g->above);
        before = ",";
    }
    if (g->some_knobs) {
        dfopt_put_raw(put, before);
        dfopt_put_raw(put, "\"knobs\":");
        put_names(put, p, &g->knobs);
    }
    dfopt_put_raw(put, "}");
}

static void put_objective_metric(struct dfopt_put *put,
                                 const struct dfopt_policy *p)
{
    const struct dfopt_objective_metric *m = &p->objective_metric;
    dfopt_put_raw(put, ",\"objective_metric\":{");
    put_metric(put, p, m->metric);
    dfopt_put_raw(put, m->goal < 0 ? ",\"goal\":\"min\"" : ",\"goal\":\"max\"");
    if (m->some_types) {
        dfopt_put_raw(put, ",\"finding_types\":");
        put_names(put, p, &m->types);
    }
    dfopt_put_raw(put, "}");
}

static enum dfopt_err read_limit(struct json_object *j, const char *name,
                                 int64_t *out, struct dfopt_error *err)
{
    struct json_object *member = dfopt_json_get(j, name);
    int64_t most = DFOPT_LIMIT_NONE;
    if (member && (!dfopt_json_whole(member, &most) || most < 0))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "limits: %s must be a whole number from 0 to 2^53",
                               name);
    *out = most;
    return DFOPT_OK;
}

enum dfopt_err dfopt_limits_decode(struct json_object *j, struct dfopt_policy *p,
                                   struct dfopt_error *err)
{
    static const char *const keys[] = {"plans_per_window",
                                       "nodes_in_flight_per_knob", NULL};
    struct dfopt_limits l = {.given = j != NULL};
    enum dfopt_err e = j ? check_keys(j, keys, err) : DFOPT_OK;
    if (e) {
        dfopt_error_prefix(err, "limits");
        return e;
    }
    e = read_limit(j, keys[0], &l.plans_per_window, err);
    if (!e)
        e = read_limit(j, keys[1], &l.nodes_in_flight_per_knob, err);
    if (!e)
        p->limits = l;
    return e;
}

static void put_limits(struct dfopt_put *put, const struct dfopt_limits *l)
{
    dfopt_put_key(put, "limits");
    dfopt_put_raw(put, "{");
    if (l->plans_per_window != DFOPT_LIMIT_NONE)
        dfopt_member_int(put, "plans_per_window", l->plans_per_window);
    if (l->nodes_in_flight_per_knob != DFOPT_LIMIT_NONE)
        dfopt_member_int(put, "nodes_in_flight_per_knob",
                         l->nodes_in_flight_per_knob);
    dfopt_put_raw(put, "}");
}

void dfopt_policy_control_put(struct dfopt_put *put, const struct dfopt_policy *p)
{
    for (size_t i = 0; i < p->n_budgets; i++) {
        dfopt_put_raw(put, i ? "," : ",\"budgets\":[");
        put_budget(put, p, &p->budgets[i]);
    }
    dfopt_put_raw(put, p->n_budgets ? "]" : "");
    for (size_t i = 0; i < p->n_guards; i++) {
        dfopt_put_raw(put, i ? "," : ",\"guards\":[");
        put_guard(put, p, &p->guards[i]);
    }
    dfopt_put_raw(put, p->n_guards ? "]" : "");
    if (p->objective_metric.metric != DFOPT_METRIC_NONE)
        put_objective_metric(put, p);
    if (p->limits.given)
        put_limits(put, &p->limits);
}
