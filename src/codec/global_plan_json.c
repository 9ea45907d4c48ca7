/* Plans of a global optimizer. One table reads the strings and holds their
 * defaults. */
#include "codec/record.h"

static const struct text_field {
    const char *name;
    size_t offset;    /* of a dfopt_sym in struct dfopt_global_plan */
    const char *dflt; /* NULL: required */
} texts[] = {
#define TEXT(name, field, dflt)                                                    \
    {                                                                              \
        name, offsetof(struct dfopt_global_plan, field), dflt                      \
    }
    TEXT("plan_id", plan_id, NULL),
    TEXT("knob_id", knob, NULL),
    TEXT("target_function", target_function, ""),
    TEXT("apply_when", apply_when, "next_window"),
    TEXT("rationale", rationale, "global optimizer"),
    TEXT("finding_type", finding_type, "global"),
    TEXT("opportunity_tag", tag, ""),
#undef TEXT
};

#define N_TEXTS (sizeof texts / sizeof *texts)

static enum dfopt_err read_texts(struct json_object *body,
                                 struct dfopt_text found[N_TEXTS],
                                 struct dfopt_error *err)
{
    for (size_t i = 0; i < N_TEXTS; i++) {
        found[i] =
            texts[i].dflt ? dfopt_text_z(texts[i].dflt) : (struct dfopt_text){0};
        enum dfopt_err e = dfopt_json_get_text(body, texts[i].name, &found[i], err);
        if (e)
            return e;
        if (!found[i].at)
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is missing",
                                   texts[i].name);
    }
    return DFOPT_OK;
}

static enum dfopt_err read_nodes(struct json_object *body,
                                 struct json_object **nodes,
                                 struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_json_get_texts(body, "target_nodes", nodes, err);
    size_t n = *nodes ? json_object_array_length(*nodes) : 0;
    for (size_t i = 0; !e && i < n; i++)
        if (dfopt_json_text(json_object_array_get_idx(*nodes, i)).len == 0)
            e = dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                "target_nodes has an empty name");
    return e;
}

enum dfopt_err dfopt_global_plan_decode(struct dfopt_dict *dict,
                                        struct json_object *body,
                                        struct dfopt_global_plan *out,
                                        struct dfopt_error *err)
{
    struct dfopt_global_plan g = {.window = DFOPT_WINDOW_NONE};
    struct dfopt_text found[N_TEXTS];
    struct json_object *nodes = NULL, *value = dfopt_json_get(body, "new_value");
    enum dfopt_err e = read_texts(body, found, err);
    if (!e)
        e = dfopt_json_get_finite(body, "severity", &g.severity, err);
    if (!e)
        e = dfopt_json_get_whole(body, "window_index", &g.window, err);
    if (!e)
        e = dfopt_json_check_scalar(value, "new_value", err);
    if (!e)
        e = read_nodes(body, &nodes, err);
    for (size_t i = 0; !e && i < N_TEXTS; i++)
        e = dfopt_json_intern(dict, found[i],
                              (dfopt_sym *)(void *)((char *)&g + texts[i].offset));
    if (!e)
        e = dfopt_json_intern_value(dict, value, &g.new_value);
    if (!e)
        e = dfopt_json_intern_texts(dict, nodes, &g.target_nodes);
    if (!e)
        *out = g;
    return e;
}
