/* JSON <-> model. Input is decoded into plain data with interned strings;
 * output is one line of compact JSON. docs/messages.md defines the accepted
 * fields. */
#ifndef DFOPT_CODEC_CODEC_H
#define DFOPT_CODEC_CODEC_H

#include "base/buf.h"
#include "base/log.h"
#include "model/policy.h"
#include "model/decision.h"
#include "model/state.h"

/* ---- input ---- */

struct dfopt_codec; /* decoder and its scratch memory; one thread */

struct dfopt_codec_limits {
    size_t max_record_bytes; /* longer records are rejected; 0: 1 MiB */
    int max_depth;           /* nesting of arrays and objects; 0: 32 */
    uint32_t run;            /* identity in plan ids (dfopt_plan_id_run_text) */
    uint32_t preset;         /* enum dfopt_preset: of policies in commands */
};

/* Returns owned: destroy. `dict` is borrowed for the decoder's life. */
enum dfopt_err dfopt_codec_create(struct dfopt_codec **out, struct dfopt_dict *dict,
                                  const struct dfopt_codec_limits *limits);
void dfopt_codec_destroy(struct dfopt_codec *c);

/* Sets the metrics that the policy adds to DFOPT_METRIC_LIST; initially none. */
void dfopt_codec_metrics(struct dfopt_codec *c,
                         const struct dfopt_metric_names *metrics);

/* Sets the preset of policies in commands; initially the limits' preset. */
void dfopt_codec_preset(struct dfopt_codec *c, enum dfopt_preset preset);

/* A decoded record. */
struct dfopt_event {
    uint32_t stream; /* enum dfopt_stream */
    bool enveloped;  /* received as {"stream": ..., "body": ...} */
    union {
        struct dfopt_finding finding;
        struct dfopt_registration registration; /* owned: dfopt_event_clear */
        struct dfopt_ack ack;
        struct dfopt_global_plan global_plan;
        struct dfopt_objective objective;
        struct dfopt_command command;
    };
    struct dfopt_policy *policy; /* CONTROL with a policy: owned; else NULL */
    /* For the input record; borrowed until the next decode. */
    const char *body; /* REGISTRATION, CONTROL: as compact JSON; else NULL. For
                       * a refused registration: the envelope's body, or NULL if
                       * the record is the body */
    size_t body_len;
    const char *raw; /* REGISTRATION: as received, if an event log has it as `raw`;
                      * else NULL */
    size_t raw_len;
    const char *plan_id; /* ACK: as received, in any form; else NULL */
    size_t plan_id_len;
    const char *reason; /* ACK: "" if absent; else NULL */
    size_t reason_len;
};

/* Frees what an event owns and zeroes it. */
void dfopt_event_clear(struct dfopt_event *e);

/* Decodes one record. `stream` is what the transport knows (enum dfopt_stream),
 * or -1: a record with the key "stream" is an event of an event log, anything
 * else a finding. Returns OK; PARSE, SCHEMA or LIMIT (the record is unusable;
 * *err says why, without file and line); or NOMEM. On failure only out->stream,
 * enveloped and body are set, as far as known (stream defaults to FINDING), and
 * nothing needs clearing. */
enum dfopt_err dfopt_codec_decode(struct dfopt_codec *c, int stream,
                                  const char *data, size_t len,
                                  struct dfopt_event *out, struct dfopt_error *err);

/* Decodes a registry file: a JSON array of registrations, or one. Returns
 * owned: an array of *n in *out; clear each, then free the array. All or
 * nothing; *err names the index and, where one is at fault, the knob. `bodies`,
 * if not NULL, gets each as one line of compact JSON, newline included. */
enum dfopt_err dfopt_codec_registry(struct dfopt_codec *c, const char *text,
                                    size_t len, struct dfopt_registration **out,
                                    size_t *n, struct dfopt_buf *bodies,
                                    struct dfopt_error *err);

/* ---- output: each appends compact JSON to *out; OK or NOMEM ---- */

/* An ActionPlan as applications read it; keys in wire order. */
enum dfopt_err dfopt_codec_plan_json(const struct dfopt_dict *dict,
                                     const struct dfopt_plan *p, uint32_t run,
                                     struct dfopt_buf *out);

/* The metadata that a transport sends with it: type, plan_id, knob_id,
 * target_function and, unless the plan is for the whole job, target_nodes. */
enum dfopt_err dfopt_codec_plan_metadata(const struct dfopt_dict *dict,
                                         const struct dfopt_plan *p, uint32_t run,
                                         struct dfopt_buf *out);

/* {"knob": value, ...}: the job's values, in order of first registration. */
enum dfopt_err dfopt_codec_knob_state_json(const struct dfopt_dict *dict,
                                           const struct dfopt_state_row *rows,
                                           size_t n, struct dfopt_buf *out);

/* The whole state: current_values, node_values, pending, suppressions,
 * cooldown; sorted by the bytes of the names. Sorts rows and suppressions in
 * place. One line, no newline. */
enum dfopt_err dfopt_codec_state_json(const struct dfopt_dict *dict,
                                      struct dfopt_state_row *rows, size_t n_rows,
                                      struct dfopt_suppression_state *suppressions,
                                      size_t n_suppressions, struct dfopt_buf *out);

/* A log line as a JSON object: event, fields, level, timestamp. Use as
 * formatter in struct dfopt_log. */
enum dfopt_err dfopt_log_format_json(const struct dfopt_log_line *line,
                                     struct dfopt_buf *out);

#endif
