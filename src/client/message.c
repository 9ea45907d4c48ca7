/* Encodes the messages of the client: metadata and body. */
#include "client/impl.h"
#include "json/write.h"

#include <math.h>
#include <string.h>

#define WHOLE_MAX 0x1p53

static void put_z(struct dfopt_put *p, const char *text)
{
    dfopt_put_text(p, text, strlen(text));
}

/* Appends "key":"text" to the object. */
static void put_member(struct dfopt_put *p, const char *raw, const char *text)
{
    dfopt_put_raw(p, raw);
    put_z(p, text);
}

static void put_value(struct dfopt_put *p, const struct dfopt_client_value *v)
{
    switch (v->kind) {
    case DFOPT_CLIENT_INT:
        dfopt_put_int(p, v->i);
        break;
    case DFOPT_CLIENT_FLOAT:
        dfopt_put_real(p, v->d);
        break;
    case DFOPT_CLIENT_STR:
        put_z(p, v->s);
        break;
    case DFOPT_CLIENT_BOOL:
        dfopt_put_raw(p, v->b ? "true" : "false");
        break;
    default:
        dfopt_put_raw(p, "null");
    }
}

/* A count of windows: whole numbers are written without a fraction. */
static void put_count(struct dfopt_put *p, double d)
{
    if (d == trunc(d) && fabs(d) <= WHOLE_MAX)
        dfopt_put_int(p, (int64_t)d);
    else
        dfopt_put_real(p, d);
}

/* ---- registration ---- */

static const char *direction_name(enum dfopt_client_direction d)
{
    static const char *const names[] = {
        [DFOPT_CLIENT_INCREASE] = "increase",
        [DFOPT_CLIENT_DECREASE] = "decrease",
        [DFOPT_CLIENT_SET] = "set",
    };
    return names[d];
}

static const char *step_mode_name(enum dfopt_client_step_mode m)
{
    static const char *const names[] = {
        [DFOPT_CLIENT_ADD] = "add",
        [DFOPT_CLIENT_MULTIPLY] = "multiply",
        [DFOPT_CLIENT_EVIDENCE] = "evidence",
    };
    return names[m];
}

static const char *type_name(enum dfopt_client_kind type)
{
    static const char *const names[] = {
        [DFOPT_CLIENT_INT] = "int",
        [DFOPT_CLIENT_FLOAT] = "float",
        [DFOPT_CLIENT_STR] = "str",
        [DFOPT_CLIENT_BOOL] = "bool",
    };
    return names[type];
}

static void put_response(struct dfopt_put *p, const struct dfopt_client_response *r)
{
    put_z(p, r->tag);
    put_member(p, ":{\"direction\":", direction_name(r->direction));
    dfopt_put_raw(p, ",\"step\":");
    put_value(p, &r->step);
    put_member(p, ",\"step_mode\":", step_mode_name(r->step_mode));
    dfopt_put_raw(p, ",\"set_to\":");
    put_value(p, &r->set_to);
    dfopt_put_raw(p, ",\"min_severity\":");
    dfopt_put_real(p, r->min_severity);
    dfopt_put_raw(p, ",\"min_persistence\":");
    put_count(p, r->min_persistence);
    dfopt_put_raw(p, ",\"cooldown_windows\":");
    put_count(p, r->cooldown_windows);
    put_member(p, ",\"apply_when\":", r->apply_when);
    dfopt_put_raw(p, ",\"effectiveness_threshold\":");
    dfopt_put_real(p, r->effectiveness_threshold);
    dfopt_put_raw(p, "}");
}

static void put_values(struct dfopt_put *p, const struct dfopt_client_value *values,
                       size_t n)
{
    dfopt_put_raw(p, n ? "[" : "null");
    for (size_t i = 0; i < n; i++) {
        dfopt_put_raw(p, i ? "," : "");
        put_value(p, &values[i]);
    }
    dfopt_put_raw(p, n ? "]" : "");
}

static void put_knob(struct dfopt_put *p, const struct client_knob *k)
{
    const struct dfopt_client_value range[] = {k->lo, k->hi};
    put_z(p, k->parameter);
    put_member(p, ":{\"id\":", k->id);
    dfopt_put_raw(p, ",\"default\":");
    put_value(p, &k->default_value);
    put_member(p, ",\"type\":", type_name(k->type));
    dfopt_put_raw(p, ",\"range\":");
    put_values(p, range, k->has_range ? 2 : 0);
    dfopt_put_raw(p, ",\"values\":");
    put_values(p, k->values, k->n_values);
    put_member(p, ",\"scope\":", k->scope);
    dfopt_put_raw(p, ",\"responds_to\":{");
    for (size_t i = 0; i < k->n_responses; i++) {
        dfopt_put_raw(p, i ? "," : "");
        put_response(p, &k->responses[i].r);
    }
    put_member(p, "},\"target_function\":", k->function);
    dfopt_put_raw(p, "}");
}

/* The members of "knobs", or those of "current_values". */
static void put_each(struct dfopt_put *p, const dfopt_client *c,
                     const char *function, bool current)
{
    const char *between = "";
    for (size_t i = 0; i < c->n_knobs; i++) {
        const struct client_knob *k = c->knobs[i];
        if (strcmp(k->function, function) != 0)
            continue;
        dfopt_put_raw(p, between);
        between = ",";
        if (current) {
            put_z(p, k->parameter);
            dfopt_put_raw(p, ":");
            put_value(p, k->current.kind ? &k->current : &k->default_value);
        } else {
            put_knob(p, k);
        }
    }
}

static enum dfopt_err put_meta(const dfopt_client *c, const char *function,
                               struct dfopt_buf *meta)
{
    struct dfopt_put p = dfopt_put_start(meta, NULL);
    put_member(&p, "{\"type\":\"knob_registration\",\"namespace\":",
               c->options.app_namespace);
    put_member(&p, ",\"function\":", function);
    dfopt_put_raw(&p, "}");
    return dfopt_put_end(&p);
}

/* Identifies the sender; DFOptimizer reads the first two. */
static void put_origin(struct dfopt_put *p, const dfopt_client *c,
                       const char *function)
{
    put_member(p, "{\"namespace\":", c->options.app_namespace);
    put_member(p, ",\"function_name\":", function);
    put_member(p, ",\"node\":", c->options.hostname);
    put_member(p, ",\"instance\":", c->instance);
}

enum dfopt_err dfopt_client_unregistration_json(const dfopt_client *c,
                                                const char *function,
                                                struct dfopt_buf *meta,
                                                struct dfopt_buf *body)
{
    enum dfopt_err e = put_meta(c, function, meta);
    if (e)
        return e;
    struct dfopt_put p = dfopt_put_start(body, NULL);
    put_origin(&p, c, function);
    dfopt_put_raw(&p, ",\"unregister\":true}");
    return dfopt_put_end(&p);
}

enum dfopt_err dfopt_client_registration_json(const dfopt_client *c,
                                              const char *function,
                                              struct dfopt_buf *meta,
                                              struct dfopt_buf *body)
{
    enum dfopt_err e = put_meta(c, function, meta);
    if (e)
        return e;
    struct dfopt_put p = dfopt_put_start(body, NULL);
    put_origin(&p, c, function);
    dfopt_put_raw(&p, ",\"knobs\":{");
    put_each(&p, c, function, false);
    dfopt_put_raw(&p, "},\"current_values\":{");
    put_each(&p, c, function, true);
    dfopt_put_raw(&p, "}}");
    return dfopt_put_end(&p);
}

/* ---- objective ---- */

enum dfopt_err dfopt_client_objective_json(const struct dfopt_client_objective *o,
                                           const char *node, struct dfopt_buf *meta,
                                           struct dfopt_buf *body)
{
    struct dfopt_put p = dfopt_put_start(meta, NULL);
    put_member(&p, "{\"type\":\"objective\",\"node\":", node);
    dfopt_put_raw(&p, "}");
    enum dfopt_err e = dfopt_put_end(&p);
    if (e)
        return e;
    p = dfopt_put_start(body, NULL);
    put_member(&p, "{\"node\":", node);
    dfopt_put_raw(&p, ",\"window_index\":");
    dfopt_put_int(&p, o->window_index);
    dfopt_put_raw(&p, ",\"value\":");
    dfopt_put_real(&p, o->value);
    put_member(&p, ",\"goal\":", o->goal == DFOPT_CLIENT_MIN ? "min" : "max");
    dfopt_put_raw(&p, ",\"metrics\":{");
    for (size_t i = 0; i < o->n_metrics; i++) {
        dfopt_put_raw(&p, i ? "," : "");
        put_z(&p, o->metrics[i].name);
        dfopt_put_raw(&p, ":");
        dfopt_put_real(&p, o->metrics[i].value);
    }
    dfopt_put_raw(&p, "}}");
    return dfopt_put_end(&p);
}

/* ---- ack ---- */

static const char *status_name(enum dfopt_client_status status)
{
    static const char *const names[] = {
        [DFOPT_CLIENT_APPLIED] = "applied",
        [DFOPT_CLIENT_REJECTED] = "rejected",
        [DFOPT_CLIENT_DEFERRED] = "deferred",
    };
    return names[status];
}

enum dfopt_err dfopt_client_ack_json(const struct client_ack *a,
                                     struct dfopt_buf *meta, struct dfopt_buf *body)
{
    struct dfopt_put p = dfopt_put_start(meta, NULL);
    put_member(&p, "{\"type\":\"action_ack\",\"plan_id\":", a->plan_id);
    dfopt_put_raw(&p, "}");
    enum dfopt_err e = dfopt_put_end(&p);
    if (e)
        return e;
    p = dfopt_put_start(body, NULL);
    put_member(&p, "{\"plan_id\":", a->plan_id);
    put_member(&p, ",\"knob_id\":", a->knob_id);
    put_member(&p, ",\"status\":", status_name(a->status));
    dfopt_put_raw(&p, ",\"old_value\":");
    put_value(&p, &a->old_value);
    dfopt_put_raw(&p, ",\"new_value\":");
    put_value(&p, &a->new_value);
    put_member(&p, ",\"reason\":", a->reason);
    if (a->window_index >= 0) {
        dfopt_put_raw(&p, ",\"window_index\":");
        dfopt_put_int(&p, a->window_index);
    }
    dfopt_put_raw(&p, ",\"target_nodes\":[");
    if (a->node)
        put_z(&p, a->node);
    put_member(&p, "],\"instance\":", a->instance);
    dfopt_put_raw(&p, "}");
    return dfopt_put_end(&p);
}
