/* Policy files. People write them, so an unknown key is an error that names it. */
#include "policy/policy_json.h"

#include "json/json.h"
#include "policy/policy_control_json.h"
#include "policy/response_json.h"

#include <string.h>

static enum dfopt_err wrong_choice(const struct dfopt_switch_info *s,
                                   struct dfopt_error *err)
{
    if (s->choice[2])
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "switch %s must be \"%s\", \"%s\" or \"%s\"",
                               s->name, s->choice[0], s->choice[1], s->choice[2]);
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                           "switch %s must be \"%s\" or \"%s\"", s->name,
                           s->choice[0], s->choice[1]);
}

/* A factor below 1 would bound a step below its starting value. */
static double least(const struct dfopt_switch_info *s)
{
    return s->offset == offsetof(struct dfopt_switches, inconclusive_factor) ? 1
                                                                             : 0;
}

static enum dfopt_err read_real(const struct dfopt_switch_info *s,
                                struct json_object *j, double *out,
                                struct dfopt_error *err)
{
    const enum dfopt_json_kind kind = dfopt_json_kind(j);
    double d;
    if ((kind != DFOPT_JSON_INT && kind != DFOPT_JSON_REAL) ||
        !dfopt_json_finite(j, &d) || d < least(s))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "switch %s must be a finite number, at least %g",
                               s->name, least(s));
    *out = d;
    return DFOPT_OK;
}

static enum dfopt_err read_switch(const struct dfopt_switch_info *s,
                                  struct json_object *j, void *at,
                                  struct dfopt_error *err)
{
    int64_t *out = at;
    enum dfopt_json_kind kind = dfopt_json_kind(j);
    switch (s->kind) {
    case DFOPT_SWITCH_CHOICE:
        for (int64_t i = 0; i < 3; i++)
            if (kind == DFOPT_JSON_TEXT && s->choice[i] &&
                dfopt_text_is(dfopt_json_text(j), s->choice[i])) {
                *out = i;
                return DFOPT_OK;
            }
        return wrong_choice(s, err);
    case DFOPT_SWITCH_BOOL:
        if (kind != DFOPT_JSON_BOOL)
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                   "switch %s must be true or false", s->name);
        *out = json_object_get_boolean(j) ? 1 : 0;
        return DFOPT_OK;
    case DFOPT_SWITCH_REAL:
        return read_real(s, j, at, err);
    case DFOPT_SWITCH_WINDOWS:
        break;
    }
    int64_t windows;
    if (!dfopt_json_whole(j, &windows) || windows < 0)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "switch %s must be a whole number from 0 to 2^53",
                               s->name);
    *out = windows;
    return DFOPT_OK;
}

static const struct dfopt_switch_info *find_switch(const char *name)
{
    size_t n;
    const struct dfopt_switch_info *table = dfopt_switch_table(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static enum dfopt_err read_switches(struct json_object *j,
                                    struct dfopt_switches *on,
                                    struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "switches is not an object");
    json_object_object_foreach(j, key, member)
    {
        const struct dfopt_switch_info *s = find_switch(key);
        enum dfopt_err e = s ? read_switch(s, member, (char *)on + s->offset, err)
                             : dfopt_json_unknown("switch", key, "", err);
        if (e)
            return e;
    }
    return DFOPT_OK;
}

/* Reads "*", "tag:NAME" or "knob:NAME". */
static enum dfopt_err read_target(struct dfopt_dict *dict, const char *key,
                                  struct dfopt_override *o, struct dfopt_error *err)
{
    size_t skip;
    if (strcmp(key, "*") == 0) {
        o->target = DFOPT_OVERRIDE_ALL;
        o->name = DFOPT_SYM_EMPTY;
        return DFOPT_OK;
    }
    if (strncmp(key, "tag:", 4) == 0) {
        o->target = DFOPT_OVERRIDE_TAG;
        skip = 4;
    } else if (strncmp(key, "knob:", 5) == 0) {
        o->target = DFOPT_OVERRIDE_KNOB;
        skip = 5;
    } else {
        return dfopt_json_unknown("responses key", key,
                                  " (*, tag:NAME or knob:NAME)", err);
    }
    return dfopt_json_intern_key(dict, key + skip, &o->name);
}

/* Adds an override, or merges it into the one for the same target. The array
 * has room. */
static void merge_override(struct dfopt_policy *p, const struct dfopt_override *o)
{
    for (size_t i = 0; i < p->n_overrides; i++) {
        struct dfopt_override *old = &p->overrides[i];
        if (old->target == o->target && old->name == o->name) {
            dfopt_response_merge(&old->to, &o->to, o->fields);
            old->fields |= o->fields;
            return;
        }
    }
    p->overrides[p->n_overrides++] = *o;
}

static enum dfopt_err read_override(struct dfopt_dict *dict, const char *key,
                                    struct json_object *j, struct dfopt_policy *p,
                                    struct dfopt_error *err)
{
    struct dfopt_override o = {0};
    enum dfopt_err e = read_target(dict, key, &o, err);
    if (e)
        return e;
    o.to = dfopt_response_default(dict, DFOPT_SYM_EMPTY);
    if (o.to.apply_when == DFOPT_SYM_NONE)
        return DFOPT_ERR_NOMEM;
    e = dfopt_response_decode(dict, j, true, &o.to, &o.fields, err);
    char name[DFOPT_JSON_NAME_SIZE];
    if (e)
        dfopt_error_prefix(err, "responses '%s'",
                           dfopt_json_name(dfopt_text_z(key), name));
    else
        merge_override(p, &o);
    return e;
}

static enum dfopt_err read_overrides(struct dfopt_dict *dict, struct json_object *j,
                                     struct dfopt_policy *p,
                                     struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "responses is not an object");
    json_object_object_foreach(j, key, member)
    {
        enum dfopt_err e = read_override(dict, key, member, p, err);
        if (e)
            return e;
    }
    return DFOPT_OK;
}

/* The objective's metric is read last, wherever it stands, so that equal
 * policies have the same metrics in the same slots. */
static enum dfopt_err read_policy(struct dfopt_dict *dict, struct json_object *tree,
                                  struct dfopt_policy *p, struct dfopt_error *err)
{
    struct json_object *metric = NULL;
    bool has_metric = false;
    json_object_object_foreach(tree, key, member)
    {
        enum dfopt_err e;
        if (strcmp(key, "switches") == 0)
            e = read_switches(member, &p->on, err);
        else if (strcmp(key, "responses") == 0)
            e = read_overrides(dict, member, p, err);
        else if (strcmp(key, "budgets") == 0)
            e = dfopt_budgets_decode(dict, member, p, err);
        else if (strcmp(key, "guards") == 0)
            e = dfopt_guards_decode(dict, member, p, err);
        else if (strcmp(key, "limits") == 0)
            e = dfopt_limits_decode(member, p, err);
        else if (strcmp(key, "objective_metric") == 0) {
            metric = member;
            has_metric = true;
            continue;
        } else
            e = dfopt_json_unknown(
                "key", key,
                " (switches, responses, budgets, guards, objective_metric or "
                "limits)",
                err);
        if (e)
            return e;
    }
    return has_metric ? dfopt_objective_metric_decode(dict, metric, p, err)
                      : DFOPT_OK;
}

/* Upper bound on the overrides that the file adds. */
static size_t count_overrides(struct json_object *tree)
{
    struct json_object *more = dfopt_json_get(tree, "responses");
    return dfopt_json_kind(more) == DFOPT_JSON_OBJECT
               ? (size_t)json_object_object_length(more)
               : 0;
}

enum dfopt_err dfopt_policy_decode(struct dfopt_dict *dict,
                                   struct json_object *tree,
                                   struct dfopt_policy *policy,
                                   struct dfopt_error *err)
{
    struct dfopt_policy next = {0};
    enum dfopt_err e = DFOPT_OK;
    if (dfopt_json_kind(tree) != DFOPT_JSON_OBJECT)
        e = dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    if (!e)
        e = dfopt_policy_copy(&next, policy, count_overrides(tree));
    if (!e)
        e = read_policy(dict, tree, &next, err);
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(err, e, "out of memory");
    if (e) {
        dfopt_policy_clear(&next);
        return e;
    }
    dfopt_policy_clear(policy);
    *policy = next;
    return DFOPT_OK;
}

enum dfopt_err dfopt_policy_read(struct dfopt_dict *dict, const char *text,
                                 size_t len, struct dfopt_policy *policy,
                                 struct dfopt_error *err)
{
    struct json_object *tree = NULL;
    enum dfopt_err e = dfopt_json_parse_file(text, len, &tree, err);
    if (!e)
        e = dfopt_policy_decode(dict, tree, policy, err);
    json_object_put(tree);
    return e;
}

/* ---- output ---- */

static void put_switch(struct dfopt_put *p, const struct dfopt_switch_info *s,
                       const void *at)
{
    int64_t value;
    double real;
    memcpy(&value, at, sizeof value);
    memcpy(&real, at, sizeof real);
    dfopt_put_raw(p, "\"");
    dfopt_put_raw(p, s->name);
    dfopt_put_raw(p, "\":");
    if (s->kind == DFOPT_SWITCH_WINDOWS) {
        dfopt_put_int(p, value);
    } else if (s->kind == DFOPT_SWITCH_REAL) {
        dfopt_put_real(p, real);
    } else if (s->kind == DFOPT_SWITCH_BOOL) {
        dfopt_put_raw(p, value ? "true" : "false");
    } else {
        dfopt_put_raw(p, "\"");
        dfopt_put_raw(p, s->choice[value]);
        dfopt_put_raw(p, "\"");
    }
}

static void put_target(struct dfopt_put *p, const struct dfopt_override *o)
{
    static const char *const prefix[] = {"*", "tag:", "knob:"};
    struct dfopt_buf key = {0};
    size_t len;
    const char *name = dfopt_dict_text(p->dict, o->name, &len);
    if (!p->e)
        p->e = dfopt_buf_add(&key, prefix[o->target], strlen(prefix[o->target]));
    if (!p->e)
        p->e = dfopt_buf_add(&key, name, len);
    dfopt_put_text(p, key.data, key.len);
    dfopt_buf_free(&key);
}

enum dfopt_err dfopt_policy_json(const struct dfopt_dict *dict,
                                 const struct dfopt_policy *policy,
                                 struct dfopt_buf *out)
{
    size_t n;
    const struct dfopt_switch_info *table = dfopt_switch_table(&n);
    struct dfopt_put p = dfopt_put_start(out, dict);
    dfopt_put_raw(&p, "{\"switches\":{");
    for (size_t i = 0; i < n; i++) {
        const void *at = (const char *)&policy->on + table[i].offset;
        dfopt_put_raw(&p, i ? "," : "");
        put_switch(&p, &table[i], at);
    }
    dfopt_put_raw(&p, "},\"responses\":{");
    for (size_t i = 0; i < policy->n_overrides; i++) {
        dfopt_put_raw(&p, i ? "," : "");
        put_target(&p, &policy->overrides[i]);
        dfopt_put_raw(&p, ":");
        dfopt_response_put(&p, &policy->overrides[i].to,
                           policy->overrides[i].fields);
    }
    dfopt_put_raw(&p, "}");
    dfopt_policy_control_put(&p, policy);
    dfopt_put_raw(&p, "}");
    return dfopt_put_end(&p);
}
