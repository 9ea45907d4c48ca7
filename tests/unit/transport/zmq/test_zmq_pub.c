/* The ZMQ sink as PUB: topics, and subscribers that do not read. */
#include "test_zmq.h"

/* A node's subscriber: its own plans, and those for all. */
static struct peer subscriber(struct dfopt_sink *s, const char *node)
{
    struct peer p = peer_new(ZMQ_SUB);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_SUBSCRIBE, node, strlen(node)),
                     0);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_SUBSCRIBE, "*", 1), 0);
    assert_int_equal(zmq_connect(p.socket, dfopt_zmq_sink_endpoint(s)), 0);
    return p;
}

/* Publishes greetings for the node until the first has come. */
static void greet(struct dfopt_sink *s, struct peer *p, const char *node)
{
    const int64_t until = now_ms() + DEADLINE_MS;
    zmq_pollitem_t item = {.socket = p->socket, .events = ZMQ_POLLIN};
    do {
        publish(s, node, "greeting", -1);
        (void)s->ops->pump(s);
        assert_true(now_ms() < until);
    } while (zmq_poll(&item, 1, 20) == 0);
}

/* The next plan that is no greeting. The sink is pumped meanwhile, as a service
 * does: what it could not send at once may be what is waited for. */
static int next_plan(struct dfopt_sink *s, struct peer *p, char topic[256])
{
    char frames[3][256];
    int i = -1;
    const int64_t until = now_ms() + DEADLINE_MS;
    zmq_pollitem_t item = {.socket = p->socket, .events = ZMQ_POLLIN};
    while (i < 0) {
        while (zmq_poll(&item, 1, 10) == 0) {
            (void)s->ops->pump(s);
            assert_true(now_ms() < until);
        }
        assert_true(receive_parts(p, frames, 3));
        assert_string_equal(frames[1], "{\"m\":1}");
        assert_int_equal(sscanf(frames[2], "{\"i\":%d}", &i), 1);
    }
    strcpy(topic, frames[0]);
    return i;
}

static void expect_plan(struct dfopt_sink *s, struct peer *p, const char *topic,
                        int i)
{
    char got[256];
    assert_int_equal(next_plan(s, p, got), i);
    assert_string_equal(got, topic);
}

/* Each node gets its own plans and those for all, in order, and no other. */
static void test_topics(void **state)
{
    (void)state;
    enum { NODES = 20, ROUNDS = 5 };
    char node[16];
    struct peer peers[NODES];
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.pattern = DFOPT_ZMQ_PUB});
    for (int i = 0; i < NODES; i++) {
        snprintf(node, sizeof node, "n%02d", i);
        peers[i] = subscriber(s, node);
        greet(s, &peers[i], node);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < NODES; i++) {
            snprintf(node, sizeof node, "n%02d", i);
            publish(s, node, "k", round * 1000 + i);
        }
        publish(s, NULL, "k", round * 1000 + 999);
        publish(s, "n99", "k", 1); /* no such subscriber: it waits for one */
    }
    for (int i = 0; i < NODES; i++) {
        snprintf(node, sizeof node, "n%02d", i);
        for (int round = 0; round < ROUNDS; round++) {
            expect_plan(s, &peers[i], node, round * 1000 + i);
            expect_plan(s, &peers[i], "*", round * 1000 + 999);
        }
        peer_close(&peers[i]);
    }
    assert_int_equal(s->ops->pump(s), ROUNDS);
    sink_destroy(s);
}

static void keep_detail(void *arg, enum dfopt_zmq_note note, const char *endpoint,
                        const char *detail, uint64_t total)
{
    (void)endpoint;
    (void)total;
    if (note == DFOPT_ZMQ_NOTE_PLAN_UNWANTED)
        snprintf(arg, 300, "%s", detail);
}

/* A plan waits for its subscriber, whatever form of the name that has. */
static void test_late(void **state)
{
    (void)state;
    static const struct {
        const char *node, *host;
    } cases[] = {{"n1", "n1"},
                 {"n1", "N1.cluster.example"},
                 {"n1.cluster.example", "n1"},
                 {"N1", "n1."}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        char detail[300] = "";
        struct dfopt_sink *s =
            open_sink((struct dfopt_zmq_sink_options){.pattern = DFOPT_ZMQ_PUB,
                                                      .quiet_ms = 1,
                                                      .note = keep_detail,
                                                      .note_arg = detail});
        struct peer other = subscriber(s, "n10");
        greet(s, &other, "n10");
        publish(s, cases[i].node, "k", 1);
        publish(s, cases[i].node, "k", 2);
        publish(s, NULL, "k", 3);
        expect_plan(s, &other, "*", 3);
        assert_int_equal(s->ops->pump(s), 2);
        struct peer late = subscriber(s, cases[i].host);
        expect_plan(s, &late, cases[i].host, 1);
        expect_plan(s, &late, cases[i].host, 2);
        assert_int_equal(s->ops->pump(s), 0);
        peer_close(&late);
        peer_close(&other);
        sink_destroy(s);
    }
}

/* Two nodes that are called alike in short: nobody gets the other's. */
static void test_collision(void **state)
{
    (void)state;
    char detail[300] = "";
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.pattern = DFOPT_ZMQ_PUB,
                                                  .quiet_ms = 1,
                                                  .note = keep_detail,
                                                  .note_arg = detail});
    struct peer a = subscriber(s, "n1.a"), b = subscriber(s, "n1.b");
    greet(s, &a, "n1.a");
    greet(s, &b, "n1.b");
    publish(s, "n1", "k", 1);
    const int64_t until = now_ms() + DEADLINE_MS;
    while (strcmp(detail, "node n1; subscribed: n1.a, n1.b") != 0 &&
           strcmp(detail, "node n1; subscribed: n1.b, n1.a") != 0) {
        (void)dfopt_zmq_sink_drain(s, 10); /* told once a second at most */
        if (now_ms() >= until)
            fail_msg("told: %s", detail);
    }
    publish(s, "n1.b", "k", 2);
    publish(s, "n1.a", "k", 3);
    expect_plan(s, &b, "n1.b", 2);
    expect_plan(s, &a, "n1.a", 3);
    assert_int_equal(s->ops->pump(s), 1);
    peer_close(&a);
    peer_close(&b);
    sink_destroy(s);
}

/* A subscriber with small buffers, which does not read for now. */
static struct peer small_subscriber(struct dfopt_sink *s, const char *node)
{
    struct peer p = peer_new(ZMQ_SUB);
    set_int(p.socket, ZMQ_RCVHWM, 5);
    set_int(p.socket, ZMQ_RCVBUF, 16384);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_SUBSCRIBE, node, strlen(node)),
                     0);
    assert_int_equal(zmq_setsockopt(p.socket, ZMQ_SUBSCRIBE, "*", 1), 0);
    assert_int_equal(zmq_connect(p.socket, dfopt_zmq_sink_endpoint(s)), 0);
    greet(s, &p, node);
    return p;
}

/* {"i":i} and spaces. */
static void publish_large(struct dfopt_sink *s, const char *node, const char *knob,
                          int i)
{
    char body[16384];
    const int n = snprintf(body, sizeof body, "{\"i\":%d}%16000s", i, "");
    const struct dfopt_plan_message plan = {.body = body,
                                            .body_len = (size_t)n,
                                            .node = node,
                                            .metadata = "{\"m\":1}",
                                            .metadata_len = 7,
                                            .knob = knob};
    assert_int_equal(s->ops->publish(s, &plan, NULL), DFOPT_OK);
}

static size_t queued(struct dfopt_sink *s)
{
    struct dfopt_zmq_sink_counts c;
    dfopt_zmq_sink_counts(s, &c);
    return c.queued;
}

/* Publishes until the node's subscriber and all buffers on the way are full: queued
 * plans stay queued. Returns the next number. */
static int fill(struct dfopt_sink *s, const char *node)
{
    int i = 0;
    const int64_t until = now_ms() + DEADLINE_MS;
    for (size_t before = 0; before < 10 || queued(s) < before;) {
        for (; queued(s) < 10; i++)
            publish_large(s, node, "k", i);
        before = queued(s);
        (void)dfopt_zmq_sink_drain(s, 100);
        assert_true(now_ms() < until);
    }
    return i;
}

/* One node's subscriber has stalled: the others get theirs, and when it reads again
 * it gets its latest plan, however long it took. */
static void test_stalled_node(void **state)
{
    (void)state;
    char topic[256];
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.pattern = DFOPT_ZMQ_PUB,
                                                  .high_water = 4,
                                                  .max_queued = 16,
                                                  .stall_ms = -1});
    struct peer stalled = small_subscriber(s, "a"), other = subscriber(s, "b");
    greet(s, &other, "b");
    int last = fill(s, "a");
    for (int i = 0; i < 1000; i++) {
        publish_large(s, "a", "k", last++);
        if (i % 100 == 0) {
            publish(s, "b", "k", i);
            expect_plan(s, &other, "b", i);
        }
    }
    assert_int_equal(queued(s), 16);
    assert_int_equal(sink_noted(s, DFOPT_ZMQ_NOTE_PLAN_FORCED), 0);
    for (int before = -1, i = 0; i < last - 1; before = i) {
        i = next_plan(s, &stalled, topic);
        assert_true(i > before);
    }
    peer_close(&stalled);
    peer_close(&other);
    sink_destroy(s);
}

/* A plan for all waits for the stalled one only so long; then the others get it,
 * and all that follow, and the stalled one gets plans again when it reads again. */
static void test_stalled_for_all(void **state)
{
    (void)state;
    char topic[256];
    struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){
        .pattern = DFOPT_ZMQ_PUB, .high_water = 4, .stall_ms = 100});
    struct peer stalled = small_subscriber(s, "a"), other = subscriber(s, "b");
    greet(s, &other, "b");
    int last = fill(s, "a");
    const int64_t start = now_ms();
    publish(s, NULL, "k", 500000);
    int64_t until = now_ms() + DEADLINE_MS;
    while (sink_noted(s, DFOPT_ZMQ_NOTE_PLAN_FORCED) == 0 && now_ms() < until)
        (void)dfopt_zmq_sink_drain(s, 10);
    assert_true(now_ms() - start >= 99);
    expect_plan(s, &other, "*", 500000);
    publish(s, NULL, "k", 500001); /* at once: the stalled one is left out now */
    expect_plan(s, &other, "*", 500001);
    until = now_ms() + DEADLINE_MS;
    for (int i = -1; i < 600000; last++) {
        publish(s, "a", "k", 600000 + last);
        i = next_plan(s, &stalled, topic);
        assert_true(now_ms() < until);
    }
    peer_close(&stalled);
    peer_close(&other);
    sink_destroy(s);
}

/* A subscriber that has gone holds up nothing. */
static void test_gone(void **state)
{
    (void)state;
    struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){
        .pattern = DFOPT_ZMQ_PUB, .high_water = 4, .stall_ms = DEADLINE_MS * 2});
    struct peer stalled = small_subscriber(s, "a"), other = subscriber(s, "b");
    greet(s, &other, "b");
    (void)fill(s, "a");
    publish(s, NULL, "k", 500000);
    assert_true(s->ops->pump(s) > 0);
    peer_close(&stalled);
    expect_plan(s, &other, "*", 500000);
    assert_int_equal(sink_noted(s, DFOPT_ZMQ_NOTE_PLAN_FORCED), 0);
    peer_close(&other);
    sink_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics),          cmocka_unit_test(test_late),
        cmocka_unit_test(test_collision),       cmocka_unit_test(test_stalled_node),
        cmocka_unit_test(test_stalled_for_all), cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
