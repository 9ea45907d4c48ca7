/* Responses, driven by one field table. */
#include "policy/response_json.h"

enum field_kind { DIRECTION, STEP_MODE, SCALAR, NUMBER, TEXT };

static const struct field {
    const char *name;
    uint32_t bit;
    enum field_kind kind;
    size_t offset;
} table[] = {
#define FIELD(name, bit, kind)                                                     \
    {                                                                              \
#name, DFOPT_RF_##bit, kind, offsetof(struct dfopt_response, name)         \
    }
    FIELD(direction, DIRECTION, DIRECTION),
    FIELD(step, STEP, SCALAR),
    FIELD(step_mode, STEP_MODE, STEP_MODE),
    FIELD(set_to, SET_TO, SCALAR),
    FIELD(min_severity, MIN_SEVERITY, NUMBER),
    FIELD(min_persistence, MIN_PERSISTENCE, NUMBER),
    FIELD(cooldown_windows, COOLDOWN_WINDOWS, NUMBER),
    FIELD(apply_when, APPLY_WHEN, TEXT),
    FIELD(effectiveness_threshold, EFFECTIVENESS_THRESHOLD, NUMBER),
#undef FIELD
};

#define N_FIELDS (sizeof table / sizeof *table)

static void *at(struct dfopt_response *r, const struct field *f)
{
    return (char *)r + f->offset;
}

static const void *at_const(const struct dfopt_response *r, const struct field *f)
{
    return (const char *)r + f->offset;
}

static enum dfopt_err read_direction(struct json_object *j, bool strict,
                                     uint32_t *out, struct dfopt_error *err)
{
    struct dfopt_text name = dfopt_json_text(j);
    uint32_t d = DFOPT_DIRECTION_INCREASE;
    while (d < DFOPT_DIRECTION_UNKNOWN &&
           !dfopt_text_is(name, dfopt_direction_name(d)))
        d++;
    if (strict && d == DFOPT_DIRECTION_UNKNOWN)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "direction must be increase, decrease or set");
    *out = d;
    return DFOPT_OK;
}

static enum dfopt_err read_step_mode(struct json_object *j, bool strict,
                                     uint32_t *out, struct dfopt_error *err)
{
    struct dfopt_text name = dfopt_json_text(j);
    uint32_t m = DFOPT_STEP_ADD;
    while (m <= DFOPT_STEP_EVIDENCE &&
           !dfopt_text_is(name, dfopt_step_mode_name(m)))
        m++;
    if (strict && m > DFOPT_STEP_EVIDENCE)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "step_mode must be add, multiply or evidence");
    *out = m > DFOPT_STEP_EVIDENCE ? DFOPT_STEP_ADD : m;
    return DFOPT_OK;
}

static enum dfopt_err read_scalar(struct dfopt_dict *dict, struct json_object *j,
                                  const char *name, bool strict,
                                  struct dfopt_value *out, struct dfopt_error *err)
{
    enum dfopt_json_kind kind = dfopt_json_kind(j);
    if (!strict && (kind == DFOPT_JSON_LIST || kind == DFOPT_JSON_OBJECT)) {
        *out = dfopt_value_null();
        return DFOPT_OK;
    }
    enum dfopt_err e = dfopt_json_check_scalar(j, name, err);
    return e ? e : dfopt_json_intern_value(dict, j, out);
}

static enum dfopt_err read_apply_when(struct dfopt_dict *dict,
                                      struct json_object *from, const char *name,
                                      dfopt_sym *out, struct dfopt_error *err)
{
    struct dfopt_text text = {0};
    enum dfopt_err e = dfopt_json_get_text(from, name, &text, err);
    return e || !text.at ? e : dfopt_json_intern(dict, text, out);
}

static enum dfopt_err reject_unknown(struct json_object *j, struct dfopt_error *err)
{
    json_object_object_foreach(j, key, member)
    {
        (void)member;
        struct dfopt_text name = dfopt_text_z(key);
        size_t i = 0;
        while (i < N_FIELDS && !dfopt_text_is(name, table[i].name))
            i++;
        if (i == N_FIELDS)
            return dfopt_json_unknown("field", key, "", err);
    }
    return DFOPT_OK;
}

static enum dfopt_err read_field(struct dfopt_dict *dict, struct json_object *from,
                                 const struct field *f, struct json_object *j,
                                 bool strict, struct dfopt_response *r,
                                 struct dfopt_error *err)
{
    switch (f->kind) {
    case DIRECTION:
        return read_direction(j, strict, at(r, f), err);
    case STEP_MODE:
        return read_step_mode(j, strict, at(r, f), err);
    case SCALAR:
        return read_scalar(dict, j, f->name, strict, at(r, f), err);
    case NUMBER:
        return dfopt_json_get_finite(from, f->name, at(r, f), err);
    default:
        return read_apply_when(dict, from, f->name, at(r, f), err);
    }
}

enum dfopt_err dfopt_response_decode(struct dfopt_dict *dict, struct json_object *j,
                                     bool strict, struct dfopt_response *r,
                                     uint32_t *fields, struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "the response is not an object");
    enum dfopt_err e = strict ? reject_unknown(j, err) : DFOPT_OK;
    uint32_t seen = 0;
    for (size_t i = 0; !e && i < N_FIELDS; i++) {
        struct json_object *member;
        if (!dfopt_json_find(j, dfopt_text_z(table[i].name), &member))
            continue;
        e = read_field(dict, j, &table[i], member, strict, r, err);
        seen |= table[i].bit;
    }
    if (!e)
        *fields = seen;
    return e;
}

static void put_field(struct dfopt_put *p, const struct dfopt_response *r,
                      const struct field *f)
{
    const void *v = at_const(r, f);
    switch (f->kind) {
    case DIRECTION:
        dfopt_put_raw(p, "\"");
        dfopt_put_raw(p, dfopt_direction_name(*(const uint32_t *)v));
        dfopt_put_raw(p, "\"");
        break;
    case STEP_MODE:
        dfopt_put_raw(p, "\"");
        dfopt_put_raw(p, dfopt_step_mode_name(*(const uint32_t *)v));
        dfopt_put_raw(p, "\"");
        break;
    case SCALAR:
        dfopt_put_value(p, *(const struct dfopt_value *)v);
        break;
    case NUMBER:
        dfopt_put_real(p, *(const double *)v);
        break;
    case TEXT:
        dfopt_put_sym(p, *(const dfopt_sym *)v);
        break;
    }
}

void dfopt_response_put(struct dfopt_put *p, const struct dfopt_response *r,
                        uint32_t fields)
{
    const char *before = "{\"";
    for (size_t i = 0; i < N_FIELDS; i++)
        if (fields & table[i].bit) {
            dfopt_put_raw(p, before);
            dfopt_put_raw(p, table[i].name);
            dfopt_put_raw(p, "\":");
            put_field(p, r, &table[i]);
            before = ",\"";
        }
    dfopt_put_raw(p, *before == '{' ? "{}" : "}");
}
