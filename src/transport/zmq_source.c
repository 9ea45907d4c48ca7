/* Events out of sockets. The sockets take turns, each with a share, so that a
 * flood on one does not starve another; when all were empty the turn is back at
 * registrations and acks. Invariant: `body` is the message that the last record
 * points into. */
#include "transport/zmq.h"

#include "base/clock.h"
#include "transport/zmq_message.h"
#include "transport/zmq_notes.h"
#include "transport/zmq_socket.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS     1000000
#define MAX_DROPS     256                         /* in one call, then WAIT */
#define STOP_DRAIN_NS (1000 * (int64_t)NS_PER_MS) /* after a sentinel */

/* Records of one socket before the next one's turn, in the order of the turns. */
static const struct {
    enum dfopt_zmq_stream stream;
    unsigned share;
} turns[DFOPT_ZMQ_STREAMS] = {
    {DFOPT_ZMQ_REGISTRATIONS, 64},
    {DFOPT_ZMQ_ACKS, 64},
    {DFOPT_ZMQ_FINDINGS, 32},
};

enum taken {
    TAKEN_RECORD,
    TAKEN_DROPPED, /* a message that is not for the caller */
    TAKEN_NOTHING,
    TAKEN_ERROR
};

struct zmq_source {
    struct dfopt_source base;
    struct dfopt_zmq_context context;
    struct dfopt_zmq_socket sockets[DFOPT_ZMQ_STREAMS];
    zmq_msg_t body;
    size_t max_bytes;
    struct dfopt_zmq_notes notes;
    struct dfopt_zmq_source_counts counts;
    unsigned turn, used;
    int64_t idle_ns; /* 0: never */
    int64_t idle_since_ns;
    bool idle_counts;   /* a finding has come */
    bool came;          /* something has come since idle_since_ns */
    bool stopping;      /* the sentinel has come */
    int64_t stop_at_ns; /* then: when what is left is left */
    bool ended;
    int wake_fds[DFOPT_ZMQ_WAKE_FDS];
    size_t n_wake_fds;
};

/* ---- one message ---- */

static enum taken deliver(struct zmq_source *s, enum dfopt_zmq_stream stream,
                          struct dfopt_record *record)
{
    const size_t len = zmq_msg_size(&s->body);
    *record = (struct dfopt_record){
        .data = zmq_msg_data(&s->body),
        .len = len,
        .stream = (int)stream,
        .origin = s->sockets[stream].endpoint,
        .offset = s->counts.received[stream],
        .problem = len == 0 ? "the body is empty" : NULL,
    };
    s->counts.received[stream]++;
    s->counts.bytes += len;
    s->came = true;
    s->idle_counts = s->idle_counts || stream == DFOPT_ZMQ_FINDINGS;
    return TAKEN_RECORD;
}

/* A sentinel on another socket than the findings' is a message like any other. */
static enum taken take(struct zmq_source *s, enum dfopt_zmq_stream stream,
                       struct dfopt_record *record)
{
    enum dfopt_zmq_note why;
    struct dfopt_zmq_socket *socket = &s->sockets[stream];
    if (!socket->handle)
        return TAKEN_NOTHING;
    switch (
        dfopt_zmq_message_receive(socket->handle, s->max_bytes, &s->body, &why)) {
    case DFOPT_ZMQ_GOT_MESSAGE:
        return deliver(s, stream, record);
    case DFOPT_ZMQ_GOT_STOP:
        if (stream != DFOPT_ZMQ_FINDINGS)
            return deliver(s, stream, record);
        s->counts.stops++;
        if (!s->stopping)
            s->stop_at_ns = dfopt_clock_monotonic_ns() + STOP_DRAIN_NS;
        s->stopping = true;
        return TAKEN_DROPPED;
    case DFOPT_ZMQ_GOT_REFUSED:
        dfopt_zmq_notes_add(&s->notes, why, socket->endpoint, 1);
        return TAKEN_DROPPED;
    case DFOPT_ZMQ_GOT_NOTHING:
        return TAKEN_NOTHING;
    default:
        return TAKEN_ERROR;
    }
}

/* ---- the sockets in turn ---- */

static void next_turn(struct zmq_source *s)
{
    s->turn = (s->turn + 1) % DFOPT_ZMQ_STREAMS;
    s->used = 0;
}

/* The next record of any socket. TAKEN_DROPPED: there were only messages to drop,
 * and there may be more. */
static enum taken take_any(struct zmq_source *s, struct dfopt_record *record)
{
    unsigned empty = 0;
    for (int drops = 0; drops < MAX_DROPS;) {
        const enum taken taken = take(s, turns[s->turn].stream, record);
        if (taken == TAKEN_ERROR)
            return taken;
        if (taken == TAKEN_NOTHING) {
            next_turn(s);
            if (++empty < DFOPT_ZMQ_STREAMS)
                continue;
            s->turn = 0;
            return TAKEN_NOTHING;
        }
        empty = 0;
        if (++s->used >= turns[s->turn].share)
            next_turn(s);
        if (taken == TAKEN_RECORD)
            return taken;
        drops++;
    }
    return TAKEN_DROPPED;
}

/* ---- waiting ---- */

/* When nothing is ready: whether it is over, and if not, when it will be
 * (INT64_MAX: not by itself). */
static bool is_over(struct zmq_source *s, int64_t now, int64_t *at_ns)
{
    if (s->came)
        s->idle_since_ns = now;
    s->came = false;
    *at_ns = INT64_MAX;
    if (s->stopping)
        return true;
    if (s->idle_ns > 0 && s->idle_counts)
        *at_ns = s->idle_since_ns + s->idle_ns;
    return now >= *at_ns;
}

/* Milliseconds until then, rounded up; -1: for ever. */
static long wait_ms(int64_t now, int64_t at_ns)
{
    if (at_ns == INT64_MAX)
        return -1;
    if (at_ns <= now)
        return 0;
    const int64_t ms = (at_ns - now) / NS_PER_MS + ((at_ns - now) % NS_PER_MS != 0);
    return ms < INT_MAX ? (long)ms : INT_MAX;
}

/* Keeps the connection for findings alive. Returns when to look again. */
static int64_t tend(struct zmq_source *s, int64_t now)
{
    bool replaced;
    struct dfopt_zmq_socket *findings = &s->sockets[DFOPT_ZMQ_FINDINGS];
    const int64_t until =
        dfopt_zmq_socket_tend(findings, &s->context, now, &replaced);
    dfopt_zmq_notes_add(&s->notes, DFOPT_ZMQ_NOTE_PEER_BROKEN, findings->endpoint,
                        replaced);
    return until;
}

/* Returns what zmq_poll does; *woken: a wake_fd is readable. */
static int wait_for_any(struct zmq_source *s, long ms, bool *woken)
{
    zmq_pollitem_t items[2 * DFOPT_ZMQ_STREAMS + DFOPT_ZMQ_WAKE_FDS];
    int n = 0;
    for (size_t i = 0; i < s->n_wake_fds; i++)
        items[n++] = (zmq_pollitem_t){.fd = s->wake_fds[i], .events = ZMQ_POLLIN};
    for (int i = 0; i < DFOPT_ZMQ_STREAMS; i++) {
        void *both[] = {s->sockets[i].handle, s->sockets[i].watch.events};
        for (int k = 0; k < 2; k++)
            if (both[k])
                items[n++] = (zmq_pollitem_t){both[k], 0, ZMQ_POLLIN, 0};
    }
    const int rc = zmq_poll(items, n, ms);
    for (size_t i = 0; rc > 0 && i < s->n_wake_fds; i++)
        *woken = *woken || items[i].revents != 0;
    return rc;
}

static enum dfopt_source_status fail(struct zmq_source *s, struct dfopt_error *err)
{
    s->ended = true;
    dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s",
                    s->sockets[turns[s->turn].stream].endpoint,
                    zmq_strerror(errno));
    return DFOPT_SOURCE_ERROR;
}

static enum dfopt_source_status end(struct zmq_source *s)
{
    s->ended = true;
    return DFOPT_SOURCE_END;
}

/* The ZAP thread counts; this one tells. */
static void note_refused(struct zmq_source *s)
{
    const uint64_t n = dfopt_zmq_context_refused(&s->context);
    int i = DFOPT_ZMQ_STREAMS - 1; /* which one it was is not known */
    while (i > 0 && !s->sockets[i].handle)
        i--;
    dfopt_zmq_notes_add(&s->notes, DFOPT_ZMQ_NOTE_PEER_REFUSED,
                        s->sockets[i].endpoint, n);
}

/* Nothing is ready: waits, and returns RECORD if it is worth looking again. */
static enum dfopt_source_status wait_more(struct zmq_source *s, int timeout_ms,
                                          int64_t *deadline_ns, bool *woken,
                                          struct dfopt_error *err)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    int64_t until_ns;
    note_refused(s);
    if (is_over(s, now, &until_ns))
        return end(s);
    const int64_t tend_ns = tend(s, now);
    until_ns = tend_ns < until_ns ? tend_ns : until_ns;
    if (*deadline_ns == 0)
        *deadline_ns =
            timeout_ms < 0 ? INT64_MAX : now + (int64_t)timeout_ms * NS_PER_MS;
    if (*woken || now >= *deadline_ns)
        return DFOPT_SOURCE_WAIT;
    if (until_ns > *deadline_ns)
        until_ns = *deadline_ns;
    if (wait_for_any(s, wait_ms(now, until_ns), woken) >= 0)
        return DFOPT_SOURCE_RECORD;
    return errno == EINTR ? DFOPT_SOURCE_WAIT : fail(s, err);
}

/* ---- the ops ---- */

static enum dfopt_source_status source_next(struct dfopt_source *source,
                                            int timeout_ms,
                                            struct dfopt_record *record,
                                            struct dfopt_error *err)
{
    struct zmq_source *s = (struct zmq_source *)source;
    enum dfopt_source_status status = DFOPT_SOURCE_RECORD;
    int64_t deadline_ns = 0;
    bool woken = false;
    while (status == DFOPT_SOURCE_RECORD) {
        if (s->ended ||
            (s->stopping && dfopt_clock_monotonic_ns() >= s->stop_at_ns))
            return end(s);
        switch (take_any(s, record)) {
        case TAKEN_RECORD:
            return DFOPT_SOURCE_RECORD;
        case TAKEN_DROPPED:
            return DFOPT_SOURCE_WAIT;
        case TAKEN_ERROR:
            return fail(s, err);
        default:
            status = wait_more(s, timeout_ms, &deadline_ns, &woken, err);
        }
    }
    return status;
}

static void source_progress(const struct dfopt_source *source,
                            struct dfopt_source_progress *p)
{
    const struct zmq_source *s = (const struct zmq_source *)source;
    *p = (struct dfopt_source_progress){.bytes_done = s->counts.bytes};
}

static void source_destroy(struct dfopt_source *source)
{
    struct zmq_source *s = (struct zmq_source *)source;
    if (!s)
        return;
    note_refused(s);
    dfopt_zmq_notes_end(&s->notes);
    zmq_msg_close(&s->body);
    for (int i = 0; i < DFOPT_ZMQ_STREAMS; i++)
        dfopt_zmq_socket_close(&s->sockets[i], 0);
    dfopt_zmq_context_close(&s->context);
    free(s);
}

static const struct dfopt_source_ops zmq_ops = {
    .next = source_next,
    .progress = source_progress,
    .destroy = source_destroy,
};

void dfopt_zmq_source_counts(const struct dfopt_source *source,
                             struct dfopt_zmq_source_counts *out)
{
    const struct zmq_source *s = (const struct zmq_source *)source;
    *out = s->counts;
    dfopt_zmq_notes_totals(&s->notes, out->noted);
}

const char *dfopt_zmq_source_endpoint(const struct dfopt_source *source,
                                      enum dfopt_zmq_stream stream)
{
    const struct zmq_source *s = (const struct zmq_source *)source;
    if ((unsigned)stream >= DFOPT_ZMQ_STREAMS || !s->sockets[stream].endpoint[0])
        return NULL;
    return s->sockets[stream].endpoint;
}

/* ---- create ---- */

static enum dfopt_err open_socket(struct zmq_source *s,
                                  enum dfopt_zmq_stream stream,
                                  const char *endpoint, bool bind,
                                  const struct dfopt_zmq_source_options *o,
                                  struct dfopt_error *err)
{
    const struct dfopt_zmq_socket_options options = {
        .type = ZMQ_PULL,
        .bind = bind,
        .ipv6 = o->ipv6,
        .high_water = o->high_water > 0 ? o->high_water : DFOPT_ZMQ_HIGH_WATER,
        .cut_off_bytes = 2 * (int64_t)s->max_bytes,
    };
    struct dfopt_zmq_keys keys = {0};
    if (!endpoint || endpoint[0] == '\0')
        return DFOPT_OK;
    enum dfopt_err e = dfopt_zmq_keys_load(&keys, o->curve, bind, endpoint, err);
    if (!e)
        e = dfopt_zmq_socket_open(&s->sockets[stream], &s->context, &options,
                                  endpoint, &keys, err);
    explicit_bzero(&keys, sizeof keys);
    return e;
}

static enum dfopt_err open_all(struct zmq_source *s,
                               const struct dfopt_zmq_source_options *o,
                               struct dfopt_error *err)
{
    enum dfopt_err e =
        open_socket(s, DFOPT_ZMQ_REGISTRATIONS, o->registrations, true, o, err);
    if (!e)
        e = open_socket(s, DFOPT_ZMQ_ACKS, o->acks, true, o, err);
    if (!e)
        e = open_socket(s, DFOPT_ZMQ_FINDINGS, o->findings, o->findings_bind, o,
                        err);
    for (int i = 0; !e && i < DFOPT_ZMQ_STREAMS; i++)
        if (s->sockets[i].handle)
            return DFOPT_OK;
    return e ? e
             : dfopt_error_set(err, DFOPT_ERR_ARG, "ZMQ: no endpoint to read from");
}

enum dfopt_err dfopt_zmq_source_create(struct dfopt_source **out,
                                       const struct dfopt_zmq_source_options *o,
                                       struct dfopt_error *err)
{
    if (o->n_wake_fds > DFOPT_ZMQ_WAKE_FDS)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "ZMQ: too many wake_fds");
    struct zmq_source *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    s->base.ops = &zmq_ops;
    s->max_bytes =
        o->max_message_bytes ? o->max_message_bytes : DFOPT_ZMQ_MAX_MESSAGE_BYTES;
    if (s->max_bytes > INT32_MAX) /* so that twice as much is a number, too */
        s->max_bytes = INT32_MAX;
    s->notes = (struct dfopt_zmq_notes){.fn = o->note, .arg = o->note_arg};
    if (o->idle_timeout_s > 0 && o->idle_timeout_s < 1e9)
        s->idle_ns = (int64_t)(o->idle_timeout_s * 1e9);
    memcpy(s->wake_fds, o->wake_fds, sizeof s->wake_fds);
    s->n_wake_fds = o->n_wake_fds;
    zmq_msg_init(&s->body);
    const bool check = o->curve && !o->curve->allow_any_client;
    enum dfopt_err e = dfopt_zmq_context_open(
        &s->context, check ? o->curve->allowed_clients : NULL, err);
    if (!e)
        e = open_all(s, o, err);
    if (e) {
        source_destroy(&s->base);
        return e;
    }
    *out = &s->base;
    return DFOPT_OK;
}
