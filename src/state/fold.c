/* Folds the events of a log into a planner. Invariant: `planner` holds the state
 * after the last applied row, and `policy` is that of its run. Consecutive runs
 * with the same rules form one stretch with one planner. Where the rules change, a
 * new planner takes over what rows can express of the state. */
#include "state/fold.h"

#include "policy/policy_json.h"
#include "state/events.h"
#include "state/knobs.h"
#include "state/origins.h"
#include "state/runs.h"

#include <inttypes.h>
#include <string.h>

/* How the state of a stretch is restored. */
enum way {
    BY_ROWS,   /* reapplies its plans, suppressions, ... */
    BY_EVENTS, /* decides all its input again */
    NOT_AT_ALL /* leaves it to dfopt_fold_feed's caller */
};

struct fold {
    struct dfopt_fold *out;
    struct dfopt_declog_reader *reader;
    struct dfopt_dict *dict;
    struct dfopt_fold_events events;
    struct dfopt_policy policy;
    struct dfopt_planner *planner;
    enum way way;
    uint64_t left_out; /* row of /runs from which stretches are left to others */
    struct dfopt_decisions scratch;
    struct dfopt_fold_knobs knobs;
    uint64_t initial_seq; /* of the run that out->initial belongs to */
    uint64_t runs;
};

/* ---- runs ---- */

/* The first run of the last stretch. */
static enum dfopt_err find_last_stretch(struct fold *f, struct dfopt_error *err)
{
    const uint64_t n = dfopt_declog_reader_rows(f->reader, DFOPT_TABLE_RUNS);
    struct dfopt_buf texts[2] = {{0}, {0}};
    const char *text[2][DFOPT_RUN_TEXT_COUNT];
    enum dfopt_err e = DFOPT_OK;
    f->left_out = 0;
    for (uint64_t i = 0; i < n && !e; i++) {
        e = dfopt_fold_run_texts(f->reader, i, &texts[i % 2], text[i % 2], err);
        if (!e && i > 0 && !dfopt_fold_same_rules(text[0], text[1]))
            f->left_out = i;
    }
    dfopt_buf_free(&texts[0]);
    dfopt_buf_free(&texts[1]);
    return e;
}

/* ---- stretches ---- */

/* Whether rows express the whole state under a policy: commands are not in them. */
static bool rows_tell_all(const struct dfopt_policy *p,
                          const struct dfopt_declog_reader *log)
{
    return p->on.effect == DFOPT_EFFECT_SEVERITY &&
           p->on.registration == DFOPT_REGISTRATION_CARRY &&
           p->on.unmatched_ack == DFOPT_UNMATCHED_ACK_IGNORE && !p->limits.given &&
           !dfopt_declog_reader_rows(log, DFOPT_TABLE_CONTROLS);
}

static enum dfopt_err choose_way(struct fold *f, struct dfopt_error *err)
{
    const struct dfopt_declog_run *log = dfopt_declog_reader_run(f->reader);
    f->way = BY_ROWS;
    if (rows_tell_all(&f->policy, f->reader))
        return DFOPT_OK;
    f->way = f->runs > f->left_out ? NOT_AT_ALL : BY_EVENTS;
    f->out->left_to_feed = f->way == NOT_AT_ALL;
    if (strcmp(log->detail, dfopt_declog_detail_name(DFOPT_DETAIL_FINDINGS)) == 0)
        return DFOPT_OK;
    return dfopt_error_set(
        err, DFOPT_ERR_STATE,
        "the state needs findings, and the log was written with --log-detail %s; "
        "only logs with --log-detail findings can be resumed",
        log->detail);
}

/* Lists the planner's state as rows. */
static enum dfopt_err list_state(struct fold *f, bool with_left)
{
    struct dfopt_fold *out = f->out;
    dfopt_buf_clear(&out->rows);
    dfopt_buf_clear(&out->suppressions);
    enum dfopt_err e =
        dfopt_planner_state(f->planner, true, &out->rows, &out->suppressions);
    struct dfopt_state_row *row = DFOPT_ROW(&out->rows, struct dfopt_state_row);
    const size_t n = DFOPT_ROWS(&out->rows, struct dfopt_state_row);
    size_t kept = 0;
    for (size_t i = 0; i < n && !e && !with_left; i++)
        if (!dfopt_planner_has_left(f->planner, row[i].knob))
            row[kept++] = row[i];
    if (!e && !with_left) {
        out->rows.len = kept * sizeof *row;
        e = dfopt_fold_drop_left(&f->knobs, f->planner);
    }
    return e;
}

static enum dfopt_err take_over(struct fold *f)
{
    const struct dfopt_fold *out = f->out;
    enum dfopt_err e = dfopt_planner_preset(f->planner, &out->knobs);
    if (!e)
        e = dfopt_planner_take_state(
            f->planner, DFOPT_ROW(&out->rows, const struct dfopt_state_row),
            DFOPT_ROWS(&out->rows, struct dfopt_state_row));
    return e ? e
             : dfopt_planner_take_suppressions(
                   f->planner,
                   DFOPT_ROW(&out->suppressions,
                             const struct dfopt_suppression_state),
                   DFOPT_ROWS(&out->suppressions, struct dfopt_suppression_state));
}

/* Older logs omit the switches that did not exist yet. */
static enum dfopt_err read_policy(struct fold *f, struct dfopt_error *err)
{
    const char *text = f->out->run_text[DFOPT_RUN_policy];
    const bool old = dfopt_declog_reader_run(f->reader)->format_version < 3;
    dfopt_policy_clear(&f->policy);
    dfopt_policy_preset(&f->policy,
                        old ? DFOPT_PRESET_UPSTREAM : DFOPT_PRESET_DEFAULT);
    return dfopt_policy_read(f->dict, text, strlen(text), &f->policy, err);
}

/* A planner for the next stretch, in the state of the one before it. */
static enum dfopt_err begin_stretch(struct fold *f, struct dfopt_error *err)
{
    const struct dfopt_fold *out = f->out;
    const char *host = out->run_text[DFOPT_RUN_relay_hostname];
    struct dfopt_planner_config config = {.policy = &f->policy};
    enum dfopt_err e = f->planner ? list_state(f, false) : DFOPT_OK;
    dfopt_planner_destroy(f->planner);
    f->planner = NULL;
    if (!e)
        e = read_policy(f, err);
    if (!e)
        e = choose_way(f, err);
    config.assumed_acks =
        strcmp(out->run_text[DFOPT_RUN_acks_mode], "assumed") == 0;
    config.relay_hostname = dfopt_dict_intern_z(f->dict, host);
    if (!e && config.relay_hostname == DFOPT_SYM_NONE)
        e = DFOPT_ERR_NOMEM;
    f->out->feed_seq = f->out->run.seq;
    if (e || f->way == NOT_AT_ALL)
        return e;
    e = dfopt_planner_create(&f->planner, f->dict, &config);
    return e ? e : take_over(f);
}

/* Applies the rules of the next run. */
static enum dfopt_err begin_run(struct fold *f, const void *row,
                                struct dfopt_error *err)
{
    struct dfopt_fold *out = f->out;
    struct dfopt_buf before = out->texts;
    const char *was[DFOPT_RUN_TEXT_COUNT];
    memcpy(was, out->run_text, sizeof was);
    out->texts = (struct dfopt_buf){0};
    enum dfopt_err e =
        dfopt_fold_run_texts(f->reader, f->runs++, &out->texts, out->run_text, err);
    if (!e) {
        memcpy(&out->run, row, sizeof out->run);
        dfopt_fold_events_run(&f->events, out->run_text);
        if (strcmp(was[DFOPT_RUN_transport], out->run_text[DFOPT_RUN_transport]) !=
            0)
            out->same_transport_seq = out->run.seq;
        if (f->runs == 1 || !dfopt_fold_same_rules(was, out->run_text))
            e = begin_stretch(f, err);
    }
    dfopt_buf_free(&before);
    return e;
}

/* ---- registrations ---- */

static enum dfopt_err keep_initial(struct fold *f,
                                   const struct dfopt_declog_registration_row *row,
                                   struct dfopt_error *err)
{
    struct dfopt_buf *all = &f->out->initial;
    const char *body;
    size_t len;
    enum dfopt_err e = dfopt_fold_body(&f->events, row, &body, &len, err);
    if (f->initial_seq != row->seq)
        dfopt_buf_clear(all);
    f->initial_seq = row->seq;
    if (!e)
        e = dfopt_buf_add(all, body, len);
    return e ? e : dfopt_buf_add(all, "\n", 1);
}

static enum dfopt_err take_registration(struct fold *f, const void *row,
                                        struct dfopt_error *err)
{
    const struct dfopt_declog_registration_row *g = row;
    const bool initial = g->source != DFOPT_SOURCE_EVENT;
    struct dfopt_event event;
    enum dfopt_err e = DFOPT_OK;
    if (g->accepted && initial)
        e = keep_initial(f, g, err);
    if (!g->accepted || e || f->way == NOT_AT_ALL)
        return e;
    e = dfopt_fold_event(&f->events, DFOPT_TABLE_REGISTRATIONS, row, &event, err);
    if (e)
        return e;
    dfopt_decisions_clear(&f->scratch);
    e = dfopt_planner_register(f->planner, initial ? 0 : g->seq,
                               &event.registration, &f->scratch);
    if (!e)
        e = dfopt_fold_keep_knobs(&f->knobs, &event.registration,
                                  &f->scratch.verdicts);
    dfopt_event_clear(&event);
    return e;
}

/* ---- deciding again ---- */

/* Passes the event of a row to the planner again. */
static enum dfopt_err decide(struct fold *f, enum dfopt_declog_table table,
                             const void *row, struct dfopt_error *err)
{
    struct dfopt_event event;
    struct dfopt_planner *p = f->planner;
    uint64_t seq; /* the first member of every row */
    memcpy(&seq, row, sizeof seq);
    enum dfopt_err e = dfopt_fold_event(&f->events, table, row, &event, err);
    dfopt_decisions_clear(&f->scratch);
    if (e)
        return e;
    if (table == DFOPT_TABLE_FINDINGS)
        e = dfopt_planner_finding(p, seq, &event.finding, &f->scratch);
    else if (table == DFOPT_TABLE_OBJECTIVES)
        e = dfopt_planner_objective(p, seq, &event.objective, &f->scratch);
    else if (table == DFOPT_TABLE_GLOBAL_PLANS)
        e = dfopt_planner_global_plan(p, seq, &event.global_plan, &f->scratch);
    else if (table == DFOPT_TABLE_ACKS)
        e = dfopt_planner_ack(p, seq, &event.ack, &f->scratch);
    else
        e = dfopt_planner_command(p, seq, &event.command, event.policy,
                                  &f->scratch);
    dfopt_event_clear(&event);
    return e;
}

static enum dfopt_err take_ack(struct fold *f, const void *row,
                               struct dfopt_error *err)
{
    const struct dfopt_declog_ack_row *a = row;
    if (f->way == BY_ROWS && a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED)
        return DFOPT_OK;
    enum dfopt_err e = decide(f, DFOPT_TABLE_ACKS, row, err);
    const struct dfopt_ack_row *now =
        DFOPT_ROW(&f->scratch.acks, const struct dfopt_ack_row);
    const bool same =
        e || (now->outcome == a->outcome && now->plan_id == a->plan_id &&
              now->window == a->cooldown_window);
    return same ? e : DFOPT_ERR_FORMAT;
}

#define DECIDE(name, table)                                                        \
    static enum dfopt_err name(struct fold *f, const void *row,                    \
                               struct dfopt_error *err)                            \
    {                                                                              \
        return decide(f, table, row, err);                                         \
    }
DECIDE(take_finding, DFOPT_TABLE_FINDINGS)
DECIDE(take_objective, DFOPT_TABLE_OBJECTIVES)
DECIDE(take_global_plan, DFOPT_TABLE_GLOBAL_PLANS)

static enum dfopt_err take_command(struct fold *f, const void *row,
                                   struct dfopt_error *err)
{
    const struct dfopt_declog_control_row *c = row;
    const enum dfopt_err e = decide(f, DFOPT_TABLE_CONTROLS, row, err);
    const struct dfopt_command_row *now =
        DFOPT_ROW(&f->scratch.commands, const struct dfopt_command_row);
    return e || now->outcome == c->outcome ? e : DFOPT_ERR_FORMAT;
}

/* ---- applying decisions from their rows ---- */

static enum dfopt_err take_plan(struct fold *f, const void *row,
                                struct dfopt_error *err)
{
    (void)err;
    f->out->plans++;
    return f->way != BY_ROWS
               ? DFOPT_OK
               : dfopt_planner_redo_plan(
                     f->planner, &((const struct dfopt_declog_plan_row *)row)->p);
}

#define REDO(name, how)                                                            \
    static enum dfopt_err name(struct fold *f, const void *row,                    \
                               struct dfopt_error *err)                            \
    {                                                                              \
        (void)err;                                                                 \
        return how(f->planner, row);                                               \
    }
REDO(take_suppression, dfopt_planner_redo_suppression)
REDO(take_timeout, dfopt_planner_redo_timeout)
REDO(take_seen, dfopt_planner_redo_seen)

/* ---- rows ---- */

#define ROWS   (1u << BY_ROWS)
#define EVENTS (1u << BY_EVENTS)
#define EITHER (ROWS | EVENTS)
#define ANYWAY (ROWS | EVENTS | 1u << NOT_AT_ALL)

/* In the order in which the rows of one event apply. */
static const struct source {
    enum dfopt_declog_table table;
    unsigned ways; /* that read the table */
    const char *name;
    size_t seq; /* offset of a row's event number */
    enum dfopt_err (*take)(struct fold *f, const void *row,
                           struct dfopt_error *err);
} sources[] = {
    {DFOPT_TABLE_RUNS, ANYWAY, "runs", offsetof(struct dfopt_declog_run_row, seq),
     begin_run},
    {DFOPT_TABLE_REGISTRATIONS, ANYWAY, "registrations",
     offsetof(struct dfopt_declog_registration_row, seq), take_registration},
    {DFOPT_TABLE_FINDINGS, EVENTS, "findings",
     offsetof(struct dfopt_declog_finding_row, seq), take_finding},
    {DFOPT_TABLE_OBJECTIVES, EVENTS, "objectives",
     offsetof(struct dfopt_declog_objective_row, seq), take_objective},
    {DFOPT_TABLE_ACKS, EITHER, "acks", offsetof(struct dfopt_declog_ack_row, seq),
     take_ack},
    {DFOPT_TABLE_GLOBAL_PLANS, EVENTS, "global_plans",
     offsetof(struct dfopt_relay_row, seq), take_global_plan},
    {DFOPT_TABLE_CONTROLS, EVENTS, "controls",
     offsetof(struct dfopt_declog_control_row, seq), take_command},
    {DFOPT_TABLE_SUPPRESSIONS, ROWS, "suppressions",
     offsetof(struct dfopt_suppression_row, seq), take_suppression},
    {DFOPT_TABLE_SEEN, ROWS, "seen", offsetof(struct dfopt_seen_row, seq),
     take_seen},
    {DFOPT_TABLE_TIMEOUTS, ROWS, "timeouts",
     offsetof(struct dfopt_timeout_row, seq), take_timeout},
    {DFOPT_TABLE_PLANS, ANYWAY, "plans",
     offsetof(struct dfopt_declog_plan_row, p.seq), take_plan},
};
#define SOURCES (sizeof sources / sizeof *sources)

/* Applies a row; adds a text to an error without one. */
static enum dfopt_err take(struct fold *f, size_t which, uint64_t row_number,
                           const void *row, struct dfopt_error *err)
{
    struct dfopt_error why = {.code = DFOPT_OK};
    if (!f->planner && f->way != NOT_AT_ALL &&
        sources[which].table != DFOPT_TABLE_RUNS)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "damaged: /%s begins before the first run",
                               sources[which].name);
    const enum dfopt_err e = sources[which].take(f, row, &why);
    if (!e || e == DFOPT_ERR_NOMEM)
        return e;
    if (e == DFOPT_ERR_STATE) {
        *err = why;
        return e;
    }
    return dfopt_error_set(
        err, e, "row %" PRIu64 " of /%s contradicts earlier rows%s%s", row_number,
        sources[which].name, why.text[0] ? ": " : "", why.text);
}

/* Whether a row belongs to an event that is not to be applied or that is incomplete
 * in the log. A run and its initial registrations precede an event. */
static bool is_beyond(const struct fold *f, size_t which, uint64_t seq,
                      const void *row, uint64_t to)
{
    const uint64_t end = f->out->next_seq;
    if (seq != end || to < f->out->at.next_seq)
        return seq >= end;
    if (sources[which].table != DFOPT_TABLE_REGISTRATIONS)
        return sources[which].table != DFOPT_TABLE_RUNS;
    return ((const struct dfopt_declog_registration_row *)row)->source ==
           DFOPT_SOURCE_EVENT;
}

/* Continues with the tables that the current way reads. */
static enum dfopt_err switch_tables(const struct fold *f,
                                    struct dfopt_fold_table *tables,
                                    struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < SOURCES && !e; i++) {
        const bool off = !(sources[i].ways & 1u << f->way);
        if (tables[i].off && !off)
            e = dfopt_cursor_seek(&tables[i].cursor, sources[i].seq,
                                  f->out->run.seq, err);
        tables[i].off = off;
    }
    return e;
}

static enum dfopt_err take_rows(struct fold *f, uint64_t to,
                                struct dfopt_error *err)
{
    struct dfopt_fold_table tables[SOURCES];
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < SOURCES; i++) {
        tables[i] = (struct dfopt_fold_table){.seq = sources[i].seq, .off = i > 0};
        dfopt_cursor_init(&tables[i].cursor, f->reader, sources[i].table);
    }
    tables[0].off = false;
    while (!e) {
        size_t which;
        const void *row;
        uint64_t seq;
        e = dfopt_fold_next(tables, SOURCES, &which, &row, err);
        if (e || which == SOURCES)
            break;
        memcpy(&seq, (const char *)row + sources[which].seq, sizeof seq);
        if (is_beyond(f, which, seq, row, to))
            continue;
        e = take(f, which, tables[which].cursor.next - 1, row, err);
        if (!e && sources[which].table == DFOPT_TABLE_RUNS)
            e = switch_tables(f, tables, err);
    }
    for (size_t i = 0; i < SOURCES; i++)
        dfopt_cursor_free(&tables[i].cursor);
    return e;
}

/* ---- the whole ---- */

static enum dfopt_err start(struct fold *f, bool feed, struct dfopt_error *err)
{
    if (dfopt_declog_reader_run(f->reader)->format_version < 2)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "format version 1 does not hold the planner's state");
    for (size_t i = 0; i < DFOPT_RUN_TEXT_COUNT; i++)
        f->out->run_text[i] = "";
    dfopt_policy_preset(&f->policy, DFOPT_PRESET_DEFAULT);
    enum dfopt_err e = feed ? find_last_stretch(f, err) : DFOPT_OK;
    return e ? e : dfopt_fold_events_init(&f->events, f->reader, f->dict);
}

enum dfopt_err dfopt_fold_log(struct dfopt_fold *out, struct dfopt_declog_reader *r,
                              struct dfopt_dict *dict, uint64_t to, bool feed,
                              struct dfopt_error *err)
{
    struct fold f = {.out = out,
                     .reader = r,
                     .dict = dict,
                     .left_out = UINT64_MAX,
                     .initial_seq = UINT64_MAX};
    f.knobs = (struct dfopt_fold_knobs){.policy = &f.policy, .all = &out->knobs};
    out->reader = r;
    out->dict = dict;
    out->at = dfopt_declog_reader_run(r)->last.at;
    out->next_seq = to < out->at.next_seq ? to + 1 : out->at.next_seq;
    enum dfopt_err e = start(&f, feed, err);
    if (!e)
        e = take_rows(&f, to, err);
    if (!e)
        e = dfopt_fold_take_origins(out, err);
    if (!e && f.planner)
        e = list_state(&f, true);
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(err, e, "out of memory");
    dfopt_planner_destroy(f.planner);
    dfopt_fold_events_free(&f.events);
    dfopt_policy_clear(&f.policy);
    dfopt_decisions_free(&f.scratch);
    dfopt_symmap_free(&f.knobs.at);
    return e;
}

void dfopt_fold_free(struct dfopt_fold *f)
{
    dfopt_registration_clear(&f->knobs);
    dfopt_buf_free(&f->rows);
    dfopt_buf_free(&f->suppressions);
    dfopt_buf_free(&f->origins);
    dfopt_buf_free(&f->texts);
    dfopt_buf_free(&f->initial);
    *f = (struct dfopt_fold){.next_seq = 0};
}
