/* Tells what a message is by its fields. Every field of a finding is optional,
 * as are most of a registration and an ack: without this check any object would
 * pass as one. */
#include "codec/record.h"

#include <string.h>

/* Kinds of objects that get mistaken for one another: the key that identifies
 * each, and where it belongs. */
static const struct {
    const char *key, *is, *belongs;
} kinds[] = {
    {"knobs", "a registration",
     "pass it to --registry-file or send it to --registry-address"},
    {"fact_type", "a fact", "DFDiagnoser turns facts into findings"},
    {"findings", "an object that holds a list of findings",
     "pass the list, or one finding per line"},
    {"finding_type", "a finding",
     "pass it to --findings-file or send it to --address"},
    {"severity_score", "a finding",
     "pass it to --findings-file or send it to --address"},
    {"status", "an acknowledgement", "send it to --acks-address"},
    {"plan_id", "a plan", "plans are output"},
    {"knob_id", "a plan", "plans are output"},
    {"value", "an objective", "send it to --objectives-address"},
    {"goal", "an objective", "send it to --objectives-address"},
    {"action", "a command", "send it with dfopt-ctl"},
};

/* The name of each stream, its own fields, and the keys above that it may not
 * have. */
static const struct {
    const char *name, *a_few;
    const char *fields[13];
    const char *foreign[9];
} streams[] = {
    [DFOPT_STREAM_FINDING] = {"finding",
                              "finding_type, scope, severity_score, ...",
                              {"finding_type", "scope", "motif", "severity_score",
                               "confidence", "prevalence", "persistence",
                               "trend_direction", "opportunity_tags",
                               "suppresses_tags", "window_index", "key_metrics"},
                              {"knobs", "fact_type", "findings", "plan_id",
                               "knob_id", "value", "goal"}},
    [DFOPT_STREAM_REGISTRATION] = {"registration",
                                   "knobs, namespace, current_values, ...",
                                   {"knobs", "namespace", "function_name",
                                    "current_values", "node", "instance",
                                    "unregister"},
                                   {"fact_type", "findings", "finding_type",
                                    "severity_score", "plan_id", "knob_id"}},
    [DFOPT_STREAM_ACK] = {"acknowledgement",
                          "plan_id, status, knob_id, ...",
                          {"plan_id", "status", "knob_id", "old_value", "new_value",
                           "reason", "window_index", "target_nodes"},
                          {"knobs", "fact_type", "findings", "severity_score"}},
    [DFOPT_STREAM_GLOBAL_PLAN] = {"plan",
                                  "plan_id, knob_id, ...",
                                  {"plan_id", "knob_id"},
                                  {"knobs", "fact_type", "findings", "status"}},
    [DFOPT_STREAM_OBJECTIVE] = {"objective",
                                "window_index, value, node, ...",
                                {"window_index", "value", "node", "goal",
                                 "metrics"},
                                {"knobs", "fact_type", "findings", "finding_type",
                                 "severity_score", "status", "plan_id", "knob_id"}},
    [DFOPT_STREAM_CONTROL] = {"command",
                              "action, target, mode, knob_id, value, ...",
                              {"action"},
                              {"knobs", "fact_type", "findings", "finding_type",
                               "severity_score", "status"}},
};
_Static_assert(sizeof streams / sizeof *streams == DFOPT_STREAM_COUNT,
               "each stream has its fields");

static const char *article_of(uint32_t stream)
{
    return stream == DFOPT_STREAM_ACK || stream == DFOPT_STREAM_OBJECTIVE ? "an"
                                                                          : "a";
}

static enum dfopt_err looks_like(uint32_t stream, const char *key,
                                 struct dfopt_error *err)
{
    size_t k = 0;
    while (strcmp(kinds[k].key, key) != 0)
        k++;
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                           "not %s %s: this looks like %s (it has %s); %s",
                           article_of(stream), streams[stream].name, kinds[k].is,
                           key, kinds[k].belongs);
}

enum dfopt_err dfopt_message_check(uint32_t stream, struct json_object *body,
                                   struct dfopt_error *err)
{
    struct json_object *ignored;
    bool own = false;
    for (const char *const *f = streams[stream].foreign; *f; f++)
        if (dfopt_json_get(body, *f))
            return looks_like(stream, *f, err);
    for (const char *const *f = streams[stream].fields; *f && !own; f++)
        own = dfopt_json_find(body, dfopt_text_z(*f), &ignored);
    if (own)
        return DFOPT_OK;
    if (dfopt_json_get(body, "stream") && dfopt_json_get(body, "body"))
        return dfopt_error_set(err, DFOPT_ERR_SCHEMA,
                               "this looks like an event of an event log (it has "
                               "stream and body); send the body alone");
    return dfopt_error_set(
        err, DFOPT_ERR_SCHEMA, "has none of the fields of %s %s (%s)",
        article_of(stream), streams[stream].name, streams[stream].a_few);
}
