/* The fields of each table as `dfopt-log` shows them. Add a column as a line
 * here. */
#include "cmd/log/rows.h"

#include <string.h>

#define FIELD(n, t, m)                                                             \
    {                                                                              \
        .name = n, .type = DL_FIELD_##t, .offset = offsetof(struct ROW, m)         \
    }
#define FIELD_ENUM(n, f, m)                                                        \
    {                                                                              \
        n, DL_FIELD_NAME, offsetof(struct ROW, m), f, 0                            \
    }
#define FIELD_POOL(n, t, p, m)                                                     \
    {                                                                              \
        n, DL_FIELD_##t, offsetof(struct ROW, m), NULL, DFOPT_POOL_##p             \
    }
#define FIELDS_END                                                                 \
    {                                                                              \
        .name = NULL                                                               \
    }
/* The metrics of a finding and of an objective. */
#define FIELDS_METRICS                                                             \
    FIELD("fetch_frac", REAL, metric[DFOPT_METRIC_FETCH]),                         \
        FIELD("fetch_iter_time_frac_parent", REAL,                                 \
              metric[DFOPT_METRIC_FETCH_PARENT]),                                  \
        FIELD("compute_frac", REAL, metric[DFOPT_METRIC_COMPUTE]),                 \
        FIELD("compute_time_frac_parent", REAL,                                    \
              metric[DFOPT_METRIC_COMPUTE_PARENT]),                                \
        FIELD("named_1", REAL, metric[DFOPT_METRIC_KNOWN]),                        \
        FIELD("named_2", REAL, metric[DFOPT_METRIC_KNOWN + 1]),                    \
        FIELD("named_3", REAL, metric[DFOPT_METRIC_KNOWN + 2]),                    \
        FIELD("named_4", REAL, metric[DFOPT_METRIC_KNOWN + 3]),                    \
        FIELD("bad_metrics", METRICS, bad_metrics)

#define ROW dfopt_declog_finding_row
static const struct dl_field finding_fields[] = {
    FIELD("finding_type", SYM, type),
    FIELD("scope", SYM, scope),
    FIELD("node", SYM, node),
    FIELD("motif", SYM, motif),
    FIELD("trend", SYM, trend),
    FIELD("tags", LIST, tags),
    FIELD("suppresses", LIST, suppresses),
    FIELD("severity", REAL, severity),
    FIELD("confidence", REAL, confidence),
    FIELD("prevalence", REAL, prevalence),
    FIELD("persistence", I64, persistence),
    FIELD("window", I64, window),
    FIELDS_METRICS,
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_objective_row
static const struct dl_field objective_fields[] = {
    FIELD("node", SYM, node), FIELD("window", I64, window),
    FIELD("goal", I64, goal), FIELD("value", REAL, value),
    FIELDS_METRICS,           FIELDS_END};
#undef ROW
#define ROW dfopt_declog_outcome_row
static const struct dl_field outcome_fields[] = {
    FIELD("position", U32, o.position),
    FIELD_ENUM("verdict", dfopt_verdict_name, o.verdict),
    FIELD("plan_id", PLAN_ID, o.plan_id),
    FIELD("knob", SYM, o.knob),
    FIELD("node", SYM, o.node),
    FIELD("kept", FLAG, o.kept),
    FIELD("base", REAL, o.base),
    FIELD("base_n", U32, o.base_n),
    FIELD("now", REAL, o.now),
    FIELD("now_n", U32, o.now_n),
    FIELD("gain", REAL, o.gain),
    FIELD("threshold", REAL, o.threshold),
    FIELD("noise", REAL, o.noise),
    FIELD("standard_error", REAL, standard_error),
    FIELD("certain", FLAG, certain),
    FIELD("planned", WINDOW, o.planned),
    FIELD("window", WINDOW, o.window),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_registration_row
static const struct dl_field registration_fields[] = {
    FIELD_ENUM("source", dfopt_registration_source_name, source),
    FIELD("accepted", FLAG, accepted), FIELD_POOL("body", JSON, BODY, body),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_ack_row
static const struct dl_field ack_fields[] = {
    FIELD_ENUM("outcome", dfopt_ack_outcome_name, outcome),
    FIELD_ENUM("status", dfopt_ack_status_name, status),
    FIELD("plan_id", PLAN_ID, plan_id),
    FIELD_POOL("given_plan_id", TEXT, PLAN_ID, given_plan_id),
    FIELD("other_plan", FLAG, other_plan),
    FIELD("knob", SYM, knob),
    FIELD("node", SYM, node),
    FIELD("given_knob", SYM, given_knob),
    FIELD("given_node", SYM, given_node),
    FIELD("has_nodes", FLAG, has_nodes),
    FIELD("instance", SYM, instance),
    FIELD_ENUM("tally", dfopt_ack_tally_name, tally),
    FIELD("window", WINDOW, window),
    FIELD("cooldown_window", WINDOW, cooldown_window),
    FIELD("given_old", VALUE, given_old),
    FIELD("given_new", VALUE, given_new),
    FIELD("value", VALUE, value),
    FIELD_POOL("reason", TEXT, ACK_REASON, reason),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_control_row
static const struct dl_field control_fields[] = {
    FIELD_ENUM("action", dfopt_command_action_name, action),
    FIELD_ENUM("outcome", dfopt_command_outcome_name, outcome),
    FIELD("by", SYM, by), FIELD_POOL("body", JSON, COMMAND, body), FIELDS_END};
#undef ROW
#define ROW dfopt_relay_row
static const struct dl_field global_plan_fields[] = {
    FIELD_ENUM("outcome", dfopt_relay_outcome_name, outcome),
    FIELD("plan_id", SYM, plan_id),
    FIELD("knob", SYM, knob),
    FIELD("targets", LIST, targets),
    FIELD("new", VALUE, new_value),
    FIELD("severity", REAL, severity),
    FIELD("window", WINDOW, window),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_reject_row
static const struct dl_field reject_fields[] = {
    FIELD_ENUM("stream", dfopt_stream_name, stream), FIELD("origin", SYM, origin),
    FIELD("line", U64, line), FIELD("reason", SYM, reason), FIELDS_END};
#undef ROW
#define ROW dfopt_suppression_row
static const struct dl_field suppression_fields[] = {
    FIELD_ENUM("action", dfopt_suppression_action_name, action),
    FIELD("tag", SYM, tag),
    FIELD("finding_type", SYM, finding_type),
    FIELD("window", I64, window),
    FIELD("severity", REAL, severity),
    FIELDS_END};
#undef ROW
#define ROW dfopt_verdict_row
static const struct dl_field verdict_fields[] = {
    FIELD("position", U32, position),
    FIELD_ENUM("verdict", dfopt_verdict_name, verdict),
    FIELD("tag", SYM, tag),
    FIELD("knob", SYM, knob),
    FIELD("node", SYM, node),
    FIELD("value", REAL, value),
    FIELD("threshold", REAL, threshold),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_plan_row
static const struct dl_field plan_fields[] = {
    FIELD("position", U32, p.position),
    FIELD("number", U32, p.number),
    FIELD("plan_id", PLAN_ID, p.plan_id),
    FIELD("relay_id", SYM, p.relay_id),
    FIELD("knob", SYM, p.knob),
    FIELD("node", SYM, p.node),
    FIELD("targets", LIST, p.targets),
    FIELD("old", VALUE, p.old_value),
    FIELD("new", VALUE, p.new_value),
    FIELD("tag", SYM, p.tag),
    FIELD("finding_type", SYM, p.finding_type),
    FIELD("target_function", SYM, p.target_function),
    FIELD("apply_when", SYM, p.apply_when),
    FIELD("severity", REAL, p.severity),
    FIELD("window", I64, p.window),
    FIELD_POOL("rationale", TEXT, RATIONALE, rationale),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_knob_row
static const struct dl_field knob_fields[] = {
    FIELD("registration", U64, registration),
    FIELD("knob", SYM, knob),
    FIELD("parameter", SYM, parameter),
    FIELD("target_function", SYM, target_function),
    FIELD("scope", SYM, scope),
    FIELD_ENUM("type", dfopt_knob_type_name, type),
    FIELD("default", VALUE, default_value),
    FIELD("has_current", FLAG, has_current),
    FIELD("current", VALUE, current),
    FIELD_ENUM("range_state", dfopt_declog_range_state_name, range_state),
    FIELD("lo", VALUE, lo),
    FIELD("hi", VALUE, hi),
    FIELD("has_values", FLAG, has_values),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_knob_value_row
static const struct dl_field knob_value_fields[] = {
    FIELD("knob_row", U64, knob_row), FIELD("value", VALUE, value), FIELDS_END};
#undef ROW
#define ROW dfopt_declog_response_row
static const struct dl_field response_fields[] = {
    FIELD("knob_row", U64, knob_row),
    FIELD("knob", SYM, knob),
    FIELD("tag", SYM, r.tag),
    FIELD_ENUM("direction", dfopt_direction_name, r.direction),
    FIELD_ENUM("step_mode", dfopt_step_mode_name, r.step_mode),
    FIELD("step", VALUE, r.step),
    FIELD("set_to", VALUE, r.set_to),
    FIELD("min_severity", REAL, r.min_severity),
    FIELD("min_persistence", REAL, r.min_persistence),
    FIELD("cooldown_windows", REAL, r.cooldown_windows),
    FIELD("apply_when", SYM, r.apply_when),
    FIELD("effectiveness_threshold", REAL, r.effectiveness_threshold),
    FIELDS_END};
#undef ROW

#define ROW dfopt_timeout_row
static const struct dl_field timeout_fields[] = {
    FIELD("plan_id", PLAN_ID, plan_id), FIELD("knob", SYM, knob),
    FIELD("node", SYM, node),           FIELD("window", I64, window),
    FIELD("value", VALUE, value),       FIELDS_END};
#undef ROW
#define ROW dfopt_seen_row
static const struct dl_field seen_fields[] = {
    FIELD("knob", SYM, knob), FIELD("node", SYM, node),
    FIELD("window", I64, window), FIELDS_END};
#undef ROW
#define ROW dfopt_declog_origin_row
static const struct dl_field origin_fields[] = {
    FIELD("origin", SYM, origin), FIELD("offset", U64, offset),
    FIELD_ENUM("unit", dfopt_declog_unit_name, unit), FIELDS_END};
#undef ROW
#define ROW dfopt_declog_run_row
static const struct dl_field run_fields[] = {FIELD("started_ns", I64, started_ns),
                                             FIELD("ranks", U64, ranks),
                                             FIELD("pid", U64, pid), FIELDS_END};
#undef ROW
#define ROW dfopt_declog_run_text_row
static const struct dl_field run_text_fields[] = {
    FIELD("run", U64, run), FIELD_ENUM("name", dfopt_declog_run_text_name, name),
    FIELD_POOL("text", TEXT, RUN_TEXT, text), FIELDS_END};
#undef ROW

#define NAME(id, t, kind, name, ...) name,
#define KIND(id, t, kind, ...)       #kind,
const char *const dl_table_words[] = {DL_EVENT_LIST(NAME, NAME) DL_OTHER_LIST(NAME)
                                          NULL};
const char *const dl_event_words[] = {DL_EVENT_LIST(KIND, KIND) NULL};

#define TABLE(kind, name, t, s, p)                                                 \
    {#kind, name, DFOPT_TABLE_##t, s, p, kind##_fields},
#define EVENT(id, t, kind, name, row, s)                                           \
    TABLE(kind, name, t, offsetof(struct row, s), DL_NO_POSITION)
#define POSITION(id, t, kind, name, row, s, p)                                     \
    TABLE(kind, name, t, offsetof(struct row, s), offsetof(struct row, p))
#define OTHER(id, t, kind, name) TABLE(kind, name, t, DL_NO_SEQ, DL_NO_POSITION)

const struct dl_table dl_tables[DL_KINDS] = {DL_EVENT_LIST(EVENT, POSITION)
                                                 DL_OTHER_LIST(OTHER)};

uint64_t dl_row_seq(const struct dl_table *t, const void *row)
{
    uint64_t seq = 0;
    if (t->seq != DL_NO_SEQ)
        memcpy(&seq, (const char *)row + t->seq, sizeof seq);
    return seq;
}

union dl_field_value dl_field_of(const struct dl_field *f, const void *row)
{
    static const size_t sizes[] = {
        [DL_FIELD_U64] = 8,    [DL_FIELD_U32] = 4,     [DL_FIELD_I64] = 8,
        [DL_FIELD_WINDOW] = 8, [DL_FIELD_REAL] = 8,    [DL_FIELD_FLAG] = 4,
        [DL_FIELD_NAME] = 4,   [DL_FIELD_SYM] = 4,     [DL_FIELD_LIST] = 4,
        [DL_FIELD_VALUE] = 16, [DL_FIELD_PLAN_ID] = 8, [DL_FIELD_METRICS] = 4,
        [DL_FIELD_TEXT] = 16,  [DL_FIELD_JSON] = 16};
    union dl_field_value v = {.text = {0, 0}};
    memcpy(&v, (const char *)row + f->offset, sizes[f->type]);
    return v;
}
