/* Scatters events and collects results. With one rank, the planner is here and
 * decides each event at once. Invariant: a worker answers every EVENTS frame with
 * one RESULTS frame of the same batch, in order. */
#include "engine/online/scatter.h"

#include "engine/batch/answer.h"
#include "engine/batch/start.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct dfopt_scatter {
    struct dfopt_comm *comm;
    const struct dfopt_run_config *config;
    struct dfopt_router router;
    struct dfopt_shard here;             /* one rank: the planner; else unused */
    struct dfopt_frame_known *known;     /* by planner: what it knows; owned */
    struct dfopt_frame_translation *own; /* by planner: its local strings; owned */
    struct dfopt_pulse *pulse;           /* owned; NULL: no monitoring */
    struct dfopt_buf in;
};

#define PULSE_END_NS INT64_C(2000000000) /* for last answers, after a failure */

static bool is_alone(const struct dfopt_scatter *s)
{
    return s->here.planner != NULL;
}

enum dfopt_err dfopt_scatter_create(struct dfopt_scatter **out,
                                    struct dfopt_comm *comm,
                                    const struct dfopt_run_config *config,
                                    struct dfopt_error *err)
{
    const uint32_t planners = dfopt_partition_planners(dfopt_comm_size(comm));
    struct dfopt_scatter *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    s->comm = comm;
    s->config = config;
    s->router = (struct dfopt_router){
        .dict = config->dict, .policy = config->policy, .planners = planners};
    s->known = calloc(planners, sizeof *s->known);
    s->own = calloc(planners, sizeof *s->own);
    enum dfopt_err e = s->known && s->own ? DFOPT_OK : DFOPT_ERR_NOMEM;
    if (!e && dfopt_comm_size(comm) == 1)
        e = dfopt_shard_start(&s->here, config->dict, config->policy,
                              config->assumed_acks, config->relay_hostname, 0, 1);
    if (!e && config->pulse)
        e = dfopt_pulse_create(&s->pulse, comm, config->dict,
                               is_alone(s) ? &s->here : NULL);
    if (e) {
        dfopt_scatter_destroy(s);
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    }
    *out = s;
    return DFOPT_OK;
}

/* After a failure: a live rank may be sending its last answer, and MPI cannot
 * complete that send until it is received. */
static void drain_pulse(struct dfopt_scatter *s)
{
    const int64_t end = dfopt_clock_monotonic_ns() + PULSE_END_NS;
    struct dfopt_frame_reader in;
    while (dfopt_pulse_awaits(s->pulse) && dfopt_clock_monotonic_ns() < end) {
        int from = -1;
        if (dfopt_comm_receive(s->comm, DFOPT_RANK_ANY, false, &s->in, &from, NULL))
            return;
        if (from < 0)
            usleep(1000);
        else if (!dfopt_frame_open(&in, s->in.data, s->in.len, NULL) &&
                 in.header.kind == DFOPT_FRAME_FIGURES)
            (void)dfopt_pulse_take(s->pulse, from, &in, NULL);
    }
}

void dfopt_scatter_destroy(struct dfopt_scatter *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->router.planners; i++) {
        if (s->known)
            dfopt_frame_known_free(&s->known[i]);
        if (s->own)
            dfopt_frame_translation_free(&s->own[i]);
    }
    free(s->known);
    free(s->own);
    drain_pulse(s);
    dfopt_pulse_destroy(s->pulse);
    dfopt_router_free(&s->router);
    dfopt_shard_end(&s->here);
    dfopt_buf_free(&s->in);
    free(s);
}

uint32_t dfopt_scatter_planners(const struct dfopt_scatter *s)
{
    return s->router.planners;
}

/* ---- sending ---- */

/* Begins the frame of a planner's share. NULL: out of memory. */
static struct dfopt_frame *frame_of(struct dfopt_scatter *s, struct dfopt_batch *b,
                                    uint32_t planner)
{
    struct dfopt_share *share = &b->shares[planner];
    if (!share->used && dfopt_frame_begin(&share->frame, &share->bytes,
                                          s->config->dict, &s->known[planner]))
        return NULL;
    share->used = true;
    return &share->frame;
}

enum dfopt_err dfopt_scatter_start(struct dfopt_scatter *s, struct dfopt_batch *b,
                                   struct dfopt_error *err)
{
    const uint32_t planners = s->router.planners;
    enum dfopt_err e =
        s->config->resume
            ? dfopt_router_learn(&s->router, &s->config->resume->knobs)
            : DFOPT_OK;
    for (size_t i = 0; i < s->config->n_initial && !e; i++)
        e = dfopt_router_learn(&s->router, &s->config->initial[i].registration);
    if (e)
        return dfopt_error_set(err, e, "out of memory");
    if (is_alone(s))
        return dfopt_start_here(s->here.planner, &s->here.router, s->config, err);
    for (uint32_t i = 0; i < planners; i++) {
        struct dfopt_frame *frame = frame_of(s, b, i);
        if (!frame || dfopt_start_send(frame, s->config, i, planners))
            return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    return DFOPT_OK;
}

/* ---- events of the log ---- */

struct feeding {
    struct dfopt_scatter *scatter;
    struct dfopt_buf *bytes; /* by planner, as `sending`; owned */
    struct dfopt_send **sending;
};

static enum dfopt_err begin_feed(void *arg, uint32_t planner, struct dfopt_frame *f,
                                 struct dfopt_error *err)
{
    struct feeding *g = arg;
    struct dfopt_scatter *s = g->scatter;
    enum dfopt_err e = dfopt_send_finish(s->comm, &g->sending[planner], err);
    return e ? e
             : dfopt_frame_begin(f, &g->bytes[planner], s->config->dict,
                                 &s->known[planner]);
}

static enum dfopt_err send_feed(void *arg, uint32_t planner, struct dfopt_frame *f,
                                bool last, struct dfopt_error *err)
{
    struct feeding *g = arg;
    struct dfopt_comm *comm = g->scatter->comm;
    const int rank = dfopt_partition_rank(planner, dfopt_comm_size(comm));
    dfopt_frame_end(f, DFOPT_FRAME_FEED, last);
    return dfopt_comm_send(comm, rank, &g->bytes[planner], &g->sending[planner],
                           err);
}

static enum dfopt_err feed(struct dfopt_scatter *s, struct dfopt_error *err)
{
    const uint32_t n = s->router.planners;
    struct feeding g = {.scatter = s,
                        .bytes = calloc(n, sizeof *g.bytes),
                        .sending = calloc(n, sizeof(struct dfopt_send *))};
    const struct dfopt_start_feed to = {.router = &s->router,
                                        .here = is_alone(s) ? &s->here : NULL,
                                        .arg = &g,
                                        .begin = begin_feed,
                                        .send = send_feed};
    enum dfopt_err e = g.bytes && g.sending
                           ? dfopt_start_feed(&to, s->config, err)
                           : dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        if (g.sending && g.sending[i]) {
            const enum dfopt_err sent =
                dfopt_send_finish(s->comm, &g.sending[i], e ? NULL : err);
            e = e ? e : sent;
        }
        if (g.bytes)
            dfopt_buf_free(&g.bytes[i]);
    }
    free(g.bytes);
    free(g.sending);
    return e;
}

/* The batch with the initial state goes first, on its own. */
enum dfopt_err dfopt_scatter_feed(struct dfopt_scatter *s, struct dfopt_batch *b,
                                  struct dfopt_error *err)
{
    if (!dfopt_start_feeds(s->config))
        return DFOPT_OK;
    enum dfopt_err e = is_alone(s) ? DFOPT_OK : dfopt_scatter_send(s, b, err);
    if (!e)
        e = dfopt_scatter_collect(s, b, b, 1, true, err);
    for (uint32_t i = 0; i < b->n_shares; i++)
        b->shares[i].used = false;
    return e ? e : feed(s, err);
}

enum dfopt_err dfopt_scatter_event(struct dfopt_scatter *s, struct dfopt_batch *b,
                                   uint64_t seq, const struct dfopt_event *event)
{
    struct dfopt_route to;
    enum dfopt_err e = dfopt_route_event(&s->router, event, &to);
    if (!e && event->stream == DFOPT_STREAM_REGISTRATION)
        e = dfopt_router_learn(&s->router, &event->registration);
    if (event->policy)
        dfopt_router_reform(&s->router, event->policy);
    if (!e && is_alone(s))
        e = dfopt_shard_event(&s->here, seq, event, &b->shares[0].results);
    for (uint32_t i = to.first; i <= to.last && !is_alone(s) && !e; i++) {
        struct dfopt_frame *frame = frame_of(s, b, i);
        e = frame ? dfopt_frame_event(frame, seq, event) : DFOPT_ERR_NOMEM;
    }
    return e ? e : dfopt_batch_count(b, to.reporter);
}

enum dfopt_err dfopt_scatter_send(struct dfopt_scatter *s, struct dfopt_batch *b,
                                  struct dfopt_error *err)
{
    const int size = dfopt_comm_size(s->comm);
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < b->n_shares && !e; i++) {
        struct dfopt_share *share = &b->shares[i];
        if (!share->used)
            continue;
        dfopt_frame_end(&share->frame, DFOPT_FRAME_EVENTS, b->number);
        e = dfopt_comm_send(s->comm, dfopt_partition_rank(i, size), &share->bytes,
                            &share->sending, err);
        if (!e) {
            share->waiting = true;
            b->waiting++;
            dfopt_pulse_sent(s->pulse, dfopt_partition_rank(i, size));
        }
    }
    return e;
}

/* ---- receiving ---- */

/* The batch that a RESULTS frame answers, if its planner owes an answer. */
static struct dfopt_batch *batch_of(struct dfopt_batch *batches, size_t n,
                                    uint64_t number, uint32_t planner)
{
    for (size_t i = 0; i < n; i++)
        if (batches[i].number == number && batches[i].shares[planner].waiting)
            return &batches[i];
    return NULL;
}

/* Opens a received frame. STATE: the frame says why the rank failed. */
static enum dfopt_err open_answer(struct dfopt_scatter *s, int from,
                                  struct dfopt_frame_reader *in,
                                  struct dfopt_error *err)
{
    struct dfopt_item item = {0};
    enum dfopt_err e = dfopt_frame_open(in, s->in.data, s->in.len, err);
    if (e) {
        dfopt_error_prefix(err, "rank %d", from);
        return e;
    }
    if (in->header.kind != DFOPT_FRAME_FAILED)
        return DFOPT_OK;
    if (!dfopt_frame_next(in, &item, &e))
        item.size = 0;
    return dfopt_answer_failed(from, item.data, item.size, err);
}

static enum dfopt_err unexpected(const struct dfopt_frame_reader *in, int from,
                                 struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                           "unexpected answer of rank %d (frame "
                           "%" PRIu32 ", batch %" PRIu64 ")",
                           from, in->header.kind, in->header.batch);
}

static enum dfopt_err take_results(struct dfopt_scatter *s, int from,
                                   struct dfopt_batch *batches, size_t n,
                                   struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    const uint32_t planner = (uint32_t)from - 1;
    enum dfopt_err e = open_answer(s, from, &in, err);
    if (e)
        return e;
    if (in.header.kind == DFOPT_FRAME_FIGURES && s->pulse && from > 0)
        return dfopt_pulse_take(s->pulse, from, &in, err);
    struct dfopt_batch *b = in.header.kind == DFOPT_FRAME_RESULTS && from > 0
                                ? batch_of(batches, n, in.header.batch, planner)
                                : NULL;
    if (!b)
        return unexpected(&in, from, err);
    struct dfopt_share *share = &b->shares[planner];
    e = dfopt_answer_results(&in, s->config->dict, &s->own[planner],
                             &share->results);
    if (e)
        return dfopt_error_set(err, e, "results of rank %d: %s", from,
                               dfopt_err_text(e));
    share->waiting = false;
    b->waiting--;
    dfopt_pulse_answered(s->pulse, from);
    return dfopt_send_finish(s->comm, &share->sending, err);
}

enum dfopt_err dfopt_scatter_collect(struct dfopt_scatter *s, struct dfopt_batch *b,
                                     struct dfopt_batch *batches, size_t n,
                                     bool wait, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    while (b->waiting && !e) {
        int from;
        e = dfopt_comm_receive(s->comm, DFOPT_RANK_ANY, wait, &s->in, &from, err);
        if (!e && from < 0)
            break;
        if (!e)
            e = take_results(s, from, batches, n, err);
    }
    return e;
}

enum dfopt_err dfopt_scatter_pulse(struct dfopt_scatter *s,
                                   struct dfopt_batch *batches, size_t n,
                                   struct dfopt_error *err)
{
    int from = 0;
    enum dfopt_err e = DFOPT_OK;
    while (!e && dfopt_pulse_awaits(s->pulse)) {
        e = dfopt_comm_receive(s->comm, DFOPT_RANK_ANY, false, &s->in, &from, err);
        if (e || from < 0)
            break;
        e = take_results(s, from, batches, n, err);
    }
    return e ? e : dfopt_pulse_ask(s->pulse, err);
}

struct dfopt_pulse *dfopt_scatter_ranks(struct dfopt_scatter *s)
{
    return s->pulse;
}

void dfopt_scatter_forget(struct dfopt_scatter *s, struct dfopt_batch *batches,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < batches[i].n_shares; j++) {
            batches[i].shares[j].waiting = false;
            dfopt_send_finish(s->comm, &batches[i].shares[j].sending, NULL);
        }
        batches[i].waiting = 0;
    }
}

/* Receives a rank's answer to a question, after any figures it still owes. */
static enum dfopt_err receive_state(struct dfopt_scatter *s, int rank,
                                    struct dfopt_frame_reader *in,
                                    struct dfopt_error *err)
{
    int from;
    enum dfopt_err e;
    do {
        e = dfopt_comm_receive(s->comm, rank, true, &s->in, &from, err);
        if (!e)
            e = open_answer(s, rank, in, err);
        if (!e && in->header.kind == DFOPT_FRAME_FIGURES && s->pulse)
            e = dfopt_pulse_take(s->pulse, rank, in, err);
    } while (!e && in->header.kind == DFOPT_FRAME_FIGURES);
    return e;
}

/* Asks a rank for its part of the state; *in is the answer. */
static enum dfopt_err ask_state(struct dfopt_scatter *s, int rank,
                                struct dfopt_frame_reader *in,
                                struct dfopt_error *err)
{
    struct dfopt_frame f;
    struct dfopt_buf ask = {0};
    struct dfopt_send *send = NULL;
    enum dfopt_err e = dfopt_frame_begin(&f, &ask, s->config->dict, NULL);
    if (!e) {
        dfopt_frame_end(&f, DFOPT_FRAME_ASK_STATE, 0);
        e = dfopt_comm_send(s->comm, rank, &ask, &send, err);
    }
    if (!e)
        e = receive_state(s, rank, in, err);
    if (send)
        dfopt_send_finish(s->comm, &send, err);
    dfopt_buf_free(&ask);
    return e;
}

enum dfopt_err dfopt_scatter_state(struct dfopt_scatter *s,
                                   struct dfopt_run_result *out,
                                   struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    if (is_alone(s)) {
        e = dfopt_shard_state(&s->here, &out->state, &out->suppressions);
        if (!e)
            e = dfopt_shard_commanded(&s->here, &out->commanded);
        return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : e;
    }
    for (int rank = 1; rank < dfopt_comm_size(s->comm) && !e; rank++) {
        struct dfopt_frame_reader in;
        e = ask_state(s, rank, &in, err);
        if (!e && in.header.kind != DFOPT_FRAME_STATE)
            return unexpected(&in, rank, err);
        if (!e)
            e = dfopt_answer_state(&in, rank, s->config->dict, &s->own[rank - 1],
                                   out, err);
    }
    return e;
}
