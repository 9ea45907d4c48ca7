/* The ZMQ sink as PUSH: plans go to a peer, or wait for one, but nobody waits. */
#include "test_zmq.h"

static void expect_plan(struct peer *p, int i)
{
    char frames[2][256], want[32];
    assert_true(receive_parts(p, frames, 2));
    snprintf(want, sizeof want, "{\"i\":%d}", i);
    assert_string_equal(frames[0], "{\"m\":1}");
    assert_string_equal(frames[1], want);
}

static struct peer puller(struct dfopt_sink *s)
{
    return peer_connect(ZMQ_PULL, dfopt_zmq_sink_endpoint(s));
}

/* Returns when the peer has the plan -1, and so is connected. */
static void greet(struct dfopt_sink *s, struct peer *p)
{
    publish(s, NULL, "greeting", -1);
    pump_empty(s);
    expect_plan(p, -1);
}

static void test_order(void **state)
{
    (void)state;
    struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){0});
    struct peer p = puller(s);
    greet(s, &p);
    for (int i = 0; i < 100; i++)
        publish(s, i % 2 ? "n1" : NULL, "k", i);
    for (int i = 0; i < 100; i++)
        expect_plan(&p, i);
    struct dfopt_zmq_sink_counts c;
    dfopt_zmq_sink_counts(s, &c);
    assert_int_equal(c.published, 101);
    assert_int_equal(c.sent, 101);
    assert_int_equal(c.queued, 0);
    peer_close(&p);
    sink_destroy(s);
}

static void note_in_turn(void *arg, enum dfopt_zmq_note note, const char *endpoint,
                         const char *detail, uint64_t total)
{
    (void)endpoint;
    if (note == DFOPT_ZMQ_NOTE_PLAN_IN_TURN && total == 1)
        snprintf(arg, 64, "%s", detail);
}

/* A second process is a mistake, which both sides are told of. */
static void test_in_turn(void **state)
{
    (void)state;
    char told[64] = "", frames[2][256];
    struct dfopt_sink *s = open_sink(
        (struct dfopt_zmq_sink_options){.note = note_in_turn, .note_arg = told});
    struct peer p[2] = {puller(s), {0}};
    greet(s, &p[0]);
    assert_string_equal(told, "");
    p[1] = puller(s);
    wait_until(s->ops->pump(s) == 0 && told[0]);
    assert_string_equal(told, "2 processes");
    set_int(p[1].socket, ZMQ_RCVTIMEO, 100); /* it may still shake hands */
    do
        publish(s, NULL, "k", 1);
    while (!receive_parts(&p[1], frames, 2));
    assert_string_equal(frames[0], "{\"m\":1,\"peers\":2}");
    peer_close(&p[1]);
    set_int(p[0].socket, ZMQ_RCVTIMEO, 100); /* one may go to who leaves */
    do
        publish(s, NULL, "k", 3);
    while (!receive_parts(&p[0], frames, 2) || strcmp(frames[0], "{\"m\":1}") != 0);
    peer_close(&p[0]);
    sink_destroy(s);
}

/* The ops table alone: plain metadata. */
static void test_ops(void **state)
{
    (void)state;
    struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){0});
    const struct dfopt_plan_message m = {.body = "{}", .body_len = 2};
    char frames[2][256];
    assert_int_equal(s->ops->publish(s, &m, NULL), DFOPT_OK);
    struct peer p = puller(s);
    while (s->ops->flush(s, NULL) == DFOPT_OK && s->ops->pump(s) > 0)
        (void)dfopt_zmq_sink_drain(s, 20);
    assert_true(receive_parts(&p, frames, 2));
    assert_string_equal(frames[0], "{\"type\":\"action_plan\"}");
    assert_string_equal(frames[1], "{}");
    const struct dfopt_sink_ops *ops = s->ops;
    peer_close(&p);
    sink_destroy(s);
    assert_int_equal(ops->destroy(NULL, NULL), DFOPT_OK);
}

/* Without a peer: 100,000 plans at once, the newest of each knob stay, and go to
 * the peer that comes at last. */
static void test_no_peer(void **state)
{
    (void)state;
    enum { N = 100000, KNOBS = 50, MAX = 100 };
    char knob[16];
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.max_queued = MAX});
    const int64_t start = now_ms();
    for (int i = 0; i < N; i++) {
        snprintf(knob, sizeof knob, "k%d", i % KNOBS);
        publish(s, NULL, knob, i);
    }
    print_message("%d plans without a peer: %d ms\n", N, (int)(now_ms() - start));
    assert_true(now_ms() - start < DEADLINE_MS / 2);
    struct dfopt_zmq_sink_counts c;
    dfopt_zmq_sink_counts(s, &c);
    assert_int_equal(c.queued, MAX);
    assert_int_equal(c.queued_max, MAX);
    assert_int_equal(c.published, N);
    assert_int_equal(c.noted[DFOPT_ZMQ_NOTE_PLAN_REPLACED], N - MAX);
    assert_int_equal(c.noted[DFOPT_ZMQ_NOTE_PLAN_DROPPED], 0);
    struct peer p = puller(s);
    pump_empty(s);
    for (int i = N - MAX; i < N; i++)
        expect_plan(&p, i);
    publish(s, NULL, "k", 7);
    expect_plan(&p, 7);
    peer_close(&p);
    sink_destroy(s);
}

/* Other knobs than those in the queue: the oldest of all goes. */
static void test_drop_oldest(void **state)
{
    (void)state;
    char knob[16];
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.max_queued = 3});
    for (int i = 0; i < 5; i++) {
        snprintf(knob, sizeof knob, "k%d", i);
        publish(s, NULL, knob, i);
    }
    publish(s, "n1", "k4", 5); /* another node: another key */
    publish(s, "n1", "k4", 6); /* replaces 5 */
    assert_int_equal(sink_noted(s, DFOPT_ZMQ_NOTE_PLAN_DROPPED), 3);
    assert_int_equal(sink_noted(s, DFOPT_ZMQ_NOTE_PLAN_REPLACED), 1);
    struct peer p = puller(s);
    pump_empty(s);
    expect_plan(&p, 3);
    expect_plan(&p, 4);
    expect_plan(&p, 6);
    peer_close(&p);
    sink_destroy(s);
}

/* A peer that reads nothing: publishing goes on, and when it reads again the latest
 * plan of every knob arrives, in order. */
static void test_slow_peer(void **state)
{
    (void)state;
    enum { N = 40000, KNOBS = 10 };
    char knob[16], body[4096], got[8192];
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.max_queued = 64});
    struct peer p = peer_new(ZMQ_PULL);
    set_int(p.socket, ZMQ_RCVHWM, 10);
    set_int(p.socket, ZMQ_RCVBUF, 65536);
    assert_int_equal(zmq_connect(p.socket, dfopt_zmq_sink_endpoint(s)), 0);
    greet(s, &p);
    const int64_t start = now_ms();
    for (int i = 0; i < N; i++) {
        snprintf(knob, sizeof knob, "k%d", i % KNOBS);
        const int n = snprintf(body, sizeof body, "%08d%4000s", i, "");
        const struct dfopt_plan_message plan = {
            .body = body, .body_len = (size_t)n, .knob = knob};
        assert_int_equal(s->ops->publish(s, &plan, NULL), DFOPT_OK);
    }
    assert_true(now_ms() - start < DEADLINE_MS / 2);
    struct dfopt_zmq_sink_counts c;
    dfopt_zmq_sink_counts(s, &c);
    assert_int_equal(c.queued, 64);
    assert_true(c.noted[DFOPT_ZMQ_NOTE_PLAN_REPLACED] > 0);
    int last = -1, knobs_seen = 0;
    while (last < N - 1) {
        (void)s->ops->pump(s);
        assert_int_equal(receive_frame(&p, got, sizeof got), 1);
        assert_int_equal(receive_frame(&p, got, sizeof got), 0);
        got[8] = '\0';
        assert_true(atoi(got) > last);
        last = atoi(got);
        knobs_seen += last >= N - KNOBS;
    }
    assert_int_equal(knobs_seen, KNOBS);
    peer_close(&p);
    sink_destroy(s);
}

/* The fd wakes a source that waits when a peer comes for the queued plans. */
static void test_wake(void **state)
{
    (void)state;
    struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){0});
    struct dfopt_source *source = open_source((struct dfopt_zmq_source_options){
        .acks = ANY_PORT, .wake_fds = {dfopt_zmq_sink_fd(s)}, .n_wake_fds = 1});
    struct dfopt_record r;
    publish(s, NULL, "k", 1);
    (void)s->ops->pump(s);
    assert_int_equal(source->ops->next(source, 20, &r, NULL), DFOPT_SOURCE_WAIT);
    struct peer p = puller(s);
    const int64_t start = now_ms();
    int turns = 0;
    for (size_t left = 1; left > 0; turns++) {
        assert_int_equal(source->ops->next(source, DEADLINE_MS, &r, NULL),
                         DFOPT_SOURCE_WAIT);
        left = s->ops->pump(s);
    }
    expect_plan(&p, 1);
    assert_true(now_ms() - start < DEADLINE_MS / 2);
    assert_true(turns < 20); /* it does not spin */
    source_destroy(source);
    peer_close(&p);
    sink_destroy(s);
}

struct told {
    uint64_t undelivered;
};

static void tell(void *arg, enum dfopt_zmq_note note, const char *endpoint,
                 const char *detail, uint64_t total)
{
    (void)detail;
    struct told *t = arg;
    assert_memory_equal(endpoint, "tcp://127.0.0.1:", 16);
    if (note == DFOPT_ZMQ_NOTE_PLAN_UNDELIVERED)
        t->undelivered = total;
}

/* destroy waits for a peer as long as it may, and says what is left. */
static void test_linger(void **state)
{
    (void)state;
    static const struct {
        int linger_ms, min_ms;
    } cases[] = {{300, 299}, {-1, 0}};
    for (int i = 0; i < 2; i++) {
        struct told told = {0};
        struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){
            .linger_ms = cases[i].linger_ms, .note = tell, .note_arg = &told});
        publish(s, NULL, "k", 1);
        publish(s, NULL, "k", 2);
        const int64_t start = now_ms();
        sink_destroy(s);
        assert_true(now_ms() - start >= cases[i].min_ms);
        assert_true(now_ms() - start < DEADLINE_MS / 2);
        assert_int_equal(told.undelivered, 2);
    }
    /* after a drain it does not wait again */
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.linger_ms = 2 * DEADLINE_MS});
    publish(s, NULL, "k", 1);
    assert_int_equal(dfopt_zmq_sink_drain(s, 10), 1);
    const int64_t start = now_ms();
    sink_destroy(s);
    assert_true(now_ms() - start < DEADLINE_MS);
}

/* What was published just before destroy arrives. */
static void test_destroy_delivers(void **state)
{
    (void)state;
    for (int time = 0; time < 20; time++) {
        struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){0});
        struct peer p = puller(s);
        for (int i = 0; i < 100; i++)
            publish(s, NULL, "k", i);
        sink_destroy(s);
        for (int i = 0; i < 100; i++)
            expect_plan(&p, i);
        peer_close(&p);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *want;
    } cases[] = {
        {NULL, "no endpoint"},
        {"", "no endpoint"},
        {"x", "x: malformed endpoint"},
        {"tcp://192.0.2.1:0", "tcp://192.0.2.1:0: not an address"},
    };
    for (size_t i = 0; i < N_OF(cases); i++)
        for (int pattern = 0; pattern < 2; pattern++) {
            struct dfopt_error err = {0};
            struct dfopt_sink *s = NULL;
            const struct dfopt_zmq_sink_options o = {
                .endpoint = cases[i].endpoint,
                .pattern = pattern ? DFOPT_ZMQ_PUB : DFOPT_ZMQ_PUSH};
            assert_int_equal(dfopt_zmq_sink_create(&s, &o, &err), DFOPT_ERR_ARG);
            assert_null(s);
            if (!strstr(err.text, cases[i].want))
                fail_msg("%s: %s", cases[i].want, err.text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_in_turn),
        cmocka_unit_test(test_ops),
        cmocka_unit_test(test_no_peer),
        cmocka_unit_test(test_drop_oldest),
        cmocka_unit_test(test_slow_peer),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_linger),
        cmocka_unit_test(test_destroy_delivers),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
