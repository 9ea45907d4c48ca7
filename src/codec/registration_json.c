/* Registrations, in both forms: `knobs` as an object keyed by parameter, or as
 * a list of knobs whose parameter is their id. A registration is decoded twice,
 * first into a throwaway dictionary: it is rare, and a rejected one so leaves
 * nothing behind. */
#include "codec/record.h"
#include "policy/response_json.h"

#include <stdlib.h>

/* One knob as it appears in the message. */
struct knob_source {
    const char *param; /* its key; NULL: its id is its parameter */
    struct json_object *knob;
    struct json_object *current_values; /* NULL: none */
};

static enum dfopt_err read_id(struct dfopt_dict *dict,
                              const struct knob_source *from, struct dfopt_knob *k,
                              struct dfopt_error *err)
{
    if (dfopt_json_kind(from->knob) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    struct json_object *id = dfopt_json_get(from->knob, "id");
    if (dfopt_json_text(id).len == 0)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s",
                               id ? "id is not a non-empty string"
                                  : "id is missing");
    enum dfopt_err e = dfopt_json_intern(dict, dfopt_json_text(id), &k->id);
    if (e || from->param)
        return e ? e : dfopt_json_intern_key(dict, from->param, &k->parameter);
    k->parameter = k->id;
    return DFOPT_OK;
}

static enum dfopt_err read_value(struct dfopt_dict *dict, struct json_object *j,
                                 const char *name, struct dfopt_value *out,
                                 struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_json_check_scalar(j, name, err);
    return e ? e : dfopt_json_intern_value(dict, j, out);
}

/* Type, default, and fields that are only passed through. */
static enum dfopt_err read_basics(struct dfopt_dict *dict, struct json_object *j,
                                  struct dfopt_knob *k, struct dfopt_error *err)
{
    struct dfopt_text type = dfopt_json_text(dfopt_json_get(j, "type"));
    k->type = DFOPT_KNOB_INT;
    for (uint32_t t = DFOPT_KNOB_INT; t <= DFOPT_KNOB_BOOL; t++)
        if (dfopt_text_is(type, dfopt_knob_type_name(t)))
            k->type = t;
    struct dfopt_text target = dfopt_text_z("");
    enum dfopt_err e = dfopt_json_get_text(j, "target_function", &target, err);
    if (!e)
        e = dfopt_json_intern(dict, target, &k->target_function);
    if (!e)
        e = dfopt_json_intern(dict, dfopt_json_text(dfopt_json_get(j, "scope")),
                              &k->scope);
    if (e)
        return e;
    struct json_object *member;
    if (!dfopt_json_find(j, dfopt_text_z("default"), &member))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "default is missing");
    return read_value(dict, member, "default", &k->default_value, err);
}

/* What Python considers false: null, false, 0, "", [], {}. */
static bool is_falsy(struct json_object *j)
{
    switch (dfopt_json_kind(j)) {
    case DFOPT_JSON_NULL:
        return true;
    case DFOPT_JSON_BOOL:
        return !json_object_get_boolean(j);
    case DFOPT_JSON_INT:
        return json_object_get_int64(j) == 0;
    case DFOPT_JSON_REAL:
        return json_object_get_double(j) == 0;
    case DFOPT_JSON_TEXT:
        return dfopt_json_text(j).len == 0;
    case DFOPT_JSON_LIST:
        return json_object_array_length(j) == 0;
    case DFOPT_JSON_OBJECT:
        return json_object_object_length(j) == 0;
    case DFOPT_JSON_BIG:
        break;
    }
    return false;
}

static bool is_bound(struct json_object *j)
{
    enum dfopt_json_kind kind = dfopt_json_kind(j);
    return kind >= DFOPT_JSON_BOOL && kind <= DFOPT_JSON_REAL;
}

static enum dfopt_err read_range(struct dfopt_dict *dict, struct json_object *j,
                                 struct dfopt_knob *k, struct dfopt_error *err)
{
    struct json_object *range = dfopt_json_get(j, "range");
    k->range_state = DFOPT_RANGE_NONE;
    if (is_falsy(range))
        return DFOPT_OK;
    k->range_state = DFOPT_RANGE_BAD;
    if (dfopt_json_kind(range) != DFOPT_JSON_LIST ||
        json_object_array_length(range) != 2)
        return DFOPT_OK;
    struct json_object *lo = json_object_array_get_idx(range, 0);
    struct json_object *hi = json_object_array_get_idx(range, 1);
    if (!is_bound(lo) || !is_bound(hi))
        return DFOPT_OK;
    enum dfopt_err e = read_value(dict, lo, "range", &k->lo, err);
    if (!e)
        e = read_value(dict, hi, "range", &k->hi, err);
    if (!e)
        k->range_state = DFOPT_RANGE_OK;
    return e;
}

static enum dfopt_err read_values(struct dfopt_dict *dict, struct json_object *j,
                                  struct dfopt_knob *k, struct dfopt_error *err)
{
    struct json_object *values = dfopt_json_get(j, "values");
    if (!values)
        return DFOPT_OK;
    if (dfopt_json_kind(values) != DFOPT_JSON_LIST)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "values is not a list");
    size_t n = json_object_array_length(values);
    k->has_values = 1;
    k->values = calloc(n ? n : 1, sizeof *k->values);
    if (!k->values)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e = DFOPT_OK;
    for (; !e && k->n_values < n; k->n_values++)
        e = read_value(dict, json_object_array_get_idx(values, k->n_values),
                       "values", &k->values[k->n_values], err);
    return e;
}

static enum dfopt_err add_response(struct dfopt_dict *dict, const char *tag,
                                   struct json_object *j, struct dfopt_knob *k,
                                   struct dfopt_error *err)
{
    dfopt_sym sym;
    uint32_t fields;
    enum dfopt_err e = dfopt_json_intern_key(dict, tag, &sym);
    if (e)
        return e;
    struct dfopt_response r = dfopt_response_default(dict, sym);
    if (r.apply_when == DFOPT_SYM_NONE)
        return DFOPT_ERR_NOMEM;
    e = dfopt_response_decode(dict, j, false, &r, &fields, err);
    char name[DFOPT_JSON_NAME_SIZE];
    if (e)
        dfopt_error_prefix(err, "tag '%s'",
                           dfopt_json_name(dfopt_text_z(tag), name));
    else
        k->responses[k->n_responses++] = r;
    return e;
}

static enum dfopt_err read_responses(struct dfopt_dict *dict, struct json_object *j,
                                     struct dfopt_knob *k, struct dfopt_error *err)
{
    struct json_object *by_tag = dfopt_json_get(j, "responds_to");
    struct json_object *single = by_tag ? NULL : dfopt_json_get(j, "knob_response");
    if (by_tag && dfopt_json_kind(by_tag) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "responds_to is not an object");
    size_t n = by_tag ? (size_t)json_object_object_length(by_tag) : 1;
    k->responses = calloc(n ? n : 1, sizeof *k->responses);
    if (!k->responses)
        return DFOPT_ERR_NOMEM;
    if (single) /* the form that DFTracer sends */
        return add_response(dict, "io_bottleneck", single, k, err);
    if (by_tag) {
        json_object_object_foreach(by_tag, tag, response)
        {
            enum dfopt_err e = add_response(dict, tag, response, k, err);
            if (e)
                return e;
        }
    }
    return DFOPT_OK;
}

static enum dfopt_err read_current(struct dfopt_dict *dict,
                                   const struct knob_source *from,
                                   struct dfopt_knob *k, struct dfopt_error *err)
{
    struct dfopt_text id = dfopt_json_text(dfopt_json_get(from->knob, "id"));
    struct json_object *j, *values = from->current_values;
    if (!(from->param && dfopt_json_find(values, dfopt_text_z(from->param), &j)) &&
        !dfopt_json_find(values, id, &j))
        return DFOPT_OK;
    k->has_current = 1;
    return read_value(dict, j, "current_values", &k->current, err);
}

/* "knob 'ID'", or its index if it has no id. */
static void name_knob(const struct knob_source *from, size_t index,
                      struct dfopt_error *err)
{
    char name[DFOPT_JSON_NAME_SIZE];
    struct dfopt_text id = dfopt_json_text(dfopt_json_get(from->knob, "id"));
    if (id.len)
        dfopt_error_prefix(err, "knob '%s'", dfopt_json_name(id, name));
    else if (from->param)
        dfopt_error_prefix(err, "knobs['%s']",
                           dfopt_json_name(dfopt_text_z(from->param), name));
    else
        dfopt_error_prefix(err, "knobs[%zu]", index);
}

/* Appends a knob to r->knobs, which has room for it. */
static enum dfopt_err add_knob(struct dfopt_dict *dict,
                               const struct knob_source *from,
                               struct dfopt_registration *r,
                               struct dfopt_error *err)
{
    struct dfopt_knob k = {0};
    enum dfopt_err e = read_id(dict, from, &k, err);
    if (!e)
        e = read_basics(dict, from->knob, &k, err);
    if (!e)
        e = read_range(dict, from->knob, &k, err);
    if (!e)
        e = read_values(dict, from->knob, &k, err);
    if (!e)
        e = read_responses(dict, from->knob, &k, err);
    if (!e)
        e = read_current(dict, from, &k, err);
    if (e) {
        name_knob(from, r->n_knobs, err);
        dfopt_knob_clear(&k);
    } else {
        r->knobs[r->n_knobs++] = k;
    }
    return e;
}

static enum dfopt_err read_knobs(struct dfopt_dict *dict, struct json_object *body,
                                 struct dfopt_registration *r,
                                 struct dfopt_error *err)
{
    struct json_object *knobs = dfopt_json_get(body, "knobs");
    struct knob_source from = {.current_values =
                                   dfopt_json_get(body, "current_values")};
    enum dfopt_json_kind kind = dfopt_json_kind(knobs);
    if (from.current_values &&
        dfopt_json_kind(from.current_values) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "current_values is not an object");
    if (knobs && kind != DFOPT_JSON_LIST && kind != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "knobs is neither an object nor a list");
    size_t n = kind == DFOPT_JSON_LIST ? json_object_array_length(knobs)
               : kind == DFOPT_JSON_OBJECT
                   ? (size_t)json_object_object_length(knobs)
                   : 0;
    r->knobs = calloc(n ? n : 1, sizeof *r->knobs);
    if (!r->knobs)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && kind == DFOPT_JSON_LIST && i < n; i++) {
        from.knob = json_object_array_get_idx(knobs, i);
        e = add_knob(dict, &from, r, err);
    }
    if (kind == DFOPT_JSON_OBJECT) {
        json_object_object_foreach(knobs, param, knob)
        {
            from.param = param;
            from.knob = knob;
            if (!e)
                e = add_knob(dict, &from, r, err);
        }
    }
    return e;
}

/* A string for registration = interpret; anything else is a flaw, read as "". */
static enum dfopt_err read_name(struct dfopt_dict *dict, struct json_object *body,
                                const char *name, enum dfopt_registration_flaw flaw,
                                struct dfopt_registration *r, dfopt_sym *out)
{
    struct json_object *j = dfopt_json_get(body, name);
    if (j && dfopt_json_kind(j) != DFOPT_JSON_TEXT && !r->flaw)
        r->flaw = flaw;
    return dfopt_json_intern(dict, dfopt_json_text(j), out);
}

static enum dfopt_err read_process(struct dfopt_dict *dict,
                                   struct json_object *body,
                                   struct dfopt_registration *r)
{
    struct json_object *leaves = dfopt_json_get(body, "unregister");
    if (leaves && dfopt_json_kind(leaves) != DFOPT_JSON_BOOL)
        r->flaw = DFOPT_FLAW_UNREGISTER;
    else
        r->unregister = leaves && json_object_get_boolean(leaves);
    enum dfopt_err e =
        read_name(dict, body, "namespace", DFOPT_FLAW_NAMESPACE, r, &r->name_space);
    if (!e)
        e = read_name(dict, body, "function_name", DFOPT_FLAW_FUNCTION, r,
                      &r->function);
    if (!e)
        e = read_name(dict, body, "node", DFOPT_FLAW_NODE, r, &r->node);
    return e ? e
             : read_name(dict, body, "instance", DFOPT_FLAW_INSTANCE, r,
                         &r->instance);
}

static int by_id(const void *a, const void *b)
{
    const dfopt_sym x = *(const dfopt_sym *)a, y = *(const dfopt_sym *)b;
    return (x > y) - (x < y);
}

static enum dfopt_err note_duplicates(struct dfopt_registration *r)
{
    dfopt_sym *ids = calloc(r->n_knobs ? r->n_knobs : 1, sizeof *ids);
    if (!ids)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < r->n_knobs; i++)
        ids[i] = r->knobs[i].id;
    qsort(ids, r->n_knobs, sizeof *ids, by_id);
    for (size_t i = 1; i < r->n_knobs; i++)
        if (ids[i] == ids[i - 1] && !r->flaw)
            r->flaw = DFOPT_FLAW_DUPLICATE;
    free(ids);
    return DFOPT_OK;
}

static void drop_knobs(struct dfopt_registration *r)
{
    for (size_t i = 0; i < r->n_knobs; i++)
        dfopt_knob_clear(&r->knobs[i]);
    r->n_knobs = 0;
}

static enum dfopt_err decode(struct dfopt_dict *dict, struct json_object *body,
                             struct dfopt_registration *out,
                             struct dfopt_error *err)
{
    struct dfopt_registration r = {0};
    enum dfopt_err e = read_process(dict, body, &r);
    if (!e)
        e = read_knobs(dict, body, &r, err);
    if (e == DFOPT_ERR_SCHEMA && r.unregister) { /* a leaving process needs none */
        drop_knobs(&r);
        r.flaw = r.flaw ? r.flaw : DFOPT_FLAW_KNOBS;
        e = DFOPT_OK;
    }
    if (!e && !r.unregister)
        e = note_duplicates(&r);
    if (e)
        dfopt_registration_clear(&r);
    else
        *out = r;
    return e;
}

enum dfopt_err dfopt_registration_decode(struct dfopt_dict *dict,
                                         struct json_object *body,
                                         struct dfopt_registration *out,
                                         struct dfopt_error *err)
{
    struct dfopt_dict *scratch;
    enum dfopt_err e = dfopt_dict_create(&scratch, false);
    if (e)
        return e;
    struct dfopt_registration trial = {0};
    e = decode(scratch, body, &trial, err);
    dfopt_registration_clear(&trial);
    dfopt_dict_destroy(scratch);
    return e ? e : decode(dict, body, out, err);
}
