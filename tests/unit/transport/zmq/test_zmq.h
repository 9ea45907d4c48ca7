/* Peers for the tests of the ZMQ transport. Nothing sleeps: all waits are for a
 * condition, with a deadline. */
#ifndef DFOPT_TESTS_ZMQ_H
#define DFOPT_TESTS_ZMQ_H

#include "base/clock.h"
#include "transport/zmq/zmq.h"
#include "support/port.h"
#include "support/wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define ANY_PORT "tcp://127.0.0.1:*"
#define MS       INT64_C(1000000)

/* The streams that have a socket of their own. */
static const enum dfopt_zmq_stream own_socket[] = {
    DFOPT_ZMQ_FINDINGS, DFOPT_ZMQ_REGISTRATIONS, DFOPT_ZMQ_ACKS,
    DFOPT_ZMQ_OBJECTIVES};

/* A peer: one socket in a context of its own. */
struct peer {
    void *ctx, *socket;
};

static inline void set_int(void *socket, int option, int value)
{
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof value), 0);
}

/* An unconnected peer; what it has not sent is gone with it. */
static inline struct peer peer_new(int type)
{
    struct peer p = {.ctx = zmq_ctx_new()};
    p.socket = zmq_socket(p.ctx, type);
    assert_non_null(p.socket);
    set_int(p.socket, ZMQ_LINGER, 0);
    set_int(p.socket, ZMQ_RCVTIMEO, DEADLINE_MS);
    set_int(p.socket, ZMQ_SNDTIMEO, DEADLINE_MS);
    set_int(p.socket, ZMQ_RECONNECT_IVL, 10);
    return p;
}

static inline struct peer peer_connect(int type, const char *endpoint)
{
    struct peer p = peer_new(type);
    assert_int_equal(zmq_connect(p.socket, endpoint), 0);
    return p;
}

/* At a port that stays this process's own: another peer may bind it later. */
static inline struct peer peer_bind(int type, char endpoint[128])
{
    struct peer p = peer_new(type);
    hold_port(endpoint, 128);
    assert_int_equal(zmq_bind(p.socket, endpoint), 0);
    return p;
}

static inline void peer_close(struct peer *p)
{
    zmq_close(p->socket);
    zmq_ctx_term(p->ctx);
    *p = (struct peer){0};
}

/* Sends n frames of text. */
static inline void send_parts(struct peer *p, const char *const *parts, int n)
{
    for (int i = 0; i < n; i++) {
        const int flags = i < n - 1 ? ZMQ_SNDMORE : 0;
        assert_true(zmq_send(p->socket, parts[i], strlen(parts[i]), flags) >= 0);
    }
}

static inline void send_two(struct peer *p, const char *metadata, const char *body)
{
    send_parts(p, (const char *const[]){metadata, body}, 2);
}

static inline void send_number(struct peer *p, int i)
{
    char body[32];
    snprintf(body, sizeof body, "{\"i\":%d}", i);
    send_two(p, "{}", body);
}

/* One frame as text, cut to fit; returns whether more follow, -1: nothing came. */
static inline int receive_frame(struct peer *p, char *text, size_t size)
{
    int more = 0;
    size_t len = sizeof more;
    const int n = zmq_recv(p->socket, text, size - 1, 0);
    if (n < 0)
        return -1;
    text[(size_t)n < size - 1 ? (size_t)n : size - 1] = '\0';
    assert_int_equal(zmq_getsockopt(p->socket, ZMQ_RCVMORE, &more, &len), 0);
    return more;
}

/* Receives exactly n frames; false: none came in time. */
static inline bool receive_parts(struct peer *p, char (*frames)[256], int n)
{
    for (int i = 0; i < n; i++) {
        const int more = receive_frame(p, frames[i], 256);
        if (more < 0 && i == 0)
            return false;
        assert_int_equal(more, i < n - 1);
    }
    return true;
}

static inline struct dfopt_source *open_source(struct dfopt_zmq_source_options o)
{
    struct dfopt_source *s = NULL;
    struct dfopt_error err = {0};
    if (dfopt_zmq_source_create(&s, &o, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return s;
}

static inline struct dfopt_sink *open_sink(struct dfopt_zmq_sink_options o)
{
    struct dfopt_sink *s = NULL;
    struct dfopt_error err = {0};
    if (!o.endpoint)
        o.endpoint = ANY_PORT;
    if (dfopt_zmq_sink_create(&s, &o, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return s;
}

/* next, until something else than WAIT comes. */
static inline enum dfopt_source_status next_event(struct dfopt_source *s,
                                                  struct dfopt_record *r)
{
    struct dfopt_error err = {0};
    enum dfopt_source_status status = DFOPT_SOURCE_WAIT;
    const int64_t until = now_ms() + DEADLINE_MS;
    while (status == DFOPT_SOURCE_WAIT && now_ms() < until)
        status = s->ops->next(s, 100, r, &err);
    if (status == DFOPT_SOURCE_ERROR)
        fail_msg("%s", err.text);
    return status;
}

static inline void expect_record(struct dfopt_source *s, int stream,
                                 const char *body)
{
    struct dfopt_record r = {0};
    assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    assert_int_equal(r.stream, stream);
    assert_int_equal(r.len, strlen(body));
    assert_memory_equal(r.data, body, r.len);
    assert_int_equal(r.line, 0);
    assert_string_equal(
        r.origin, dfopt_zmq_source_endpoint(s, (enum dfopt_zmq_stream)stream));
}

static inline void expect_number(struct dfopt_source *s, int stream, int i)
{
    char body[32];
    snprintf(body, sizeof body, "{\"i\":%d}", i);
    expect_record(s, stream, body);
}

static inline uint64_t source_noted(struct dfopt_source *s,
                                    enum dfopt_zmq_note note)
{
    struct dfopt_zmq_source_counts c;
    dfopt_zmq_source_counts(s, &c);
    return c.noted[note];
}

static inline uint64_t sink_noted(struct dfopt_sink *s, enum dfopt_zmq_note note)
{
    struct dfopt_zmq_sink_counts c;
    dfopt_zmq_sink_counts(s, &c);
    return c.noted[note];
}

/* Publishes {"i":i} for a node (NULL: all) and a knob. */
static inline void publish(struct dfopt_sink *s, const char *node, const char *knob,
                           int i)
{
    char body[32];
    struct dfopt_error err = {0};
    const int n = snprintf(body, sizeof body, "{\"i\":%d}", i);
    const struct dfopt_plan_message p = {
        .body = body,
        .body_len = (size_t)n,
        .node = node,
        .metadata = "{\"m\":1}",
        .metadata_len = 7,
        .knob = knob,
    };
    if (s->ops->publish(s, &p, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

/* Pumps until nothing is queued. */
static inline void pump_empty(struct dfopt_sink *s)
{
    const int64_t until = now_ms() + DEADLINE_MS;
    while (dfopt_zmq_sink_drain(s, 100) > 0)
        assert_true(now_ms() < until);
}

static inline void source_destroy(struct dfopt_source *s)
{
    s->ops->destroy(s);
}

static inline void sink_destroy(struct dfopt_sink *s)
{
    assert_int_equal(s->ops->destroy(s, NULL), DFOPT_OK);
}

#endif
