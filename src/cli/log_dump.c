/* dfopt-log dump: the rows of a log as JSON lines, in the order of events. The
 * tables are merged: one block of each is in memory. */
#include "cli/log.h"
#include "cli/log_args.h"
#include "codec/codec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is printed of a row ---- */

enum field_type {
    FIELD_U64,
    FIELD_U32,
    FIELD_I64,
    FIELD_WINDOW, /* int64_t; negative is null */
    FIELD_REAL,   /* not finite is null */
    FIELD_FLAG,
    FIELD_NAME, /* of an enumerator */
    FIELD_SYM,
    FIELD_LIST,
    FIELD_VALUE,
    FIELD_PLAN_ID, /* uint64_t; 0 is null */
    FIELD_METRICS, /* bit mask */
    FIELD_TEXT,    /* of a pool */
    FIELD_JSON     /* of a pool, as it is */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    const char *(*name_of)(uint32_t);
    enum dfopt_declog_pool pool;
};

#define FIELD(n, t, m)                                                             \
    {                                                                              \
        .name = n, .type = FIELD_##t, .offset = offsetof(struct ROW, m)            \
    }
#define FIELD_ENUM(n, f, m)                                                        \
    {                                                                              \
        n, FIELD_NAME, offsetof(struct ROW, m), f, 0                               \
    }
#define FIELD_POOL(n, t, p, m)                                                     \
    {                                                                              \
        n, FIELD_##t, offsetof(struct ROW, m), NULL, DFOPT_POOL_##p                \
    }
#define FIELDS_END                                                                 \
    {                                                                              \
        .name = NULL                                                               \
    }

#define ROW dfopt_declog_finding_row
static const struct field finding_fields[] = {
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
    FIELD("fetch_frac", REAL, metric[DFOPT_METRIC_FETCH]),
    FIELD("fetch_iter_time_frac_parent", REAL, metric[DFOPT_METRIC_FETCH_PARENT]),
    FIELD("compute_frac", REAL, metric[DFOPT_METRIC_COMPUTE]),
    FIELD("compute_time_frac_parent", REAL, metric[DFOPT_METRIC_COMPUTE_PARENT]),
    FIELD("bad_metrics", METRICS, bad_metrics),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_registration_row
static const struct field registration_fields[] = {
    FIELD_ENUM("source", dfopt_registration_source_name, source),
    FIELD("accepted", FLAG, accepted), FIELD_POOL("body", JSON, BODY, body),
    FIELDS_END};
#undef ROW
#define ROW dfopt_declog_ack_row
static const struct field ack_fields[] = {
    FIELD_ENUM("outcome", dfopt_ack_outcome_name, outcome),
    FIELD_ENUM("status", dfopt_ack_status_name, status),
    FIELD("plan_id", PLAN_ID, plan_id),
    FIELD_POOL("given_plan_id", TEXT, PLAN_ID, given_plan_id),
    FIELD("other_plan", FLAG, other_plan),
    FIELD("knob", SYM, knob),
    FIELD("node", SYM, node),
    FIELD("window", WINDOW, window),
    FIELD("cooldown_window", WINDOW, cooldown_window),
    FIELD("given_old", VALUE, given_old),
    FIELD("given_new", VALUE, given_new),
    FIELD("value", VALUE, value),
    FIELD_POOL("reason", TEXT, ACK_REASON, reason),
    FIELDS_END};
#undef ROW
#define ROW dfopt_relay_row
static const struct field global_plan_fields[] = {
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
static const struct field reject_fields[] = {
    FIELD_ENUM("stream", dfopt_stream_name, stream), FIELD("origin", SYM, origin),
    FIELD("line", U64, line), FIELD("reason", SYM, reason), FIELDS_END};
#undef ROW
#define ROW dfopt_suppression_row
static const struct field suppression_fields[] = {
    FIELD_ENUM("action", dfopt_suppression_action_name, action),
    FIELD("tag", SYM, tag),
    FIELD("finding_type", SYM, finding_type),
    FIELD("window", I64, window),
    FIELD("severity", REAL, severity),
    FIELDS_END};
#undef ROW
#define ROW dfopt_verdict_row
static const struct field verdict_fields[] = {
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
static const struct field plan_fields[] = {
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

/* ---- the kinds, in the order within an event ---- */

#define NO_POSITION SIZE_MAX

struct kind {
    const char *name;
    enum dfopt_declog_table table;
    size_t row_size, seq, position;
    const struct field *fields;
};

#define KIND(n, t, row, s, p)                                                      \
    {                                                                              \
        .name = #n, .table = DFOPT_TABLE_##t, .row_size = sizeof(struct row),      \
        .seq = offsetof(struct row, s), .position = (p), .fields = n##_fields      \
    }

static const struct kind kinds[] = {
    KIND(finding, FINDINGS, dfopt_declog_finding_row, seq, NO_POSITION),
    KIND(registration, REGISTRATIONS, dfopt_declog_registration_row, seq,
         NO_POSITION),
    KIND(ack, ACKS, dfopt_declog_ack_row, seq, NO_POSITION),
    KIND(global_plan, GLOBAL_PLANS, dfopt_relay_row, seq, NO_POSITION),
    KIND(reject, REJECTS, dfopt_declog_reject_row, seq, NO_POSITION),
    KIND(suppression, SUPPRESSIONS, dfopt_suppression_row, seq, NO_POSITION),
    KIND(verdict, VERDICTS, dfopt_verdict_row, seq,
         offsetof(struct dfopt_verdict_row, position)),
    KIND(plan, PLANS, dfopt_declog_plan_row, p.seq,
         offsetof(struct dfopt_declog_plan_row, p.position)),
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct dump {
    const char *path;
    uint32_t kinds; /* bits; 0: all */
    uint64_t from, to;
    struct dfopt_declog_reader *reader;
    const struct dfopt_dict *dict;
    struct log_cursor cursor[KINDS];
    struct dfopt_buf out;
};

/* ---- a row as JSON ---- */

static enum dfopt_err add_list(const struct dfopt_dict *dict, dfopt_list list,
                               struct dfopt_buf *out)
{
    size_t n;
    const dfopt_sym *items = dfopt_dict_items(dict, list, &n);
    enum dfopt_err e = dfopt_buf_add(out, "[", 1);
    for (size_t i = 0; !e && i < n; i++) {
        if (i > 0)
            e = dfopt_buf_add(out, ",", 1);
        if (!e)
            e = log_json_sym(dict, items[i], out);
    }
    return e ? e : dfopt_buf_add(out, "]", 1);
}

static enum dfopt_err add_metrics(uint32_t mask, struct dfopt_buf *out)
{
    enum dfopt_err e = dfopt_buf_add(out, "[", 1);
    const char *comma = "";
    for (uint32_t m = 0; !e && m < DFOPT_METRIC_COUNT; m++)
        if (mask & UINT32_C(1) << m) {
            e = dfopt_buf_printf(out, "%s\"%s\"", comma,
                                 dfopt_declog_metric_name(m));
            comma = ",";
        }
    return e ? e : dfopt_buf_add(out, "]", 1);
}

static enum dfopt_err add_pool_text(struct dump *d, const struct field *f,
                                    struct dfopt_declog_text text,
                                    struct dfopt_error *err)
{
    const char *bytes = "";
    size_t len = (size_t)(text.end - text.start);
    enum dfopt_err e =
        dfopt_declog_reader_text(d->reader, f->pool, text, &bytes, err);
    if (e)
        return e;
    if (f->type == FIELD_TEXT)
        return dfopt_codec_text_json(bytes, len, &d->out);
    return len ? dfopt_buf_add(&d->out, bytes, len)
               : dfopt_buf_add(&d->out, "null", 4);
}

static enum dfopt_err add_plan_id(uint64_t id, struct dfopt_buf *out)
{
    char text[DFOPT_PLAN_ID_SIZE];
    if (id == 0)
        return dfopt_buf_add(out, "null", 4);
    dfopt_plan_id_text(id, text);
    return log_json_text(text, out);
}

static enum dfopt_err add_field(struct dump *d, const struct field *f,
                                const char *row, struct dfopt_error *err)
{
    const char *at = row + f->offset;
    union {
        uint32_t u32;
        uint64_t u64;
        int64_t i64;
        double real;
        struct dfopt_value value;
        struct dfopt_declog_text text;
    } v = {.u64 = 0};
    static const size_t sizes[] = {
        [FIELD_U64] = 8,    [FIELD_U32] = 4,     [FIELD_I64] = 8,
        [FIELD_WINDOW] = 8, [FIELD_REAL] = 8,    [FIELD_FLAG] = 4,
        [FIELD_NAME] = 4,   [FIELD_SYM] = 4,     [FIELD_LIST] = 4,
        [FIELD_VALUE] = 16, [FIELD_PLAN_ID] = 8, [FIELD_METRICS] = 4,
        [FIELD_TEXT] = 16,  [FIELD_JSON] = 16};
    memcpy(&v, at, sizes[f->type]);
    switch (f->type) {
    case FIELD_U64:
        return dfopt_buf_printf(&d->out, "%" PRIu64, v.u64);
    case FIELD_U32:
        return dfopt_buf_printf(&d->out, "%" PRIu32, v.u32);
    case FIELD_WINDOW:
        if (v.i64 < 0)
            return dfopt_buf_add(&d->out, "null", 4);
        return dfopt_buf_printf(&d->out, "%" PRId64, v.i64);
    case FIELD_I64:
        return dfopt_buf_printf(&d->out, "%" PRId64, v.i64);
    case FIELD_REAL:
        return log_json_real(v.real, &d->out);
    case FIELD_FLAG:
        return dfopt_buf_printf(&d->out, "%s", v.u32 ? "true" : "false");
    case FIELD_NAME:
        return log_json_text(f->name_of(v.u32), &d->out);
    case FIELD_SYM:
        return log_json_sym(d->dict, v.u32, &d->out);
    case FIELD_LIST:
        return add_list(d->dict, v.u32, &d->out);
    case FIELD_VALUE:
        return dfopt_codec_value_json(d->dict, v.value, &d->out);
    case FIELD_PLAN_ID:
        return add_plan_id(v.u64, &d->out);
    case FIELD_METRICS:
        return add_metrics(v.u32, &d->out);
    default:
        return add_pool_text(d, f, v.text, err);
    }
}

static uint64_t seq_of(const struct kind *k, const char *row)
{
    uint64_t seq;
    memcpy(&seq, row + k->seq, sizeof seq);
    return seq;
}

static enum dfopt_err add_row(struct dump *d, const struct kind *k, const char *row,
                              struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_buf_printf(
        &d->out, "{\"seq\":%" PRIu64 ",\"kind\":\"%s\"", seq_of(k, row), k->name);
    for (const struct field *f = k->fields; !e && f->name; f++) {
        e = dfopt_buf_printf(&d->out, ",\"%s\":", f->name);
        if (!e)
            e = add_field(d, f, row, err);
    }
    return e ? e : dfopt_buf_add(&d->out, "}\n", 2);
}

/* ---- the merge ---- */

struct place {  /* where a row stands in the order */
    bool event; /* false: before the first event */
    uint64_t seq, position;
};

static struct place place_of(const struct kind *k, const char *row)
{
    struct place p = {.event = true, .seq = seq_of(k, row)};
    uint32_t position;
    if (k->position != NO_POSITION) {
        memcpy(&position, row + k->position, sizeof position);
        p.position = (uint64_t)position + 1;
    } else if (k->table == DFOPT_TABLE_REGISTRATIONS) {
        const struct dfopt_declog_registration_row *r = (const void *)row;
        p.event = r->source == DFOPT_SOURCE_EVENT;
    }
    return p;
}

static bool before(const struct place *a, const struct place *b)
{
    if (a->event != b->event)
        return b->event;
    return a->seq != b->seq ? a->seq < b->seq : a->position < b->position;
}

/* Of the cursors' rows the one that comes first; equal ones in the order of
 * the kinds. *which is KINDS at the end. */
static enum dfopt_err pick(struct dump *d, size_t *which, const char **row,
                           struct dfopt_error *err)
{
    struct place best = {.event = false};
    *which = KINDS;
    for (size_t i = 0; i < KINDS; i++) {
        const void *at = NULL;
        if (!(d->kinds & UINT32_C(1) << i))
            continue;
        enum dfopt_err e = log_cursor_row(&d->cursor[i], &at, err);
        if (e)
            return e;
        if (!at || seq_of(&kinds[i], at) > d->to)
            continue;
        struct place p = place_of(&kinds[i], at);
        if (*which == KINDS || before(&p, &best)) {
            best = p;
            *which = i;
            *row = at;
        }
    }
    return DFOPT_OK;
}

/* Returns OK also where stdout takes no more; *written says so. */
static enum dfopt_err merge(struct dump *d, enum log_out *written,
                            struct dfopt_error *err)
{
    for (;;) {
        size_t which = KINDS;
        const char *row = NULL;
        enum dfopt_err e = pick(d, &which, &row, err);
        if (!e && which < KINDS)
            e = add_row(d, &kinds[which], row, err);
        if (e)
            return e;
        if (which == KINDS || d->out.len > 65536)
            *written = log_write(&d->out);
        if (which == KINDS || *written != LOG_OUT_OK)
            return DFOPT_OK;
        d->cursor[which].next++;
    }
}

static enum dfopt_err start(struct dump *d, struct dfopt_error *err)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct log_cursor *c = &d->cursor[i];
        enum dfopt_err e =
            log_cursor_init(c, d->reader, kinds[i].table, kinds[i].row_size);
        if (!e && d->from > 0)
            e = log_cursor_seek(c, kinds[i].seq, d->from, err);
        if (e)
            return e;
    }
    return DFOPT_OK;
}

/* ---- the command ---- */

static const struct argp_option options[] = {
    {"kind", 'k', "KIND", 0,
     "Only rows of KIND (may be repeated): finding, registration, ack, "
     "global_plan, "
     "reject, suppression, verdict, plan",
     0},
    {"from", 'f', "SEQ", 0, "Events from number SEQ on", 0},
    {"to", 't', "SEQ", 0, "Events up to number SEQ", 0},
    {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct dump *d = state->input;
    size_t i = 0;
    switch (key) {
    case 'k':
        while (i < KINDS && strcmp(kinds[i].name, text) != 0)
            i++;
        if (i == KINDS)
            argp_error(state, "no such kind: %s", text);
        d->kinds |= UINT32_C(1) << i;
        return 0;
    case 'f':
        d->from = log_args_number(state, "from", text, UINT64_MAX);
        return 0;
    case 't':
        d->to = log_args_number(state, "to", text, UINT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int log_dump(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc =
            "Prints the rows of a decision log as JSON, one a line, in the order "
            "of events.\v"
            "Within an event: what came in, changes of suppressions, then verdicts "
            "by position, each followed by its plan. Registrations that are no "
            "events come first.\n"};
    struct dump d = {.to = UINT64_MAX};
    struct dfopt_error err = {.code = DFOPT_OK};
    enum log_out written = LOG_OUT_OK;
    struct log_args args = {.n_files = 1}; /* it is JSON with and without --json */
    log_args_parse(&args, &argp, &d, argc, argv);
    d.path = args.file[0];
    if (d.kinds == 0)
        d.kinds = (UINT32_C(1) << KINDS) - 1;
    d.reader = log_open(d.path);
    if (!d.reader)
        return LOG_TROUBLE;
    d.dict = dfopt_declog_reader_dict(d.reader);
    enum dfopt_err e = start(&d, &err);
    if (!e)
        e = merge(&d, &written, &err);
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(&err, e, "%s: out of memory", d.path);
    if (e) {
        log_write(&d.out); /* the rows before the trouble */
        log_trouble(&err);
    }
    for (size_t i = 0; i < KINDS; i++)
        log_cursor_free(&d.cursor[i]);
    dfopt_buf_free(&d.out);
    dfopt_declog_reader_close(d.reader);
    return e || written == LOG_OUT_FAILED ? LOG_TROUBLE : LOG_OK;
}
