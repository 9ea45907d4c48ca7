/* One record: parse it, detect an envelope, pass the body to its decoder. */
#include "codec/record.h"
#include "json/write.h"

static enum dfopt_err find_stream(struct json_object *record, uint32_t *stream,
                                  struct dfopt_error *err)
{
    struct dfopt_text name = dfopt_json_text(dfopt_json_get(record, "stream"));
    for (uint32_t s = 0; s < DFOPT_STREAM_COUNT; s++)
        if (dfopt_text_is(name, dfopt_stream_name(s))) {
            *stream = s;
            return DFOPT_OK;
        }
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                           "stream must be finding, registration, ack, "
                           "global_plan, objective or control");
}

/* Sets out->stream and enveloped. *body is borrowed from the record. */
static enum dfopt_err open_record(struct json_object *record, int stream,
                                  struct dfopt_event *out,
                                  struct json_object **body,
                                  struct dfopt_error *err)
{
    out->stream = stream < 0 ? DFOPT_STREAM_FINDING : (uint32_t)stream;
    *body = record;
    if (dfopt_json_kind(record) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "not an object");
    struct json_object *ignored;
    if (stream >= 0 || !dfopt_json_find(record, dfopt_text_z("stream"), &ignored))
        return DFOPT_OK;
    out->enveloped = true;
    enum dfopt_err e = find_stream(record, &out->stream, err);
    if (e)
        return e;
    if (!dfopt_json_find(record, dfopt_text_z("body"), body))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "body is missing");
    if (dfopt_json_kind(*body) != DFOPT_JSON_OBJECT)
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "body is not an object");
    return DFOPT_OK;
}

/* The body that the log keeps of a registration. */
static enum dfopt_err keep_body(struct dfopt_codec *c, struct json_object *body,
                                struct dfopt_event *out)
{
    dfopt_buf_clear(&c->body);
    const enum dfopt_err e = dfopt_json_write(body, &c->body);
    if (!e) {
        out->body = c->body.data;
        out->body_len = c->body.len;
    }
    return e;
}

static enum dfopt_err decode_registration(struct dfopt_codec *c,
                                          struct json_object *body,
                                          struct dfopt_event *out,
                                          struct dfopt_error *err)
{
    enum dfopt_err e = out->body ? DFOPT_OK : keep_body(c, body, out);
    if (!e)
        e = dfopt_registration_decode(c->dict, body, &out->registration, err);
    if (e && !out->enveloped)
        out->body = NULL; /* the record is the body */
    return e;
}

static enum dfopt_err decode_command(struct dfopt_codec *c,
                                     struct json_object *body,
                                     struct dfopt_event *out,
                                     struct dfopt_error *err)
{
    dfopt_buf_clear(&c->body);
    enum dfopt_err e = dfopt_json_write(body, &c->body);
    if (!e)
        e = dfopt_command_decode(c, body, out, err);
    if (!e) {
        out->body = c->body.data;
        out->body_len = c->body.len;
    }
    return e;
}

/* ---- an unusable message, in the form of journal/line.h ---- */

static bool is_raw(struct json_object *record)
{
    return dfopt_json_kind(record) == DFOPT_JSON_OBJECT &&
           dfopt_json_get(record, "stream") && !dfopt_json_get(record, "body") &&
           (dfopt_json_get(record, "raw") || dfopt_json_get(record, "raw_hex"));
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static enum dfopt_err read_hex(struct dfopt_text hex, struct dfopt_buf *out,
                               struct dfopt_error *err)
{
    char *to = dfopt_buf_grow(out, hex.len / 2);
    if (!to && hex.len > 1)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < hex.len; i += 2) {
        const int high = hex_digit(hex.at[i]);
        const int low = i + 1 < hex.len ? hex_digit(hex.at[i + 1]) : -1;
        if (high < 0 || low < 0)
            return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                                   "raw_hex is not pairs of hexadecimal digits");
        to[i / 2] = (char)(high << 4 | low);
    }
    return DFOPT_OK;
}

/* Decodes the original bytes, so that they are rejected for the original reason.
 * What the transport refused does not show its reason; `problem` states it. */
static enum dfopt_err decode_raw(struct dfopt_codec *c, struct dfopt_event *out,
                                 struct dfopt_error *err)
{
    const struct dfopt_text problem =
        dfopt_json_text(dfopt_json_get(c->tree, "problem"));
    const struct dfopt_text raw = dfopt_json_text(dfopt_json_get(c->tree, "raw"));
    out->enveloped = true;
    dfopt_buf_clear(&c->raw);
    enum dfopt_err e = find_stream(c->tree, &out->stream, err);
    if (!e && dfopt_json_get(c->tree, "raw"))
        e = dfopt_buf_add(&c->raw, raw.at, raw.len);
    else if (!e)
        e = read_hex(dfopt_json_text(dfopt_json_get(c->tree, "raw_hex")), &c->raw,
                     err);
    if (e)
        return e;
    const char *bytes = c->raw.len ? c->raw.data : "";
    e = problem.len
            ? dfopt_error_set(err, DFOPT_ERR_LIMIT, "%s", problem.at)
            : dfopt_record_decode(c, (int)out->stream, bytes, c->raw.len, out, err);
    out->enveloped = true;
    if (out->stream == DFOPT_STREAM_REGISTRATION) {
        out->raw = bytes; /* the policy may refuse it yet */
        out->raw_len = c->raw.len;
    }
    if (e && out->stream == DFOPT_STREAM_REGISTRATION) {
        out->body = bytes;
        out->body_len = c->raw.len;
    }
    return e;
}

enum dfopt_err dfopt_record_decode(struct dfopt_codec *c, int stream,
                                   const char *data, size_t len,
                                   struct dfopt_event *out, struct dfopt_error *err)
{
    out->stream = stream < 0 ? DFOPT_STREAM_FINDING : (uint32_t)stream;
    json_object_put(c->tree);
    c->tree = NULL;
    enum dfopt_err e = dfopt_json_parse(c->parser, data, len, &c->tree, err);
    if (e)
        return e;
    if (stream < 0 && is_raw(c->tree))
        return decode_raw(c, out, err);
    struct json_object *body;
    e = open_record(c->tree, stream, out, &body, err);
    if (!e && out->enveloped && out->stream == DFOPT_STREAM_REGISTRATION)
        e = keep_body(c, body, out);
    if (!e)
        e = dfopt_message_check(out->stream, body, err);
    if (e)
        return e;
    switch (out->stream) {
    case DFOPT_STREAM_REGISTRATION:
        return decode_registration(c, body, out, err);
    case DFOPT_STREAM_ACK:
        return dfopt_ack_decode(c->dict, c->run, body, out, err);
    case DFOPT_STREAM_GLOBAL_PLAN:
        return dfopt_global_plan_decode(c->dict, body, &out->global_plan, err);
    case DFOPT_STREAM_OBJECTIVE:
        return dfopt_objective_decode(c, body, &out->objective, err);
    case DFOPT_STREAM_CONTROL:
        return decode_command(c, body, out, err);
    default:
        return dfopt_finding_decode(c, body, &out->finding, err);
    }
}
