/* A finding. Checked completely before its first string is interned, so that a
 * rejected record leaves nothing in the dictionary. */
#include "codec/record.h"

#include <math.h>
#include <string.h>

/* The strings, still in json-c's tree. */
struct finding_texts {
    struct dfopt_text type, scope, motif, trend;
    struct json_object *tags, *suppresses; /* lists of strings, or NULL */
};

static enum dfopt_err read_severity(struct json_object *body,
                                    struct dfopt_finding *f,
                                    struct dfopt_error *err)
{
    struct json_object *j = dfopt_json_get(body, "severity_score");
    if (!j || dfopt_metric_read(j, &f->severity))
        return DFOPT_OK;
    enum dfopt_json_kind kind = dfopt_json_kind(j);
    return dfopt_error_set(
        err, DFOPT_ERR_SCHEMA,
        kind == DFOPT_JSON_REAL || kind == DFOPT_JSON_BIG
            ? "severity_score is not a finite number"
            : "severity_score must be a number, or the text of one");
}

static enum dfopt_err read_texts(struct json_object *body, struct finding_texts *t,
                                 struct dfopt_error *err)
{
    *t = (struct finding_texts){
        .type = dfopt_text_z(""),
        .scope = dfopt_text_z(""),
        .motif = dfopt_text_z("unclassified"),
        .trend = dfopt_text_z("insufficient_data"),
    };
    enum dfopt_err e =
        dfopt_json_get_texts(body, "opportunity_tags", &t->tags, err);
    if (!e)
        e = dfopt_json_get_texts(body, "suppresses_tags", &t->suppresses, err);
    if (!e)
        e = dfopt_json_get_text(body, "scope", &t->scope, err);
    if (!e)
        e = dfopt_json_get_text(body, "trend_direction", &t->trend, err);
    if (!e)
        e = dfopt_json_get_text(body, "finding_type", &t->type, err);
    if (!e)
        e = dfopt_json_get_text(body, "motif", &t->motif, err);
    return e;
}

static enum dfopt_err intern_texts(struct dfopt_dict *dict,
                                   const struct finding_texts *t,
                                   struct dfopt_finding *f)
{
    enum dfopt_err e = dfopt_json_intern(dict, t->type, &f->type);
    if (!e)
        e = dfopt_json_intern(dict, t->scope, &f->scope);
    if (!e)
        e = dfopt_json_intern(dict, t->motif, &f->motif);
    if (!e)
        e = dfopt_json_intern(dict, t->trend, &f->trend_text);
    if (!e)
        e = dfopt_json_intern_texts(dict, t->tags, &f->tags);
    if (!e)
        e = dfopt_json_intern_texts(dict, t->suppresses, &f->suppresses);
    return e ? e : dfopt_finding_derive(dict, f);
}

/* Recorded only, never a reason to reject. */
static double recorded_number(struct json_object *body, const char *name)
{
    struct json_object *j = dfopt_json_get(body, name);
    switch (dfopt_json_kind(j)) {
    case DFOPT_JSON_INT:
    case DFOPT_JSON_BIG:
    case DFOPT_JSON_REAL:
        return json_object_get_double(j);
    default:
        return NAN;
    }
}

enum dfopt_err dfopt_finding_decode(struct dfopt_codec *c, struct json_object *body,
                                    struct dfopt_finding *out,
                                    struct dfopt_error *err)
{
    struct dfopt_finding f;
    struct finding_texts texts;
    memset(&f, 0, sizeof f); /* reserved bytes enter checksums */
    enum dfopt_err e = read_severity(body, &f, err);
    if (!e)
        e = dfopt_json_get_whole(body, "persistence", &f.persistence, err);
    if (!e)
        e = dfopt_json_get_whole(body, "window_index", &f.window, err);
    if (!e)
        e = read_texts(body, &texts, err);
    if (!e)
        e = dfopt_metrics_read(c, body, "key_metrics", f.metric_state, f.metric,
                               err);
    if (!e)
        e = intern_texts(c->dict, &texts, &f);
    if (e)
        return e;
    f.confidence = recorded_number(body, "confidence");
    f.prevalence = recorded_number(body, "prevalence");
    *out = f;
    return DFOPT_OK;
}
