/* The decoder's public interface: create, destroy, decode one record. */
#include "codec/codec.h"
#include "codec/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RECORD_BYTES ((size_t)1 << 20)
#define DEFAULT_DEPTH        32

enum dfopt_err dfopt_codec_create(struct dfopt_codec **out, struct dfopt_dict *dict,
                                  const struct dfopt_codec_limits *limits)
{
    size_t bytes = limits ? limits->max_record_bytes : 0;
    int depth = limits ? limits->max_depth : 0;
    struct dfopt_codec *c = calloc(1, sizeof *c);
    if (!c)
        return DFOPT_ERR_NOMEM;
    bytes = bytes ? bytes : DEFAULT_RECORD_BYTES;
    depth = depth ? depth : DEFAULT_DEPTH;
    enum dfopt_err e = dfopt_json_parser_create(&c->parser, bytes, depth);
    if (!e)
        e = dfopt_finding_fast_create(&c->fast, dict, bytes, depth);
    if (e) {
        dfopt_codec_destroy(c);
        return e;
    }
    c->dict = dict;
    c->run = limits ? limits->run : 0;
    dfopt_codec_preset(c, limits ? (enum dfopt_preset)limits->preset
                                 : DFOPT_PRESET_DEFAULT);
    *out = c;
    return DFOPT_OK;
}

void dfopt_codec_destroy(struct dfopt_codec *c)
{
    if (!c)
        return;
    dfopt_finding_fast_destroy(c->fast);
    dfopt_json_parser_destroy(c->parser);
    json_object_put(c->tree);
    dfopt_buf_free(&c->body);
    dfopt_buf_free(&c->raw);
    free(c);
}

void dfopt_codec_preset(struct dfopt_codec *c, enum dfopt_preset preset)
{
    dfopt_policy_preset(&c->preset, preset);
}

void dfopt_codec_metrics(struct dfopt_codec *c,
                         const struct dfopt_metric_names *metrics)
{
    c->metrics = *metrics;
    dfopt_finding_fast_metrics(c->fast, metrics->name);
}

void dfopt_event_clear(struct dfopt_event *e)
{
    if (e->stream == DFOPT_STREAM_REGISTRATION)
        dfopt_registration_clear(&e->registration);
    if (e->policy)
        dfopt_policy_clear(e->policy);
    free(e->policy);
    memset(e, 0, sizeof *e);
}

enum dfopt_err dfopt_codec_decode(struct dfopt_codec *c, int stream,
                                  const char *data, size_t len,
                                  struct dfopt_event *out, struct dfopt_error *err)
{
    assert(stream >= -1 && stream < (int)DFOPT_STREAM_COUNT);
    memset(out, 0, sizeof *out); /* so the stream is FINDING */
    if (stream <= (int)DFOPT_STREAM_FINDING &&
        dfopt_finding_fast_decode(c->fast, data, len, stream < 0, &out->finding,
                                  &out->enveloped))
        return DFOPT_OK;
    if ((stream < 0 || stream == DFOPT_STREAM_OBJECTIVE) &&
        dfopt_objective_fast_decode(c->fast, data, len, stream < 0,
                                    &out->objective)) {
        out->stream = DFOPT_STREAM_OBJECTIVE;
        out->enveloped = stream < 0;
        return DFOPT_OK;
    }
    enum dfopt_err e = dfopt_record_decode(c, stream, data, len, out, err);
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(err, e, "out of memory");
    return e;
}
