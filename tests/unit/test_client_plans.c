/* Plans on their way to the application: boundaries, latest wins, nodes, and what
 * a knob takes of the values it is told. */
#include "client_fixture.h"

#define MAX_OUT 8

/* Sends, and waits until the client has looked at it. */
static void deliver(struct optimizer *o, dfopt_client *c, const char *body)
{
    uint64_t before = stats_of(c).plans_received;
    send_plan(o, body);
    wait_until(stats_of(c).plans_received == before + 1);
}

static size_t at(dfopt_client *c, const char *boundary,
                 struct dfopt_client_plan *out)
{
    return dfopt_client_at_boundary(c, NULL, boundary, out, MAX_OUT);
}

static void boundaries(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p[MAX_OUT];
    const struct {
        const char *when, *boundary;
        size_t want;
    } cases[] = {
        {"window_boundary", "window_boundary", 1},
        {"window_boundary", "next_window", 0},
        {"window_boundary", "epoch_boundary", 1}, /* takes everything */
        {"epoch_boundary", "window_boundary", 0},
        {"epoch_boundary", "epoch_boundary", 1},
        {"epoch_boundary", NULL, 1},
        {"", "", 1},
        {"", "epoch_boundary", 1},
        {"my own", "my own", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[256];
        snprintf(body, sizeof body, PLAN("p", "app.a", "3", "%s"), cases[i].when);
        deliver(o, c, body);
        assert_int_equal(
            dfopt_client_at_boundary(c, "save", cases[i].boundary, p, 1), 0);
        size_t n = at(c, cases[i].boundary, p);
        if (n != cases[i].want)
            fail_msg("case %zu: %zu plans", i, n);
        assert_int_equal(at(c, "epoch_boundary", p), 1 - n); /* stayed till then */
        assert_int_equal(at(c, "epoch_boundary", p), 0);
    }
    dfopt_client_destroy(c);
}

static void latest_wins(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p[MAX_OUT];
    deliver(o, c, PLAN("p1", "app.b", "3", "now"));
    deliver(o, c, PLAN("p2", "app.a", "4", "now"));
    deliver(o, c, PLAN("p3", "app.b", "5", "later"));
    assert_int_equal(at(c, "now", p), 1);
    assert_string_equal(p[0].plan_id, "p2");
    deliver(o, c, PLAN("p4", "app.a", "6", "later"));
    assert_int_equal(at(c, "later", p), 2); /* as they were declared */
    assert_string_equal(p[0].plan_id, "p4");
    assert_string_equal(p[0].knob_id, "app.a");
    assert_string_equal(p[0].parameter, "a");
    assert_string_equal(p[0].function, "load");
    assert_int_equal(p[0].new_value.i, 6);
    assert_string_equal(p[1].plan_id, "p3");
    struct dfopt_client_stats s = stats_of(c);
    assert_int_equal(s.plans_replaced, 1);
    assert_int_equal(s.plans_delivered, 3);
    assert_int_equal(s.plans_pending, 0);
    dfopt_client_destroy(c);
}

static void little_room(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p[MAX_OUT];
    deliver(o, c, PLAN("p1", "app.a", "3", "now"));
    deliver(o, c, PLAN("p2", "app.b", "4", "now"));
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", p, 0), 0);
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", NULL, 2), 0);
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", p, 1), 1);
    assert_string_equal(p[0].plan_id, "p1");
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", p, 1), 1);
    assert_string_equal(p[0].plan_id, "p2");
    assert_int_equal(dfopt_client_stop(c, 0), DFOPT_OK);
    dfopt_client_destroy(c);
}

#define FOR(nodes)                                                                 \
    "{\"plan_id\":\"p\",\"knob_id\":\"app.a\",\"target_function\":\"load\","       \
    "\"new_value\":3,\"target_nodes\":" nodes "}"

static void nodes(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p[MAX_OUT];
    const struct {
        const char *body;
        size_t want;
        bool for_node;
    } cases[] = {
        {FOR("[]"), 1, false},
        {FOR("null"), 1, false},
        {FOR("[\"" HOST "\"]"), 1, true},
        {FOR("[\"node2\",\"" HOST "\"]"), 1, true},
        {FOR("[\"node2\"]"), 0, false},
        {FOR("[\"" HOST "0\"]"), 0, false},
        {FOR("[\"\"]"), 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        deliver(o, c, cases[i].body);
        size_t n = at(c, NULL, p);
        if (n != cases[i].want || (n && p[0].for_node != cases[i].for_node))
            fail_msg("%s: %zu plans", cases[i].body, n);
    }
    assert_int_equal(stats_of(c).plans_other_node, 3);
    dfopt_client_destroy(c);
}

static void unknown(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p[MAX_OUT];
    deliver(o, c, PLAN("p", "app.c", "3", "now"));
    deliver(o, c,
            "{\"plan_id\":\"p\",\"knob_id\":\"app.a\",\"target_function\":\"save\","
            "\"new_value\":3}");
    assert_int_equal(at(c, NULL, p), 0);
    assert_int_equal(stats_of(c).plans_unknown, 2);
    /* a global optimizer may leave the function out: the id decides */
    deliver(o, c, "{\"plan_id\":\"p\",\"knob_id\":\"app.b\",\"new_value\":3}");
    assert_int_equal(at(c, NULL, p), 1);
    assert_string_equal(p[0].knob_id, "app.b");
    assert_true(is_silent(o->acks, 20));
    dfopt_client_destroy(c);
}

/* ---- values ---- */

#define INT(n)                                                                     \
    {                                                                              \
        .kind = DFOPT_CLIENT_INT, .i = (n)                                         \
    }
#define REAL(n)                                                                    \
    {                                                                              \
        .kind = DFOPT_CLIENT_FLOAT, .d = (n)                                       \
    }
#define TEXT(text)                                                                 \
    {                                                                              \
        .kind = DFOPT_CLIENT_STR, .s = text                                        \
    }
#define BOOL(t)                                                                    \
    {                                                                              \
        .kind = DFOPT_CLIENT_BOOL, .b = (t)                                        \
    }

static const struct dfopt_client_value sizes[] = {INT(1), INT(4), INT(8)};
static const struct dfopt_client_value ratios[] = {REAL(0.5), INT(2)};
static const struct dfopt_client_value engines[] = {TEXT("posix"), TEXT("uring")};
static const struct dfopt_client_value on_only[] = {BOOL(true)};

static const struct dfopt_client_knob value_knobs[] = {
    {.id = "int", .type = DFOPT_CLIENT_INT, .default_value = INT(2)},
    {.id = "int.range",
     .type = DFOPT_CLIENT_INT,
     .default_value = INT(2),
     .lo = INT(-4),
     .hi = INT(16)},
    {.id = "int.values",
     .type = DFOPT_CLIENT_INT,
     .default_value = INT(4),
     .lo = INT(0),
     .hi = INT(2), /* the list goes before it */
     .values = sizes,
     .n_values = 3},
    {.id = "float", .type = DFOPT_CLIENT_FLOAT, .default_value = REAL(1)},
    {.id = "float.range",
     .type = DFOPT_CLIENT_FLOAT,
     .default_value = REAL(1),
     .lo = INT(0),
     .hi = REAL(1.5)},
    {.id = "float.values",
     .type = DFOPT_CLIENT_FLOAT,
     .default_value = INT(2),
     .values = ratios,
     .n_values = 2},
    {.id = "str", .type = DFOPT_CLIENT_STR, .default_value = TEXT("a")},
    {.id = "str.values",
     .type = DFOPT_CLIENT_STR,
     .default_value = TEXT("posix"),
     .values = engines,
     .n_values = 2},
    {.id = "bool", .type = DFOPT_CLIENT_BOOL, .default_value = BOOL(false)},
    {.id = "bool.values",
     .type = DFOPT_CLIENT_BOOL,
     .default_value = BOOL(true),
     .values = on_only,
     .n_values = 1},
};

/* What is sent, and what the knob takes; NULL: nothing, the plan is rejected. */
static const struct {
    const char *knob, *sent;
    struct dfopt_client_value want;
    bool clamped;
} values[] = {
    {"int", "8", INT(8), false},
    {"int", "8.0", INT(8), false},
    {"int", "8.9", INT(8), true},
    {"int", "-8.9", INT(-8), true},
    {"int", "9223372036854775807", INT(INT64_MAX), false},
    {"int", "-9223372036854775808", INT(INT64_MIN), false},
    {"int", "9223372036854775808", {0}, false},
    {"int", "1e300", {0}, false},
    {"int", "NaN", {0}, false},
    {"int", "Infinity", {0}, false},
    {"int", "true", {0}, false},
    {"int", "\"8\"", {0}, false},
    {"int.range", "16", INT(16), false},
    {"int.range", "17", INT(16), true},
    {"int.range", "-4", INT(-4), false},
    {"int.range", "-4.5", INT(-4), true},
    {"int.range", "16.5", INT(16), true},
    {"int.range", "1e300", INT(16), true},
    {"int.range", "-99999999999999999999", INT(-4), true},
    {"int.range", "NaN", {0}, false},
    {"int.values", "8", INT(8), false},
    {"int.values", "8.0", INT(8), false},
    {"int.values", "8.5", INT(4), true},
    {"int.values", "2", INT(4), true},
    {"int.values", "\"8\"", {0}, false},
    {"float", "8.0", REAL(8.0), false},
    {"float", "8", REAL(8.0), false},
    {"float", "0.1", REAL(0.1), false},
    {"float", "-Infinity", {0}, false},
    {"float", "false", {0}, false},
    {"float.range", "-1", REAL(0), true},
    {"float.range", "1.5", REAL(1.5), false},
    {"float.range", "2", REAL(1.5), true},
    {"float.values", "0.5", REAL(0.5), false},
    {"float.values", "2", REAL(2), false},
    {"float.values", "3", REAL(2), true},
    {"str", "\"b\"", TEXT("b"), false},
    {"str", "\"\"", TEXT(""), false},
    {"str", "8", {0}, false},
    {"str", "true", {0}, false},
    {"str.values", "\"uring\"", TEXT("uring"), false},
    {"str.values", "\"mmap\"", TEXT("posix"), true},
    {"bool", "true", BOOL(true), false},
    {"bool", "false", BOOL(false), false},
    {"bool", "1", BOOL(true), false},
    {"bool", "0.0", BOOL(false), false},
    {"bool", "\"true\"", {0}, false},
    {"bool.values", "false", BOOL(true), true},
};

static bool is_same(const struct dfopt_client_value *a,
                    const struct dfopt_client_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case DFOPT_CLIENT_INT:
        return a->i == b->i;
    case DFOPT_CLIENT_FLOAT:
        return a->d == b->d;
    case DFOPT_CLIENT_STR:
        return strcmp(a->s, b->s) == 0;
    default:
        return a->b == b->b;
    }
}

static void what_a_knob_takes(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    dfopt_client *c = make_client(&options);
    struct dfopt_client_plan p[MAX_OUT];
    uint64_t refused = 0;
    for (size_t i = 0; i < sizeof value_knobs / sizeof *value_knobs; i++)
        assert_int_equal(dfopt_client_knob_declare(c, &value_knobs[i], NULL),
                         DFOPT_OK);
    start(c);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char body[256];
        snprintf(body, sizeof body, PLAN("p", "%s", "%s", "now"), values[i].knob,
                 values[i].sent);
        deliver(o, c, body);
        size_t n = at(c, NULL, p), want = values[i].want.kind ? 1 : 0;
        if (n != want || (n && (!is_same(&p[0].new_value, &values[i].want) ||
                                p[0].clamped != values[i].clamped)))
            fail_msg("%s told %s", values[i].knob, values[i].sent);
        refused += !want;
        if (!want)
            drop_message(o->acks);
    }
    assert_int_equal(stats_of(c).plans_unfit, refused);
    deliver(o, c, PLAN("p9", "int", "\"8\"", "now"));
    expect_json(
        o->acks, "{\"type\":\"action_ack\",\"plan_id\":\"p9\"}",
        "{\"plan_id\":\"p9\",\"knob_id\":\"int\",\"status\":\"rejected\","
        "\"old_value\":2,\"new_value\":null,\"reason\":\"the value is not of "
        "the type of the knob\",\"target_nodes\":[]}");
    dfopt_client_destroy(c);
}

/* ---- PUB ---- */

static void topics(void **state)
{
    struct optimizer o = {0};
    (void)state;
    optimizer_open(&o, ZMQ_PUB, NULL);
    dfopt_client *c = running_client(&o, ZMQ_PUB);
    struct dfopt_client_plan p[MAX_OUT];
    wait_for_subscription(&o, c);
    publish_plan(&o, "node2", PLAN("p1", "app.a", "3", "now"));
    publish_plan(&o, HOST "0", PLAN("p2", "app.a", "4", "now")); /* begins alike */
    publish_plan(&o, HOST, PLAN("p3", "app.a", "5", "now"));
    publish_plan(&o, "*", PLAN("p4", "app.b", "6", "now"));
    wait_until(stats_of(c).plans_pending == 2);
    assert_int_equal(stats_of(c).plans_replaced, 0);
    assert_int_equal(stats_of(c).plans_other_node, 1);
    assert_int_equal(at(c, NULL, p), 2);
    assert_string_equal(p[0].plan_id, "p3");
    assert_string_equal(p[1].plan_id, "p4");
    uint64_t bad = stats_of(c).plans_malformed; /* two parts under a topic */
    const char *parts[] = {HOST, PLAN("p5", "app.a", "3", "now")};
    send_parts(o.plans, 2, parts, (size_t[]){strlen(parts[0]), strlen(parts[1])});
    wait_until(stats_of(c).plans_malformed == bad + 1);
    dfopt_client_destroy(c);
    optimizer_close(&o);
}

/* The application binds and the optimizer connects, as upstream's can. */
static void plans_bind(void **state)
{
    (void)state;
    char endpoint[64];
    size_t size = sizeof endpoint;
    void *context = zmq_ctx_new(), *probe = zmq_socket(context, ZMQ_PULL);
    assert_int_equal(zmq_bind(probe, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(probe, ZMQ_LAST_ENDPOINT, endpoint, &size);
    zmq_unbind(probe, endpoint);
    zmq_close(probe);
    const struct dfopt_client_options options = {.app_namespace = "app",
                                                 .function = "load",
                                                 .plans_endpoint = endpoint,
                                                 .plans_bind = true};
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    int64_t until = now_ms() + DEADLINE_MS; /* the port is free in a moment */
    while (dfopt_client_start(c, NULL) != DFOPT_OK && now_ms() < until)
        pause_ms(5);
    struct optimizer o = {.context = context,
                          .plans = zmq_socket(context, ZMQ_PUSH)};
    assert_int_equal(zmq_connect(o.plans, endpoint), 0);
    send_plan(&o, PLAN("p", "app.a", "3", "now"));
    wait_until(stats_of(c).plans_pending == 1);
    dfopt_client_destroy(c);
    zmq_close(o.plans);
    zmq_ctx_term(context);
}

static int open_optimizer(void **state)
{
    struct optimizer *o = calloc(1, sizeof *o);
    optimizer_open(o, ZMQ_PUSH, NULL);
    *state = o;
    return 0;
}

static int close_optimizer(void **state)
{
    optimizer_close(*state);
    free(*state);
    return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_optimizer, close_optimizer)
    const struct CMUnitTest tests[] = {
        TEST(boundaries),
        TEST(latest_wins),
        TEST(little_room),
        TEST(nodes),
        TEST(unknown),
        TEST(what_a_knob_takes),
        cmocka_unit_test(topics),
        cmocka_unit_test(plans_bind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
