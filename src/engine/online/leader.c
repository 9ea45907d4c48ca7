/* The leader's loop: fill a batch, send it, collect and emit the oldest. Batches
 * form a ring; a batch is reused once emitted. */
#include "engine/online/leader.h"

#include "engine/comm/frame.h"
#include "engine/batch/ingest.h"
#include "engine/emit/measure.h"
#include "engine/emit/output.h"
#include "engine/online/desk.h"
#include "engine/online/reports.h"
#include "engine/online/scatter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_EVENTS      4096
#define BATCH_BYTES       ((size_t)8 << 20) /* of input; keeps frames small */
#define BATCHES_IN_FLIGHT 4
#define WAIT_MS           100 /* for input; bounds the delay to notice a signal */

struct leader {
    const struct dfopt_run_config *config;
    struct dfopt_totals *totals;
    struct dfopt_scatter *scatter;
    struct dfopt_output output;
    struct dfopt_batch *batches; /* ring */
    uint32_t n_batches, oldest, in_flight;
    uint32_t batch_events;
    int wait_ms;
    uint64_t next_seq, next_batch;
    uint64_t passed_over;      /* recognised since the last batch was sent */
    struct dfopt_buf known;    /* struct dfopt_fold_origin: of the log and since */
    uint64_t emitted, settled; /* records: decided and emitted; durable too */
    size_t kept_back;          /* plans that no peer has taken yet */
    struct dfopt_ingest ingest;
    struct dfopt_reports reports;
    struct dfopt_desk desk;
    uint64_t requests; /* emitted, from operators: the source does not count them */
    struct dfopt_declog_position end; /* of what has been ingested */
    bool ended;
    bool left_unread;          /* a record of the source was not ingested */
    int64_t restored_until_ns; /* monotonic: deadline for acks */
};

static enum dfopt_err no_memory(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

/* ---- ingest ---- */

/* The run ends before an unusable record: the record gets no number or row, so
 * that a resumed run begins with it. */
static enum dfopt_err end_before(struct leader *l, const struct dfopt_record *rec,
                                 const char *why, struct dfopt_error *err)
{
    l->totals->invalid++;
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s:%" PRIu64 ": %s", rec->origin,
                           rec->line, why);
}

/* Counts an unusable record; it is logged with its batch. */
static enum dfopt_err skip_record(struct leader *l, struct dfopt_batch *r,
                                  const struct dfopt_record *rec, const char *why,
                                  struct dfopt_error *err)
{
    if (dfopt_desk_is_request(rec))
        dfopt_desk_refuse(&l->desk, why);
    l->totals->invalid++;
    return dfopt_batch_count(r, DFOPT_REPORTER_NONE) ? no_memory(err) : DFOPT_OK;
}

/* Whether an event that its origin sends again is already known: it is in the
 * resumed run's log or was ingested since. */
static bool is_known(struct leader *l, const struct dfopt_record *rec)
{
    if (!l->config->resume || rec->unit != DFOPT_OFFSET_EVENT_ID)
        return false;
    const dfopt_sym origin = dfopt_ingest_origin(&l->ingest, rec);
    if (dfopt_fold_is_known(&l->known, origin, rec->offset))
        return true;
    (void)dfopt_fold_note(&l->known, origin, rec->offset); /* NOMEM shows anyway */
    return false;
}

static enum dfopt_err take_record(struct leader *l, struct dfopt_batch *r,
                                  const struct dfopt_record *rec,
                                  struct dfopt_error *err)
{
    struct dfopt_event event;
    struct dfopt_error why = {0};
    const uint64_t seq = l->next_seq;
    enum dfopt_err e = dfopt_ingest_take(&l->ingest, r, seq, rec, &event, &why);
    if (dfopt_measure_received(l->config, r))
        return no_memory(err);
    if (e && e != DFOPT_ERR_NOMEM && l->config->strict)
        return end_before(l, rec, why.text, err);
    l->next_seq++;
    l->totals->records++;
    const struct dfopt_recorded recorded = {.record = rec,
                                            .stream = event.stream,
                                            .usable = e == DFOPT_OK,
                                            .seq = seq,
                                            .why = why.text};
    if (e != DFOPT_ERR_NOMEM && dfopt_output_record(&l->output, &recorded, err))
        return err->code;
    if (dfopt_ingest_note_origin(&l->ingest, r, seq, rec))
        return no_memory(err);
    if (rec->ask && dfopt_batch_note_ask(r, (uint32_t)rec->stream, rec->ask))
        return no_memory(err);
    if (e && e != DFOPT_ERR_NOMEM)
        return skip_record(l, r, rec, why.text, err);
    if (!e) {
        l->totals->by_stream[event.stream]++;
        dfopt_reports_event(&l->reports, &event);
        e = dfopt_scatter_event(l->scatter, r, seq, &event);
    }
    return e ? dfopt_error_set(err, e, "%s:%" PRIu64 ": %s", rec->origin, rec->line,
                               dfopt_err_text(e))
             : DFOPT_OK;
}

/* Counts and logs a file that cannot be read to its end; if strict, ends the
 * run. */
static enum dfopt_err skip_input(struct leader *l, const struct dfopt_error *why,
                                 struct dfopt_error *err)
{
    l->totals->skipped_inputs++;
    if (l->config->strict) {
        *err = *why;
        return why->code;
    }
    dfopt_log_event(l->config->log, DFOPT_LOG_ERROR, "optimizer.input.failed",
                    DFOPT_F_TEXT("error", why->text));
    return DFOPT_OK;
}

static void report_progress(struct leader *l, bool last)
{
    dfopt_recent_count(&l->desk.recent, l->totals, dfopt_clock_monotonic_ns());
    struct dfopt_run_progress p = {.undecided = l->totals->records +
                                                l->totals->recognised - l->emitted,
                                   .kept_back = l->kept_back,
                                   .batches = l->in_flight};
    if (!last && !dfopt_output_progress_due(&l->output))
        return;
    l->config->source->ops->progress(l->config->source, &p.input);
    struct dfopt_pulse *ranks = dfopt_scatter_ranks(l->scatter);
    dfopt_pulse_silent(ranks, dfopt_clock_monotonic_ns(), &p.silent_rank,
                       &p.silent_ns);
    p.reloads = dfopt_desk_reloads(&l->desk, &p.reloading);
    if (l->config->counts)
        dfopt_pulse_counts(ranks, l->config->counts);
    dfopt_output_progress(&l->output, &p, last);
}

/* Called while waiting for a rank. */
static void waiting(void *arg)
{
    report_progress(arg, false);
}

/* Everything emitted is durable: the source may acknowledge it, and the journal
 * can be emptied unless it holds more. */
static enum dfopt_err settled(struct leader *l, struct dfopt_error *err)
{
    l->settled = l->emitted;
    if (l->config->source->ops->done && !l->output.failed && !l->left_unread)
        l->config->source->ops->done(l->config->source, l->settled - l->requests);
    return l->settled == l->totals->records + l->totals->recognised
               ? dfopt_output_cut_journal(&l->output, err)
               : DFOPT_OK;
}

/* Nothing is in flight and no input is ready. */
static enum dfopt_err idle(struct leader *l, struct dfopt_error *err)
{
    l->emitted += l->passed_over;
    l->passed_over = 0;
    l->kept_back = dfopt_output_pump(&l->output);
    report_progress(l, false);
    enum dfopt_err e = dfopt_output_journal(&l->output, err); /* if any waits */
    if (e || l->settled == l->emitted || !dfopt_output_flush_due(&l->output))
        return e;
    e = dfopt_output_settle(&l->output, err);
    return e ? e : settled(l, err);
}

/* ---- operators ---- */

#define REQUESTS_AT_ONCE 16 /* so that a flood of them cannot delay findings */

/* Ingests the commands that have arrived. */
static enum dfopt_err take_requests(struct leader *l, struct dfopt_batch *r,
                                    struct dfopt_error *err)
{
    struct dfopt_record rec;
    enum dfopt_err e = DFOPT_OK;
    enum dfopt_desk_took took = DFOPT_DESK_ASKED;
    for (int i = 0; i < REQUESTS_AT_ONCE && took && !e && !l->ended; i++) {
        took = dfopt_desk_take(&l->desk, &rec);
        l->ended |= l->desk.stop && !l->desk.closing;
        if (took != DFOPT_DESK_COMMAND)
            continue;
        const uint64_t invalid = l->totals->invalid;
        rec.offset = rec.line = l->totals->by_stream[DFOPT_STREAM_CONTROL];
        e = take_record(l, r, &rec, err);
        l->end.next_seq = l->next_seq;
        r->end = l->end;
        r->n_requests++;
        if (!e && l->totals->invalid == invalid &&
            dfopt_desk_numbered(&l->desk, l->next_seq - 1))
            e = no_memory(err);
    }
    return e;
}

/* Starts to restore the registered values before the run ends. */
static enum dfopt_err begin_restore(struct leader *l, struct dfopt_error *err)
{
    struct dfopt_run_result now = {.state = {0}};
    enum dfopt_err e = dfopt_scatter_state(l->scatter, &now, err);
    if (!e && dfopt_desk_restore(&l->desk, &now.state))
        e = no_memory(err);
    dfopt_buf_free(&now.state);
    dfopt_buf_free(&now.suppressions);
    dfopt_buf_free(&now.commanded);
    l->restored_until_ns =
        dfopt_clock_monotonic_ns() + l->config->restore_ms * 1000000;
    l->desk.closing = true;
    l->ended = false;
    return e;
}

/* Nothing is in flight: reports the state to those who asked, and ends the run
 * once all restoring plans are acknowledged or out of time. `last`: logs those
 * without ack. */
static enum dfopt_err look_at_state(struct leader *l, bool last,
                                    struct dfopt_error *err)
{
    struct dfopt_run_result now = {.state = {0}};
    const bool waits = l->desk.closing && !dfopt_desk_commands(&l->desk);
    if (!waits && !dfopt_desk_wants_state(&l->desk))
        return DFOPT_OK;
    const enum dfopt_err e = dfopt_scatter_state(l->scatter, &now, err);
    if (!e)
        dfopt_desk_state(&l->desk, l->totals, &now);
    if (!e && waits)
        l->ended |= dfopt_clock_monotonic_ns() >= l->restored_until_ns ||
                    !dfopt_desk_unanswered(&l->desk, &now.state, last);
    dfopt_buf_free(&now.state);
    dfopt_buf_free(&now.suppressions);
    dfopt_buf_free(&now.commanded);
    return e;
}

/* Fills a batch until it is full or no more input is ready. */
static enum dfopt_err fill(struct leader *l, struct dfopt_batch *r,
                           struct dfopt_error *err)
{
    struct dfopt_record rec;
    struct dfopt_error why = {0};
    size_t bytes = 0;
    enum dfopt_err e = take_requests(l, r, err);
    /* the first batch carries the planners' initial state */
    const bool quiet = l->in_flight == 0 && r->n_events == 0 && l->next_batch > 0;
    if (!e && quiet)
        e = look_at_state(l, false, err);
    while (!e && !l->ended && r->n_events < l->batch_events &&
           bytes < BATCH_BYTES) {
        if (l->config->stop && *l->config->stop && !l->desk.closing) {
            l->ended = true;
            break;
        }
        const bool nothing = r->n_events == 0 && l->in_flight == 0;
        switch (l->config->source->ops->next(
            l->config->source, nothing ? l->wait_ms : 0, &rec, &why)) {
        case DFOPT_SOURCE_RECORD:
            bytes += rec.len;
            if (dfopt_desk_leaves(&l->desk, rec.stream)) {
                l->left_unread = true; /* a resumed run may get it again */
                break;
            }
            if (is_known(l, &rec)) {
                l->totals->recognised++;
                l->passed_over++;
                break;
            }
            e = take_record(l, r, &rec, err);
            if (e)
                break;
            r->end = l->end = (struct dfopt_declog_position){
                .next_seq = l->next_seq,
                .offset = dfopt_record_end(&rec),
                .record_line = rec.line,
                .origin = dfopt_ingest_origin(&l->ingest, &rec)};
            break;
        case DFOPT_SOURCE_ERROR:
            e = skip_input(l, &why, err);
            break;
        case DFOPT_SOURCE_END:
            l->ended = true;
            return e;
        default:
            return nothing ? idle(l, err) : DFOPT_OK;
        }
    }
    return e;
}

/* ---- the loop ---- */

/* Emits the oldest batch, now answered. */
static enum dfopt_err finish_oldest(struct leader *l, struct dfopt_error *err)
{
    struct dfopt_batch *r = &l->batches[l->oldest];
    enum dfopt_err e = dfopt_batch_merge(r);
    if (e)
        return dfopt_error_set(err, e, "merging the results of a batch: %s",
                               dfopt_err_text(e));
    const bool flush = dfopt_output_flush_due(&l->output);
    r->end.wall_ns = dfopt_clock_wall_ns();
    l->oldest = (l->oldest + 1) % l->n_batches;
    l->in_flight--;
    e = dfopt_output_batch(&l->output, r, flush, err);
    if (!e && dfopt_desk_decided(&l->desk, r))
        e = no_memory(err);
    l->emitted += r->n_events + r->n_recognised;
    l->requests += r->n_requests;
    if (!e && flush)
        e = dfopt_output_flush(&l->output, err);
    if (!e && flush)
        e = settled(l, err);
    l->kept_back = dfopt_output_pump(&l->output);
    report_progress(l, false);
    return e;
}

/* Ingests and sends one more batch, if the limit of batches in flight allows. */
static enum dfopt_err send_next(struct leader *l, struct dfopt_error *err)
{
    if (l->ended || l->in_flight == l->n_batches)
        return DFOPT_OK;
    struct dfopt_batch *r = &l->batches[(l->oldest + l->in_flight) % l->n_batches];
    if (l->next_batch > 0) /* the first holds the initial registrations */
        dfopt_batch_reset(r, l->next_batch, l->next_seq);
    enum dfopt_err e = fill(l, r, err);
    if (r->n_events == 0 && l->next_batch > 0)
        return e;
    r->n_recognised = l->passed_over;
    l->passed_over = 0;
    l->next_batch++;
    l->in_flight++;
    enum dfopt_err journaled = e ? DFOPT_OK : dfopt_output_journal(&l->output, err);
    enum dfopt_err sent =
        dfopt_scatter_send(l->scatter, r, e || journaled ? NULL : err);
    return e ? e : journaled ? journaled : sent;
}

static enum dfopt_err run(struct leader *l, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    while (!e && !(l->ended && l->in_flight == 0)) {
        const uint32_t before = l->in_flight;
        e = dfopt_scatter_pulse(l->scatter, l->batches, l->n_batches, err);
        if (!e)
            e = send_next(l, err);
        if (e || l->in_flight == 0)
            continue;
        /* no input, or the limit is reached: wait for the oldest */
        struct dfopt_batch *r = &l->batches[l->oldest];
        const bool wait =
            l->in_flight == before || l->in_flight == l->n_batches || l->ended;
        e = dfopt_scatter_collect(l->scatter, r, l->batches, l->n_batches, wait,
                                  err);
        if (!e && r->waiting == 0)
            e = finish_oldest(l, err);
    }
    return e;
}

/* After a failure: collects the batches in flight, and emits the complete ones
 * before the first incomplete one. */
static void wind_up(struct leader *l)
{
    struct dfopt_error ignored;
    bool fit = true;
    while (l->in_flight) {
        struct dfopt_batch *r = &l->batches[l->oldest];
        if (dfopt_scatter_collect(l->scatter, r, l->batches, l->n_batches, true,
                                  &ignored)) {
            dfopt_scatter_forget(l->scatter, l->batches, l->n_batches);
            fit = false;
        }
        if (fit && finish_oldest(l, &ignored) == DFOPT_OK)
            continue;
        fit = false;
        l->oldest = (l->oldest + 1) % l->n_batches;
        l->in_flight--;
    }
}

static enum dfopt_err start(struct leader *l, struct dfopt_comm *comm,
                            struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_scatter_create(&l->scatter, comm, l->config, err);
    if (e)
        return e;
    l->batches = calloc(l->n_batches, sizeof *l->batches);
    if (!l->batches)
        return no_memory(err);
    for (uint32_t i = 0; i < l->n_batches; i++)
        if (dfopt_batch_init(&l->batches[i], dfopt_scatter_planners(l->scatter)))
            return no_memory(err);
    dfopt_batch_reset(&l->batches[0], 0, l->next_seq);
    l->end = (struct dfopt_declog_position){.origin = DFOPT_SYM_NONE};
    l->batches[0].end = l->end;
    if (l->config->resume) {
        l->batches[0].end = l->end = l->config->resume->at;
        if (dfopt_buf_add(&l->known, l->config->resume->origins.data,
                          l->config->resume->origins.len))
            return no_memory(err);
    }
    e = dfopt_scatter_start(l->scatter, &l->batches[0], err);
    if (!e)
        e = dfopt_scatter_feed(l->scatter, &l->batches[0], err);
    if (!e)
        e = dfopt_desk_start(&l->desk, err);
    return e ? e : dfopt_output_initial(&l->output, err);
}

static void release(struct leader *l)
{
    for (uint32_t i = 0; l->batches && i < l->n_batches; i++)
        dfopt_batch_free(&l->batches[i]);
    free(l->batches);
    dfopt_buf_free(&l->known);
    dfopt_reports_free(&l->reports);
    dfopt_desk_free(&l->desk);
    dfopt_scatter_destroy(l->scatter);
    dfopt_output_free(&l->output);
}

enum dfopt_err dfopt_online_run(struct dfopt_comm *comm,
                                const struct dfopt_run_config *config,
                                struct dfopt_run_result *out,
                                struct dfopt_error *err)
{
    struct leader l = {
        .config = config,
        .totals = &out->totals,
        .n_batches = config->batches_in_flight ? config->batches_in_flight
                                               : BATCHES_IN_FLIGHT,
        .batch_events = config->batch_events ? config->batch_events : BATCH_EVENTS,
        .wait_ms = config->wait_ms ? config->wait_ms : WAIT_MS,
        .next_seq = config->resume ? config->resume->next_seq : 0,
        .ingest = {.dict = config->dict,
                   .codec = config->codec,
                   .policy = config->policy,
                   .keep_findings = *config->declog != NULL,
                   .strict = config->strict},
        .reports = {.config = config},
        .desk = {.config = config},
    };
    dfopt_output_init(&l.output, config, &out->totals);
    enum dfopt_err e = start(&l, comm, err);
    if (!e) {
        dfopt_comm_set_idle(comm, config->pulse ? waiting : NULL, &l);
        e = run(&l, err);
        const bool told = l.desk.stop || (config->stop && *config->stop);
        if (!e && told && (config->restore || l.desk.restore))
            e = begin_restore(&l, err);
        if (!e && l.desk.closing)
            e = run(&l, err);
        if (!e && l.desk.closing) {
            l.restored_until_ns = INT64_MAX; /* each is logged once, here */
            e = look_at_state(&l, true, err);
        }
        if (e)
            wind_up(&l);
        struct dfopt_error ignored = {0};
        const enum dfopt_err ended =
            dfopt_output_settle(&l.output, e ? &ignored : err);
        e = e ? e : ended;
        l.emitted += l.passed_over;
        if (!ended && !e)
            e = settled(&l, err);
        report_progress(&l, true);
        dfopt_reports_end(&l.reports);
    }
    if (!e)
        e = dfopt_scatter_state(l.scatter, out, err);
    out->stopped = config->stop && *config->stop;
    out->output_failed = l.output.failed;
    dfopt_comm_set_idle(comm, NULL, NULL);
    release(&l);
    return e;
}
