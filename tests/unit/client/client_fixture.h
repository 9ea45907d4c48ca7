/* For the tests of the application library: an optimizer made of bare libzmq
 * sockets on 127.0.0.1, and waiting for conditions, with a deadline. */
#ifndef CLIENT_FIXTURE_H
#define CLIENT_FIXTURE_H

#include "dfopt/client.h"
#include "support/port.h"
#include "support/wait.h"

#include <json-c/json.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#define HOST "node1"

/* The metadata of a plan, and one for a text with room for its new_value. */
#define PLAN_META "{\"type\":\"action_plan\"}"
#define PLAN(id, knob, value, when)                                                \
    "{\"plan_id\":\"" id "\",\"knob_id\":\"" knob                                  \
    "\",\"target_function\":\"load\","                                             \
    "\"old_value\":null,\"new_value\":" value ",\"apply_when\":\"" when "\"}"

/* A process may have chosen any locale (locales.py). */
__attribute__((constructor)) static inline void choose_locale(void)
{
    const char *name = getenv("DFOPT_TEST_LOCALE");
    if (name && !setlocale(LC_ALL, name)) {
        fprintf(stderr, "there is no locale %s\n", name);
        exit(1);
    }
}

struct optimizer {
    void *context, *plans, *registry, *acks;
    char plans_at[64], registry_at[64], acks_at[64];
};

/* Binds again where it was before, or at a port of its own if `at` is empty. */
static inline void *optimizer_socket(struct optimizer *o, int type, char at[64],
                                     const char *secret_key)
{
    int zero = 0, deadline = DEADLINE_MS, one = 1;
    void *socket = zmq_socket(o->context, type);
    assert_non_null(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &deadline, sizeof deadline);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &deadline, sizeof deadline);
    if (secret_key) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
        assert_int_equal(
            zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, 40), 0);
    }
    if (!*at)
        hold_port(at, 64);
    wait_until(zmq_bind(socket, at) == 0);
    return socket;
}

/* plans_type: ZMQ_PUSH or ZMQ_PUB. Endpoints from before are used again. */
static inline void optimizer_open(struct optimizer *o, int plans_type,
                                  const char *secret_key)
{
    o->context = zmq_ctx_new();
    o->plans = optimizer_socket(o, plans_type, o->plans_at, secret_key);
    o->registry = optimizer_socket(o, ZMQ_PULL, o->registry_at, secret_key);
    o->acks = optimizer_socket(o, ZMQ_PULL, o->acks_at, secret_key);
}

static inline void optimizer_close(struct optimizer *o)
{
    zmq_close(o->plans);
    zmq_close(o->registry);
    zmq_close(o->acks);
    zmq_ctx_term(o->context);
    o->context = NULL;
}

static inline struct dfopt_client_options
optimizer_options(const struct optimizer *o)
{
    return (struct dfopt_client_options){
        .app_namespace = "app",
        .function = "load",
        .hostname = HOST,
        .plans_endpoint = o->plans_at,
        .registry_endpoint = o->registry_at,
        .acks_endpoint = o->acks_at,
    };
}

static inline void send_parts(void *socket, int n, const char *const parts[],
                              const size_t lens[])
{
    for (int i = 0; i < n; i++)
        assert_true(
            zmq_send(socket, parts[i], lens[i], i + 1 < n ? ZMQ_SNDMORE : 0) >= 0);
}

static inline void send_plan(struct optimizer *o, const char *body)
{
    const char *parts[] = {PLAN_META, body};
    const size_t lens[] = {strlen(PLAN_META), strlen(body)};
    send_parts(o->plans, 2, parts, lens);
}

static inline void publish_plan(struct optimizer *o, const char *topic,
                                const char *body)
{
    const char *parts[] = {topic, PLAN_META, body};
    const size_t lens[] = {strlen(topic), strlen(PLAN_META), strlen(body)};
    send_parts(o->plans, 3, parts, lens);
}

/* Receives a message of two parts; both are parsed, and owned by the caller. */
static inline struct json_object *receive_json(void *socket,
                                               struct json_object **meta)
{
    struct json_object *parsed[2];
    for (int i = 0; i < 2; i++) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        assert_true(zmq_msg_recv(&part, socket, 0) >= 0);
        assert_int_equal(zmq_msg_more(&part), i == 0);
        char *text = strndup(zmq_msg_data(&part), zmq_msg_size(&part));
        parsed[i] = json_tokener_parse(text);
        assert_non_null(parsed[i]);
        free(text);
        zmq_msg_close(&part);
    }
    if (meta)
        *meta = parsed[0];
    else
        json_object_put(parsed[0]);
    return parsed[1];
}

/* Whether a socket stays silent for a while. */
static inline bool is_silent(void *socket, long ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, ms) == 0;
}

/* Compares both parts of a message, which it takes, as JSON. */
static inline void compare_json(struct json_object *meta, struct json_object *body,
                                const char *want_meta, const char *want_body)
{
    struct json_object *want[] = {json_tokener_parse(want_meta),
                                  json_tokener_parse(want_body)};
    if (!json_object_equal(meta, want[0]) || !json_object_equal(body, want[1]))
        fail_msg("got %s\n and not %s", json_object_to_json_string(body),
                 want_body);
    json_object_put(meta);
    json_object_put(body);
    json_object_put(want[0]);
    json_object_put(want[1]);
}

static inline void expect_json(void *socket, const char *want_meta,
                               const char *want_body)
{
    struct json_object *meta, *body = receive_json(socket, &meta);
    compare_json(meta, body, want_meta, want_body);
}

static inline const char *json_text(struct json_object *j, const char *name)
{
    struct json_object *at = NULL;
    json_object_object_get_ex(j, name, &at);
    return json_object_get_string(at);
}

/* An ack; but for its instance, which is there. */
static inline void expect_ack(void *socket, const char *want_meta,
                              const char *want_body)
{
    struct json_object *meta, *body = receive_json(socket, &meta);
    assert_true(strncmp(json_text(body, "instance"), HOST ":", 6) == 0);
    json_object_object_del(body, "instance");
    compare_json(meta, body, want_meta, want_body);
}

static inline void drop_message(void *socket)
{
    json_object_put(receive_json(socket, NULL));
}

/* The next registration, which the caller owns; a client that leaves is passed
 * over. Node and instance are there. */
static inline struct json_object *receive_registration(struct optimizer *o,
                                                       struct json_object **meta)
{
    struct json_object *body = receive_json(o->registry, meta);
    while (json_object_object_get_ex(body, "unregister", NULL)) {
        json_object_put(body);
        if (meta)
            json_object_put(*meta);
        body = receive_json(o->registry, meta);
    }
    assert_string_equal(json_text(body, "node"), HOST);
    assert_true(strncmp(json_text(body, "instance"), HOST ":", 6) == 0);
    return body;
}

/* A registration, but for its instance. */
static inline void expect_registration_json(struct optimizer *o,
                                            const char *want_meta,
                                            const char *want_body)
{
    struct json_object *meta, *body = receive_registration(o, &meta);
    json_object_object_del(body, "instance");
    compare_json(meta, body, want_meta, want_body);
}

static inline void drop_registration(struct optimizer *o)
{
    json_object_put(receive_registration(o, NULL));
}

static inline struct dfopt_client_stats stats_of(dfopt_client *c)
{
    struct dfopt_client_stats s;
    assert_int_equal(dfopt_client_stats(c, &s), DFOPT_OK);
    return s;
}

static inline struct dfopt_client_value int_value(int64_t i)
{
    return (struct dfopt_client_value){.kind = DFOPT_CLIENT_INT, .i = i};
}

static inline struct dfopt_client_value text_value(const char *s)
{
    struct dfopt_client_value v = {.kind = DFOPT_CLIENT_STR};
    memset(v.s, 0, sizeof v.s);
    snprintf(v.s, sizeof v.s, "%s", s);
    return v;
}

/* Declares an int knob of the options' function: default 2, 1..16. */
static inline void declare_int(dfopt_client *c, const char *parameter)
{
    struct dfopt_error err = {0};
    const struct dfopt_client_knob k = {
        .parameter = parameter,
        .type = DFOPT_CLIENT_INT,
        .default_value = int_value(2),
        .lo = int_value(1),
        .hi = int_value(16),
    };
    if (dfopt_client_knob_declare(c, &k, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

static inline dfopt_client *make_client(const struct dfopt_client_options *options)
{
    dfopt_client *c = NULL;
    struct dfopt_error err = {0};
    if (dfopt_client_create(&c, options, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return c;
}

static inline void start(dfopt_client *c)
{
    struct dfopt_error err = {0};
    if (dfopt_client_start(c, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

/* A running client with the knobs a and b (and its registration taken). */
static inline dfopt_client *running_client(struct optimizer *o, int plans_type)
{
    struct dfopt_client_options options = optimizer_options(o);
    options.plans_pattern =
        plans_type == ZMQ_PUB ? DFOPT_CLIENT_SUB : DFOPT_CLIENT_PULL;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    declare_int(c, "b");
    start(c);
    drop_registration(o);
    return c;
}

/* Setup and teardown of a test: *state is an optimizer that pushes plans. */
static inline int open_optimizer(void **state)
{
    struct optimizer *o = calloc(1, sizeof *o);
    assert_non_null(o);
    optimizer_open(o, ZMQ_PUSH, NULL);
    *state = o;
    return 0;
}

static inline int close_optimizer(void **state)
{
    optimizer_close(*state);
    free(*state);
    return 0;
}

#define with_optimizer(f)                                                          \
    cmocka_unit_test_setup_teardown(f, open_optimizer, close_optimizer)

/* Sends, and waits until the client has looked at it. */
static inline void deliver(struct optimizer *o, dfopt_client *c, const char *body)
{
    uint64_t before = stats_of(c).plans_received;
    send_plan(o, body);
    wait_until(stats_of(c).plans_received == before + 1);
}

/* PUB drops what nobody has subscribed to yet: sends plans for a knob that nobody
 * has until one arrives. */
static inline void wait_for_subscription(struct optimizer *o, dfopt_client *c)
{
    int64_t until = now_ms() + DEADLINE_MS;
    while (stats_of(c).plans_received == 0) {
        assert_true(now_ms() < until);
        publish_plan(o, "*", PLAN("p", "nobody", "1", "now"));
        pause_ms(20);
    }
}

#endif
