/* Decodes and checks a plan completely before the client sees any of it. Unknown
 * members are ignored. Source: DFOptimizer 0.1.0, _handle_plan_event in
 * dfoptimizer/runtime/context.py, for the members and their defaults. */
#include "base/hostname.h"
#include "client/impl.h"
#include "json/json.h"
#include "json/utf8.h"

#include <string.h>

#define JSON_DEPTH 32

enum dfopt_err dfopt_client_parser_create(const dfopt_client *c,
                                          struct dfopt_json_parser **out,
                                          struct dfopt_error *err)
{
    enum dfopt_err e =
        dfopt_json_parser_create(out, c->options.max_message_bytes, JSON_DEPTH);
    return e ? dfopt_error_set(err, e, "out of memory") : DFOPT_OK;
}

/* A text that must be exact: refused if it has a NUL or is too long. */
static enum dfopt_err get_name(struct json_object *body, const char *name,
                               char *out, size_t size, struct dfopt_error *err)
{
    struct dfopt_text text = dfopt_text_z(out);
    enum dfopt_err e = dfopt_json_get_text(body, name, &text, err);
    if (e || text.at == out)
        return e;
    if (text.len >= size || memchr(text.at, '\0', text.len))
        return dfopt_error_set(err, DFOPT_ERR_LIMIT,
                               "%s has %zu bytes or more, or contains a NUL", name,
                               size);
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return DFOPT_OK;
}

/* A text for people: truncated if too long. */
static enum dfopt_err get_note(struct json_object *body, const char *name,
                               char *out, size_t size, struct dfopt_error *err)
{
    struct dfopt_text text = dfopt_text_z("");
    enum dfopt_err e = dfopt_json_get_text(body, name, &text, err);
    if (e)
        return e;
    size_t n = dfopt_utf8_cut(text.at, text.len, size - 1);
    memcpy(out, text.at, n);
    out[n] = '\0';
    return DFOPT_OK;
}

/* Any scalar. An integer beyond 64 bits becomes FLOAT, to be clamped later. */
static enum dfopt_err get_value(struct json_object *body, const char *name,
                                struct dfopt_client_value *out,
                                struct dfopt_error *err)
{
    struct json_object *j = dfopt_json_get(body, name);
    struct dfopt_client_value v = {.kind = DFOPT_CLIENT_NULL};
    switch (dfopt_json_kind(j)) {
    case DFOPT_JSON_NULL:
        break;
    case DFOPT_JSON_BOOL:
        v.kind = DFOPT_CLIENT_BOOL;
        v.b = json_object_get_boolean(j);
        break;
    case DFOPT_JSON_INT:
        v.kind = DFOPT_CLIENT_INT;
        v.i = json_object_get_int64(j);
        break;
    case DFOPT_JSON_BIG:
    case DFOPT_JSON_REAL:
        v.kind = DFOPT_CLIENT_FLOAT;
        v.d = json_object_get_double(j);
        break;
    case DFOPT_JSON_TEXT:
        v.kind = DFOPT_CLIENT_STR;
        memset(v.s, 0, sizeof v.s);
        *out = v;
        return get_name(body, name, out->s, sizeof out->s, err);
    default:
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is a list or object",
                               name);
    }
    *out = v;
    return DFOPT_OK;
}

static bool is_host(struct dfopt_text node, const char *hostname)
{
    return dfopt_hostname_same(node.at, node.len, hostname, strlen(hostname));
}

/* Whether the plan names target nodes, and whether this node is one of them. */
static enum dfopt_err get_nodes(struct json_object *body, const char *hostname,
                                struct client_incoming *in, struct dfopt_error *err)
{
    struct json_object *nodes = NULL;
    enum dfopt_err e = dfopt_json_get_texts(body, "target_nodes", &nodes, err);
    if (e)
        return e;
    size_t n = nodes ? json_object_array_length(nodes) : 0;
    for (size_t i = 0; i < n && !in->plan.for_node; i++)
        in->plan.for_node =
            is_host(dfopt_json_text(json_object_array_get_idx(nodes, i)), hostname);
    in->elsewhere = n > 0 && !in->plan.for_node;
    return DFOPT_OK;
}

static enum dfopt_err require(struct json_object *body, struct dfopt_error *err)
{
    static const char *const names[] = {"plan_id", "knob_id", "new_value"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct json_object *j = dfopt_json_get(body, names[i]);
        if (!j || (i < 2 && dfopt_json_kind(j) == DFOPT_JSON_TEXT &&
                   dfopt_json_text(j).len == 0))
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s is missing",
                                   names[i]);
    }
    return DFOPT_OK;
}

static enum dfopt_err get_notes(struct json_object *body,
                                struct dfopt_client_plan *p,
                                struct dfopt_error *err)
{
    enum dfopt_err e =
        get_note(body, "rationale", p->rationale, sizeof p->rationale, err);
    if (!e)
        e = get_note(body, "finding_type", p->finding_type, sizeof p->finding_type,
                     err);
    if (!e)
        e = get_note(body, "opportunity_tag", p->opportunity_tag,
                     sizeof p->opportunity_tag, err);
    if (!e)
        e = dfopt_json_get_finite(body, "severity", &p->severity, err);
    if (!e)
        e = dfopt_json_get_whole(body, "window_index", &p->window_index, err);
    return e;
}

static enum dfopt_err read_plan(struct json_object *body, const char *hostname,
                                struct client_incoming *out,
                                struct dfopt_error *err)
{
    struct client_incoming in = {.plan.apply_when = "epoch_boundary"};
    struct dfopt_client_plan *p = &in.plan;
    enum dfopt_err e = require(body, err);
    if (!e)
        e = get_name(body, "plan_id", p->plan_id, sizeof p->plan_id, err);
    if (!e)
        e = get_name(body, "knob_id", in.knob_id, sizeof in.knob_id, err);
    if (!e)
        e = get_name(body, "target_function", in.function, sizeof in.function, err);
    if (!e)
        e = get_name(body, "apply_when", p->apply_when, sizeof p->apply_when, err);
    if (!e)
        e = get_value(body, "new_value", &p->new_value, err);
    if (!e)
        e = get_value(body, "old_value", &p->old_value, err);
    if (!e)
        e = get_notes(body, p, err);
    if (!e)
        e = get_nodes(body, hostname, &in, err);
    if (!e)
        *out = in;
    return e;
}

/* *out is owned: json_object_put. */
static enum dfopt_err parse_object(struct dfopt_json_parser *parser,
                                   const char *text, size_t len, const char *name,
                                   struct json_object **out,
                                   struct dfopt_error *err)
{
    struct json_object *j;
    enum dfopt_err e = dfopt_json_parse(parser, text, len, &j, err);
    if (!e && dfopt_json_kind(j) != DFOPT_JSON_OBJECT) {
        json_object_put(j);
        e = dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    }
    if (e)
        dfopt_error_prefix(err, "%s", name);
    else
        *out = j;
    return e;
}

enum dfopt_err dfopt_client_plan_decode(struct dfopt_json_parser *parser,
                                        const struct dfopt_client_message *m,
                                        const char *hostname,
                                        struct client_incoming *out,
                                        struct dfopt_error *err)
{
    struct json_object *meta, *body;
    enum dfopt_err e =
        parse_object(parser, m->meta, m->meta_len, "metadata", &meta, err);
    if (e)
        return e;
    int64_t peers = 0;
    (void)dfopt_json_get_whole(meta, "peers", &peers, NULL);
    json_object_put(meta); /* the body repeats everything else */
    e = parse_object(parser, m->body, m->body_len, "body", &body, err);
    if (e)
        return e;
    e = read_plan(body, hostname, out, err);
    json_object_put(body);
    if (!e)
        out->peers = peers;
    return e;
}
