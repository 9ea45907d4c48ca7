/* Converts rows to events. */
#include "state/events.h"

#include <math.h>
#include <string.h>

#define BODY_BYTES_MAX ((size_t)1 << 30) /* it fitted the writer's limit */

static dfopt_sym find(const struct dfopt_dict *dict, const char *text)
{
    return dfopt_dict_find(dict, text, strlen(text));
}

enum dfopt_err dfopt_fold_events_init(struct dfopt_fold_events *v,
                                      struct dfopt_declog_reader *reader,
                                      struct dfopt_dict *dict)
{
    static const struct dfopt_codec_limits limits = {.max_record_bytes =
                                                         BODY_BYTES_MAX};
    v->reader = reader;
    v->dict = dict;
    v->global[0] = find(dict, "global");
    v->global[1] = find(dict, "global:global");
    v->trend[DFOPT_TREND_OTHER] = DFOPT_SYM_NONE;
    v->trend[DFOPT_TREND_IMPROVING] = find(dict, "improving");
    v->trend[DFOPT_TREND_STABLE] = find(dict, "stable");
    v->trend[DFOPT_TREND_WORSENING] = find(dict, "worsening");
    return dfopt_codec_create(&v->codec, dict, &limits);
}

void dfopt_fold_events_free(struct dfopt_fold_events *v)
{
    dfopt_codec_destroy(v->codec);
    v->codec = NULL;
}

static void take_metrics(const double logged[DFOPT_METRIC_COUNT], uint32_t bad,
                         uint8_t state[DFOPT_METRIC_COUNT],
                         double metric[DFOPT_METRIC_COUNT])
{
    for (uint32_t m = 0; m < DFOPT_METRIC_COUNT; m++) {
        const bool number = !isnan(logged[m]);
        state[m] = number         ? DFOPT_METRIC_NUMBER
                   : bad >> m & 1 ? DFOPT_METRIC_BAD
                                  : DFOPT_METRIC_ABSENT;
        metric[m] = number ? logged[m] : 0;
    }
}

static void take_finding(const struct dfopt_fold_events *v,
                         const struct dfopt_declog_finding_row *row,
                         struct dfopt_finding *f)
{
    *f = (struct dfopt_finding){.type = row->type,
                                .scope = row->scope,
                                .node = row->node,
                                .motif = row->motif,
                                .trend_text = row->trend,
                                .tags = row->tags,
                                .suppresses = row->suppresses,
                                .severity = row->severity,
                                .confidence = row->confidence,
                                .prevalence = row->prevalence,
                                .persistence = row->persistence,
                                .window = row->window};
    f->global = row->scope == v->global[0] || row->scope == v->global[1];
    for (unsigned t = DFOPT_TREND_IMPROVING; t <= DFOPT_TREND_WORSENING; t++)
        if (row->trend == v->trend[t])
            f->trend = (uint8_t)t;
    take_metrics(row->metric, row->bad_metrics, f->metric_state, f->metric);
}

static void take_objective(const struct dfopt_declog_objective_row *row,
                           struct dfopt_objective *o)
{
    *o = (struct dfopt_objective){.node = row->node,
                                  .goal = row->goal < 0 ? -1 : 1,
                                  .window = row->window,
                                  .value = row->value};
    take_metrics(row->metric, row->bad_metrics, o->metric_state, o->metric);
}

/* Logs before version 3 identify only matched acks, by their plan. */
static void take_ack(const struct dfopt_declog_ack_row *row, bool as_given,
                     struct dfopt_ack *a)
{
    *a = (struct dfopt_ack){.plan_id = as_given ? row->given_id : row->plan_id,
                            .known_form = as_given ? row->known_form : 1,
                            .status = row->status,
                            .knob = as_given ? row->given_knob : row->knob,
                            .node = as_given ? row->given_node : row->node,
                            .has_nodes = as_given && row->has_nodes,
                            .instance = row->instance,
                            .window = row->window,
                            .old_value = row->given_old,
                            .new_value = row->given_new};
}

static void take_global_plan(const struct dfopt_relay_row *row,
                             struct dfopt_global_plan *g)
{
    *g = (struct dfopt_global_plan){.plan_id = row->plan_id,
                                    .knob = row->knob,
                                    .target_nodes = row->targets,
                                    .new_value = row->new_value,
                                    .severity = row->severity,
                                    .window = row->window};
}

enum dfopt_err dfopt_fold_body(struct dfopt_fold_events *v,
                               const struct dfopt_declog_registration_row *row,
                               const char **body, size_t *len,
                               struct dfopt_error *err)
{
    *len = (size_t)(row->body.end - row->body.start);
    return dfopt_declog_reader_text(v->reader, DFOPT_POOL_BODY, row->body, body,
                                    err);
}

static enum dfopt_err take_command(struct dfopt_fold_events *v,
                                   const struct dfopt_declog_control_row *row,
                                   struct dfopt_event *out, struct dfopt_error *err)
{
    const char *body;
    enum dfopt_err e = dfopt_declog_reader_text(v->reader, DFOPT_POOL_COMMAND,
                                                row->body, &body, err);
    return e ? e
             : dfopt_codec_decode(v->codec, DFOPT_STREAM_CONTROL, body,
                                  (size_t)(row->body.end - row->body.start), out,
                                  err);
}

void dfopt_fold_events_run(struct dfopt_fold_events *v,
                           const char *const text[DFOPT_RUN_TEXT_COUNT])
{
    dfopt_codec_preset(v->codec, strcmp(text[DFOPT_RUN_preset], "upstream") == 0
                                     ? DFOPT_PRESET_UPSTREAM
                                     : DFOPT_PRESET_DEFAULT);
}

enum dfopt_err dfopt_fold_event(struct dfopt_fold_events *v,
                                enum dfopt_declog_table table, const void *row,
                                struct dfopt_event *out, struct dfopt_error *err)
{
    const char *body;
    size_t len;
    enum dfopt_err e;
    out->policy = NULL;
    switch (table) {
    case DFOPT_TABLE_CONTROLS:
        return take_command(v, row, out, err);
    case DFOPT_TABLE_FINDINGS:
        out->stream = DFOPT_STREAM_FINDING;
        take_finding(v, row, &out->finding);
        return DFOPT_OK;
    case DFOPT_TABLE_OBJECTIVES:
        out->stream = DFOPT_STREAM_OBJECTIVE;
        take_objective(row, &out->objective);
        return DFOPT_OK;
    case DFOPT_TABLE_ACKS:
        out->stream = DFOPT_STREAM_ACK;
        take_ack(row, dfopt_declog_reader_run(v->reader)->format_version > 2,
                 &out->ack);
        return DFOPT_OK;
    case DFOPT_TABLE_GLOBAL_PLANS:
        out->stream = DFOPT_STREAM_GLOBAL_PLAN;
        take_global_plan(row, &out->global_plan);
        return DFOPT_OK;
    default:
        e = dfopt_fold_body(v, row, &body, &len, err);
        return e ? e
                 : dfopt_codec_decode(v->codec, DFOPT_STREAM_REGISTRATION, body,
                                      len, out, err);
    }
}
