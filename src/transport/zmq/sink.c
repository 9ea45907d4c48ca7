/* Sends plans to a socket. A plan is sent at once if its lane is empty and a
 * peer can take it; otherwise it waits in the queue. PUSH has one lane, PUB one
 * per topic, so that a stalled subscriber delays only its own plans. (The
 * socket is an XPUB that does not drop: libzmq's PUB drops the newest message
 * for a full subscriber, and the newest is the one that counts.) */
#include "transport/zmq/zmq.h"

#include "base/buf.h"
#include "base/clock.h"
#include "net/zmq/socket.h"
#include "transport/zmq/frames.h"
#include "transport/zmq/notes.h"
#include "transport/zmq/peers/answers.h"
#include "transport/zmq/peers/queue.h"
#include "transport/zmq/peers/topics.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define NS_PER_MS      1000000
#define PUMP_EVERY_NS  NS_PER_MS /* in publish, while plans are queued */
#define DRAIN_STEP_MS  10
#define CUT_OFF_BYTES  65536 /* only subscriptions arrive here */
#define TOPIC_BYTES    512   /* of a subscription; longer ones are not counted */
#define PLAIN_METADATA "{\"type\":\"action_plan\"}"
#define MAX_FRAMES     3
#define ANSWER_NS      INT64_C(10000000000) /* then it is given up */

struct zmq_sink {
    struct dfopt_sink base;
    struct dfopt_zmq_context context;
    struct dfopt_zmq_socket socket;
    bool pub;
    int fd;
    struct dfopt_zmq_queue *queue;
    struct dfopt_zmq_topics topics; /* PUB */
    struct dfopt_zmq_notes notes;
    struct dfopt_zmq_sink_counts counts;
    int linger_ms;
    int64_t stall_ns, quiet_ns;
    int64_t pumped_ns;
    bool drained;              /* and nothing published since */
    uint32_t peers;            /* as of the last look */
    struct dfopt_buf metadata; /* scratch */
    struct dfopt_buf body;     /* likewise */
    struct dfopt_zmq_answers answers;
};

/* ---- one plan to libzmq ---- */

/* The metadata of a plan that goes to one of several peers states their number:
 * they cannot see each other. */
static struct dfopt_zmq_bytes with_peers(struct zmq_sink *s,
                                         struct dfopt_zmq_bytes metadata)
{
    if (s->pub || s->peers < 2 || metadata.len < 3 ||
        metadata.data[metadata.len - 1] != '}')
        return metadata;
    dfopt_buf_clear(&s->metadata);
    if (dfopt_buf_printf(&s->metadata, "%.*s,\"peers\":%" PRIu32 "}",
                         (int)metadata.len - 1, metadata.data, s->peers))
        return metadata;
    return (struct dfopt_zmq_bytes){s->metadata.data, s->metadata.len};
}

static enum dfopt_zmq_sent send_message(struct zmq_sink *s, const char *topic,
                                        const struct dfopt_zmq_item *item)
{
    struct dfopt_zmq_bytes frames[MAX_FRAMES];
    int n = 0;
    if (s->pub)
        frames[n++] = (struct dfopt_zmq_bytes){topic, strlen(topic)};
    frames[n++] = with_peers(s, item->metadata);
    frames[n++] = item->body;
    const enum dfopt_zmq_sent sent =
        dfopt_zmq_send_frames(s->socket.handle, frames, n);
    s->counts.sent += sent == DFOPT_ZMQ_SENT;
    return sent;
}

/* Sends to every subscriber of the topic, under each form of its name. If one
 * is blocked all get the plan again: a duplicate plan does no harm. */
static enum dfopt_zmq_sent send_item(struct zmq_sink *s, const char *topic,
                                     const struct dfopt_zmq_item *item)
{
    const char *forms[DFOPT_ZMQ_TOPIC_FORMS] = {topic};
    const size_t n = s->pub ? dfopt_zmq_topics_forms(&s->topics, topic, forms) : 1;
    enum dfopt_zmq_sent all = n ? DFOPT_ZMQ_SENT : DFOPT_ZMQ_UNWANTED;
    for (size_t i = 0; i < n && all != DFOPT_ZMQ_FAILED; i++) {
        const enum dfopt_zmq_sent sent = send_message(s, forms[i], item);
        all = sent == DFOPT_ZMQ_SENT ? all : sent;
    }
    return all;
}

/* Sends past full subscribers. libzmq then skips them until they read again. */
static enum dfopt_zmq_sent force_item(struct zmq_sink *s, const char *topic,
                                      const struct dfopt_zmq_item *item)
{
    enum dfopt_zmq_sent sent = DFOPT_ZMQ_FAILED;
    if (dfopt_zmq_set_int(&s->socket, ZMQ_XPUB_NODROP, 0, NULL) == DFOPT_OK)
        sent = send_item(s, topic, item);
    (void)dfopt_zmq_set_int(&s->socket, ZMQ_XPUB_NODROP, 1, NULL);
    if (sent == DFOPT_ZMQ_SENT)
        dfopt_zmq_notes_add(&s->notes, DFOPT_ZMQ_NOTE_PLAN_FORCED,
                            s->socket.endpoint, 1);
    return sent;
}

/* ---- the queue ---- */

/* Whether one subscriber has held up a lane too long that others want, too. */
static bool may_force(const struct zmq_sink *s, const char *topic,
                      const struct dfopt_zmq_item *item, int64_t now)
{
    return s->pub && now - item->since_ns >= s->stall_ns &&
           dfopt_zmq_topics_matching(&s->topics, topic) > 1;
}

/* Reports whom the plans of a lane wait for, and who is subscribed: once per
 * lane, after its subscriber had time to come. */
static void note_unwanted(struct zmq_sink *s, struct dfopt_zmq_group *lane,
                          int64_t now)
{
    char like[200], detail[DFOPT_ZMQ_DETAIL_BYTES];
    const char *topic = dfopt_zmq_lane_name(lane);
    if (now - dfopt_zmq_lane_first(lane)->since_ns < s->quiet_ns ||
        !dfopt_zmq_notes_due(&s->notes, DFOPT_ZMQ_NOTE_PLAN_UNWANTED) ||
        !dfopt_zmq_lane_mark(lane))
        return;
    dfopt_zmq_topics_like(&s->topics, topic, like, sizeof like);
    snprintf(detail, sizeof detail, "%s %.128s; %s%s",
             strcmp(topic, DFOPT_ZMQ_LANE_OF_ALL) == 0 ? "topic" : "node", topic,
             like[0] ? "subscribed: " : "no node is subscribed", like);
    dfopt_zmq_notes_add_about(&s->notes, DFOPT_ZMQ_NOTE_PLAN_UNWANTED,
                              s->socket.endpoint, detail);
}

/* Sends as much of a lane as possible. */
static void pump_lane(struct zmq_sink *s, struct dfopt_zmq_group *lane, int64_t now)
{
    const char *topic = dfopt_zmq_lane_name(lane);
    bool stays = true;
    while (stays) {
        const struct dfopt_zmq_item *item = dfopt_zmq_lane_first(lane);
        enum dfopt_zmq_sent sent = send_item(s, topic, item);
        if (sent == DFOPT_ZMQ_BLOCKED && may_force(s, topic, item, now))
            sent = force_item(s, topic, item);
        if (sent == DFOPT_ZMQ_UNWANTED)
            note_unwanted(s, lane, now);
        if (sent != DFOPT_ZMQ_SENT)
            return;
        stays = dfopt_zmq_lane_pop(s->queue, lane);
    }
}

/* Subscriptions must be received, or libzmq keeps them all. */
static void read_subscriptions(struct zmq_sink *s)
{
    char message[TOPIC_BYTES];
    for (int n = 0; s->pub && n >= 0;) {
        n = zmq_recv(s->socket.handle, message, sizeof message, ZMQ_DONTWAIT);
        if (n > 0 && (size_t)n <= sizeof message &&
            !dfopt_zmq_answers_subscribed(&s->answers, message, (size_t)n))
            dfopt_zmq_topics_note(&s->topics, message, (size_t)n);
    }
}

static void count_peers(struct zmq_sink *s, int64_t now)
{
    const uint32_t was = s->peers;
    char detail[32];
    (void)dfopt_zmq_watch_read(&s->socket.watch, now);
    s->peers = s->socket.watch.peers;
    if (s->pub || s->peers < 2 || s->peers <= was)
        return;
    snprintf(detail, sizeof detail, "%" PRIu32 " processes", s->peers);
    dfopt_zmq_notes_add_about(&s->notes, DFOPT_ZMQ_NOTE_PLAN_IN_TURN,
                              s->socket.endpoint, detail);
}

/* ---- answers ---- */

static enum dfopt_zmq_sent send_answer(struct zmq_sink *s,
                                       const struct dfopt_zmq_client *c)
{
    struct dfopt_zmq_bytes frames[MAX_FRAMES];
    const char *topic = dfopt_zmq_client_topic(c);
    int n = 0;
    dfopt_buf_clear(&s->metadata);
    dfopt_buf_clear(&s->body);
    if (dfopt_zmq_client_json(c, &s->metadata, &s->body))
        return DFOPT_ZMQ_FAILED;
    if (s->pub)
        frames[n++] = (struct dfopt_zmq_bytes){topic, strlen(topic)};
    frames[n++] = (struct dfopt_zmq_bytes){s->metadata.data, s->metadata.len};
    frames[n++] = (struct dfopt_zmq_bytes){s->body.data, s->body.len};
    return dfopt_zmq_send_frames(s->socket.handle, frames, n);
}

/* A PUSH socket with several peers might deliver it to any of them. */
static void tell(struct zmq_sink *s, struct dfopt_zmq_client *c, int64_t now)
{
    enum dfopt_zmq_sent sent = DFOPT_ZMQ_BLOCKED;
    if ((!s->pub && s->peers > 1) || now - dfopt_zmq_client_since(c) > ANSWER_NS)
        sent = DFOPT_ZMQ_UNWANTED;
    else if ((s->pub ? dfopt_zmq_client_is_there(c) : s->peers == 1) &&
             !dfopt_zmq_queue_holds(s->queue, dfopt_zmq_client_node(c)))
        sent = send_answer(s, c);
    s->counts.answered += sent == DFOPT_ZMQ_SENT;
    if (sent != DFOPT_ZMQ_BLOCKED)
        dfopt_zmq_answers_told(&s->answers, c);
}

static void tell_all(struct zmq_sink *s, int64_t now)
{
    struct dfopt_zmq_client *c, *next = dfopt_zmq_answers_next(&s->answers, NULL);
    while ((c = next) != NULL) {
        next = dfopt_zmq_answers_next(&s->answers, c);
        tell(s, c, now);
    }
}

/* Querying the events makes the fd unreadable; this precedes the lanes, so that
 * later changes make it readable again. */
static size_t pump(struct zmq_sink *s, int64_t now)
{
    int events = 0;
    size_t len = sizeof events;
    struct dfopt_zmq_group *lane = NULL, *next = NULL;
    s->pumped_ns = now;
    (void)zmq_getsockopt(s->socket.handle, ZMQ_EVENTS, &events, &len);
    read_subscriptions(s);
    count_peers(s, now);
    for (lane = dfopt_zmq_queue_lane(s->queue, NULL); lane; lane = next) {
        next = dfopt_zmq_queue_lane(s->queue, lane);
        pump_lane(s, lane, now);
    }
    tell_all(s, now);
    dfopt_zmq_notes_add(&s->notes, DFOPT_ZMQ_NOTE_PEER_REFUSED, s->socket.endpoint,
                        dfopt_zmq_context_refused(&s->context));
    return dfopt_zmq_queue_length(s->queue);
}

static enum dfopt_err enqueue(struct zmq_sink *s, const char *lane,
                              const char *node, const char *knob,
                              const struct dfopt_zmq_item *item,
                              struct dfopt_error *err)
{
    enum dfopt_zmq_evicted evicted;
    if (dfopt_zmq_queue_push(s->queue, lane, node, knob, item, &evicted) !=
        DFOPT_OK)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory",
                               s->socket.endpoint);
    if (evicted != DFOPT_ZMQ_EVICTED_NONE)
        dfopt_zmq_notes_add(&s->notes,
                            evicted == DFOPT_ZMQ_EVICTED_SAME_KEY
                                ? DFOPT_ZMQ_NOTE_PLAN_REPLACED
                                : DFOPT_ZMQ_NOTE_PLAN_DROPPED,
                            s->socket.endpoint, 1);
    if (dfopt_zmq_queue_length(s->queue) > s->counts.queued_max)
        s->counts.queued_max = dfopt_zmq_queue_length(s->queue);
    return DFOPT_OK;
}

/* ---- the functions ---- */

static enum dfopt_err sink_publish(struct dfopt_sink *sink,
                                   const struct dfopt_plan_message *p,
                                   struct dfopt_error *err)
{
    struct zmq_sink *s = (struct zmq_sink *)sink;
    const int64_t now = dfopt_clock_monotonic_ns();
    const char *node = p->node ? p->node : "";
    const char *topic = node[0] ? node : DFOPT_ZMQ_LANE_OF_ALL;
    const char *lane = s->pub ? topic : "";
    const struct dfopt_zmq_item item = {
        .metadata = p->metadata
                        ? (struct dfopt_zmq_bytes){p->metadata, p->metadata_len}
                        : (struct dfopt_zmq_bytes){PLAIN_METADATA,
                                                   sizeof PLAIN_METADATA - 1},
        .body = {p->body, p->body_len},
        .since_ns = now,
    };
    const bool due = now - s->pumped_ns >= PUMP_EVERY_NS;
    s->drained = false;
    if (due && dfopt_zmq_queue_length(s->queue) > 0)
        pump(s, now);
    enum dfopt_zmq_sent sent = DFOPT_ZMQ_BLOCKED;
    if (!dfopt_zmq_queue_has_lane(s->queue, lane))
        sent = send_item(s, topic, &item);
    if (sent == DFOPT_ZMQ_UNWANTED) { /* it may just have subscribed */
        read_subscriptions(s);
        sent = send_item(s, topic, &item);
    }
    if (sent == DFOPT_ZMQ_FAILED)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->socket.endpoint,
                               zmq_strerror(errno));
    enum dfopt_err e = DFOPT_OK;
    if (sent == DFOPT_ZMQ_BLOCKED || sent == DFOPT_ZMQ_UNWANTED)
        e = enqueue(s, lane, node, p->knob ? p->knob : "", &item, err);
    s->counts.published += e == DFOPT_OK;
    if (due && s->pumped_ns != now) /* only once the plan is in flight */
        pump(s, now);
    return e;
}

static void sink_answer(struct dfopt_sink *sink, int stream,
                        const struct dfopt_ask *ask)
{
    struct zmq_sink *s = (struct zmq_sink *)sink;
    const int64_t now = dfopt_clock_monotonic_ns();
    struct dfopt_zmq_client *c =
        dfopt_zmq_answers_note(&s->answers, stream, ask, now);
    count_peers(s, now);
    if (c)
        tell(s, c, now);
}

static size_t sink_pump(struct dfopt_sink *sink)
{
    return pump((struct zmq_sink *)sink, dfopt_clock_monotonic_ns());
}

size_t dfopt_zmq_sink_drain(struct dfopt_sink *sink, int timeout_ms)
{
    struct zmq_sink *s = (struct zmq_sink *)sink;
    int64_t now = dfopt_clock_monotonic_ns();
    const int64_t until = now + (int64_t)timeout_ms * NS_PER_MS;
    size_t left = pump(s, now);
    while (left > 0 && now < until) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        const int64_t ms = (until - now + NS_PER_MS - 1) / NS_PER_MS;
        const int rc = poll(&p, 1, ms < DRAIN_STEP_MS ? (int)ms : DRAIN_STEP_MS);
        now = dfopt_clock_monotonic_ns();
        left = pump(s, now);
        if (rc < 0)
            break;
    }
    s->drained = true;
    return left;
}

int dfopt_zmq_sink_fd(const struct dfopt_sink *sink)
{
    return ((const struct zmq_sink *)sink)->fd;
}

void dfopt_zmq_sink_counts(const struct dfopt_sink *sink,
                           struct dfopt_zmq_sink_counts *out)
{
    const struct zmq_sink *s = (const struct zmq_sink *)sink;
    *out = s->counts;
    out->queued = dfopt_zmq_queue_length(s->queue);
    dfopt_zmq_notes_totals(&s->notes, out->noted);
}

const char *dfopt_zmq_sink_endpoint(const struct dfopt_sink *sink)
{
    return ((const struct zmq_sink *)sink)->socket.endpoint;
}

/* ---- the ops ---- */

static enum dfopt_err sink_flush(struct dfopt_sink *sink, struct dfopt_error *err)
{
    (void)err;
    (void)sink_pump(sink);
    return DFOPT_OK;
}

/* libzmq gets the rest of the linger time. */
static enum dfopt_err sink_destroy(struct dfopt_sink *sink, struct dfopt_error *err)
{
    (void)err;
    struct zmq_sink *s = (struct zmq_sink *)sink;
    if (!s)
        return DFOPT_OK;
    const int64_t start = dfopt_clock_monotonic_ns();
    if (s->queue && s->socket.handle) {
        if (!s->drained)
            dfopt_zmq_sink_drain(sink, s->linger_ms);
        dfopt_zmq_notes_add(&s->notes, DFOPT_ZMQ_NOTE_PLAN_UNDELIVERED,
                            s->socket.endpoint, dfopt_zmq_queue_length(s->queue));
        dfopt_zmq_notes_end(&s->notes);
    }
    const int64_t used_ms = (dfopt_clock_monotonic_ns() - start) / NS_PER_MS;
    dfopt_zmq_socket_close(
        &s->socket, used_ms < s->linger_ms ? s->linger_ms - (int)used_ms : 0);
    dfopt_zmq_context_close(&s->context);
    dfopt_zmq_queue_destroy(s->queue);
    dfopt_zmq_topics_free(&s->topics);
    dfopt_zmq_answers_free(&s->answers);
    dfopt_buf_free(&s->metadata);
    dfopt_buf_free(&s->body);
    free(s);
    return DFOPT_OK;
}

static const struct dfopt_sink_ops zmq_sink_ops = {
    .publish = sink_publish,
    .flush = sink_flush,
    .pump = sink_pump,
    .answer = sink_answer,
    .destroy = sink_destroy,
};

/* ---- create ---- */

static enum dfopt_err open_socket(struct zmq_sink *s,
                                  const struct dfopt_zmq_sink_options *o,
                                  struct dfopt_error *err)
{
    const struct dfopt_zmq_socket_options options = {
        .type = s->pub ? ZMQ_XPUB : ZMQ_PUSH,
        .bind = true,
        .ipv6 = o->ipv6,
        .high_water = o->high_water > 0 ? o->high_water : DFOPT_ZMQ_PLAN_HIGH_WATER,
        .cut_off_bytes = CUT_OFF_BYTES,
        .verbose_subscriptions = s->pub,
        .heartbeat = true,
        .count_peers = true,
    };
    struct dfopt_zmq_keys keys = {0};
    size_t len = sizeof s->fd;
    enum dfopt_err e = dfopt_zmq_keys_load(&keys, o->curve, true, o->endpoint, err);
    if (!e)
        e = dfopt_zmq_socket_open(&s->socket, &s->context, &options, o->endpoint,
                                  &keys, err);
    explicit_bzero(&keys, sizeof keys);
    if (!e && zmq_getsockopt(s->socket.handle, ZMQ_FD, &s->fd, &len) != 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->socket.endpoint,
                            zmq_strerror(errno));
    return e;
}

static void take_options(struct zmq_sink *s, const struct dfopt_zmq_sink_options *o)
{
    const int stall_ms = o->stall_ms ? o->stall_ms : DFOPT_ZMQ_STALL_MS;
    s->base.ops = &zmq_sink_ops;
    s->pub = o->pattern == DFOPT_ZMQ_PUB;
    s->notes = (struct dfopt_zmq_notes){.fn = o->note, .arg = o->note_arg};
    s->linger_ms = o->linger_ms ? o->linger_ms : DFOPT_ZMQ_LINGER_MS;
    if (s->linger_ms < 0)
        s->linger_ms = 0;
    s->quiet_ns =
        (int64_t)(o->quiet_ms ? o->quiet_ms : DFOPT_ZMQ_QUIET_MS) * NS_PER_MS;
    s->stall_ns = stall_ms > 0 ? (int64_t)stall_ms * NS_PER_MS : 0;
}

enum dfopt_err dfopt_zmq_sink_create(struct dfopt_sink **out,
                                     const struct dfopt_zmq_sink_options *o,
                                     struct dfopt_error *err)
{
    if (!o->endpoint || o->endpoint[0] == '\0')
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "ZMQ: no endpoint to publish on");
    struct zmq_sink *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    take_options(s, o);
    const bool check = o->curve && !o->curve->allow_any_client;
    enum dfopt_err e = dfopt_zmq_context_open(
        &s->context, check ? o->curve->allowed_clients : NULL, err);
    if (!e && dfopt_zmq_queue_create(
                  &s->queue,
                  o->max_queued ? o->max_queued : DFOPT_ZMQ_MAX_QUEUED) != DFOPT_OK)
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e)
        e = open_socket(s, o, err);
    if (e) {
        sink_destroy(&s->base, NULL);
        return e;
    }
    *out = &s->base;
    return DFOPT_OK;
}

uint32_t dfopt_zmq_sink_peers(struct dfopt_sink *sink)
{
    struct zmq_sink *s = (struct zmq_sink *)sink;
    count_peers(s, dfopt_clock_monotonic_ns());
    return s->peers;
}
