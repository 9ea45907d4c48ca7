/* Plans in flight to the application: boundaries, latest wins, nodes,
 * topics. */
#include "client_fixture.h"

#define MAX_OUT 8

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
    deliver(o, c, PLAN("p", "other.a", "3", "now"));
    deliver(o, c,
            "{\"plan_id\":\"p\",\"knob_id\":\"app.a\",\"target_function\":\"save\","
            "\"new_value\":3}");
    assert_int_equal(at(c, NULL, p), 0);
    assert_int_equal(stats_of(c).plans_unknown, 2);
    /* a global optimizer may leave the function out: the id decides */
    deliver(o, c, "{\"plan_id\":\"p\",\"knob_id\":\"app.b\",\"new_value\":3}");
    assert_int_equal(at(c, NULL, p), 1);
    assert_string_equal(p[0].knob_id, "app.b");
    /* another application may know it: its namespace, or its function */
    deliver(o, c, PLAN("p", "other.c", "3", "now"));
    deliver(o, c, PLAN("p", "appc", "3", "now"));
    assert_true(is_silent(o->acks, 20));
    dfopt_client_destroy(c);
}

/* Nobody else will answer for a knob of our function and namespace. */
static void not_declared(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    deliver(o, c, PLAN("p", "app.c", "3", "now"));
    assert_int_equal(stats_of(c).plans_unknown, 1);
    expect_ack(o->acks, "{\"type\":\"action_ack\",\"plan_id\":\"p\"}",
               "{\"plan_id\":\"p\",\"knob_id\":\"app.c\",\"status\":\"rejected\","
               "\"old_value\":null,\"new_value\":null,"
               "\"reason\":\"the function has not declared this "
               "knob\",\"target_nodes\":[]}");
    dfopt_client_destroy(c);
}

#define FROM(old, new)                                                             \
    "{\"plan_id\":\"p\",\"knob_id\":\"app.a\",\"target_function\":\"load\","       \
    "\"old_value\":" old ",\"new_value\":" new "}"

/* A plan for the process before starts from a value that this one never had. */
static void outdated(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p;
    deliver(o, c, FROM("7", "8"));
    assert_int_equal(dfopt_client_at_boundary(c, NULL, NULL, &p, 1), 0);
    expect_ack(o->acks, "{\"type\":\"action_ack\",\"plan_id\":\"p\"}",
               "{\"plan_id\":\"p\",\"knob_id\":\"app.a\",\"status\":\"rejected\","
               "\"old_value\":2,\"new_value\":null,\"reason\":\"it names "
               "another process, or another value than the present "
               "one\",\"target_nodes\":[]}");
    drop_registration(o); /* with the value that it has */
    assert_int_equal(stats_of(c).plans_outdated, 1);
    static const char *const taken[] = {FROM("null", "3"), FROM("2.0", "4"),
                                        FROM("7", "8")};
    for (size_t i = 0; i < N_OF(taken); i++) {
        deliver(o, c, taken[i]);
        assert_int_equal(dfopt_client_at_boundary(c, NULL, NULL, &p, 1), 1);
    }
    dfopt_client_destroy(c);
}

static void count_traps(void *arg, enum dfopt_client_level level, const char *text)
{
    *(int *)arg += level == DFOPT_CLIENT_WARNING &&
                   strstr(text, "never reaches the boundary 'mistyped'") != NULL;
}

/* A boundary whose name is mistyped is told of, once. */
static void nobody_asks(void **state)
{
    (void)state;
    for (int epochs = 0; epochs < 2; epochs++) {
        int told = 0;
        struct dfopt_client_plan p;
        struct dfopt_client_options options = {.app_namespace = "app",
                                               .function = "load",
                                               .hostname = HOST,
                                               .log = count_traps,
                                               .log_arg = &told};
        dfopt_client *c = make_client(&options);
        declare_int(c, "a");
        for (int i = 0; i < 2100; i++) {
            const char *plan = PLAN("p", "app.a", "3", "mistyped");
            assert_int_equal(dfopt_client_enqueue(c, plan, strlen(plan), NULL),
                             DFOPT_OK);
            assert_int_equal(
                dfopt_client_at_boundary(
                    c, NULL, epochs ? "epoch_boundary" : "window_boundary", &p, 1),
                epochs);
            assert_int_equal(told, i + 1 >= (epochs ? 2 : 1000));
        }
        dfopt_client_destroy(c);
    }
}

static void count_warnings(void *arg, enum dfopt_client_level level,
                           const char *text)
{
    if (level == DFOPT_CLIENT_WARNING && strstr(text, "--plans-pattern pub"))
        __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELEASE);
}

/* Who shares its plans with others is told so, once. */
static void in_turn(void **state)
{
    struct optimizer *o = *state;
    int warned = 0;
    struct dfopt_client_options options = optimizer_options(o);
    options.log = count_warnings;
    options.log_arg = &warned;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    drop_registration(o);
    static const char *const metas[] = {"{}", "{\"peers\":1}", "{\"peers\":\"x\"}",
                                        "{\"peers\":2}", "{\"peers\":3}"};
    for (size_t i = 0; i < N_OF(metas); i++) {
        const char *parts[] = {metas[i], PLAN("p", "app.a", "3", "now")};
        const size_t lens[] = {strlen(parts[0]), strlen(parts[1])};
        send_parts(o->plans, 2, parts, lens);
        wait_until(stats_of(c).plans_received == i + 1);
        wait_until(__atomic_load_n(&warned, __ATOMIC_ACQUIRE) == (i >= 3));
    }
    dfopt_client_destroy(c);
}

/* Plans of the application's own, with or without a listener. */
static void enqueued(void **state)
{
    (void)state;
    static const struct {
        const char *plan;
        enum dfopt_err e;
        const char *says;
    } cases[] = {
        {PLAN("p1", "app.a", "3", "now"), DFOPT_OK, ""},
        {PLAN("p2", "app.a", "99", "now"), DFOPT_OK, ""}, /* the latest */
        {PLAN("p3", "app.x", "3", "now"), DFOPT_ERR_ARG, "plan p3 for knob app.x"},
        {PLAN("p4", "app.a", "\"x\"", "now"), DFOPT_ERR_ARG, "app.a: the value"},
        {"{\"plan_id\":\"p5\",\"knob_id\":\"app.a\",\"new_value\":1,"
         "\"target_nodes\":[\"node2\"]}",
         DFOPT_ERR_ARG, "other nodes"},
        {"{\"plan_id\":\"p6\"}", DFOPT_ERR_SCHEMA, "knob_id"},
        {"{\"plan_id\"", DFOPT_ERR_PARSE, "body"},
        {NULL, DFOPT_ERR_ARG, "NULL"},
    };
    const struct dfopt_client_options options = {
        .app_namespace = "app", .function = "load", .hostname = HOST};
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_error err = {0};
        const char *plan = cases[i].plan;
        enum dfopt_err e =
            dfopt_client_enqueue(c, plan, plan ? strlen(plan) : 0, &err);
        if (e != cases[i].e || !strstr(err.text, cases[i].says))
            fail_msg("case %zu: %d, %s", i, (int)e, err.text);
    }
    struct dfopt_client_plan p[MAX_OUT];
    assert_int_equal(at(c, NULL, p), 1);
    assert_string_equal(p[0].plan_id, "p2");
    assert_int_equal(p[0].new_value.i, 16);
    assert_int_equal(stats_of(c).plans_malformed, 2);
    assert_int_equal(dfopt_client_enqueue(NULL, "{}", 2, NULL), DFOPT_ERR_STATE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(boundaries),    with_optimizer(latest_wins),
        with_optimizer(little_room),   with_optimizer(nodes),
        with_optimizer(unknown),       with_optimizer(not_declared),
        with_optimizer(in_turn),       with_optimizer(outdated),
        cmocka_unit_test(nobody_asks), cmocka_unit_test(enqueued),
        cmocka_unit_test(topics),      cmocka_unit_test(plans_bind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
