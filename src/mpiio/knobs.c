#include "mpiio/knobs.h"

#include "json/json.h"
#include "model/knob.h"
#include "policy/response_json.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX    (1 << 20)
#define DEFAULT_MIN_BYTES 1048576.0

void dfopt_mpiio_knobs_free(struct dfopt_mpiio_knobs *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->n; i++)
        free(k->of[i].values);
    dfopt_dict_destroy(k->texts);
    free(k);
}

bool dfopt_mpiio_at_view(const struct dfopt_mpiio_knob *k)
{
    for (size_t i = 0; k && i < k->knob.n_responses; i++)
        if (strcmp(k->responses[i].apply_when, "file_view") == 0)
            return true;
    return false;
}

bool dfopt_mpiio_knobs_match(const struct dfopt_mpiio_knobs *k, const char *name)
{
    const char *slash = strrchr(name, '/');
    for (size_t i = 0; i < k->n_patterns; i++)
        if (fnmatch(k->patterns[i], name, 0) == 0 ||
            fnmatch(k->patterns[i], slash ? slash + 1 : name, 0) == 0)
            return true;
    return k->n_patterns == 0;
}

/* ---- values ---- */

static const char *text_of(const struct dfopt_mpiio_knobs *k, dfopt_sym s)
{
    size_t len;
    return dfopt_dict_text(k->texts, s, &len);
}

static struct dfopt_client_value to_client(const struct dfopt_mpiio_knobs *k,
                                           struct dfopt_value v)
{
    struct dfopt_client_value out = {.kind = DFOPT_CLIENT_NULL};
    switch ((enum dfopt_kind)v.kind) {
    case DFOPT_KIND_INT:
        out = (struct dfopt_client_value){.kind = DFOPT_CLIENT_INT, .i = v.i};
        break;
    case DFOPT_KIND_REAL:
        out = (struct dfopt_client_value){.kind = DFOPT_CLIENT_FLOAT, .d = v.d};
        break;
    case DFOPT_KIND_BOOL:
        out = (struct dfopt_client_value){.kind = DFOPT_CLIENT_BOOL, .b = v.i != 0};
        break;
    case DFOPT_KIND_STR:
        out.kind = DFOPT_CLIENT_STR;
        snprintf(out.s, sizeof out.s, "%s", text_of(k, v.str));
        break;
    default:
        break;
    }
    return out;
}

/* Implementations divide by some of these, or allocate as much. */
static bool is_possible(const char *hint, const struct dfopt_client_value *v)
{
    const bool size = strncmp(hint, "cb_", 3) == 0 ||
                      strstr(hint, "_buffer_size") ||
                      strncmp(hint, "striping_", 9) == 0;
    return v->kind != DFOPT_CLIENT_INT || (v->i >= size && v->i <= INT_MAX);
}

/* Reads one value of a knob: of its type, and valid as a hint. */
static enum dfopt_err read_value(struct dfopt_mpiio_knobs *k,
                                 const struct dfopt_mpiio_knob *of,
                                 struct json_object *j, const char *what,
                                 struct dfopt_client_value *out,
                                 struct dfopt_error *err)
{
    struct dfopt_value v;
    char text[DFOPT_HINT_VALUE_SIZE];
    enum dfopt_err e = dfopt_json_check_scalar(j, what, err);
    if (!e)
        e = dfopt_json_intern_value(k->texts, j, &v);
    if (e)
        return e;
    *out = to_client(k, v);
    if (out->kind != of->knob.type)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "%s is not of the knob's type", what);
    if (dfopt_hint_text(out, text) || !is_possible(of->knob.parameter, out))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "%s cannot be a value of this hint", what);
    return DFOPT_OK;
}

static enum dfopt_err read_values(struct dfopt_mpiio_knobs *k,
                                  struct dfopt_mpiio_knob *of,
                                  struct json_object *list, struct dfopt_error *err)
{
    const size_t n = json_object_array_length(list);
    of->values = calloc(n ? n : 1, sizeof *of->values);
    if (!of->values)
        return DFOPT_ERR_NOMEM;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < n; i++)
        e = read_value(k, of, json_object_array_get_idx(list, i),
                       "an entry of values", &of->values[i], err);
    of->knob.values = of->values;
    of->knob.n_values = n;
    return e;
}

/* Reads `values` or, for a number, a range. */
static enum dfopt_err read_bounds(struct dfopt_mpiio_knobs *k,
                                  struct dfopt_mpiio_knob *of,
                                  struct json_object *j, struct dfopt_error *err)
{
    struct json_object *values = dfopt_json_get(j, "values");
    struct json_object *range = dfopt_json_get(j, "range");
    if (dfopt_json_kind(values) == DFOPT_JSON_LIST && !range &&
        json_object_array_length(values) > 0)
        return read_values(k, of, values, err);
    if (values || of->knob.type != DFOPT_CLIENT_INT ||
        dfopt_json_kind(range) != DFOPT_JSON_LIST ||
        json_object_array_length(range) != 2)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "needs either values, a list of them, or range, two "
                               "whole numbers for the type int");
    enum dfopt_err e = read_value(k, of, json_object_array_get_idx(range, 0),
                                  "range", &of->knob.lo, err);
    return e ? e
             : read_value(k, of, json_object_array_get_idx(range, 1), "range",
                          &of->knob.hi, err);
}

/* ---- responses ---- */

static struct dfopt_client_response response_of(const struct dfopt_mpiio_knobs *k,
                                                const struct dfopt_response *r)
{
    return (struct dfopt_client_response){
        .tag = text_of(k, r->tag),
        .direction = (enum dfopt_client_direction)r->direction,
        .step_mode = (enum dfopt_client_step_mode)r->step_mode,
        .step = to_client(k, r->step),
        .set_to = to_client(k, r->set_to),
        .min_severity = r->min_severity,
        .min_persistence = r->min_persistence,
        .cooldown_windows = r->cooldown_windows,
        .apply_when = text_of(k, r->apply_when),
        .effectiveness_threshold = r->effectiveness_threshold,
    };
}

static enum dfopt_err read_response(struct dfopt_mpiio_knobs *k,
                                    struct dfopt_mpiio_knob *of, const char *tag,
                                    struct json_object *j, struct dfopt_error *err)
{
    dfopt_sym sym;
    uint32_t fields;
    if (of->knob.n_responses == DFOPT_RESPONSES_MAX)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "more than %d responses",
                               DFOPT_RESPONSES_MAX);
    enum dfopt_err e = dfopt_json_intern_key(k->texts, tag, &sym);
    if (e)
        return e;
    struct dfopt_response r = dfopt_response_default(k->texts, sym);
    if (r.apply_when == DFOPT_SYM_NONE)
        return DFOPT_ERR_NOMEM;
    e = dfopt_response_decode(k->texts, j, true, &r, &fields, err);
    if (!e)
        of->responses[of->knob.n_responses++] = response_of(k, &r);
    return e;
}

static enum dfopt_err read_responses(struct dfopt_mpiio_knobs *k,
                                     struct dfopt_mpiio_knob *of,
                                     struct json_object *j, struct dfopt_error *err)
{
    struct json_object *by_tag = dfopt_json_get(j, "responds_to");
    char name[DFOPT_JSON_NAME_SIZE];
    of->knob.responses = of->responses;
    if (dfopt_json_kind(by_tag) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "responds_to is missing, or not an object");
    json_object_object_foreach(by_tag, tag, response)
    {
        enum dfopt_err e = read_response(k, of, tag, response, err);
        if (e) {
            dfopt_error_prefix(err, "tag '%s'",
                               dfopt_json_name(dfopt_text_z(tag), name));
            return e;
        }
    }
    return DFOPT_OK;
}

/* ---- knobs ---- */

static enum dfopt_err read_type(struct json_object *j, enum dfopt_client_kind *out,
                                struct dfopt_error *err)
{
    const struct dfopt_text type = dfopt_json_text(dfopt_json_get(j, "type"));
    *out = dfopt_text_is(type, "str")    ? DFOPT_CLIENT_STR
           : dfopt_text_is(type, "bool") ? DFOPT_CLIENT_BOOL
                                         : DFOPT_CLIENT_INT;
    return *out != DFOPT_CLIENT_INT || dfopt_text_is(type, "int")
               ? DFOPT_OK
               : dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                 "type must be int, str or bool");
}

static enum dfopt_err read_on_lost(struct json_object *j,
                                   enum dfopt_client_on_lost *out,
                                   struct dfopt_error *err)
{
    struct dfopt_text word = dfopt_text_z("hold");
    const enum dfopt_err e = dfopt_json_get_text(j, "on_lost", &word, err);
    if (e)
        return e;
    *out =
        dfopt_text_is(word, "restore") ? DFOPT_CLIENT_RESTORE : DFOPT_CLIENT_HOLD;
    return *out == DFOPT_CLIENT_RESTORE || dfopt_text_is(word, "hold")
               ? DFOPT_OK
               : dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                 "on_lost is none of hold, restore");
}

static enum dfopt_err read_knob(struct dfopt_mpiio_knobs *k,
                                struct dfopt_mpiio_knob *of, const char *hint,
                                struct json_object *j, struct dfopt_error *err)
{
    static const char *const known[] = {"id",    "type",        "default", "values",
                                        "range", "responds_to", "on_lost", NULL};
    dfopt_sym name, id = 0;
    const struct dfopt_text own_id = dfopt_json_text(dfopt_json_get(j, "id"));
    if (strlen(hint) >= DFOPT_HINT_NAME_SIZE)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "the name is too long");
    enum dfopt_err e = dfopt_json_check_keys(j, known, "", err);
    if (!e)
        e = read_type(j, &of->knob.type, err);
    if (!e)
        e = read_on_lost(j, &of->knob.on_lost, err);
    if (!e)
        e = dfopt_json_intern_key(k->texts, hint, &name);
    if (!e && own_id.len)
        e = dfopt_json_intern(k->texts, own_id, &id);
    if (e)
        return e;
    of->knob.parameter = text_of(k, name);
    of->knob.id = own_id.len ? text_of(k, id) : NULL;
    of->knob.scope = "job";
    e = read_value(k, of, dfopt_json_get(j, "default"), "default",
                   &of->knob.default_value, err);
    if (!e)
        e = read_bounds(k, of, j, err);
    return e ? e : read_responses(k, of, j, err);
}

static enum dfopt_err read_knobs(struct dfopt_mpiio_knobs *k, struct json_object *j,
                                 struct dfopt_error *err)
{
    struct json_object *knobs = dfopt_json_get(j, "knobs");
    char name[DFOPT_JSON_NAME_SIZE];
    if (dfopt_json_kind(knobs) != DFOPT_JSON_OBJECT ||
        json_object_object_length(knobs) == 0)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "knobs is missing, empty, or not an object");
    if (json_object_object_length(knobs) > DFOPT_HINTS_MAX)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "more than %d knobs",
                               DFOPT_HINTS_MAX);
    json_object_object_foreach(knobs, hint, knob)
    {
        enum dfopt_err e = read_knob(k, &k->of[k->n++], hint, knob, err);
        if (e) {
            dfopt_error_prefix(err, "knob '%s'",
                               dfopt_json_name(dfopt_text_z(hint), name));
            return e;
        }
    }
    return DFOPT_OK;
}

/* ---- fields beyond a registration's ---- */

static enum dfopt_err read_fixed(struct dfopt_mpiio_knobs *k, struct json_object *j,
                                 struct dfopt_error *err)
{
    struct json_object *hints = dfopt_json_get(j, "hints");
    char name[DFOPT_JSON_NAME_SIZE];
    if (!hints)
        return DFOPT_OK;
    if (dfopt_json_kind(hints) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "hints is not an object");
    if ((size_t)json_object_object_length(hints) + k->n > DFOPT_HINTS_MAX)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "more than %d hints and knobs",
                               DFOPT_HINTS_MAX);
    json_object_object_foreach(hints, hint, value)
    {
        if (dfopt_json_kind(value) != DFOPT_JSON_TEXT ||
            dfopt_hints_set(&k->fixed, hint, dfopt_json_text(value).at))
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                   "hints: '%s' must be a text of 1 to %d bytes",
                                   dfopt_json_name(dfopt_text_z(hint), name),
                                   DFOPT_HINT_VALUE_SIZE - 1);
    }
    return DFOPT_OK;
}

static enum dfopt_err read_patterns(struct dfopt_mpiio_knobs *k,
                                    struct json_object *j, struct dfopt_error *err)
{
    struct json_object *files = NULL;
    enum dfopt_err e = dfopt_json_get_texts(j, "files", &files, err);
    const size_t n = e || !files ? 0 : json_object_array_length(files);
    if (n > DFOPT_PATTERNS_MAX)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "files: more than %d",
                               DFOPT_PATTERNS_MAX);
    for (size_t i = 0; !e && i < n; i++) {
        const struct dfopt_text t =
            dfopt_json_text(json_object_array_get_idx(files, i));
        if (t.len == 0 || t.len >= sizeof k->patterns[i])
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                   "files: not 1 to %zu bytes",
                                   sizeof k->patterns[i] - 1);
        memcpy(k->patterns[k->n_patterns++], t.at, t.len);
    }
    return e;
}

static enum dfopt_err read_rest(struct dfopt_mpiio_knobs *k, struct json_object *j,
                                struct dfopt_error *err)
{
    struct dfopt_text name = dfopt_text_z("mpiio");
    int64_t wait_ms = 0, connect_ms = 0, lease_ms = 0;
    k->min_bytes = DEFAULT_MIN_BYTES;
    enum dfopt_err e = dfopt_json_get_text(j, "namespace", &name, err);
    if (!e)
        e = dfopt_json_get_finite(j, "min_bytes", &k->min_bytes, err);
    if (!e)
        e = dfopt_json_get_whole(j, "wait_ms", &wait_ms, err);
    if (!e)
        e = dfopt_json_get_whole(j, "connect_ms", &connect_ms, err);
    if (!e)
        e = dfopt_json_get_whole(j, "lease_ms", &lease_ms, err);
    if (e)
        return e;
    if (lease_ms < 0 || lease_ms > INT_MAX)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "lease_ms is not 0 to %d",
                               INT_MAX);
    if (name.len == 0 || name.len >= sizeof k->name_space || wait_ms < 0 ||
        wait_ms > 60000 || connect_ms < 0 || connect_ms > 60000 || k->min_bytes < 0)
        return dfopt_error_set(
            err, DFOPT_ERR_SCHEMA,
            "namespace is not 1 to %zu bytes, wait_ms or connect_ms not 0 to "
            "60000, or min_bytes below 0",
            sizeof k->name_space - 1);
    memcpy(k->name_space, name.at, name.len);
    k->wait_ms = (int)wait_ms;
    k->connect_ms = (int)connect_ms;
    k->lease_ms = (int)lease_ms;
    return read_patterns(k, j, err);
}

static enum dfopt_err read_tree(struct dfopt_mpiio_knobs *k, struct json_object *j,
                                struct dfopt_error *err)
{
    static const char *const known[] = {"namespace",  "files",     "hints",
                                        "knobs",      "min_bytes", "wait_ms",
                                        "connect_ms", "lease_ms",  NULL};
    enum dfopt_err e = dfopt_json_check_keys(j, known, "", err);
    if (!e)
        e = read_rest(k, j, err);
    if (!e)
        e = read_knobs(k, j, err);
    return e ? e : read_fixed(k, j, err);
}

/* ---- the file ---- */

static enum dfopt_err slurp(const char *path, struct dfopt_buf *out,
                            struct dfopt_error *err)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s", strerror(errno));
    enum dfopt_err e = DFOPT_OK;
    size_t n = 1;
    while (!e && n > 0) {
        char block[4096];
        n = fread(block, 1, sizeof block, f);
        e = dfopt_buf_add(out, block, n);
        if (!e && out->len > FILE_BYTES_MAX)
            e = dfopt_error_set(err, DFOPT_ERR_LIMIT, "longer than 1 MiB");
    }
    if (!e && ferror(f))
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s", strerror(errno));
    fclose(f);
    return e;
}

enum dfopt_err dfopt_mpiio_knobs_read(struct dfopt_mpiio_knobs **out,
                                      const char *path, struct dfopt_error *err)
{
    struct dfopt_mpiio_knobs *k = calloc(1, sizeof *k);
    struct dfopt_buf text = {0};
    struct json_object *tree = NULL;
    if (!k)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e = dfopt_dict_create(&k->texts, false);
    if (!e)
        e = slurp(path, &text, err);
    if (!e)
        e = dfopt_json_parse_file(text.data, text.len, &tree, err);
    if (!e)
        e = read_tree(k, tree, err);
    json_object_put(tree);
    dfopt_buf_free(&text);
    if (e) {
        if (e == DFOPT_ERR_NOMEM)
            dfopt_error_set(err, e, "out of memory");
        dfopt_error_prefix(err, "%s", path);
        dfopt_mpiio_knobs_free(k);
        return e;
    }
    *out = k;
    return DFOPT_OK;
}
