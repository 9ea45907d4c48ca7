/* Codec internals: the decoder's state, and the body decoders. */
#ifndef DFOPT_CODEC_RECORD_H
#define DFOPT_CODEC_RECORD_H

#include "codec/codec.h"
#include "codec/finding_fast.h"
#include "json/json.h"

struct dfopt_codec {
    struct dfopt_dict *dict; /* borrowed */
    uint32_t run;            /* identity in plan ids */
    struct dfopt_json_parser *parser;
    struct dfopt_finding_fast *fast; /* NULL in a build without simdjson */
    struct dfopt_metric_names metrics;
    struct json_object *tree;   /* of the last record: events borrow from it */
    struct dfopt_policy preset; /* base of a policy in a command */
    struct dfopt_buf body;      /* what event.body points to */
    struct dfopt_buf raw;       /* the original bytes of an unusable message */
};

/* Decodes one record with json-c: this defines what is accepted, also where a
 * faster decoder is tried first. Zero *out before. Contract:
 * dfopt_codec_decode. */
enum dfopt_err dfopt_record_decode(struct dfopt_codec *c, int stream,
                                   const char *data, size_t len,
                                   struct dfopt_event *out,
                                   struct dfopt_error *err);

/* Whether an object can be a message of the stream: it has at least one of its
 * fields, null or not, and no key exclusive to another kind. OK, or SCHEMA: the
 * text says what it looks like and where that belongs. */
enum dfopt_err dfopt_message_check(uint32_t stream, struct json_object *body,
                                   struct dfopt_error *err);

/* The bodies, which are objects. Each returns OK, SCHEMA or NOMEM. On error
 * nothing is interned and *out is untouched. */

/* Strings are interned in the order type, scope, motif, trend, tags,
 * suppresses, node. */
enum dfopt_err dfopt_finding_decode(struct dfopt_codec *c, struct json_object *body,
                                    struct dfopt_finding *out,
                                    struct dfopt_error *err);

enum dfopt_err dfopt_objective_decode(struct dfopt_codec *c,
                                      struct json_object *body,
                                      struct dfopt_objective *out,
                                      struct dfopt_error *err);

/* A finite number, a boolean, or a string with a finite JSON number. */
bool dfopt_metric_read(struct json_object *j, double *out);

/* The metrics that the codec knows, from the member `name` of the body: an
 * object, null or missing. Absent ones keep their values. OK or SCHEMA. */
enum dfopt_err dfopt_metrics_read(const struct dfopt_codec *c,
                                  struct json_object *body, const char *name,
                                  uint8_t state[DFOPT_METRIC_COUNT],
                                  double metric[DFOPT_METRIC_COUNT],
                                  struct dfopt_error *err);

/* *out is owned: dfopt_registration_clear. */
enum dfopt_err dfopt_registration_decode(struct dfopt_dict *dict,
                                         struct json_object *body,
                                         struct dfopt_registration *out,
                                         struct dfopt_error *err);

/* Sets out->ack, plan_id and reason; the latter two borrow from body. A plan id
 * is recognised if it carries this run. */
enum dfopt_err dfopt_ack_decode(struct dfopt_dict *dict, uint32_t run,
                                struct json_object *body, struct dfopt_event *out,
                                struct dfopt_error *err);

/* An operator command: sets out->command and out->policy. */
enum dfopt_err dfopt_command_decode(struct dfopt_codec *c, struct json_object *body,
                                    struct dfopt_event *out,
                                    struct dfopt_error *err);

enum dfopt_err dfopt_global_plan_decode(struct dfopt_dict *dict,
                                        struct json_object *body,
                                        struct dfopt_global_plan *out,
                                        struct dfopt_error *err);

#endif
