/* Events from sockets: when to wait, and when to end. The inbox decides what
 * arrives and in which order. */
#include "transport/zmq/zmq.h"

#include "base/clock.h"
#include "base/idle.h"
#include "model/message.h"
#include "transport/zmq/inbox.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

_Static_assert((int)DFOPT_ZMQ_FINDINGS == DFOPT_STREAM_FINDING &&
                   (int)DFOPT_ZMQ_REGISTRATIONS == DFOPT_STREAM_REGISTRATION &&
                   (int)DFOPT_ZMQ_ACKS == DFOPT_STREAM_ACK &&
                   (int)DFOPT_ZMQ_OBJECTIVES == DFOPT_STREAM_OBJECTIVE,
               "a record's stream is an enum dfopt_stream");

#define NS_PER_MS     1000000
#define STOP_DRAIN_NS INT64_C(1000000000) /* after a sentinel */

struct zmq_source {
    struct dfopt_source base;
    struct dfopt_zmq_inbox inbox;
    int64_t idle_ns; /* 0: never */
    struct dfopt_idle idle;
    bool idle_counts;   /* a finding has come */
    bool came;          /* a message arrived since the last look */
    int64_t stop_at_ns; /* after a sentinel: when to stop draining; else 0 */
    bool ended;
};

/* ---- waiting ---- */

/* When nothing is ready: whether the input has ended; if not, *at_ns is when it
 * will (INT64_MAX: not by itself) or when to check again. */
static bool is_over(struct zmq_source *s, int64_t now, int64_t *at_ns)
{
    const int64_t spent_ns = dfopt_idle_look(&s->idle, now, s->came);
    s->came = false;
    *at_ns = INT64_MAX;
    if (s->stop_at_ns)
        return true;
    if (s->idle_ns == 0 || !s->idle_counts)
        return false;
    const int64_t left_ns = s->idle_ns - spent_ns;
    *at_ns = now + (left_ns < DFOPT_IDLE_LOOK_NS ? left_ns : DFOPT_IDLE_LOOK_NS);
    return left_ns <= 0;
}

/* Milliseconds until at_ns, rounded up; -1: for ever. */
static int wait_ms(int64_t now, int64_t at_ns)
{
    if (at_ns == INT64_MAX)
        return -1;
    if (at_ns <= now)
        return 0;
    const int64_t ms = (at_ns - now + NS_PER_MS - 1) / NS_PER_MS;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static enum dfopt_source_status fail(struct zmq_source *s, struct dfopt_error *err)
{
    s->ended = true;
    dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s",
                    dfopt_zmq_inbox_at(&s->inbox)->endpoint, zmq_strerror(errno));
    return DFOPT_SOURCE_ERROR;
}

static enum dfopt_source_status end(struct zmq_source *s)
{
    s->ended = true;
    return DFOPT_SOURCE_END;
}

/* Nothing seems ready. Waits once; RECORD: try to take one. */
static enum dfopt_source_status wait_more(struct zmq_source *s, int64_t deadline_ns,
                                          struct dfopt_error *err)
{
    int64_t until_ns;
    (void)dfopt_zmq_inbox_look(&s->inbox, 0);
    if (dfopt_zmq_inbox_is_ready(&s->inbox))
        return DFOPT_SOURCE_RECORD;
    const int64_t now = dfopt_clock_monotonic_ns();
    if (is_over(s, now, &until_ns))
        return end(s);
    const int64_t tend_ns = dfopt_zmq_inbox_tend(&s->inbox, now);
    if (dfopt_zmq_inbox_is_woken(&s->inbox) || now >= deadline_ns)
        return DFOPT_SOURCE_WAIT;
    if (dfopt_zmq_inbox_is_ready(&s->inbox)) /* a new socket */
        return DFOPT_SOURCE_RECORD;
    until_ns = tend_ns < until_ns ? tend_ns : until_ns;
    until_ns = deadline_ns < until_ns ? deadline_ns : until_ns;
    if (dfopt_zmq_inbox_look(&s->inbox, wait_ms(now, until_ns)) >= 0)
        return DFOPT_SOURCE_RECORD;
    return errno == EINTR ? DFOPT_SOURCE_WAIT : fail(s, err);
}

/* Limits how long a flood may go on after a sentinel. */
static bool is_stopped(struct zmq_source *s)
{
    if (s->inbox.counts.stops == 0)
        return false;
    const int64_t now = dfopt_clock_monotonic_ns();
    if (s->stop_at_ns == 0)
        s->stop_at_ns = now + STOP_DRAIN_NS;
    return now >= s->stop_at_ns;
}

/* ---- the ops ---- */

static int64_t deadline_of(int timeout_ms)
{
    if (timeout_ms <= 0)
        return timeout_ms < 0 ? INT64_MAX : 1; /* for ever; already over */
    return dfopt_clock_monotonic_ns() + (int64_t)timeout_ms * NS_PER_MS;
}

static enum dfopt_source_status source_next(struct dfopt_source *source,
                                            int timeout_ms,
                                            struct dfopt_record *record,
                                            struct dfopt_error *err)
{
    struct zmq_source *s = (struct zmq_source *)source;
    enum dfopt_source_status status = DFOPT_SOURCE_RECORD;
    int64_t deadline_ns = 0; /* read the clock only if there is nothing */
    while (status == DFOPT_SOURCE_RECORD) {
        if (s->ended || is_stopped(s))
            return end(s);
        switch (dfopt_zmq_inbox_take(&s->inbox, record)) {
        case DFOPT_ZMQ_TAKEN_RECORD:
            s->came = true;
            s->idle_counts = s->idle_counts || record->stream == DFOPT_ZMQ_FINDINGS;
            return DFOPT_SOURCE_RECORD;
        case DFOPT_ZMQ_TAKEN_DROPPED:
            return DFOPT_SOURCE_WAIT;
        case DFOPT_ZMQ_TAKEN_ERROR:
            return fail(s, err);
        default:
            (void)is_stopped(s);
            if (deadline_ns == 0)
                deadline_ns = deadline_of(timeout_ms);
            status = wait_more(s, deadline_ns, err);
        }
    }
    return status;
}

static void source_progress(const struct dfopt_source *source,
                            struct dfopt_source_progress *p)
{
    const struct zmq_source *s = (const struct zmq_source *)source;
    *p = (struct dfopt_source_progress){.bytes_done = s->inbox.counts.bytes};
}

static void source_destroy(struct dfopt_source *source)
{
    struct zmq_source *s = (struct zmq_source *)source;
    if (!s)
        return;
    dfopt_zmq_inbox_close(&s->inbox);
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
    *out = s->inbox.counts;
    dfopt_zmq_notes_totals(&s->inbox.notes, out->noted);
}

enum dfopt_zmq_connection
dfopt_zmq_source_connection(const struct dfopt_source *source,
                            enum dfopt_zmq_stream stream)
{
    const struct dfopt_zmq_socket *s =
        &((const struct zmq_source *)source)->inbox.sockets[stream];
    return s->options.bind || !s->watch.events ? DFOPT_ZMQ_BOUND
           : s->watch.connected                ? DFOPT_ZMQ_CONNECTED
                                               : DFOPT_ZMQ_CONNECTING;
}

uint32_t dfopt_zmq_source_peers(struct dfopt_source *source,
                                enum dfopt_zmq_stream stream)
{
    struct zmq_source *s = (struct zmq_source *)source;
    dfopt_zmq_inbox_count_peers(&s->inbox, dfopt_clock_monotonic_ns());
    return s->inbox.sockets[stream].watch.peers;
}

const char *dfopt_zmq_source_endpoint(const struct dfopt_source *source,
                                      enum dfopt_zmq_stream stream)
{
    const struct zmq_source *s = (const struct zmq_source *)source;
    if ((unsigned)stream >= DFOPT_ZMQ_STREAMS ||
        !s->inbox.sockets[stream].endpoint[0])
        return NULL;
    return s->inbox.sockets[stream].endpoint;
}

/* ---- create ---- */

static enum dfopt_err open_all(struct zmq_source *s,
                               const struct dfopt_zmq_source_options *o,
                               struct dfopt_error *err)
{
    const char *const bound[DFOPT_ZMQ_STREAMS] = {
        [DFOPT_ZMQ_REGISTRATIONS] = o->registrations,
        [DFOPT_ZMQ_ACKS] = o->acks,
        [DFOPT_ZMQ_APPLICATIONS] = o->applications,
        [DFOPT_ZMQ_OBJECTIVES] = o->objectives,
    };
    enum dfopt_err e = DFOPT_OK;
    for (int i = 0; !e && i < DFOPT_ZMQ_STREAMS; i++)
        e = dfopt_zmq_inbox_open(&s->inbox, (enum dfopt_zmq_stream)i, bound[i],
                                 true, o, err);
    if (!e)
        e = dfopt_zmq_inbox_open(&s->inbox, DFOPT_ZMQ_FINDINGS, o->findings,
                                 o->findings_bind, o, err);
    for (int i = 0; !e && i < DFOPT_ZMQ_STREAMS; i++)
        if (s->inbox.sockets[i].handle)
            return DFOPT_OK;
    return e ? e
             : dfopt_error_set(err, DFOPT_ERR_ARG, "ZMQ: no endpoint to read from");
}

enum dfopt_err dfopt_zmq_source_create(struct dfopt_source **out,
                                       const struct dfopt_zmq_source_options *o,
                                       struct dfopt_error *err)
{
    struct zmq_source *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    s->base.ops = &zmq_ops;
    if (o->idle_timeout_s > 0 && o->idle_timeout_s < 1e9)
        s->idle_ns = (int64_t)(o->idle_timeout_s * 1e9);
    enum dfopt_err e = dfopt_zmq_inbox_init(&s->inbox, o, err);
    if (!e)
        e = open_all(s, o, err);
    if (e) {
        source_destroy(&s->base);
        return e;
    }
    *out = &s->base;
    return DFOPT_OK;
}
