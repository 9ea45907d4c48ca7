/* From a sweep file to variants. A setting is applied as the policy file that
 * would make it, so both accept the same input and report the same errors. */
#include "policy/sweep_json.h"

#include "policy/policy_json.h"
#include "policy/sweep_axis.h"
#include "json/write.h"
#include "model/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    struct dfopt_dict *dict;
    struct dfopt_policy base;
    bool with_base;
    struct dfopt_axis *axes; /* owned; by parameter */
    size_t n_axes;
    struct json_object **values; /* owned; by parameter, for the current variant */
    bool *set;                   /* owned; whether the variant sets it */
    struct dfopt_sweep_variants *out;
    size_t made; /* variants */
};

static enum dfopt_err out_of_memory(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

/* ---- one setting ---- */

/* Adds a member (taken; NULL is JSON's null) under the first bytes of a key. */
static bool add_member(struct json_object *object, const char *key, size_t len,
                       struct json_object *member)
{
    char *name = strndup(key, len);
    const bool good = name && json_object_object_add(object, name, member) == 0;
    if (!good)
        json_object_put(member);
    free(name);
    return good;
}

/* {"switches": {NAME: value}} or {"responses": {TARGET: {FIELD: value}}}: a
 * target may contain dots, a field does not. */
static struct json_object *policy_of(const char *path, struct json_object *value)
{
    struct json_object *root = json_object_new_object(), *at = root;
    bool good = root != NULL;
    for (int level = 0; good && *path; level++) {
        const char *dot = level == 1 ? strrchr(path, '.') : strchr(path, '.');
        const size_t len = dot ? (size_t)(dot - path) : strlen(path);
        struct json_object *next =
            dot ? json_object_new_object() : json_object_get(value);
        good = (next || !dot) && add_member(at, path, len, next);
        at = next;
        path += dot ? len + 1 : len;
    }
    if (good)
        return root;
    json_object_put(root);
    return NULL;
}

static enum dfopt_err check_path(const char *path, struct dfopt_error *err)
{
    char name[DFOPT_JSON_NAME_SIZE];
    const char *dot = strrchr(path, '.');
    if ((strncmp(path, "switches.", 9) == 0 && path[9] && !strchr(path + 9, '.')) ||
        (strncmp(path, "responses.", 10) == 0 && dot > path + 10 && dot[1]))
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                           "'%s' must be switches.NAME or responses.TARGET.FIELD",
                           dfopt_json_name(dfopt_text_z(path), name));
}

/* Adds the value to the table of settings; its text goes to the end of `texts`. */
static enum dfopt_err note_setting(struct builder *b, size_t parameter,
                                   struct json_object *value)
{
    struct dfopt_sweep_variants *v = b->out;
    struct dfopt_sweep_setting *s =
        &v->settings[b->made * v->n_parameters + parameter];
    s->text = v->texts.len;
    if (!dfopt_json_finite(value, &s->number))
        s->number = NAN;
    enum dfopt_err e = value ? dfopt_json_write(value, &v->texts)
                             : dfopt_buf_add(&v->texts, "null", 4);
    return e ? e : dfopt_buf_add(&v->texts, "", 1);
}

static enum dfopt_err apply_setting(struct builder *b, size_t parameter,
                                    struct json_object *value,
                                    struct dfopt_policy *policy,
                                    struct dfopt_error *err)
{
    const char *path = b->out->paths[parameter];
    const size_t text = b->out->texts.len;
    struct json_object *tree = policy_of(path, value);
    enum dfopt_err e = note_setting(b, parameter, value);
    if (e || !tree)
        e = out_of_memory(err);
    else
        e = dfopt_policy_decode(b->dict, tree, policy, err);
    char shown[DFOPT_JSON_NAME_SIZE], name[DFOPT_JSON_NAME_SIZE];
    if (e && e != DFOPT_ERR_NOMEM)
        dfopt_error_prefix(
            err, "%s = %s", dfopt_json_name(dfopt_text_z(path), name),
            dfopt_json_name(dfopt_text_z(b->out->texts.data + text), shown));
    json_object_put(tree);
    return e;
}

/* ---- one variant ---- */

/* Adds the variant of b->values. */
static enum dfopt_err add_variant(struct builder *b, struct dfopt_error *err)
{
    struct dfopt_sweep_variants *v = b->out;
    struct dfopt_policy *policy = &v->policies[b->made];
    if (dfopt_policy_copy(policy, &b->base, 0))
        return out_of_memory(err);
    v->n = b->made + 1;
    enum dfopt_err e = DFOPT_OK;
    for (size_t p = 0; p < v->n_parameters && !e; p++) {
        struct dfopt_sweep_setting *s = &v->settings[b->made * v->n_parameters + p];
        *s = (struct dfopt_sweep_setting){.text = 0, .number = NAN};
        if (b->set[p])
            e = apply_setting(b, p, b->values[p], policy, err);
    }
    b->made++;
    b->base.metrics = policy->metrics; /* a slot means the same in all variants */
    return e;
}

/* Makes room for n variants, and adds the base's own. */
static enum dfopt_err begin(struct builder *b, uint64_t n, struct dfopt_error *err)
{
    struct dfopt_sweep_variants *v = b->out;
    const size_t all = (size_t)n + b->with_base;
    if (n > DFOPT_SWEEP_VARIANTS_MAX)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT, "more than %zu variants",
                               DFOPT_SWEEP_VARIANTS_MAX);
    v->policies = calloc(all ? all : 1, sizeof *v->policies);
    v->settings = calloc(all * v->n_parameters + 1, sizeof *v->settings);
    b->values = calloc(v->n_parameters + 1, sizeof(struct json_object *));
    b->set = calloc(v->n_parameters + 1, sizeof *b->set);
    if (!v->policies || !v->settings || !b->values || !b->set ||
        dfopt_buf_add(&v->texts, "", 1))
        return out_of_memory(err);
    return b->with_base ? add_variant(b, err) : DFOPT_OK;
}

static enum dfopt_err add_path(struct builder *b, const char *path,
                               struct dfopt_error *err)
{
    struct dfopt_sweep_variants *v = b->out;
    enum dfopt_err e = check_path(path, err);
    if (e)
        return e;
    char **paths = realloc(v->paths, (v->n_parameters + 1) * sizeof *paths);
    if (paths)
        v->paths = paths;
    if (!paths || !(paths[v->n_parameters] = strdup(path)))
        return out_of_memory(err);
    v->n_parameters++;
    return DFOPT_OK;
}

/* ---- grid and sample: axes ---- */

static enum dfopt_err read_axes(struct builder *b, struct json_object *j,
                                struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_OBJECT ||
        json_object_object_length(j) == 0)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "not an object with a parameter");
    b->axes = calloc((size_t)json_object_object_length(j), sizeof *b->axes);
    if (!b->axes)
        return out_of_memory(err);
    json_object_object_foreach(j, path, values)
    {
        enum dfopt_err e = add_path(b, path, err);
        if (!e)
            e = dfopt_axis_read(&b->axes[b->n_axes++], path, values, err);
        if (e)
            return e;
    }
    return DFOPT_OK;
}

/* Adds a variant with values made by `value`. */
static enum dfopt_err
add_point(struct builder *b, const void *at,
          struct json_object *(*value)(const struct builder *b, const void *at,
                                       size_t axis, enum dfopt_err *e),
          struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t p = 0; p < b->n_axes && !e; p++) {
        b->values[p] = value(b, at, p, &e);
        b->set[p] = true;
    }
    e = e ? out_of_memory(err) : add_variant(b, err);
    for (size_t p = 0; p < b->n_axes; p++) {
        json_object_put(b->values[p]);
        b->values[p] = NULL;
    }
    return e;
}

/* The last axis varies fastest. */
static struct json_object *grid_value(const struct builder *b, const void *at,
                                      size_t axis, enum dfopt_err *e)
{
    uint64_t i = *(const uint64_t *)at;
    for (size_t p = b->n_axes - 1; p > axis; p--)
        i /= dfopt_axis_count(&b->axes[p]);
    return dfopt_axis_at(&b->axes[axis], i % dfopt_axis_count(&b->axes[axis]), e);
}

static enum dfopt_err make_grid(struct builder *b, struct json_object *j,
                                struct dfopt_error *err)
{
    uint64_t n = 1;
    enum dfopt_err e = read_axes(b, j, err);
    for (size_t p = 0; p < b->n_axes && !e; p++) {
        const uint64_t more = dfopt_axis_count(&b->axes[p]);
        char name[DFOPT_JSON_NAME_SIZE];
        if (more == 0)
            e = dfopt_error_set(
                err, DFOPT_ERR_SCHEMA, "%s: a range in a grid needs step or count",
                dfopt_json_name(dfopt_text_z(b->axes[p].path), name));
        n = n > DFOPT_SWEEP_VARIANTS_MAX ? n : n * more;
    }
    if (!e)
        e = begin(b, n, err);
    for (uint64_t i = 0; i < n && !e; i++)
        e = add_point(b, &i, grid_value, err);
    return e;
}

static struct json_object *sample_value(const struct builder *b, const void *at,
                                        size_t axis, enum dfopt_err *e)
{
    return dfopt_axis_sample(&b->axes[axis], ((const double *)at)[axis], e);
}

static enum dfopt_err read_method(struct json_object *j,
                                  enum dfopt_sample_method *method,
                                  struct dfopt_error *err)
{
    struct dfopt_text name = dfopt_text_z("latin_hypercube");
    enum dfopt_err e = dfopt_json_get_text(j, "method", &name, err);
    if (e)
        return e;
    *method = DFOPT_SAMPLE_LATIN_HYPERCUBE;
    if (dfopt_text_is(name, "random"))
        *method = DFOPT_SAMPLE_RANDOM;
    else if (!dfopt_text_is(name, "latin_hypercube"))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "method must be \"random\" or \"latin_hypercube\"");
    return DFOPT_OK;
}

static enum dfopt_err add_points(struct builder *b, enum dfopt_sample_method method,
                                 int64_t seed, size_t n, struct dfopt_error *err)
{
    double *u = calloc(n * b->n_axes + 1, sizeof *u);
    enum dfopt_err e = DFOPT_ERR_NOMEM;
    if (u)
        e = dfopt_sample_fill(method, (uint64_t)seed, n, b->n_axes, u);
    if (e)
        out_of_memory(err);
    for (size_t i = 0; i < n && !e; i++)
        e = add_point(b, u + i * b->n_axes, sample_value, err);
    free(u);
    return e;
}

static enum dfopt_err make_sample(struct builder *b, struct json_object *j,
                                  struct dfopt_error *err)
{
    static const char *const known[] = {"method", "n", "seed", "over", NULL};
    enum dfopt_sample_method method;
    int64_t n = 0, seed = 0;
    enum dfopt_err e =
        dfopt_json_check_keys(j, known, " (method, n, seed or over)", err);
    if (!e)
        e = read_method(j, &method, err);
    if (!e)
        e = dfopt_json_get_whole(j, "n", &n, err);
    if (!e)
        e = dfopt_json_get_whole(j, "seed", &seed, err);
    if (!e && n < 1)
        e = dfopt_error_set(err, DFOPT_ERR_SCHEMA, "n must be above 0");
    if (e)
        return e;
    e = read_axes(b, dfopt_json_get(j, "over"), err);
    if (e)
        dfopt_error_prefix(err, "over");
    if (!e)
        e = begin(b, (uint64_t)n, err);
    return e ? e : add_points(b, method, seed, (size_t)n, err);
}

/* ---- list ---- */

static size_t find_path(const struct builder *b, const char *path)
{
    size_t p = 0;
    while (p < b->out->n_parameters && strcmp(b->out->paths[p], path) != 0)
        p++;
    return p;
}

static enum dfopt_err add_paths(struct builder *b, struct json_object *entry,
                                struct dfopt_error *err)
{
    if (dfopt_json_kind(entry) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    json_object_object_foreach(entry, path, value)
    {
        (void)value;
        enum dfopt_err e = find_path(b, path) < b->out->n_parameters
                               ? DFOPT_OK
                               : add_path(b, path, err);
        if (e)
            return e;
    }
    return DFOPT_OK;
}

static enum dfopt_err add_entry(struct builder *b, struct json_object *entry,
                                struct dfopt_error *err)
{
    memset(b->set, 0, b->out->n_parameters * sizeof *b->set);
    json_object_object_foreach(entry, path, value)
    {
        const size_t p = find_path(b, path);
        b->values[p] = value;
        b->set[p] = true;
    }
    return add_variant(b, err);
}

static enum dfopt_err make_list(struct builder *b, struct json_object *j,
                                struct dfopt_error *err)
{
    if (dfopt_json_kind(j) != DFOPT_JSON_LIST || json_object_array_length(j) == 0)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not a list of variants");
    const size_t n = json_object_array_length(j);
    enum dfopt_err e = DFOPT_OK;
    size_t i = 0;
    for (; i < n && !e; i++)
        e = add_paths(b, json_object_array_get_idx(j, i), err);
    if (!e) {
        e = begin(b, n, err);
        if (e)
            return e;
        for (i = 0; i < n && !e; i++)
            e = add_entry(b, json_object_array_get_idx(j, i), err);
    }
    if (e && e != DFOPT_ERR_NOMEM)
        dfopt_error_prefix(err, "[%zu]", i - 1);
    return e;
}

/* ---- the file ---- */

static const struct {
    const char *key;
    enum dfopt_err (*make)(struct builder *b, struct json_object *j,
                           struct dfopt_error *err);
} ways[] = {{"grid", make_grid}, {"list", make_list}, {"sample", make_sample}};

static enum dfopt_err read_base(struct builder *b, struct json_object *tree,
                                struct dfopt_error *err)
{
    struct json_object *policy = NULL, *with = dfopt_json_get(tree, "with_base");
    if (with && dfopt_json_kind(with) != DFOPT_JSON_BOOL)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "with_base must be true or false");
    b->with_base = with && json_object_get_boolean(with);
    if (!json_object_object_get_ex(tree, "policy", &policy))
        return DFOPT_OK;
    enum dfopt_err e = dfopt_policy_decode(b->dict, policy, &b->base, err);
    if (e)
        dfopt_error_prefix(err, "policy");
    return e;
}

static enum dfopt_err read_sweep(struct builder *b, struct json_object *tree,
                                 struct dfopt_error *err)
{
    static const char *const known[] = {"policy", "with_base", "grid",
                                        "list",   "sample",    NULL};
    enum dfopt_err e = dfopt_json_check_keys(
        tree, known, " (policy, with_base, grid, list or sample)", err);
    if (!e)
        e = read_base(b, tree, err);
    struct json_object *found = NULL, *j = NULL;
    size_t way = 0, n = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (json_object_object_get_ex(tree, ways[i].key, &j)) {
            found = j;
            way = i;
            n++;
        }
    if (!e && n != 1)
        e = dfopt_error_set(
            err, DFOPT_ERR_SCHEMA,
            "needs exactly one of grid, list and sample, but has %s",
            n ? "more" : "none");
    if (e)
        return e;
    e = ways[way].make(b, found, err);
    if (e)
        dfopt_error_prefix(err, "%s", ways[way].key);
    return e;
}

enum dfopt_err dfopt_sweep_read(struct dfopt_dict *dict, const char *text,
                                size_t len, const struct dfopt_policy *policy,
                                struct dfopt_sweep_variants *out,
                                struct dfopt_error *err)
{
    struct json_object *tree = NULL;
    struct dfopt_sweep_variants made = {0};
    struct builder b = {.dict = dict, .out = &made};
    enum dfopt_err e = dfopt_json_parse_file(text, len, &tree, err);
    if (!e && dfopt_policy_copy(&b.base, policy, 0))
        e = out_of_memory(err);
    if (!e)
        e = read_sweep(&b, tree, err);
    json_object_put(tree);
    dfopt_policy_clear(&b.base);
    free(b.axes);
    free(b.values);
    free(b.set);
    if (e)
        dfopt_sweep_variants_free(&made);
    else
        *out = made;
    return e;
}
