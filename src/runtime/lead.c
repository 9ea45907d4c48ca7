/* Rank 0's loop: fill a round, send it, take in and put out the oldest. Rounds
 * lie in a ring; a round is reused when it has been put out. */
#include "runtime/lead.h"

#include "codec/frame.h"
#include "runtime/intake.h"
#include "runtime/output.h"
#include "runtime/team.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_EVENTS      4096
#define ROUND_BYTES       ((size_t)8 << 20) /* of input; keeps frames small */
#define ROUNDS_ON_WAY     4
#define WAIT_MS           100 /* for input; how soon a signal is noticed */
#define PROGRESS_EVERY_NS 250000000

struct lead {
    const struct dfopt_lead_config *c;
    struct dfopt_totals *totals;
    struct dfopt_team *team;
    struct dfopt_output output;
    struct dfopt_round *rounds; /* ring */
    uint32_t n_rounds, oldest, on_way;
    uint32_t round_events;
    int wait_ms;
    uint64_t next_seq, next_round;
    int64_t flushed_ns, progress_ns;
    uint64_t passed_over;   /* recognised since the last round was sent */
    struct dfopt_buf known; /* struct dfopt_fold_origin: of the log, and since */
    uint64_t put_out, settled; /* records: decided and put out; durable as well */
    size_t kept_back;          /* plans that no peer has taken yet */
    struct dfopt_intake intake;
    bool ended;
};

static enum dfopt_err no_memory(struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
}

/* ---- taking in ---- */

/* The run ends before a record that cannot be used: it takes no number and has no
 * row, so that a resumed run begins with it. */
static enum dfopt_err end_before(struct lead *l, const struct dfopt_record *rec,
                                 const char *why, struct dfopt_error *err)
{
    l->totals->invalid++;
    return dfopt_error_set(err, DFOPT_ERR_SCHEMA, "%s:%" PRIu64 ": %s", rec->origin,
                           rec->line, why);
}

/* A record that cannot be used: counted, and said with its round. */
static enum dfopt_err skip_record(struct lead *l, struct dfopt_round *r,
                                  struct dfopt_error *err)
{
    l->totals->invalid++;
    return dfopt_team_skip(l->team, r) ? no_memory(err) : DFOPT_OK;
}

static enum dfopt_err route(struct lead *l, struct dfopt_round *r, uint64_t seq,
                            const struct dfopt_event *event)
{
    switch (event->stream) {
    case DFOPT_STREAM_FINDING:
        return dfopt_team_finding(l->team, r, seq, &event->finding);
    case DFOPT_STREAM_ACK:
        return dfopt_team_ack(l->team, r, seq, &event->ack);
    case DFOPT_STREAM_GLOBAL_PLAN:
        return dfopt_team_global_plan(l->team, r, seq, &event->global_plan);
    case DFOPT_STREAM_OBJECTIVE:
        return dfopt_team_skip(l->team, r);
    default:
        return dfopt_team_registration(l->team, r, seq, &event->registration);
    }
}

/* Whether an event that its origin sends again has been decided: it is in the log
 * that the run goes on with, or came in since. */
static bool is_known(struct lead *l, const struct dfopt_record *rec)
{
    if (!l->c->resume || rec->unit != DFOPT_OFFSET_EVENT_ID)
        return false;
    const dfopt_sym origin = dfopt_intake_origin(&l->intake, rec);
    if (dfopt_fold_is_known(&l->known, origin, rec->offset))
        return true;
    (void)dfopt_fold_note(&l->known, origin, rec->offset); /* a full memory shows */
    return false;
}

static enum dfopt_err take_record(struct lead *l, struct dfopt_round *r,
                                  const struct dfopt_record *rec,
                                  struct dfopt_error *err)
{
    struct dfopt_event event;
    struct dfopt_error why = {0};
    const uint64_t seq = l->next_seq;
    enum dfopt_err e = dfopt_intake_take(&l->intake, r, seq, rec, &event, &why);
    if (e && e != DFOPT_ERR_NOMEM && l->c->strict)
        return end_before(l, rec, why.text, err);
    l->next_seq++;
    l->totals->records++;
    const struct dfopt_recorded recorded = {rec, event.stream, e == DFOPT_OK, seq,
                                            0};
    if (e != DFOPT_ERR_NOMEM && dfopt_output_record(&l->output, &recorded, err))
        return err->code;
    if (dfopt_intake_note_origin(&l->intake, r, seq, rec))
        return no_memory(err);
    if (e && e != DFOPT_ERR_NOMEM)
        return skip_record(l, r, err);
    if (!e) {
        l->totals->by_stream[event.stream]++;
        e = route(l, r, seq, &event);
    }
    return e ? dfopt_error_set(err, e, "%s:%" PRIu64 ": %s", rec->origin, rec->line,
                               dfopt_err_text(e))
             : DFOPT_OK;
}

/* A file that cannot be read on: said and counted; fatal if strict. */
static enum dfopt_err skip_input(struct lead *l, const struct dfopt_error *why,
                                 struct dfopt_error *err)
{
    l->totals->skipped_inputs++;
    if (l->c->strict) {
        *err = *why;
        return why->code;
    }
    dfopt_log_event(l->c->log, DFOPT_LOG_ERROR, "optimizer.input.failed",
                    DFOPT_F_TEXT("error", why->text));
    return DFOPT_OK;
}

static void report_progress(struct lead *l, bool last)
{
    if (!l->c->progress)
        return;
    const int64_t now = dfopt_clock_monotonic_ns();
    if (!last && now - l->progress_ns < PROGRESS_EVERY_NS)
        return;
    l->progress_ns = now;
    struct dfopt_lead_progress p = {.totals = l->totals,
                                    .undecided = l->totals->records +
                                                 l->totals->recognised - l->put_out,
                                    .kept_back = l->kept_back};
    l->c->source->ops->progress(l->c->source, &p.input);
    l->c->progress(l->c->progress_arg, &p);
}

/* All that has been put out is durable: the source may acknowledge it, and the
 * journal is not needed, unless there is more in it. */
static enum dfopt_err settled(struct lead *l, struct dfopt_error *err)
{
    l->settled = l->put_out;
    if (l->c->source->ops->done && !l->output.failed)
        l->c->source->ops->done(l->c->source, l->settled);
    return l->settled == l->totals->records + l->totals->recognised
               ? dfopt_output_cut_journal(&l->output, err)
               : DFOPT_OK;
}

/* Nothing is on its way and nothing has come in. */
static enum dfopt_err idle(struct lead *l, struct dfopt_error *err)
{
    l->put_out += l->passed_over;
    l->passed_over = 0;
    l->kept_back = dfopt_output_pump(&l->output);
    report_progress(l, false);
    const int64_t now = dfopt_clock_monotonic_ns();
    enum dfopt_err e = dfopt_output_journal(&l->output, err); /* if any waits */
    if (e || l->settled == l->put_out ||
        now - l->flushed_ns < l->c->flush_interval_ns)
        return e;
    l->flushed_ns = now;
    e = dfopt_output_settle(&l->output, err);
    return e ? e : settled(l, err);
}

/* Fills a round until it is full or no more input is ready. */
static enum dfopt_err fill(struct lead *l, struct dfopt_round *r,
                           struct dfopt_error *err)
{
    struct dfopt_record rec;
    struct dfopt_error why = {0};
    size_t bytes = 0;
    enum dfopt_err e = DFOPT_OK;
    while (!e && r->n_events < l->round_events && bytes < ROUND_BYTES) {
        if (l->c->stop && *l->c->stop) {
            l->ended = true;
            break;
        }
        const bool nothing = r->n_events == 0 && l->on_way == 0;
        switch (l->c->source->ops->next(l->c->source, nothing ? l->wait_ms : 0,
                                        &rec, &why)) {
        case DFOPT_SOURCE_RECORD:
            if (is_known(l, &rec)) {
                l->totals->recognised++;
                l->passed_over++;
                break;
            }
            bytes += rec.len;
            e = take_record(l, r, &rec, err);
            if (e)
                break;
            r->end = (struct dfopt_declog_position){
                .next_seq = l->next_seq,
                .offset = dfopt_record_end(&rec),
                .record_line = rec.line,
                .origin = dfopt_intake_origin(&l->intake, &rec)};
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

/* Puts out the oldest round, which is answered. */
static enum dfopt_err finish_oldest(struct lead *l, struct dfopt_error *err)
{
    struct dfopt_round *r = &l->rounds[l->oldest];
    enum dfopt_err e = dfopt_round_merge(r);
    if (e)
        return dfopt_error_set(err, e, "merging the results of a round: %s",
                               dfopt_err_text(e));
    const int64_t now = dfopt_clock_monotonic_ns();
    const bool flush = now - l->flushed_ns >= l->c->flush_interval_ns;
    if (flush)
        l->flushed_ns = now;
    r->end.wall_ns = dfopt_clock_wall_ns();
    l->oldest = (l->oldest + 1) % l->n_rounds;
    l->on_way--;
    e = dfopt_output_round(&l->output, r, flush, err);
    l->put_out += r->n_events + r->n_recognised;
    if (!e && flush)
        e = dfopt_output_flush(&l->output, err);
    if (!e && flush)
        e = settled(l, err);
    l->kept_back = dfopt_output_pump(&l->output);
    report_progress(l, false);
    return e;
}

/* Takes in and sends one more round, if one may be on its way. */
static enum dfopt_err send_next(struct lead *l, struct dfopt_error *err)
{
    if (l->ended || l->on_way == l->n_rounds)
        return DFOPT_OK;
    struct dfopt_round *r = &l->rounds[(l->oldest + l->on_way) % l->n_rounds];
    if (l->next_round > 0) /* the first holds the presets already */
        dfopt_round_reset(r, l->next_round, l->next_seq);
    enum dfopt_err e = fill(l, r, err);
    if (r->n_events == 0 && l->next_round > 0)
        return e;
    r->n_recognised = l->passed_over;
    l->passed_over = 0;
    l->next_round++;
    l->on_way++;
    enum dfopt_err journaled = e ? DFOPT_OK : dfopt_output_journal(&l->output, err);
    enum dfopt_err sent = dfopt_team_send(l->team, r, e || journaled ? NULL : err);
    return e ? e : journaled ? journaled : sent;
}

static enum dfopt_err run(struct lead *l, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    while (!e && !(l->ended && l->on_way == 0)) {
        const uint32_t before = l->on_way;
        e = send_next(l, err);
        if (e || l->on_way == 0)
            continue;
        /* nothing came in, or nothing more may go out: wait for the oldest */
        struct dfopt_round *r = &l->rounds[l->oldest];
        const bool wait =
            l->on_way == before || l->on_way == l->n_rounds || l->ended;
        e = dfopt_team_collect(l->team, r, l->rounds, l->n_rounds, wait, err);
        if (!e && r->waiting == 0)
            e = finish_oldest(l, err);
    }
    return e;
}

/* After a failure: waits for what is still on its way, and puts out what is
 * whole, as far as that goes. */
static void wind_up(struct lead *l)
{
    struct dfopt_error ignored;
    bool fit = true;
    while (l->on_way) {
        struct dfopt_round *r = &l->rounds[l->oldest];
        if (dfopt_team_collect(l->team, r, l->rounds, l->n_rounds, true,
                               &ignored)) {
            dfopt_team_forget(l->team, l->rounds, l->n_rounds);
            fit = false;
        }
        if (fit && finish_oldest(l, &ignored) == DFOPT_OK)
            continue;
        fit = false;
        l->oldest = (l->oldest + 1) % l->n_rounds;
        l->on_way--;
    }
}

static enum dfopt_err start(struct lead *l, struct dfopt_comm *comm,
                            struct dfopt_error *err)
{
    const struct dfopt_team_config team = {l->c->policy, l->c->assumed_acks,
                                           l->c->relay_hostname};
    enum dfopt_err e = dfopt_team_create(&l->team, comm, l->c->dict, &team, err);
    if (e)
        return e;
    l->rounds = calloc(l->n_rounds, sizeof *l->rounds);
    if (!l->rounds)
        return no_memory(err);
    for (uint32_t i = 0; i < l->n_rounds; i++)
        if (dfopt_round_init(&l->rounds[i], dfopt_team_planners(l->team)))
            return no_memory(err);
    dfopt_round_reset(&l->rounds[0], 0, l->next_seq);
    l->rounds[0].end = (struct dfopt_declog_position){.origin = DFOPT_SYM_NONE};
    if (l->c->resume) {
        l->rounds[0].end = l->c->resume->at;
        if (dfopt_buf_add(&l->known, l->c->resume->origins.data,
                          l->c->resume->origins.len))
            return no_memory(err);
        e = dfopt_team_restore(l->team, &l->rounds[0], l->c->resume);
        if (e)
            return dfopt_error_set(err, e, "restoring the state: %s",
                                   dfopt_err_text(e));
    }
    for (size_t i = 0; i < l->c->n_presets; i++) {
        if (dfopt_team_preset(l->team, &l->rounds[0],
                              &l->c->presets[i].registration))
            return no_memory(err);
    }
    return dfopt_output_presets(&l->output, err);
}

static void release(struct lead *l)
{
    for (uint32_t i = 0; l->rounds && i < l->n_rounds; i++)
        dfopt_round_free(&l->rounds[i]);
    free(l->rounds);
    dfopt_buf_free(&l->known);
    dfopt_team_destroy(l->team);
    dfopt_output_free(&l->output);
}

enum dfopt_err dfopt_lead_run(struct dfopt_comm *comm,
                              const struct dfopt_lead_config *config,
                              struct dfopt_lead_result *out,
                              struct dfopt_error *err)
{
    struct lead l = {
        .c = config,
        .totals = &out->totals,
        .output = {.c = config, .totals = &out->totals},
        .n_rounds = config->rounds_on_way ? config->rounds_on_way : ROUNDS_ON_WAY,
        .round_events = config->round_events ? config->round_events : ROUND_EVENTS,
        .wait_ms = config->wait_ms ? config->wait_ms : WAIT_MS,
        .next_seq = config->resume ? config->resume->next_seq : 0,
        .flushed_ns = dfopt_clock_monotonic_ns(),
        .intake = {.dict = config->dict,
                   .codec = config->codec,
                   .policy = config->policy,
                   .keep_findings = *config->declog != NULL,
                   .strict = config->strict},
    };
    enum dfopt_err e = start(&l, comm, err);
    if (!e) {
        e = run(&l, err);
        if (e)
            wind_up(&l);
        struct dfopt_error ending = {0};
        enum dfopt_err ended = dfopt_output_settle(&l.output, &ending);
        if (ended && !e) {
            *err = ending;
            e = ended;
        }
        l.put_out += l.passed_over;
        if (!ended && !e)
            e = settled(&l, err);
        report_progress(&l, true);
    }
    if (!e)
        e = dfopt_team_state(l.team, &out->state, &out->suppressions, err);
    out->stopped = config->stop && *config->stop;
    out->output_failed = l.output.failed;
    release(&l);
    return e;
}

void dfopt_lead_dismiss(struct dfopt_comm *comm, int exit_code)
{
    const uint64_t code = (uint64_t)exit_code;
    for (int rank = 1; rank < dfopt_comm_size(comm); rank++) {
        struct dfopt_frame f;
        struct dfopt_buf bytes = {0};
        struct dfopt_send *send = NULL;
        enum dfopt_err e = dfopt_frame_begin(&f, &bytes, NULL, NULL);
        if (!e)
            e = dfopt_frame_item(&f, DFOPT_ITEM_CODE, &code, sizeof code);
        if (!e) {
            dfopt_frame_end(&f, DFOPT_FRAME_STOP, 0);
            e = dfopt_comm_send(comm, rank, &bytes, &send, NULL);
        }
        if (!e)
            e = dfopt_send_finish(comm, &send, NULL);
        dfopt_buf_free(&bytes);
        if (e)
            dfopt_comm_abort(comm, exit_code ? exit_code : 1);
    }
}
