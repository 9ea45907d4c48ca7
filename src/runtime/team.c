/* Routing to the planners and collecting from them. With one rank the planner
 * is here and decides an event when it is given. Invariant: a worker answers
 * every EVENTS frame with one RESULTS frame of the same round, in order. */
#include "runtime/team.h"

#include "planner/symmap.h"
#include "runtime/deciding.h"
#include "runtime/restore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dfopt_team {
    struct dfopt_comm *comm;
    struct dfopt_dict *dict;
    struct dfopt_team_config config;
    uint32_t planners;
    struct dfopt_deciding here;          /* one rank: the planner; else unused */
    struct dfopt_symmap owner;           /* of nodes met before */
    struct dfopt_frame_peer *peer;       /* by planner: what it was told; owned */
    struct dfopt_frame_translation *own; /* by planner: its own strings; owned */
    bool *configured;                    /* by planner; owned */
    struct dfopt_buf in;
};

static bool is_alone(const struct dfopt_team *t)
{
    return t->here.planner != NULL;
}

enum dfopt_err dfopt_team_create(struct dfopt_team **out, struct dfopt_comm *comm,
                                 struct dfopt_dict *dict,
                                 const struct dfopt_team_config *config,
                                 struct dfopt_error *err)
{
    struct dfopt_team *t = calloc(1, sizeof *t);
    if (!t)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    t->comm = comm;
    t->dict = dict;
    t->config = *config;
    t->planners = dfopt_partition_planners(dfopt_comm_size(comm));
    t->peer = calloc(t->planners, sizeof *t->peer);
    t->own = calloc(t->planners, sizeof *t->own);
    t->configured = calloc(t->planners, sizeof *t->configured);
    enum dfopt_err e =
        t->peer && t->own && t->configured ? DFOPT_OK : DFOPT_ERR_NOMEM;
    if (!e && dfopt_comm_size(comm) == 1)
        e = dfopt_deciding_start(&t->here, dict, config->policy,
                                 config->assumed_acks, config->relay_hostname, 0,
                                 1);
    if (e) {
        dfopt_team_destroy(t);
        return dfopt_error_set(err, e, "%s", dfopt_err_text(e));
    }
    *out = t;
    return DFOPT_OK;
}

void dfopt_team_destroy(struct dfopt_team *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->planners; i++) {
        if (t->peer)
            dfopt_frame_peer_free(&t->peer[i]);
        if (t->own)
            dfopt_frame_translation_free(&t->own[i]);
    }
    free(t->peer);
    free(t->own);
    free(t->configured);
    dfopt_symmap_free(&t->owner);
    dfopt_deciding_end(&t->here);
    dfopt_buf_free(&t->in);
    free(t);
}

uint32_t dfopt_team_planners(const struct dfopt_team *t)
{
    return t->planners;
}

/* ---- out ---- */

static enum dfopt_err count_event(struct dfopt_round *r, uint32_t reporter)
{
    enum dfopt_err e = dfopt_buf_add(&r->reporter, &reporter, sizeof reporter);
    if (!e)
        r->n_events++;
    return e;
}

enum dfopt_err dfopt_team_skip(struct dfopt_team *t, struct dfopt_round *r)
{
    (void)t;
    return count_event(r, DFOPT_REPORTER_NONE);
}

/* The frame of a planner's share; begun, and headed by the configuration if it
 * is the planner's first. NULL on NOMEM. */
static struct dfopt_frame *frame_of(struct dfopt_team *t, struct dfopt_round *r,
                                    uint32_t planner)
{
    struct dfopt_share *s = &r->shares[planner];
    if (s->used)
        return &s->frame;
    if (dfopt_frame_begin(&s->frame, &s->bytes, t->dict, &t->peer[planner]))
        return NULL;
    if (!t->configured[planner] &&
        dfopt_frame_config(&s->frame, t->config.policy, t->config.assumed_acks,
                           t->config.relay_hostname))
        return NULL;
    t->configured[planner] = true;
    s->used = true;
    return &s->frame;
}

/* The planner that owns a node, remembered by the node's number. */
static enum dfopt_err owner_of(struct dfopt_team *t, dfopt_sym node, uint32_t *out)
{
    *out = dfopt_symmap_get(&t->owner, node);
    if (*out != DFOPT_SYMMAP_NONE)
        return DFOPT_OK;
    size_t len;
    const char *name = dfopt_dict_text(t->dict, node, &len);
    *out = dfopt_partition_owner(name, len, t->planners);
    return dfopt_symmap_set(&t->owner, node, *out);
}

enum dfopt_err dfopt_team_finding(struct dfopt_team *t, struct dfopt_round *r,
                                  uint64_t seq, const struct dfopt_finding *f)
{
    if (is_alone(t)) {
        enum dfopt_err e =
            dfopt_deciding_finding(&t->here, seq, f, &r->shares[0].results);
        return e ? e : count_event(r, 0);
    }
    uint32_t first = 0, last = t->planners - 1, reporter = DFOPT_PARTITION_SPEAKER;
    enum dfopt_err e = DFOPT_OK;
    if (f->node != DFOPT_SYM_EMPTY) {
        e = owner_of(t, f->node, &reporter);
        first = last = reporter;
    }
    for (uint32_t i = first; i <= last && !e; i++) {
        struct dfopt_frame *frame = frame_of(t, r, i);
        e = frame ? dfopt_frame_finding(frame, seq, f) : DFOPT_ERR_NOMEM;
    }
    return e ? e : count_event(r, reporter);
}

enum dfopt_err dfopt_team_ack(struct dfopt_team *t, struct dfopt_round *r,
                              uint64_t seq, const struct dfopt_ack *a)
{
    enum dfopt_err e = DFOPT_OK;
    if (is_alone(t))
        e = dfopt_deciding_ack(&t->here, seq, a, &r->shares[0].results);
    for (uint32_t i = 0; !is_alone(t) && i < t->planners && !e; i++) {
        struct dfopt_frame *frame = frame_of(t, r, i);
        e = frame ? dfopt_frame_ack(frame, seq, a) : DFOPT_ERR_NOMEM;
    }
    return e ? e : count_event(r, DFOPT_REPORTER_NONE);
}

enum dfopt_err dfopt_team_global_plan(struct dfopt_team *t, struct dfopt_round *r,
                                      uint64_t seq,
                                      const struct dfopt_global_plan *g)
{
    enum dfopt_err e = DFOPT_OK;
    if (is_alone(t))
        e = dfopt_deciding_global_plan(&t->here, seq, g, &r->shares[0].results);
    for (uint32_t i = 0; !is_alone(t) && i < t->planners && !e; i++) {
        struct dfopt_frame *frame = frame_of(t, r, i);
        e = frame ? dfopt_frame_global_plan(frame, seq, g) : DFOPT_ERR_NOMEM;
    }
    return e ? e : count_event(r, DFOPT_PARTITION_SPEAKER);
}

enum dfopt_err dfopt_team_preset(struct dfopt_team *t, struct dfopt_round *r,
                                 const struct dfopt_registration *g)
{
    enum dfopt_err e = DFOPT_OK;
    if (is_alone(t))
        return dfopt_planner_preset(t->here.planner, g);
    for (uint32_t i = 0; i < t->planners && !e; i++) {
        struct dfopt_frame *frame = frame_of(t, r, i);
        e = frame ? dfopt_frame_registration(frame, 0, g) : DFOPT_ERR_NOMEM;
    }
    return e;
}

enum dfopt_err dfopt_team_restore(struct dfopt_team *t, struct dfopt_round *r,
                                  const struct dfopt_fold *state)
{
    enum dfopt_err e = DFOPT_OK;
    if (is_alone(t))
        return dfopt_restore_here(t->here.planner, state);
    for (uint32_t i = 0; i < t->planners && !e; i++) {
        struct dfopt_frame *frame = frame_of(t, r, i);
        e = frame ? dfopt_restore_send(frame, state, i, t->planners)
                  : DFOPT_ERR_NOMEM;
    }
    return e;
}

enum dfopt_err dfopt_team_registration(struct dfopt_team *t, struct dfopt_round *r,
                                       uint64_t seq,
                                       const struct dfopt_registration *g)
{
    (void)seq;
    enum dfopt_err e = dfopt_team_preset(t, r, g);
    return e ? e : count_event(r, DFOPT_REPORTER_NONE);
}

enum dfopt_err dfopt_team_send(struct dfopt_team *t, struct dfopt_round *r,
                               struct dfopt_error *err)
{
    const int size = dfopt_comm_size(t->comm);
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; i < r->n_shares && !e; i++) {
        struct dfopt_share *s = &r->shares[i];
        if (!s->used)
            continue;
        dfopt_frame_end(&s->frame, DFOPT_FRAME_EVENTS, r->number);
        e = dfopt_comm_send(t->comm, dfopt_partition_rank(i, size), &s->bytes,
                            &s->sending, err);
        if (!e) {
            s->waiting = true;
            r->waiting++;
        }
    }
    return e;
}

/* ---- back ---- */

static enum dfopt_err worker_failed(const struct dfopt_frame_reader *opened,
                                    int from, struct dfopt_error *err)
{
    struct dfopt_frame_reader r = *opened;
    struct dfopt_item item;
    enum dfopt_err e;
    if (!dfopt_frame_next(&r, &item, &e))
        item = (struct dfopt_item){0};
    return dfopt_error_set(err, DFOPT_ERR_STATE, "rank %d cannot go on: %.*s", from,
                           (int)(item.size < 200 ? item.size : 200),
                           item.data ? (const char *)item.data : "");
}

/* The round of a RESULTS frame from a planner that is expected to answer it. */
static struct dfopt_round *round_of(struct dfopt_round *rounds, size_t n,
                                    uint64_t number, uint32_t planner)
{
    for (size_t i = 0; i < n; i++)
        if (rounds[i].number == number && rounds[i].shares[planner].waiting)
            return &rounds[i];
    return NULL;
}

static enum dfopt_err broken_frame(int from, enum dfopt_err e,
                                   struct dfopt_error *err)
{
    return dfopt_error_set(err, e, "results of rank %d: %s", from,
                           dfopt_err_text(e));
}

static enum dfopt_err take_results(struct dfopt_team *t, int from,
                                   struct dfopt_round *rounds, size_t n,
                                   struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    const uint32_t planner = (uint32_t)from - 1;
    enum dfopt_err e = dfopt_frame_open(&in, t->in.data, t->in.len, err);
    if (e) {
        dfopt_error_prefix(err, "rank %d", from);
        return e;
    }
    if (in.header.kind == DFOPT_FRAME_FAILED)
        return worker_failed(&in, from, err);
    struct dfopt_round *r = in.header.kind == DFOPT_FRAME_RESULTS && from > 0
                                ? round_of(rounds, n, in.header.round, planner)
                                : NULL;
    if (!r)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "rank %d answered what it was not asked (frame %" PRIu32
            ", round %" PRIu64 ")",
            from, in.header.kind, in.header.round);
    struct dfopt_share *s = &r->shares[planner];
    while (dfopt_frame_next(&in, &item, &e)) {
        e = dfopt_item_rows(&item, t->dict, &t->own[planner], &s->results, NULL,
                            NULL);
        if (e)
            break;
    }
    if (e)
        return broken_frame(from, e, err);
    s->waiting = false;
    r->waiting--;
    return dfopt_send_finish(t->comm, &s->sending, err);
}

enum dfopt_err dfopt_team_collect(struct dfopt_team *t, struct dfopt_round *r,
                                  struct dfopt_round *rounds, size_t n, bool wait,
                                  struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    while (r->waiting && !e) {
        int from;
        e = dfopt_comm_receive(t->comm, DFOPT_RANK_ANY, wait, &t->in, &from, err);
        if (!e && from < 0)
            break;
        if (!e)
            e = take_results(t, from, rounds, n, err);
    }
    return e;
}

void dfopt_team_forget(struct dfopt_team *t, struct dfopt_round *rounds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < rounds[i].n_shares; j++) {
            rounds[i].shares[j].waiting = false;
            dfopt_send_finish(t->comm, &rounds[i].shares[j].sending, NULL);
        }
        rounds[i].waiting = 0;
    }
}

/* One worker's part of the state, or its failure. */
static enum dfopt_err take_state(struct dfopt_team *t, int from,
                                 struct dfopt_buf *rows,
                                 struct dfopt_buf *suppressions,
                                 struct dfopt_error *err)
{
    struct dfopt_frame_reader in;
    struct dfopt_item item;
    struct dfopt_decisions none = {0};
    enum dfopt_err e = dfopt_frame_open(&in, t->in.data, t->in.len, err);
    if (e)
        return e;
    if (in.header.kind == DFOPT_FRAME_FAILED)
        return worker_failed(&in, from, err);
    if (in.header.kind != DFOPT_FRAME_STATE)
        return broken_frame(from, DFOPT_ERR_FORMAT, err);
    while (dfopt_frame_next(&in, &item, &e)) {
        e = dfopt_item_rows(&item, t->dict, &t->own[from - 1], &none, rows,
                            suppressions);
        if (e)
            break;
    }
    if (!e && (none.verdicts.len || none.plans.len))
        e = DFOPT_ERR_FORMAT;
    dfopt_decisions_free(&none);
    return e ? broken_frame(from, e, err) : DFOPT_OK;
}

enum dfopt_err dfopt_team_state(struct dfopt_team *t, struct dfopt_buf *rows,
                                struct dfopt_buf *suppressions,
                                struct dfopt_error *err)
{
    const int size = dfopt_comm_size(t->comm);
    enum dfopt_err e;
    if (is_alone(t)) {
        e = dfopt_deciding_state(&t->here, rows, suppressions);
        return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : e;
    }
    for (int rank = 1; rank < size; rank++) {
        struct dfopt_frame f;
        struct dfopt_buf ask = {0};
        struct dfopt_send *send = NULL;
        int from;
        if (!t->configured[rank - 1])
            continue; /* it has never been given anything */
        e = dfopt_frame_begin(&f, &ask, t->dict, NULL);
        if (!e) {
            dfopt_frame_end(&f, DFOPT_FRAME_ASK_STATE, 0);
            e = dfopt_comm_send(t->comm, rank, &ask, &send, err);
        }
        if (!e)
            e = dfopt_comm_receive(t->comm, rank, true, &t->in, &from, err);
        if (send)
            dfopt_send_finish(t->comm, &send, err);
        dfopt_buf_free(&ask);
        if (!e)
            e = take_state(t, rank, rows, suppressions, err);
        if (e)
            return e;
    }
    return DFOPT_OK;
}
