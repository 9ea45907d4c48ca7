/* Waiting at a boundary for what the client's own findings bring: it ends with a
 * plan, with the answer that they are decided, or with its time. */
#include "client_fixture.h"
#include "dfopt/client_group.h"
#include "dfopt/client_measure.h"
#include "support/unit.h"

#define SHORT_MS 100

/* An optimizer that reads what clients send, and the client. */
struct loop {
    struct optimizer *o;
    void *objectives, *findings;
    char objectives_at[64], findings_at[64];
    char instance[400]; /* of the client, as it asks */
    dfopt_client *c;
};

static struct loop open_loop(struct optimizer *o)
{
    struct loop l = {.o = o};
    l.objectives = optimizer_socket(o, ZMQ_PULL, l.objectives_at, NULL);
    l.findings = optimizer_socket(o, ZMQ_PULL, l.findings_at, NULL);
    return l;
}

static struct dfopt_client_options options_of(const struct loop *l)
{
    struct dfopt_client_options options = optimizer_options(l->o);
    options.objectives_endpoint = l->objectives_at;
    options.findings_endpoint = l->findings_at;
    options.reports = DFOPT_CLIENT_REPORTS_NODE;
    return options;
}

static void open_client(struct loop *l, const struct dfopt_client_options *options)
{
    l->c = make_client(options);
    declare_int(l->c, "a");
    start(l->c);
    drop_registration(l->o);
}

static void close_loop(struct loop *l)
{
    dfopt_client_destroy(l->c);
    zmq_close(l->objectives);
    zmq_close(l->findings);
}

static void send_finding(struct loop *l)
{
    const struct dfopt_client_finding f = {
        .type = "small_io", .window_index = 1, .severity = 0.5};
    assert_int_equal(dfopt_client_finding(l->c, &f), DFOPT_OK);
}

static void send_objective(struct loop *l)
{
    const struct dfopt_client_objective o = {.window_index = 1, .value = 2};
    assert_int_equal(dfopt_client_objective(l->c, &o), DFOPT_OK);
}

/* The next message asks to be answered with this number; 0: it asks nothing. */
static void expect_asked(struct loop *l, void *socket, int64_t number)
{
    struct json_object *meta, *ask, *body = receive_json(socket, &meta);
    json_object_put(body);
    assert_int_equal(json_object_object_get_ex(meta, "answer", &ask), number > 0);
    if (number) {
        struct json_object *n = NULL;
        snprintf(l->instance, sizeof l->instance, "%s", json_text(ask, "instance"));
        assert_true(strncmp(l->instance, HOST ":", 6) == 0);
        assert_string_equal(json_text(ask, "node"), HOST);
        assert_true(json_object_object_get_ex(ask, "number", &n));
        assert_int_equal(json_object_get_int64(n), number);
    }
    json_object_put(meta);
}

/* An answer with members behind the instance, such as ",\"finding\":1". */
static void answer(struct loop *l, const char *instance, const char *members)
{
    static const char meta[] = "{\"type\":\"decided\"}";
    char body[600];
    snprintf(body, sizeof body, "{\"instance\":\"%s\"%s}", instance, members);
    const char *parts[] = {meta, body};
    const size_t lens[] = {sizeof meta - 1, strlen(body)};
    send_parts(l->o->plans, 2, parts, lens);
}

/* Waits until the client has looked at all that was sent to it. */
static void settle(struct loop *l)
{
    deliver(l->o, l->c, PLAN("p", "nobody", "1", "now"));
}

/* Waits at a boundary. Returns how many plans it gave. */
static size_t at_boundary(struct loop *l, int wait_ms)
{
    struct dfopt_client_plan p;
    return dfopt_client_at_boundary_wait(l->c, NULL, "now", &p, 1, wait_ms);
}

/* A boundary at which nobody has answered. */
static void expect_patience(struct loop *l)
{
    const int64_t before = now_ms();
    settle(l);
    assert_int_equal(at_boundary(l, SHORT_MS), 0);
    assert_true(now_ms() - before >= SHORT_MS - 1);
}

/* A boundary that has nothing to wait for. */
static void expect_none(struct loop *l)
{
    const int64_t before = now_ms();
    assert_int_equal(at_boundary(l, DEADLINE_MS), 0);
    assert_true(now_ms() - before < DEADLINE_MS / 2);
}

static void decided(void **state)
{
    struct loop l = open_loop(*state);
    const struct dfopt_client_options options = options_of(&l);
    open_client(&l, &options);
    expect_patience(&l); /* nothing was sent */
    send_finding(&l);
    expect_asked(&l, l.findings, 1);
    expect_patience(&l); /* nobody answers */
    answer(&l, l.instance, ",\"finding\":1");
    expect_none(&l);
    expect_none(&l); /* and nothing new to wait for */
    assert_int_equal(stats_of(l.c).answers_received, 1);
    send_objective(&l);
    send_finding(&l);
    send_finding(&l);
    expect_asked(&l, l.objectives, 1);
    expect_asked(&l, l.findings, 2);
    expect_asked(&l, l.findings, 3);
    answer(&l, l.instance, ",\"finding\":3");
    expect_patience(&l); /* the objective is not decided yet */
    answer(&l, l.instance, ",\"finding\":2,\"objective\":1");
    expect_none(&l);
    assert_int_equal(stats_of(l.c).plans_malformed, 0);
    close_loop(&l);
}

/* What is no answer to this client's last message. */
static void others(void **state)
{
    struct loop l = open_loop(*state);
    const struct dfopt_client_options options = options_of(&l);
    open_client(&l, &options);
    send_finding(&l);
    send_finding(&l);
    expect_asked(&l, l.findings, 1);
    expect_asked(&l, l.findings, 2);
    answer(&l, HOST ":1:2:3", ",\"finding\":2");
    answer(&l, "", ",\"finding\":2");
    expect_patience(&l);
    assert_int_equal(stats_of(l.c).answers_received, 0);
    static const char *const members[] = {
        "",
        ",\"finding\":1",
        ",\"finding\":3", /* never asked for */
        ",\"finding\":-1",
        ",\"finding\":2.5",
        ",\"finding\":\"2\"",
        ",\"objective\":2",
        ",\"finding\":2,", /* no JSON */
    };
    for (size_t i = 0; i < N_OF(members); i++)
        answer(&l, l.instance, members[i]);
    expect_patience(&l);
    assert_int_equal(stats_of(l.c).answers_received, N_OF(members) - 1);
    answer(&l, l.instance, ",\"finding\":2,\"ack\":9");
    expect_none(&l);
    close_loop(&l);
}

static void *answer_late(void *arg)
{
    struct loop *l = arg;
    pause_ms(50);
    answer(l, l->instance, ",\"finding\":1");
    return NULL;
}

/* A boundary that waits already; with a group, too. */
static int broadcast(void *arg, void *bytes, size_t n)
{
    (void)arg, (void)bytes, (void)n;
    return 0;
}

static void meanwhile(void **state)
{
    for (int together = 0; together < 2; together++) {
        struct loop l = open_loop(*state);
        const struct dfopt_client_options options = options_of(&l);
        const struct dfopt_client_group g = {.broadcast = broadcast,
                                             .wait_ms = DEADLINE_MS};
        struct dfopt_client_agreed agreed;
        size_t n = 9;
        pthread_t sender;
        open_client(&l, &options);
        send_finding(&l);
        expect_asked(&l, l.findings, 1);
        const int64_t before = now_ms();
        assert_int_equal(pthread_create(&sender, NULL, answer_late, &l), 0);
        if (together)
            assert_int_equal(dfopt_client_at_boundary_group(l.c, &g, NULL, "now",
                                                            &agreed, 1, &n),
                             DFOPT_OK);
        else
            n = at_boundary(&l, DEADLINE_MS);
        assert_int_equal(n, 0);
        assert_true(now_ms() - before < DEADLINE_MS / 2);
        pthread_join(sender, NULL);
        close_loop(&l);
    }
}

/* The plan comes before the answer, and stays for its boundary. */
static void with_a_plan(void **state)
{
    struct loop l = open_loop(*state);
    const struct dfopt_client_options options = options_of(&l);
    open_client(&l, &options);
    send_finding(&l);
    expect_asked(&l, l.findings, 1);
    send_plan(l.o, PLAN("p1", "app.a", "4", "later"));
    send_plan(l.o, PLAN("p2", "app.a", "5", "now"));
    answer(&l, l.instance, ",\"finding\":1");
    assert_int_equal(at_boundary(&l, DEADLINE_MS), 1);
    expect_none(&l);
    send_finding(&l);
    expect_asked(&l, l.findings, 2);
    send_plan(l.o, PLAN("p3", "app.a", "4", "later"));
    answer(&l, l.instance, ",\"finding\":2");
    expect_none(&l); /* for this boundary */
    struct dfopt_client_plan p;
    assert_int_equal(
        dfopt_client_at_boundary_wait(l.c, NULL, "later", &p, 1, DEADLINE_MS), 1);
    close_loop(&l);
}

/* Stopping ends what was asked; numbers go on, for an answer may still come. */
static void again(void **state)
{
    struct loop l = open_loop(*state);
    const struct dfopt_client_options options = options_of(&l);
    open_client(&l, &options);
    send_finding(&l);
    expect_asked(&l, l.findings, 1);
    assert_int_equal(dfopt_client_stop(l.c, DEADLINE_MS), DFOPT_OK);
    send_finding(&l); /* before the start */
    start(l.c);
    drop_registration(l.o);
    expect_asked(&l, l.findings, 2);
    answer(&l, l.instance, ",\"finding\":1");
    expect_patience(&l);
    answer(&l, l.instance, ",\"finding\":2");
    expect_none(&l);
    close_loop(&l);
}

/* Who would not be answered, or could not tell by it, does not ask. */
static void not_asked(void **state)
{
    struct loop l = open_loop(*state);
    struct dfopt_client_options options = options_of(&l);
    open_client(&l, &options);
    send_objective(&l); /* findings may come from elsewhere */
    expect_asked(&l, l.objectives, 0);
    expect_patience(&l);
    const struct dfopt_client_window w = {
        .index = 2, .units = 1, .seconds = 1, .compute_s = 0.5, .fetch_s = 0.1};
    assert_int_equal(dfopt_client_window(l.c, &w), DFOPT_OK);
    expect_asked(&l, l.objectives, 1); /* and now they do not */
    dfopt_client_destroy(l.c);
    options.findings_endpoint = NULL;
    open_client(&l, &options);
    assert_int_equal(dfopt_client_window(l.c, &w), DFOPT_OK);
    expect_asked(&l, l.objectives, 0);
    dfopt_client_destroy(l.c);
    options = options_of(&l);
    options.plans_endpoint = NULL;
    open_client(&l, &options);
    send_objective(&l);
    send_finding(&l);
    expect_asked(&l, l.objectives, 0);
    expect_asked(&l, l.findings, 0);
    close_loop(&l);
}

/* The answer has a topic of its own. */
static void published(void **state)
{
    struct optimizer *o = *state;
    struct loop l = open_loop(o);
    struct dfopt_client_options options = options_of(&l);
    char at[64] = "", topic[500], body[500];
    void *pull = o->plans;
    o->plans = optimizer_socket(o, ZMQ_PUB, at, NULL);
    options.plans_endpoint = at;
    options.plans_pattern = DFOPT_CLIENT_SUB;
    open_client(&l, &options);
    wait_for_subscription(o, l.c);
    send_finding(&l);
    expect_asked(&l, l.findings, 1);
    snprintf(topic, sizeof topic, "decided:%s", l.instance);
    snprintf(body, sizeof body, "{\"instance\":\"%s\",\"finding\":1}", l.instance);
    static const char meta[] = "{\"type\":\"decided\"}";
    const char *parts[] = {topic, meta, body};
    size_t lens[] = {strlen(topic) + 1, sizeof meta - 1, strlen(body)};
    const uint64_t elsewhere = stats_of(l.c).plans_other_node;
    send_parts(o->plans, 3, parts, lens); /* of an instance of which this begins */
    wait_until(stats_of(l.c).plans_other_node == elsewhere + 1);
    assert_int_equal(stats_of(l.c).answers_received, 0);
    lens[0]--;
    send_parts(o->plans, 3, parts, lens);
    expect_none(&l);
    close_loop(&l);
    zmq_close(o->plans);
    o->plans = pull;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(decided),   with_optimizer(others),
        with_optimizer(meanwhile), with_optimizer(with_a_plan),
        with_optimizer(again),     with_optimizer(not_asked),
        with_optimizer(published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
