/* Typed reads of json-c's tree. "Missing" and "null" mean the same unless a
 * function says otherwise. */
#include "json/json.h"
#include "json/grammar.h"
#include "json/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A real holds each whole number up to here. */
#define WHOLE_MAX ((int64_t)1 << 53)

static bool is_big(const struct json_object *j)
{
    /* the text that json-c keeps with a real; see DFOPT_JSON_BIG_MARK */
    const char *text = json_object_get_userdata((struct json_object *)j);
    return text && *text && text[strlen(text) - 1] == DFOPT_JSON_BIG_MARK;
}

enum dfopt_json_kind dfopt_json_kind(const struct json_object *j)
{
    switch (json_object_get_type(j)) {
    case json_type_boolean:
        return DFOPT_JSON_BOOL;
    case json_type_int:
        return DFOPT_JSON_INT;
    case json_type_double:
        return is_big(j) ? DFOPT_JSON_BIG : DFOPT_JSON_REAL;
    case json_type_string:
        return DFOPT_JSON_TEXT;
    case json_type_array:
        return DFOPT_JSON_LIST;
    case json_type_object:
        return DFOPT_JSON_OBJECT;
    case json_type_null:
        break;
    }
    return DFOPT_JSON_NULL;
}

struct dfopt_text dfopt_json_text(struct json_object *j)
{
    if (!json_object_is_type(j, json_type_string))
        return (struct dfopt_text){"", 0};
    return (struct dfopt_text){json_object_get_string(j),
                               (size_t)json_object_get_string_len(j)};
}

bool dfopt_json_finite(struct json_object *j, double *out)
{
    switch (dfopt_json_kind(j)) {
    case DFOPT_JSON_BOOL:
        *out = json_object_get_boolean(j) ? 1 : 0;
        return true;
    case DFOPT_JSON_INT:
        *out = (double)json_object_get_int64(j);
        return true;
    case DFOPT_JSON_BIG:
    case DFOPT_JSON_REAL: {
        double d = json_object_get_double(j);
        if (!isfinite(d))
            return false;
        *out = d;
        return true;
    }
    default:
        return false;
    }
}

bool dfopt_json_whole(struct json_object *j, int64_t *out)
{
    enum dfopt_json_kind kind = dfopt_json_kind(j);
    if (kind == DFOPT_JSON_INT) {
        int64_t i = json_object_get_int64(j);
        if (i < -WHOLE_MAX || i > WHOLE_MAX)
            return false;
        *out = i;
        return true;
    }
    double d = kind == DFOPT_JSON_REAL ? json_object_get_double(j) : NAN;
    if (!(fabs(d) <= (double)WHOLE_MAX) || d != trunc(d))
        return false;
    *out = (int64_t)d;
    return true;
}

struct json_object *dfopt_json_get(struct json_object *object, const char *name)
{
    struct json_object *j = NULL;
    json_object_object_get_ex(object, name, &j);
    return j;
}

static bool key_is(const char *key, struct dfopt_text name)
{
    for (size_t i = 0; i < name.len; i++) {
        char want = name.at[i] ? name.at[i] : DFOPT_JSON_NUL_MARK;
        if (key[i] != want)
            return false; /* also the end of a shorter key */
    }
    return key[name.len] == '\0';
}

bool dfopt_json_find(struct json_object *object, struct dfopt_text name,
                     struct json_object **out)
{
    *out = NULL;
    if (!object)
        return false;
    if (!memchr(name.at, '\0', name.len))
        return json_object_object_get_ex(object, name.at, out);
    json_object_object_foreach(object, key, member)
    {
        if (key_is(key, name)) {
            *out = member;
            return true;
        }
    }
    return false;
}

enum dfopt_err dfopt_json_get_text(struct json_object *object, const char *name,
                                   struct dfopt_text *out, struct dfopt_error *err)
{
    struct json_object *j = dfopt_json_get(object, name);
    if (!j)
        return DFOPT_OK;
    if (dfopt_json_kind(j) != DFOPT_JSON_TEXT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is not a string", name);
    *out = dfopt_json_text(j);
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_get_whole(struct json_object *object, const char *name,
                                    int64_t *out, struct dfopt_error *err)
{
    struct json_object *j = dfopt_json_get(object, name);
    if (j && !dfopt_json_whole(j, out))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "%s is not a whole number of at most 2^53", name);
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_get_finite(struct json_object *object, const char *name,
                                     double *out, struct dfopt_error *err)
{
    struct json_object *j = dfopt_json_get(object, name);
    if (j && !dfopt_json_finite(j, out))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is not a finite number",
                               name);
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_get_texts(struct json_object *object, const char *name,
                                    struct json_object **out,
                                    struct dfopt_error *err)
{
    struct json_object *list = dfopt_json_get(object, name);
    if (!list)
        return DFOPT_OK;
    bool good = dfopt_json_kind(list) == DFOPT_JSON_LIST;
    size_t n = good ? json_object_array_length(list) : 0;
    for (size_t i = 0; good && i < n; i++)
        good =
            dfopt_json_kind(json_object_array_get_idx(list, i)) == DFOPT_JSON_TEXT;
    if (!good)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is not a list of strings",
                               name);
    *out = list;
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_check_scalar(struct json_object *j, const char *name,
                                       struct dfopt_error *err)
{
    switch (dfopt_json_kind(j)) {
    case DFOPT_JSON_BIG:
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "%s has an integer that needs more than 64 bits",
                               name);
    case DFOPT_JSON_LIST:
    case DFOPT_JSON_OBJECT:
        return dfopt_error_set(
            err, DFOPT_ERR_SCHEMA,
            "%s has a list or object where a single value belongs", name);
    default:
        return DFOPT_OK;
    }
}

enum dfopt_err dfopt_json_unknown(const char *what, const char *key,
                                  const char *allowed, struct dfopt_error *err)
{
    char name[DFOPT_JSON_NAME_SIZE];
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "unknown %s '%s'%s", what,
                           dfopt_json_name(dfopt_text_z(key), name), allowed);
}

enum dfopt_err dfopt_json_check_keys(struct json_object *j,
                                     const char *const *known, const char *allowed,
                                     struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    json_object_object_foreach(j, key, member)
    {
        (void)member;
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return dfopt_json_unknown("key", key, allowed, err);
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_intern(struct dfopt_dict *dict, struct dfopt_text text,
                                 dfopt_sym *out)
{
    dfopt_sym s = dfopt_dict_intern(dict, text.at, text.len);
    if (s == DFOPT_SYM_NONE)
        return DFOPT_ERR_NOMEM;
    *out = s;
    return DFOPT_OK;
}

enum dfopt_err dfopt_json_intern_key(struct dfopt_dict *dict, const char *key,
                                     dfopt_sym *out)
{
    struct dfopt_text text = dfopt_text_z(key);
    if (!strchr(key, DFOPT_JSON_NUL_MARK))
        return dfopt_json_intern(dict, text, out);
    char *copy = malloc(text.len);
    if (!copy)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++)
        copy[i] = key[i] == DFOPT_JSON_NUL_MARK ? '\0' : key[i];
    text.at = copy;
    enum dfopt_err e = dfopt_json_intern(dict, text, out);
    free(copy);
    return e;
}

enum dfopt_err dfopt_json_intern_texts(struct dfopt_dict *dict,
                                       struct json_object *list, dfopt_list *out)
{
    dfopt_sym few[16] = {0}, *items = few;
    size_t n = list ? json_object_array_length(list) : 0;
    if (n > sizeof few / sizeof *few) {
        items = malloc(n * sizeof *items);
        if (!items)
            return DFOPT_ERR_NOMEM;
    }
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < n; i++)
        e = dfopt_json_intern(
            dict, dfopt_json_text(json_object_array_get_idx(list, i)), &items[i]);
    if (!e) {
        dfopt_list l = dfopt_dict_intern_list(dict, items, n);
        if (l == DFOPT_LIST_NONE)
            e = DFOPT_ERR_NOMEM;
        else
            *out = l;
    }
    if (items != few)
        free(items);
    return e;
}

enum dfopt_err dfopt_json_intern_value(struct dfopt_dict *dict,
                                       struct json_object *j,
                                       struct dfopt_value *out)
{
    enum dfopt_err e = DFOPT_OK;
    dfopt_sym s;
    switch (dfopt_json_kind(j)) {
    case DFOPT_JSON_BOOL:
        *out = dfopt_value_bool(json_object_get_boolean(j));
        break;
    case DFOPT_JSON_INT:
        *out = dfopt_value_int(json_object_get_int64(j));
        break;
    case DFOPT_JSON_REAL:
        *out = dfopt_value_real(json_object_get_double(j));
        break;
    case DFOPT_JSON_TEXT:
        e = dfopt_json_intern(dict, dfopt_json_text(j), &s);
        if (!e)
            *out = dfopt_value_str(s);
        break;
    default:
        *out = dfopt_value_null();
        break;
    }
    return e;
}

const char *dfopt_json_name(struct dfopt_text name, char out[DFOPT_JSON_NAME_SIZE])
{
    size_t n = dfopt_utf8_cut(name.at, name.len, DFOPT_JSON_NAME_SIZE - 4);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name.at[i];
        out[i] = c < 0x20 || c == 0x7f ? '?' : name.at[i];
        if (name.at[i] == DFOPT_JSON_NUL_MARK)
            out[i] = '?';
    }
    memcpy(out + n, n < name.len ? "..." : "", n < name.len ? 4 : 1);
    return out;
}
