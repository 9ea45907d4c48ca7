/* Emits results. An output that fails is closed on its own, so that a full disk
 * under the decision log does not lose the plans. */
#include "engine/emit/output.h"

#include "engine/emit/acks.h"
#include "engine/emit/events.h"
#include "engine/emit/measure.h"
#include "engine/emit/records.h"

#include <string.h>

#define JOURNAL_WAITING_MAX ((size_t)64 << 20)
#define PROGRESS_EVERY_NS   250000000

void dfopt_output_init(struct dfopt_output *o,
                       const struct dfopt_run_config *config,
                       struct dfopt_totals *totals)
{
    *o = (struct dfopt_output){.config = config,
                               .totals = totals,
                               .flushed_seq =
                                   config->resume ? config->resume->next_seq : 0,
                               .flushed_ns = dfopt_clock_monotonic_ns()};
}

bool dfopt_output_flush_due(struct dfopt_output *o)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    if (now - o->flushed_ns < o->config->flush_interval_ns)
        return false;
    o->flushed_ns = now;
    return true;
}

bool dfopt_output_progress_due(const struct dfopt_output *o)
{
    return o->config->progress &&
           dfopt_clock_monotonic_ns() - o->progress_ns >= PROGRESS_EVERY_NS;
}

void dfopt_output_progress(struct dfopt_output *o,
                           const struct dfopt_run_progress *p, bool last)
{
    if (!o->config->progress || (!last && !dfopt_output_progress_due(o)))
        return;
    struct dfopt_run_progress whole = *p;
    whole.totals = o->totals;
    whole.faults = &o->faults;
    whole.log_lag_ns = dfopt_output_lag_ns(o);
    dfopt_measure_outputs(o);
    o->progress_ns = dfopt_clock_monotonic_ns();
    o->config->progress(o->config->progress_arg, &whole);
}

int64_t dfopt_output_lag_ns(const struct dfopt_output *o)
{
    return o->lagging_ns ? dfopt_clock_monotonic_ns() - o->lagging_ns : 0;
}

void dfopt_output_free(struct dfopt_output *o)
{
    dfopt_buf_free(&o->tallies);
    dfopt_buf_free(&o->json);
    dfopt_buf_free(&o->metadata);
    dfopt_buf_free(&o->text);
}

/* Whether a failed output ends the run. */
static bool ends_run(const struct dfopt_output *o)
{
    return o->config->strict || o->config->outputs_count;
}

/* Handles a failed output: ends the run if strict, else logs and remembers it. */
static enum dfopt_err gave_up(struct dfopt_output *o, const char *what,
                              const struct dfopt_error *why,
                              struct dfopt_error *err)
{
    o->failed = true;
    if (ends_run(o)) {
        *err = *why;
        return why->code;
    }
    dfopt_log_event(o->config->log, DFOPT_LOG_ERROR, "optimizer.output.failed",
                    DFOPT_F_TEXT("output", what), DFOPT_F_TEXT("error", why->text));
    return DFOPT_OK;
}

/* ---- decision log ---- */

/* Closes a log that can no longer be written. */
static enum dfopt_err drop_log(struct dfopt_output *o, struct dfopt_error *err)
{
    struct dfopt_error why = {0}, closing;
    const struct dfopt_error *failure = dfopt_declog_error(*o->config->declog);
    if (failure && failure->code)
        why = *failure;
    else
        dfopt_error_set(&why, DFOPT_ERR_NOMEM, "out of memory");
    dfopt_declog_close(o->config->declog, false, &closing);
    o->faults.log = why;
    o->lagging_ns = 0;
    return gave_up(o, "decision log", &why, err);
}

/* Records the log's position in the log. */
static enum dfopt_err commit(struct dfopt_output *o, bool flush,
                             struct dfopt_error *err)
{
    struct dfopt_error why = {0};
    if (!*o->config->declog || o->end.next_seq == 0) /* nothing has been emitted */
        return DFOPT_OK;
    if (dfopt_declog_commit(*o->config->declog, &o->end, flush, &why))
        return drop_log(o, err);
    if (flush) {
        o->flushed_seq = o->end.next_seq;
        o->lagging_ns = 0;
    } else if (o->lagging_ns == 0) {
        o->lagging_ns = dfopt_clock_monotonic_ns();
    }
    return DFOPT_OK;
}

static enum dfopt_err to_declog(struct dfopt_output *o, const struct dfopt_batch *r,
                                bool flush, struct dfopt_error *err)
{
    o->end = r->end;
    if (*o->config->declog && dfopt_records_log(o->config, &o->tallies, r))
        return drop_log(o, err);
    return commit(o, flush, err);
}

enum dfopt_err dfopt_output_initial(struct dfopt_output *o, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < o->config->n_initial && !e; i++) {
        const struct dfopt_initial *p = &o->config->initial[i];
        const struct dfopt_declog_registration reg = {
            .seq = o->config->resume ? o->config->resume->next_seq : 0,
            .source = p->source,
            .body = p->body,
            .body_len = p->body_len,
            .accepted = &p->registration,
        };
        dfopt_events_registration(o->config, &p->registration, &o->text);
        dfopt_events_initial_conflicts(o->config, i);
        dfopt_records_overrides(o->config->policy, &p->registration);
        if (*o->config->declog &&
            dfopt_declog_registration(*o->config->declog, &reg))
            e = drop_log(o, err);
    }
    return e;
}

/* ---- plans ---- */

static enum dfopt_err sink_failed(struct dfopt_output *o, size_t i,
                                  const struct dfopt_error *why,
                                  struct dfopt_error *err)
{
    o->sink_failed[i] = true;
    o->faults.plans = *why;
    return gave_up(o, "plans", why, err);
}

static enum dfopt_err publish(struct dfopt_output *o, const struct dfopt_plan *p,
                              struct dfopt_error *err)
{
    const struct dfopt_dict *dict = o->config->dict;
    dfopt_buf_clear(&o->json);
    dfopt_buf_clear(&o->metadata);
    enum dfopt_err e = dfopt_codec_plan_json(dict, p, o->config->run, &o->json);
    if (!e)
        e = dfopt_codec_plan_metadata(dict, p, o->config->run, &o->metadata);
    if (e)
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    const struct dfopt_plan_message m = {
        .body = o->json.data,
        .body_len = o->json.len,
        .metadata = o->metadata.data,
        .metadata_len = o->metadata.len,
        .node = p->node == DFOPT_SYM_EMPTY ? NULL
                                           : dfopt_dict_text(dict, p->node, NULL),
        .knob = dfopt_dict_text(dict, p->knob, NULL),
    };
    for (size_t i = 0; i < o->config->n_sinks && !e; i++) {
        struct dfopt_error why = {0};
        struct dfopt_sink *s = o->config->sinks[i];
        if (!o->sink_failed[i] && s->ops->publish(s, &m, &why))
            e = sink_failed(o, i, &why, err);
    }
    return e;
}

static enum dfopt_err emit_plans(struct dfopt_output *o,
                                 const struct dfopt_batch *r,
                                 struct dfopt_error *err)
{
    const struct dfopt_plan *p =
        DFOPT_ROW(&r->merged.plans, const struct dfopt_plan);
    const size_t n = DFOPT_ROWS(&r->merged.plans, struct dfopt_plan);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < n && !e; i++) {
        const bool own = p[i].relay_id == DFOPT_SYM_NONE;
        ++*(own ? &o->totals->plans : &o->totals->relays);
        if (o->config->n_sinks)
            e = publish(o, &p[i], err);
        dfopt_events_plan(o->config, &p[i], &o->text);
        dfopt_events_trial(o->config, &p[i], &o->text);
    }
    return e;
}

/* After the plans: tells each asker that there are no more. */
static void emit_answers(const struct dfopt_output *o, const struct dfopt_batch *r)
{
    const struct dfopt_batch_ask *ask =
        DFOPT_ROW(&r->asks, const struct dfopt_batch_ask);
    for (size_t i = 0; i < DFOPT_ROWS(&r->asks, struct dfopt_batch_ask); i++) {
        const struct dfopt_ask to = {r->texts.data + ask[i].instance,
                                     r->texts.data + ask[i].node, ask[i].number};
        for (size_t k = 0; k < o->config->n_sinks; k++) {
            struct dfopt_sink *s = o->config->sinks[k];
            if (!o->sink_failed[k] && s->ops->answer)
                s->ops->answer(s, (int)ask[i].stream, &to);
        }
    }
}

/* ---- totals ---- */

static void count(struct dfopt_totals *t, const struct dfopt_decisions *d)
{
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(&d->verdicts, const struct dfopt_verdict_row);
    const struct dfopt_ack_row *a = DFOPT_ROW(&d->acks, const struct dfopt_ack_row);
    for (size_t i = 0; i < DFOPT_ROWS(&d->verdicts, struct dfopt_verdict_row); i++)
        if (v[i].verdict < DFOPT_VERDICT_COUNT)
            t->verdicts[v[i].verdict]++;
    for (size_t i = 0; i < DFOPT_ROWS(&d->acks, struct dfopt_ack_row); i++)
        t->acks_unmatched += a[i].outcome == DFOPT_ACK_OUTCOME_UNMATCHED;
    const struct dfopt_command_row *c =
        DFOPT_ROW(&d->commands, const struct dfopt_command_row);
    const size_t n = DFOPT_ROWS(&d->commands, struct dfopt_command_row);
    for (size_t i = 0; i < n; i++)
        t->commands_refused += dfopt_command_is_refused(c[i].outcome);
}

enum dfopt_err dfopt_output_batch(struct dfopt_output *o,
                                  const struct dfopt_batch *r, bool flush,
                                  struct dfopt_error *err)
{
    const struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&r->rejects, const struct dfopt_declog_reject_row);
    for (size_t i = 0; i < DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
         i++)
        dfopt_events_reject(o->config, &reject[i], &o->rejects_shown);
    count(o->totals, &r->merged);
    enum dfopt_err e = dfopt_acks_count(o->config, r, o->totals, &o->tallies);
    if (e)
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    /* plans first: flushing the log takes a while */
    dfopt_events_batch(o->config, r, &o->text, &o->totals->conflicts_told);
    e = emit_plans(o, r, err);
    if (!e)
        emit_answers(o, r);
    dfopt_measure_batch(o->config, r);
    return e ? e : to_declog(o, r, flush, err);
}

/* ---- recording and journal ---- */

static enum dfopt_err recording_failed(struct dfopt_output *o,
                                       const struct dfopt_error *why,
                                       struct dfopt_error *err)
{
    o->recording_failed = true;
    o->faults.recording = *why;
    return gave_up(o, "recording", why, err);
}

/* Without a journal, the log itself would have to be flushed for every plan. The
 * journal is still written after the log has failed: a resumed run finds there
 * what the log lacks. */
static bool has_journal(const struct dfopt_output *o)
{
    return o->config->journal && !o->journal_failed;
}

/* Lines that cannot be written wait in memory: a full disk may free up. */
static enum dfopt_err journal_failed(struct dfopt_output *o,
                                     const struct dfopt_error *why,
                                     struct dfopt_error *err)
{
    const bool first = !o->journal_waits;
    o->journal_waits = true;
    o->faults.journal = *why;
    o->journal_failed =
        dfopt_journal_waiting(o->config->journal) > JOURNAL_WAITING_MAX;
    if (o->journal_failed)
        dfopt_journal_forget(o->config->journal);
    if (o->journal_failed || ends_run(o))
        return gave_up(o, "journal", why, err);
    if (first)
        dfopt_log_event(
            o->config->log, DFOPT_LOG_WARNING, "optimizer.output.delayed",
            DFOPT_F_TEXT("output", "journal"), DFOPT_F_TEXT("error", why->text));
    return DFOPT_OK;
}

static void journal_written(struct dfopt_output *o)
{
    if (o->journal_waits)
        dfopt_log_event(o->config->log, DFOPT_LOG_WARNING,
                        "optimizer.output.recovered",
                        DFOPT_F_TEXT("output", "journal"));
    o->journal_waits = false;
    o->faults.journal = (struct dfopt_error){.code = DFOPT_OK};
}

enum dfopt_err dfopt_output_record(struct dfopt_output *o,
                                   const struct dfopt_recorded *r,
                                   struct dfopt_error *err)
{
    struct dfopt_error why = {0};
    struct dfopt_sink *to = o->recording_failed ? NULL : o->config->recording;
    struct dfopt_recorded bare = *r;
    bare.run = o->config->run;
    bare.max_line = o->config->recording_max_line;
    enum dfopt_err e = DFOPT_OK;
    if (has_journal(o)) {
        e = dfopt_record_line(r, true, &o->text);
        if (!e)
            e = dfopt_journal_add(o->config->journal, o->text.data, o->text.len);
    }
    if (!e && to)
        e = dfopt_record_line(&bare, false, &o->text);
    if (e)
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    const struct dfopt_plan_message line = {.body = o->text.data,
                                            .body_len = o->text.len};
    if (!to || !to->ops->publish(to, &line, &why))
        return DFOPT_OK;
    return recording_failed(o, &why, err);
}

enum dfopt_err dfopt_output_journal(struct dfopt_output *o, struct dfopt_error *err)
{
    struct dfopt_error why = {0};
    if (!has_journal(o))
        return DFOPT_OK;
    if (dfopt_journal_write(o->config->journal, &why))
        return journal_failed(o, &why, err);
    journal_written(o);
    return DFOPT_OK;
}

enum dfopt_err dfopt_output_cut_journal(struct dfopt_output *o,
                                        struct dfopt_error *err)
{
    struct dfopt_error why = {0};
    if (!has_journal(o) || !*o->config->declog)
        return DFOPT_OK;
    if (dfopt_journal_cut(o->config->journal, &why))
        return journal_failed(o, &why, err);
    journal_written(o);
    return DFOPT_OK;
}

/* ---- flushing ---- */

enum dfopt_err dfopt_output_flush(struct dfopt_output *o, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    struct dfopt_sink *to = o->config->recording;
    for (size_t i = 0; i < o->config->n_sinks && !e; i++) {
        struct dfopt_error why = {0};
        struct dfopt_sink *s = o->config->sinks[i];
        if (!o->sink_failed[i] && s->ops->flush(s, &why))
            e = sink_failed(o, i, &why, err);
    }
    struct dfopt_error why = {0};
    const bool records = !e && to && !o->recording_failed;
    return records && to->ops->flush(to, &why) ? recording_failed(o, &why, err) : e;
}

enum dfopt_err dfopt_output_settle(struct dfopt_output *o, struct dfopt_error *err)
{
    enum dfopt_err e = commit(o, true, err);
    return e ? e : dfopt_output_flush(o, err);
}

size_t dfopt_output_pump(struct dfopt_output *o)
{
    size_t kept_back = 0;
    for (size_t i = 0; i < o->config->n_sinks; i++) {
        struct dfopt_sink *s = o->config->sinks[i];
        if (!o->sink_failed[i] && s->ops->pump)
            kept_back += s->ops->pump(s);
    }
    return kept_back;
}
