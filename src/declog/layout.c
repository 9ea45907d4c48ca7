/* The tables of the decision log, column by column. To add a column, edit its
 * row in format.h, its line here, and its line in docs/decision-log.md. */
#include "declog/layout.h"

#include "base/names.h"

#define NAME2 DFOPT_NAME_TEXT
#define NAME3 DFOPT_NAME_TEXT3

static const char *const verdicts[] = {DFOPT_VERDICT_LIST(NAME3)};
static const char *const kinds[] = {DFOPT_KIND_LIST(NAME2)};
static const char *const streams[] = {DFOPT_STREAM_LIST(NAME2)};
static const char *const statuses[] = {DFOPT_ACK_STATUS_LIST(NAME2)};
static const char *const ack_outcomes[] = {DFOPT_ACK_OUTCOME_LIST(NAME2)};
static const char *const ack_tallies[] = {DFOPT_ACK_TALLY_LIST(NAME2)};
static const char *const relays[] = {DFOPT_RELAY_OUTCOME_LIST(NAME2)};
static const char *const actions[] = {DFOPT_SUPPRESSION_ACTION_LIST(NAME2)};
static const char *const commands[] = {DFOPT_COMMAND_ACTION_LIST(NAME2)};
static const char *const command_outcomes[] = {DFOPT_COMMAND_OUTCOME_LIST(NAME3)};
static const char *const knob_types[] = {DFOPT_KNOB_TYPE_LIST(NAME2)};
static const char *const directions[] = {DFOPT_DIRECTION_LIST(NAME2)};
static const char *const step_modes[] = {DFOPT_STEP_MODE_LIST(NAME2)};
static const char *const range_states[] = {[DFOPT_RANGE_NONE] = "none",
                                           [DFOPT_RANGE_OK] = "ok",
                                           [DFOPT_RANGE_BAD] = "bad"};
static const char *const sources[] = {DFOPT_REGISTRATION_SOURCE_LIST(NAME2)};
#define NAME_OF(name, text) #name,
static const char *const run_texts[] = {DFOPT_RUN_TEXT_LIST(NAME_OF)};
static const char *const units[] = {DFOPT_UNIT_LIST(NAME2)};

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* The lines of a column table; ROW is the row's struct. */
#define COL(n, t, member, u, d)                                                    \
    {                                                                              \
        .name = (n), .type = DFOPT_COLUMN_##t,                                     \
        .offset = offsetof(struct ROW, member), .units = (u), .text = (d)          \
    }
#define COL_SYM(n, member, d)  COL(n, SYM, member, "string id", d)
#define COL_LIST(n, member, d) COL(n, LIST, member, "list id", d)
#define COL_FLAG(n, member, d) COL(n, FLAG, member, "0 or 1", d)
#define COL_ENUM(n, member, list, d)                                               \
    {                                                                              \
        .name = (n), .type = DFOPT_COLUMN_ENUM,                                    \
        .offset = offsetof(struct ROW, member), .names = (list),                   \
        .n_names = LENGTH(list), .units = "enum", .text = (d)                      \
    }
#define COL_TEXT(n, member, p, u, d)                                               \
    {                                                                              \
        .name = (n), .type = DFOPT_COLUMN_TEXT,                                    \
        .offset = offsetof(struct ROW, member), .pool = DFOPT_POOL_##p,            \
        .units = (u), .text = (d)                                                  \
    }
/* A column added to an existing table. */
#define COL_SINCE(v, n, t, member, u, d)                                           \
    {                                                                              \
        .name = (n), .type = DFOPT_COLUMN_##t,                                     \
        .offset = offsetof(struct ROW, member), .since = (v), .units = (u),        \
        .text = (d)                                                                \
    }
#define COL_ENUM_SINCE(v, n, member, list, d)                                      \
    {                                                                              \
        .name = (n), .type = DFOPT_COLUMN_ENUM,                                    \
        .offset = offsetof(struct ROW, member), .since = (v), .names = (list),     \
        .n_names = LENGTH(list), .units = "enum", .text = (d)                      \
    }
/* A value takes four columns. */
#define COL_VALUE(n, member, d)                                                    \
    {.name = n "_kind",                                                            \
     .type = DFOPT_COLUMN_KIND,                                                    \
     .offset = offsetof(struct ROW, member),                                       \
     .names = kinds,                                                               \
     .n_names = LENGTH(kinds),                                                     \
     .units = "enum",                                                              \
     .text = d ": its kind"},                                                      \
        COL(n "_int", INT, member, "knob", d ": int or bool, else 0"),             \
        COL(n "_real", REAL, member, "knob",                                       \
            d ": any number as a real, else NaN"),                                 \
        COL(n "_str", STR, member, "string id", d ": string, else none")

#define SEQ(member) COL("seq", U64, member, "event", "number of the event")

#define ROW dfopt_declog_entry_row
static const struct dfopt_column strings_columns[] = {
    COL_TEXT("ends", items, STRINGS, "byte", "end of string i in /strings/bytes"),
};
static const struct dfopt_column lists_columns[] = {
    COL_TEXT("ends", items, LISTS, "item", "end of list i in /lists/items"),
};
#undef ROW

#define ROW dfopt_declog_finding_row
static const struct dfopt_column findings_columns[] = {
    SEQ(seq),
    COL_SYM("finding_type", type, "finding_type"),
    COL_SYM("scope", scope, "scope"),
    COL_SYM("node", node, "node of the scope; \"\": the whole job"),
    COL_SYM("motif", motif, "motif"),
    COL_SYM("trend", trend, "trend_direction"),
    COL_LIST("tags", tags, "opportunity_tags"),
    COL_LIST("suppresses", suppresses, "suppresses_tags"),
    COL("bad_metrics", U32, bad_metrics, "bit mask",
        "metrics that are present but not finite numbers; bit 0 is fetch_frac"),
    COL("severity", F64, severity, "0..1", "severity_score"),
    COL("confidence", F64, confidence, "0..1", "confidence; NaN: not a number"),
    COL("prevalence", F64, prevalence, "0..1", "prevalence; NaN: not a number"),
    COL("persistence", I64, persistence, "window", "persistence"),
    COL("window", I64, window, "window", "window_index"),
#define COL_METRIC(id, n)                                                          \
    COL(n, F64, metric[DFOPT_METRIC_##id], "share",                                \
        "key metric; NaN: absent or bad"),
    DFOPT_METRIC_LIST(COL_METRIC)
#define COL_NAMED(i)                                                               \
    COL_SINCE(3, "named_" #i, F64, metric[DFOPT_METRIC_KNOWN + (i)-1],             \
              "by metric",                                                         \
              "metric number " #i " named by the policy; NaN: absent or bad")
        COL_NAMED(1),
    COL_NAMED(2),
    COL_NAMED(3),
    COL_NAMED(4)};
#undef ROW

#define ROW dfopt_declog_objective_row
static const struct dfopt_column objectives_columns[] = {
    SEQ(seq),
    COL_SYM("node", node, "\"\": the whole job"),
    COL("window", I64, window, "window", "window_index"),
    COL("goal", I64, goal, "1 or -1", "1: more is better; -1: less is better"),
    COL("value", F64, value, "objective", "value"),
    COL("bad_metrics", U32, bad_metrics, "bit mask",
        "metrics that are present but not finite numbers; bit 0 is fetch_frac"),
    DFOPT_METRIC_LIST(COL_METRIC) COL_NAMED(1),
    COL_NAMED(2),
    COL_NAMED(3),
    COL_NAMED(4)};
#undef ROW
_Static_assert(DFOPT_METRIC_NAMED == 4, "a column each");

#define ROW dfopt_declog_outcome_row
static const struct dfopt_column outcomes_columns[] = {
    SEQ(o.seq),
    COL("plan_id", U64, o.plan_id, "id", "of the plan; 0: of none in flight"),
    COL("position", U32, o.position, "verdict", "of the verdict"),
    COL_ENUM("verdict", o.verdict, verdicts, "outcome of the plan"),
    COL_SYM("knob", o.knob, "knob_id"),
    COL_SYM("node", o.node, "\"\": the whole job"),
    COL_FLAG("kept", o.kept, "1: the change is kept; 0: rolled back"),
    COL("base", F64, o.base, "objective",
        "median before; NaN: not judged by the objective"),
    COL("base_n", U32, o.base_n, "window", "number of windows in base"),
    COL("now", F64, o.now, "objective",
        "median after; NaN: not judged by the objective"),
    COL("now_n", U32, o.now_n, "window", "number of windows in now"),
    COL("gain", F64, o.gain, "share", "of base; more than 0 is better"),
    COL("threshold", F64, o.threshold, "share", "threshold for the gain"),
    COL("noise", F64, o.noise, "share", "of one window; NaN: unknown"),
    COL("standard_error", F64, standard_error, "share",
        "of the gain; NaN: unknown"),
    COL_FLAG("certain", certain, "1: the gain is certain"),
    COL("planned", I64, o.planned, "window", "of the plan"),
    COL("window", I64, o.window, "window", "of the verdict"),
};
#undef ROW

#define ROW dfopt_declog_reject_row
static const struct dfopt_column rejects_columns[] = {
    SEQ(seq),
    COL_ENUM("stream", stream, streams, "stream of the record"),
    COL_SYM("origin", origin, "file or endpoint"),
    COL("line", U64, line, "line",
        "of the record in its origin, from 1; 0: unknown"),
    COL_SYM("reason", reason, "why the record cannot be used"),
};
#undef ROW

#define ROW dfopt_verdict_row
static const struct dfopt_column verdicts_columns[] = {
    SEQ(seq),
    COL("position", U32, position, "verdict", "within the event, from 0"),
    COL_ENUM("verdict", verdict, verdicts, "planned, or what stopped it"),
    COL_SYM("tag", tag, "none: settled before the tags"),
    COL_SYM("knob", knob, "none: no knob was considered"),
    COL_SYM("node", node, "\"\": the whole job"),
    COL("value", F64, value, "by verdict", "value compared; NaN: none"),
    COL("threshold", F64, threshold, "by verdict", "threshold compared with"),
};
#undef ROW

#define ROW dfopt_declog_plan_row
static const struct dfopt_column plans_columns[] = {
    SEQ(p.seq),
    COL("position", U32, p.position, "verdict", "of its verdict; relayed: 0"),
    COL("number", U32, p.number, "plan", "within the event, from 0"),
    COL("plan_id", U64, p.plan_id, "id",
        "own: plan_ and 16 hex digits; relayed: 0"),
    COL_SYM("relay_id", p.relay_id, "relayed: its plan_id; own: none"),
    COL_SYM("knob", p.knob, "knob_id"),
    COL_SYM("target_function", p.target_function, "target_function"),
    COL_SYM("apply_when", p.apply_when, "boundary at which it is applied"),
    COL_SYM("finding_type", p.finding_type, "of the finding that led to it"),
    COL_SYM("tag", p.tag, "opportunity tag that asked for it"),
    COL_SYM("node", p.node, "own: its target node; \"\": the whole job"),
    COL_LIST("targets", p.targets, "relayed: target_nodes; own: empty"),
    COL_VALUE("old", p.old_value, "value before"),
    COL_VALUE("new", p.new_value, "value planned"),
    COL("severity", F64, p.severity, "0..1", "of the finding"),
    COL("window", I64, p.window, "window", "of the finding"),
    COL_TEXT("rationale_ends", rationale, RATIONALE, "byte",
             "end of row i's text in rationale_bytes"),
};
#undef ROW

#define ROW dfopt_declog_ack_row
static const struct dfopt_column acks_columns[] = {
    SEQ(seq),
    COL("plan_id", U64, plan_id, "id", "of the matched plan; 0: unmatched"),
    COL_TEXT("given_plan_id_ends", given_plan_id, PLAN_ID, "byte",
             "end of row i's text in given_plan_id_bytes"),
    COL_ENUM("status", status, statuses, "status reported by the application"),
    COL_ENUM("outcome", outcome, ack_outcomes, "outcome of the plan"),
    COL_FLAG("other_plan", other_plan,
             "matched by knob and node: another plan's id"),
    COL_SYM("knob", knob, "of the plan; as given if unmatched"),
    COL_SYM("node", node, "of the plan; as given if unmatched"),
    COL_SINCE(3, "known_form", FLAG, known_form, "0 or 1",
              "1: given_plan_id is an id of this run's form"),
    COL_SINCE(3, "given_id", U64, given_id, "id", "its number, else 0"),
    COL_SINCE(3, "given_knob", SYM, given_knob, "string id", "knob_id as given"),
    COL_SINCE(3, "given_node", SYM, given_node, "string id",
              "first of target_nodes as given"),
    COL_SINCE(3, "has_nodes", FLAG, has_nodes, "0 or 1",
              "1: target_nodes is given, perhaps empty"),
    COL_SINCE(3, "instance", SYM, instance, "string id",
              "process that sent it, as given"),
    COL_ENUM_SINCE(3, "tally", tally, ack_tallies,
                   "relation to other processes' acks of the plan"),
    COL("window", I64, window, "window", "as given; negative: none"),
    COL("cooldown_window", I64, cooldown_window, "window",
        "start of the cooldown; negative: none"),
    COL_VALUE("given_old", given_old, "old_value as given"),
    COL_VALUE("given_new", given_new, "new_value as given"),
    COL_VALUE("value", value, "value of the knob for the node, afterwards"),
    COL_TEXT("reason_ends", reason, ACK_REASON, "byte",
             "end of row i's text in reason_bytes"),
};
#undef ROW

#define ROW dfopt_declog_registration_row
static const struct dfopt_column registrations_columns[] = {
    COL("seq", U64, seq, "event",
        "number of the event; source not event: of the event after it"),
    COL_ENUM("source", source, sources, "where it came from"),
    COL_FLAG("accepted", accepted, "0: rejected, nothing of it was kept"),
    COL_TEXT("body_ends", body, BODY, "byte", "end of row i's JSON in body_bytes"),
};
#undef ROW

#define ROW dfopt_declog_control_row
static const struct dfopt_column controls_columns[] = {
    SEQ(seq),
    COL_ENUM("action", action, commands, "command"),
    COL_ENUM("outcome", outcome, command_outcomes,
             "done, or the reason for refusal"),
    COL_SYM("by", by, "sender; \"\": unknown"),
    COL_TEXT("body_ends", body, COMMAND, "byte",
             "end of row i's JSON in body_bytes"),
};
#undef ROW

#define ROW dfopt_declog_knob_row
static const struct dfopt_column knobs_columns[] = {
    SEQ(seq),
    COL("registration", U64, registration, "row", "of /registrations"),
    COL_SYM("knob", knob, "knob_id"),
    COL_SYM("parameter", parameter, "parameter"),
    COL_SYM("target_function", target_function, "target_function"),
    COL_SYM("scope", scope, "scope"),
    COL_ENUM("type", type, knob_types, "of its values"),
    COL_VALUE("default", default_value, "default"),
    COL_FLAG("has_current", has_current, "1: current_values contains it"),
    COL_VALUE("current", current, "value as registered"),
    COL_ENUM("range_state", range_state, range_states, "ok: lo and hi bound it"),
    COL_VALUE("lo", lo, "lower bound"),
    COL_VALUE("hi", hi, "upper bound"),
    COL_FLAG("has_values", has_values, "1: /knob_values enumerates it"),
};
#undef ROW

#define ROW dfopt_declog_knob_value_row
static const struct dfopt_column knob_values_columns[] = {
    COL("knob_row", U64, knob_row, "row", "of /knobs"),
    COL_VALUE("value", value, "entry of `values`"),
};
#undef ROW

#define ROW dfopt_declog_response_row
static const struct dfopt_column responses_columns[] = {
    SEQ(seq),
    COL("knob_row", U64, knob_row, "row", "of /knobs"),
    COL_SYM("knob", knob, "knob_id"),
    COL_SYM("tag", r.tag, "opportunity tag it responds to"),
    COL_ENUM("direction", r.direction, directions, "direction of change"),
    COL_ENUM("step_mode", r.step_mode, step_modes, "how the step is applied"),
    COL_VALUE("step", r.step, "step"),
    COL_VALUE("set_to", r.set_to, "value of direction set"),
    COL("min_severity", F64, r.min_severity, "0..1", "least value to act on"),
    COL("min_persistence", F64, r.min_persistence, "window",
        "least value to act on"),
    COL("cooldown_windows", F64, r.cooldown_windows, "window",
        "pause after an action"),
    COL_SYM("apply_when", r.apply_when, "boundary at which plans are applied"),
    COL("effectiveness_threshold", F64, r.effectiveness_threshold, "share",
        "of severity that must have gone before another action"),
};
#undef ROW

#define ROW dfopt_relay_row
static const struct dfopt_column global_plans_columns[] = {
    SEQ(seq),
    COL_ENUM("outcome", outcome, relays, "outcome of the plan"),
    COL_SYM("plan_id", plan_id, "plan_id as it came"),
    COL_SYM("knob", knob, "knob_id"),
    COL_LIST("targets", targets, "target_nodes; empty: the whole job"),
    COL_VALUE("new", new_value, "value asked for"),
    COL("severity", F64, severity, "0..1", "severity"),
    COL("window", I64, window, "window", "window_index; negative: none"),
};
#undef ROW

#define ROW dfopt_suppression_row
static const struct dfopt_column suppressions_columns[] = {
    SEQ(seq),
    COL_SYM("tag", tag, "opportunity tag"),
    COL_ENUM("action", action, actions, "set or cleared"),
    COL("window", I64, window, "window", "of the global finding"),
    COL("severity", F64, severity, "0..1", "of the global finding"),
    COL_SYM("finding_type", finding_type, "of the global finding"),
};
#undef ROW

#define ROW dfopt_timeout_row
static const struct dfopt_column timeouts_columns[] = {
    SEQ(seq),
    COL("plan_id", U64, plan_id, "id", "of the plan that was given up"),
    COL_SYM("knob", knob, "of the plan"),
    COL_SYM("node", node, "of the plan; \"\": the whole job"),
    COL("window", I64, window, "window", "of the finding that ended the wait"),
    COL_VALUE("value", value, "value of the knob for the node, afterwards"),
};
#undef ROW

#define ROW dfopt_seen_row
static const struct dfopt_column seen_columns[] = {
    SEQ(seq),
    COL_SYM("knob", knob, "knob_id"),
    COL_SYM("node", node, "\"\": the whole job"),
    COL("window", I64, window, "window",
        "later than any seen for knob and node before"),
};
#undef ROW

#define ROW dfopt_declog_origin_row
static const struct dfopt_column origins_columns[] = {
    COL("seq", U64, seq, "event", "first event that came from there"),
    COL("offset", U64, offset, "by unit", "of that event in its origin"),
    COL_SYM("origin", origin, "file, endpoint or partition"),
    COL_ENUM("unit", unit, units, "what offset counts"),
};
#undef ROW

#define ROW dfopt_declog_run_row
static const struct dfopt_column runs_columns[] = {
    COL("seq", U64, seq, "event", "number of its first event"),
    COL("started_ns", I64, started_ns, "ns", "wall clock; since 1970-01-01 UTC"),
    COL("ranks", U64, ranks, "rank", "MPI ranks"),
    COL("pid", U64, pid, "process", "of rank 0"),
};
#undef ROW

#define ROW dfopt_declog_run_text_row
static const struct dfopt_column run_texts_columns[] = {
    COL("run", U64, run, "row", "of /runs"),
    COL_ENUM("name", name, run_texts, "meaning of the text"),
    COL_TEXT("text_ends", text, RUN_TEXT, "byte",
             "end of row i's text in text_bytes"),
};
#undef ROW

#define POOL_COLUMN(id, n, t, u, d)                                                \
    static const struct dfopt_column id##_columns[] = {                            \
        {.name = (n), .type = DFOPT_COLUMN_##t, .units = (u), .text = (d)}}
POOL_COLUMN(string_bytes, "bytes", BYTE, "byte", "all strings, concatenated");
POOL_COLUMN(list_items, "items", SYM, "string id", "all lists, concatenated");
POOL_COLUMN(rationale, "rationale_bytes", BYTE, "byte",
            "texts; see rationale_ends");
POOL_COLUMN(plan_id, "given_plan_id_bytes", BYTE, "byte",
            "plan_id as it came; see given_plan_id_ends");
POOL_COLUMN(reason, "reason_bytes", BYTE, "byte", "texts; see reason_ends");
POOL_COLUMN(body, "body_bytes", BYTE, "byte", "compact JSON; see body_ends");
POOL_COLUMN(command, "body_bytes", BYTE, "byte", "compact JSON; see body_ends");
POOL_COLUMN(run_text, "text_bytes", BYTE, "byte", "texts; see text_ends");

#define BIG   8192 /* rows per chunk: what a flush may have to rewrite */
#define SMALL 1024
#define FEW   16
#define PAGE  4096
#define BYTES 65536

#define TABLE(id, g, rows, row)                                                    \
    [DFOPT_TABLE_##id] = {.group = #g,                                             \
                          .count = #g,                                             \
                          .row_size = sizeof(struct row),                          \
                          .chunk_rows = (rows),                                    \
                          .columns = g##_columns,                                  \
                          .n_columns = LENGTH(g##_columns)}
#define POOL(id, g, c, n, size, rows)                                              \
    [DFOPT_TABLE_COUNT + DFOPT_POOL_##id] = {.group = (g),                         \
                                             .count = (n),                         \
                                             .row_size = (size),                   \
                                             .chunk_rows = (rows),                 \
                                             .columns = c##_columns,               \
                                             .n_columns = 1}

static const struct dfopt_layout layouts[DFOPT_STORE_COUNT] = {
    TABLE(STRINGS, strings, BIG, dfopt_declog_entry_row),
    TABLE(LISTS, lists, SMALL, dfopt_declog_entry_row),
    TABLE(FINDINGS, findings, BIG, dfopt_declog_finding_row),
    TABLE(REJECTS, rejects, SMALL, dfopt_declog_reject_row),
    TABLE(VERDICTS, verdicts, BIG, dfopt_verdict_row),
    TABLE(PLANS, plans, BIG, dfopt_declog_plan_row),
    TABLE(ACKS, acks, SMALL, dfopt_declog_ack_row),
    TABLE(REGISTRATIONS, registrations, SMALL, dfopt_declog_registration_row),
    TABLE(KNOBS, knobs, SMALL, dfopt_declog_knob_row),
    TABLE(KNOB_VALUES, knob_values, SMALL, dfopt_declog_knob_value_row),
    TABLE(RESPONSES, responses, SMALL, dfopt_declog_response_row),
    TABLE(GLOBAL_PLANS, global_plans, SMALL, dfopt_relay_row),
    TABLE(SUPPRESSIONS, suppressions, SMALL, dfopt_suppression_row),
    TABLE(TIMEOUTS, timeouts, SMALL, dfopt_timeout_row),
    TABLE(SEEN, seen, BIG, dfopt_seen_row),
    TABLE(ORIGINS, origins, SMALL, dfopt_declog_origin_row),
    TABLE(RUNS, runs, FEW, dfopt_declog_run_row),
    TABLE(RUN_TEXTS, run_texts, FEW, dfopt_declog_run_text_row),
    TABLE(OBJECTIVES, objectives, SMALL, dfopt_declog_objective_row),
    TABLE(OUTCOMES, outcomes, SMALL, dfopt_declog_outcome_row),
    TABLE(CONTROLS, controls, FEW, dfopt_declog_control_row),
    POOL(STRINGS, "strings", string_bytes, "strings_bytes", 1, BYTES),
    POOL(LISTS, "lists", list_items, "lists_items", sizeof(dfopt_sym), BIG),
    POOL(RATIONALE, "plans", rationale, "plans_rationale_bytes", 1, BYTES),
    POOL(PLAN_ID, "acks", plan_id, "acks_given_plan_id_bytes", 1, BYTES),
    POOL(ACK_REASON, "acks", reason, "acks_reason_bytes", 1, BYTES),
    POOL(BODY, "registrations", body, "registrations_body_bytes", 1, BYTES),
    POOL(RUN_TEXT, "run_texts", run_text, "run_texts_text_bytes", 1, PAGE),
    POOL(COMMAND, "controls", command, "controls_body_bytes", 1, PAGE),
};

_Static_assert(LENGTH(plans_columns) <= DFOPT_COLUMNS_MAX, "room for the columns");
_Static_assert(LENGTH(acks_columns) <= DFOPT_COLUMNS_MAX, "room for the columns");
_Static_assert(LENGTH(knobs_columns) <= DFOPT_COLUMNS_MAX, "room for the columns");

const struct dfopt_layout *dfopt_layout_of(size_t store)
{
    return &layouts[store];
}

DFOPT_NAME_FUNCTION(dfopt_declog_detail_name, DFOPT_DETAIL_LIST, NAME2)
DFOPT_NAME_FUNCTION(dfopt_registration_source_name, DFOPT_REGISTRATION_SOURCE_LIST,
                    NAME2)
DFOPT_NAME_FUNCTION(dfopt_declog_run_text_name, DFOPT_RUN_TEXT_LIST, NAME_OF)
DFOPT_NAME_FUNCTION(dfopt_declog_unit_name, DFOPT_UNIT_LIST, NAME2)

static const char *const metrics[DFOPT_METRIC_COUNT] = {
    DFOPT_METRIC_LIST(NAME2) "named_1", "named_2", "named_3", "named_4"};

const char *dfopt_declog_metric_name(uint32_t metric)
{
    return metric < LENGTH(metrics) ? metrics[metric] : "unknown";
}

const char *dfopt_declog_range_state_name(uint32_t state)
{
    return state < LENGTH(range_states) ? range_states[state] : "unknown";
}
