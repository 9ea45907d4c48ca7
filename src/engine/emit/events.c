/* Log lines about plans, registrations, acks, suppressions, gates and trials. */
#include "engine/emit/events.h"
#include "json/write.h"

#include <string.h>

#define CONFLICTS_SHOWN 100
#define REJECTS_SHOWN   100

/* Appends a value as JSON and a NUL; returns where it starts, or SIZE_MAX. */
static size_t put_value(const struct dfopt_dict *dict, struct dfopt_value v,
                        struct dfopt_buf *text)
{
    const size_t at = text->len;
    if (dfopt_json_write_value(dict, v, text) || dfopt_buf_add(text, "", 1))
        return SIZE_MAX;
    return at;
}

static const char *text_of(const struct dfopt_run_config *c, dfopt_sym s)
{
    return dfopt_dict_text(c->dict, s, NULL);
}

void dfopt_events_plan(const struct dfopt_run_config *c, const struct dfopt_plan *p,
                       struct dfopt_buf *text)
{
    if (!dfopt_log_enabled(c->log, DFOPT_LOG_INFO))
        return;
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    const bool relayed = p->relay_id != DFOPT_SYM_NONE;
    dfopt_buf_clear(text);
    const size_t old = put_value(c->dict, p->old_value, text);
    const size_t new = put_value(c->dict, p->new_value, text);
    const size_t why = text->len;
    if (old == SIZE_MAX || new == SIZE_MAX ||
        dfopt_plan_rationale(c->dict, p, text) || dfopt_buf_add(text, "", 1))
        return;
    dfopt_plan_id_run_text(p->plan_id, c->run, id);
    dfopt_log_event(c->log, DFOPT_LOG_INFO,
                    relayed ? "optimizer.global_plan.relayed" : "optimizer.plan",
                    DFOPT_F_TEXT("plan_id", relayed ? text_of(c, p->relay_id) : id),
                    DFOPT_F_TEXT("knob_id", text_of(c, p->knob)),
                    DFOPT_F_JSON("old_value", text->data + old),
                    DFOPT_F_JSON("new_value", text->data + new),
                    DFOPT_F_TEXT("target_function", text_of(c, p->target_function)),
                    DFOPT_F_TEXT("rationale", text->data + why));
}

/* Logs what a plan means for its site's trials, under control by effect. */
void dfopt_events_trial(const struct dfopt_run_config *c,
                        const struct dfopt_plan *p, struct dfopt_buf *text)
{
    static const char *const reasons[] = {[DFOPT_WHY_OBJECTIVE] = "objective",
                                          [DFOPT_WHY_TREND] = "trend",
                                          [DFOPT_WHY_GUARD] = "guard"};
    const bool back = p->why >= DFOPT_WHY_OBJECTIVE && p->why <= DFOPT_WHY_GUARD;
    const enum dfopt_log_level level = back ? DFOPT_LOG_INFO : DFOPT_LOG_DEBUG;
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    if (p->relay_id != DFOPT_SYM_NONE || !dfopt_log_enabled(c->log, level) ||
        c->policy->on.effect == DFOPT_EFFECT_SEVERITY)
        return;
    dfopt_buf_clear(text);
    const size_t old = put_value(c->dict, p->old_value, text);
    const size_t new = put_value(c->dict, p->new_value, text);
    if (old == SIZE_MAX || new == SIZE_MAX)
        return;
    dfopt_plan_id_run_text(p->plan_id, c->run, id);
    dfopt_log_event(
        c->log, level, back ? "optimizer.rollback" : "optimizer.trial.opened",
        DFOPT_F_TEXT("plan_id", id), DFOPT_F_TEXT("knob_id", text_of(c, p->knob)),
        DFOPT_F_TEXT("node", text_of(c, p->node)),
        DFOPT_F_JSON("old_value", text->data + old),
        DFOPT_F_JSON("new_value", text->data + new),
        DFOPT_F_INT("window_index", p->window),
        DFOPT_F_TEXT("reason", back ? reasons[p->why] : ""));
}

void dfopt_events_registration(const struct dfopt_run_config *c,
                               const struct dfopt_registration *r,
                               struct dfopt_buf *text)
{
    if (!dfopt_log_enabled(c->log, DFOPT_LOG_INFO))
        return;
    dfopt_buf_clear(text);
    enum dfopt_err e = dfopt_buf_add(text, "[", 1);
    for (size_t i = 0; i < r->n_knobs && !e; i++) {
        size_t len;
        const char *id = dfopt_dict_text(c->dict, r->knobs[i].id, &len);
        if (i)
            e = dfopt_buf_add(text, ",", 1);
        if (!e)
            e = dfopt_json_write_text(id, len, text);
    }
    if (e || dfopt_buf_add(text, "]", 2))
        return;
    dfopt_log_event(c->log, DFOPT_LOG_INFO, "optimizer.registry.received",
                    DFOPT_F_TEXT("namespace", text_of(c, r->name_space)),
                    DFOPT_F_TEXT("function", text_of(c, r->function)),
                    DFOPT_F_JSON("knobs", text->data));
}

void dfopt_events_reject(const struct dfopt_run_config *c,
                         const struct dfopt_declog_reject_row *row, uint64_t *shown)
{
    const bool all = dfopt_log_enabled(c->log, DFOPT_LOG_DEBUG);
    if (++*shown == REJECTS_SHOWN + 1 && !all)
        dfopt_log_event(c->log, DFOPT_LOG_WARNING, "optimizer.record.invalid",
                        DFOPT_F_TEXT("error",
                                     "suppressing further messages of this kind; "
                                     "--log-level debug shows all"));
    if (*shown > REJECTS_SHOWN && !all)
        return;
    dfopt_log_event(c->log, DFOPT_LOG_WARNING, "optimizer.record.invalid",
                    DFOPT_F_TEXT("file", text_of(c, row->origin)),
                    DFOPT_F_INT("line", row->line),
                    DFOPT_F_TEXT("stream", dfopt_stream_name(row->stream)),
                    DFOPT_F_TEXT("error", text_of(c, row->reason)));
}

static void log_suppressions(const struct dfopt_run_config *c,
                             const struct dfopt_buf *rows)
{
    const struct dfopt_suppression_row *s =
        DFOPT_ROW(rows, const struct dfopt_suppression_row);
    for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_suppression_row); i++)
        dfopt_log_event(c->log, DFOPT_LOG_INFO,
                        s[i].action == DFOPT_SUPPRESSION_SET
                            ? "optimizer.suppression.activated"
                            : "optimizer.suppression.cleared",
                        DFOPT_F_TEXT("tag", text_of(c, s[i].tag)),
                        DFOPT_F_TEXT("finding_type", text_of(c, s[i].finding_type)),
                        DFOPT_F_REAL("severity", s[i].severity),
                        DFOPT_F_INT("window_index", s[i].window));
}

/* Appends the id for an ack's line, and a NUL, to *text: the id of the plan it was
 * for or, without one, the id as given in the ack. */
static enum dfopt_err put_ack_id(const struct dfopt_run_config *c,
                                 const struct dfopt_batch *r,
                                 const struct dfopt_batch_ack *given,
                                 const struct dfopt_ack_row *row,
                                 struct dfopt_buf *text)
{
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    const char *from = r->texts.data + given->plan_id;
    size_t len = given->plan_id_len;
    if (row->outcome != DFOPT_ACK_OUTCOME_UNMATCHED) {
        dfopt_plan_id_run_text(row->plan_id, c->run, id);
        from = id;
        len = strlen(id);
    }
    dfopt_buf_clear(text);
    const enum dfopt_err e = dfopt_buf_add(text, from, len);
    return e ? e : dfopt_buf_add(text, "", 1);
}

static void log_acks(const struct dfopt_run_config *c, const struct dfopt_batch *r,
                     struct dfopt_buf *text)
{
    const struct dfopt_batch_ack *given =
        DFOPT_ROW(&r->acks, const struct dfopt_batch_ack);
    const struct dfopt_ack_row *a =
        DFOPT_ROW(&r->merged.acks, const struct dfopt_ack_row);
    for (size_t i = 0; i < DFOPT_ROWS(&r->merged.acks, struct dfopt_ack_row); i++) {
        const bool unmatched = a[i].outcome == DFOPT_ACK_OUTCOME_UNMATCHED;
        if (put_ack_id(c, r, &given[i], &a[i], text))
            return;
        dfopt_log_event(
            c->log, a[i].other_plan ? DFOPT_LOG_WARNING : DFOPT_LOG_DEBUG,
            "optimizer.ack.received", DFOPT_F_TEXT("plan_id", text->data),
            DFOPT_F_TEXT("outcome", dfopt_ack_outcome_name(a[i].outcome)),
            DFOPT_F_TEXT("knob_id",
                         text_of(c, unmatched ? given[i].given.knob : a[i].knob)),
            DFOPT_F_TEXT("node",
                         text_of(c, unmatched ? given[i].given.node : a[i].node)),
            DFOPT_F_BOOL("names_another_plan", a[i].other_plan != 0));
    }
}

/* The outcome of each command, and who gave it. */
static void log_commands(const struct dfopt_run_config *c,
                         const struct dfopt_batch *r)
{
    const struct dfopt_batch_command *given =
        DFOPT_ROW(&r->commands, const struct dfopt_batch_command);
    const struct dfopt_command_row *row =
        DFOPT_ROW(&r->merged.commands, const struct dfopt_command_row);
    for (size_t i = 0; i < DFOPT_ROWS(&r->commands, struct dfopt_batch_command);
         i++)
        dfopt_log_event(
            c->log,
            dfopt_command_is_refused(row[i].outcome) ? DFOPT_LOG_WARNING
                                                     : DFOPT_LOG_INFO,
            "optimizer.control", DFOPT_F_INT("record", row[i].seq),
            DFOPT_F_TEXT("action", dfopt_command_action_name(row[i].action)),
            DFOPT_F_TEXT("outcome", dfopt_command_outcome_name(row[i].outcome)),
            DFOPT_F_TEXT("by", text_of(c, given[i].command.by)));
}

#define BIT(verdict) (UINT64_C(1) << DFOPT_VERDICT_##verdict)

/* Verdicts with log lines of their own, about plans and trials. */
static const uint64_t no_gates =
    BIT(PLANNED) | BIT(TRADE) | BIT(ROLLBACK) | BIT(RELEASE) | BIT(IMPROVED) |
    BIT(NEUTRAL) | BIT(WORSE) | BIT(INCONCLUSIVE) | BIT(VOID) | BIT(RESTART) |
    BIT(GUARD) | BIT(WITHDRAWN) | BIT(APPROVED) | BIT(SET) | BIT(RESTORED);
_Static_assert(DFOPT_VERDICT_COUNT <= 64, "a bit each");

static void log_gates(const struct dfopt_run_config *c,
                      const struct dfopt_buf *rows)
{
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(rows, const struct dfopt_verdict_row);
    for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_verdict_row); i++) {
        if (no_gates >> v[i].verdict & 1)
            continue;
        dfopt_log_event(c->log, DFOPT_LOG_DEBUG,
                        v[i].verdict == DFOPT_VERDICT_SUPPRESSED
                            ? "optimizer.suppression.active"
                            : "optimizer.gate.rejected",
                        DFOPT_F_INT("record", v[i].seq),
                        DFOPT_F_TEXT("gate", dfopt_verdict_name(v[i].verdict)),
                        DFOPT_F_TEXT("tag", text_of(c, v[i].tag)),
                        DFOPT_F_TEXT("knob_id", text_of(c, v[i].knob)),
                        DFOPT_F_TEXT("node", text_of(c, v[i].node)),
                        DFOPT_F_REAL("value", v[i].value),
                        DFOPT_F_REAL("threshold", v[i].threshold));
    }
}

static void log_conflict(const struct dfopt_run_config *c, dfopt_sym knob,
                         const struct dfopt_registration *r)
{
    dfopt_log_event(
        c->log, DFOPT_LOG_WARNING, "optimizer.registry.conflict",
        DFOPT_F_TEXT("knob_id", text_of(c, knob)),
        DFOPT_F_TEXT("namespace", r ? text_of(c, r->name_space) : ""),
        DFOPT_F_TEXT("function", r ? text_of(c, r->function) : ""),
        DFOPT_F_TEXT("note",
                     "the knob belongs to another function, so that of this "
                     "one is refused; give it an id of its own"));
}

/* Refused knobs, of the registrations of the batch. Beyond a limit only counted. */
static void log_conflicts(const struct dfopt_run_config *c,
                          const struct dfopt_batch *r, uint64_t *shown)
{
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(&r->merged.verdicts, const struct dfopt_verdict_row);
    const struct dfopt_batch_registration *g =
        DFOPT_ROW(&r->registrations, const struct dfopt_batch_registration);
    const size_t n = DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration);
    const size_t rows = DFOPT_ROWS(&r->merged.verdicts, struct dfopt_verdict_row);
    size_t at = 0; /* both are in the order of the events */
    for (size_t i = 0; i < rows && n && *shown < CONFLICTS_SHOWN; i++) {
        if (v[i].verdict != DFOPT_VERDICT_CONFLICT)
            continue;
        while (at + 1 < n && g[at].seq < v[i].seq)
            at++;
        ++*shown;
        log_conflict(c, v[i].knob, g[at].seq == v[i].seq ? &g[at].accepted : NULL);
    }
}

/* The first owner of a knob before initial registration number `end`; NULL: none,
 * or one that anybody may take over from. */
static const struct dfopt_registration *
owner_before(const struct dfopt_run_config *c, size_t end, dfopt_sym knob)
{
    for (size_t i = 0; i < end; i++) {
        const struct dfopt_registration *r = &c->initial[i].registration;
        for (size_t k = 0; k < r->n_knobs; k++)
            if (r->knobs[k].id == knob)
                return r->name_space == DFOPT_SYM_EMPTY &&
                               r->function == DFOPT_SYM_EMPTY
                           ? NULL
                           : r;
    }
    return NULL;
}

void dfopt_events_initial_conflicts(const struct dfopt_run_config *c, size_t number)
{
    const struct dfopt_registration *r = &c->initial[number].registration;
    const struct dfopt_switches *on = &c->policy->on;
    if (on->registration != DFOPT_REGISTRATION_INTERPRET ||
        on->reregister != DFOPT_REREGISTER_REPLACE)
        return;
    for (size_t k = 0; k < r->n_knobs; k++) {
        const struct dfopt_registration *owner =
            owner_before(c, number, r->knobs[k].id);
        if (owner &&
            (owner->name_space != r->name_space || owner->function != r->function))
            log_conflict(c, r->knobs[k].id, r);
    }
}

static void log_outcomes(const struct dfopt_run_config *c,
                         const struct dfopt_buf *rows)
{
    const struct dfopt_outcome_row *o =
        DFOPT_ROW(rows, const struct dfopt_outcome_row);
    for (size_t i = 0; i < DFOPT_ROWS(rows, struct dfopt_outcome_row); i++) {
        char id[DFOPT_PLAN_ID_RUN_SIZE] = "";
        if (o[i].plan_id)
            dfopt_plan_id_run_text(o[i].plan_id, c->run, id);
        dfopt_log_event(c->log, DFOPT_LOG_INFO, "optimizer.trial.judged",
                        DFOPT_F_TEXT("plan_id", id),
                        DFOPT_F_TEXT("knob_id", text_of(c, o[i].knob)),
                        DFOPT_F_TEXT("node", text_of(c, o[i].node)),
                        DFOPT_F_TEXT("verdict", dfopt_verdict_name(o[i].verdict)),
                        DFOPT_F_REAL("gain", o[i].gain),
                        DFOPT_F_REAL("threshold", o[i].threshold),
                        DFOPT_F_BOOL("kept", o[i].kept != 0),
                        DFOPT_F_INT("window_index", o[i].window));
    }
}

void dfopt_events_batch(const struct dfopt_run_config *c,
                        const struct dfopt_batch *r, struct dfopt_buf *text,
                        uint64_t *conflicts_shown)
{
    const struct dfopt_batch_registration *g =
        DFOPT_ROW(&r->registrations, const struct dfopt_batch_registration);
    const size_t n = DFOPT_ROWS(&r->registrations, struct dfopt_batch_registration);
    if (dfopt_log_enabled(c->log, DFOPT_LOG_INFO)) {
        for (size_t i = 0; i < n; i++)
            if (!g[i].rejected)
                dfopt_events_registration(c, &g[i].accepted, text);
        log_suppressions(c, &r->merged.suppressions);
        log_outcomes(c, &r->merged.outcomes);
        log_commands(c, r);
    }
    if (dfopt_log_enabled(c->log, DFOPT_LOG_WARNING)) {
        log_conflicts(c, r, conflicts_shown);
        log_acks(c, r, text);
    }
    if (dfopt_log_enabled(c->log, DFOPT_LOG_DEBUG))
        log_gates(c, &r->merged.verdicts);
}
