/* Answers to clients that asked when what they sent is decided: who asks, and who
 * is told, when, and behind which plans. */
#include "test_zmq.h"

#include "model/message.h"
#include "transport/zmq/peers/answers.h"

/* ---- who asks ---- */

static void test_asked(void **state)
{
    (void)state;
    static const struct {
        const char *metadata, *instance, *node;
        uint64_t number;
    } cases[] = {
        {"{\"answer\":{\"instance\":\"n1:2:3\",\"node\":\"n1\",\"number\":7}}",
         "n1:2:3", "n1", 7},
        {"{\"type\":\"x\",\"answer\":{\"number\":9007199254740992,\"more\":[1],"
         "\"instance\":\"\\u00e4\\\"\"}}",
         "\xc3\xa4\"", "", (uint64_t)1 << 53},
        {"{}", NULL, NULL, 0},
        {"{\"answer\":true}", NULL, NULL, 0},
        {"{\"answer\":{}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":\"\",\"number\":1}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":\"a\\u0000\",\"number\":1}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":1,\"number\":1}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":\"a\",\"node\":[],\"number\":1}}", NULL, NULL,
         0},
        {"{\"answer\":{\"instance\":\"a\",\"number\":0}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":\"a\",\"number\":-1}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":\"a\",\"number\":\"1\"}}", NULL, NULL, 0},
        {"{\"answer\":{\"instance\":\"a\",\"number\":1e300}}", NULL, NULL, 0},
    };
    char long_one[1024];
    struct dfopt_record r;
    struct dfopt_source *s = open_source((struct dfopt_zmq_source_options){
        .findings = ANY_PORT, .findings_bind = true});
    struct peer peer =
        peer_connect(ZMQ_PUSH, dfopt_zmq_source_endpoint(s, DFOPT_ZMQ_FINDINGS));
    for (size_t i = 0; i < N_OF(cases); i++) {
        send_two(&peer, cases[i].metadata, "{}");
        assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
        if ((r.ask != NULL) != (cases[i].instance != NULL))
            fail_msg("%s", cases[i].metadata);
        if (!r.ask)
            continue;
        assert_string_equal(r.ask->instance, cases[i].instance);
        assert_string_equal(r.ask->node, cases[i].node);
        assert_int_equal(r.ask->number, cases[i].number);
    }
    snprintf(long_one, sizeof long_one,
             "{\"answer\":{\"instance\":\"%0500d\",\"number\":1}}", 1);
    send_two(&peer, long_one, "{}");
    assert_int_equal(next_event(s, &r), DFOPT_SOURCE_RECORD);
    assert_null(r.ask);
    peer_close(&peer);
    source_destroy(s);
}

/* ---- who is told ---- */

static void decided(struct dfopt_sink *s, const char *instance, const char *node,
                    int stream, uint64_t number)
{
    const struct dfopt_ask ask = {instance, node, number};
    s->ops->answer(s, stream, &ask);
}

static uint64_t answered(const struct dfopt_sink *s)
{
    struct dfopt_zmq_sink_counts c;
    dfopt_zmq_sink_counts(s, &c);
    return c.answered;
}

/* The next message: n frames, the first of them (NULL: any) and the body. The sink
 * is pumped meanwhile, as a service does. */
static void expect_message(struct dfopt_sink *s, struct peer *p, int n,
                           const char *first, const char *body)
{
    char frames[3][256];
    const int64_t until = now_ms() + DEADLINE_MS;
    zmq_pollitem_t item = {.socket = p->socket, .events = ZMQ_POLLIN};
    while (zmq_poll(&item, 1, 10) == 0) {
        (void)s->ops->pump(s);
        assert_true(now_ms() < until);
    }
    assert_true(receive_parts(p, frames, n));
    if (first)
        assert_string_equal(frames[0], first);
    assert_string_equal(frames[n - 1], body);
}

static void test_push(void **state)
{
    (void)state;
    struct dfopt_sink *s = open_sink((struct dfopt_zmq_sink_options){0});
    decided(s, "a", "n1", DFOPT_STREAM_FINDING, 1); /* nobody is there yet */
    decided(s, "a", "n1", DFOPT_STREAM_OBJECTIVE, 4);
    publish(s, "n1", "k", 1);
    decided(s, "a", "n1", DFOPT_STREAM_FINDING, 2);
    assert_int_equal(answered(s), 0);
    struct peer p = peer_connect(ZMQ_PULL, dfopt_zmq_sink_endpoint(s));
    expect_message(s, &p, 2, "{\"m\":1}", "{\"i\":1}");
    expect_message(s, &p, 2, "{\"type\":\"decided\",\"instance\":\"a\"}",
                   "{\"instance\":\"a\",\"finding\":2,\"objective\":4}");
    assert_int_equal(answered(s), 1);
    decided(s, "a", "n1", DFOPT_STREAM_FINDING, 3);
    expect_message(s, &p, 2, "{\"type\":\"decided\",\"instance\":\"a\"}",
                   "{\"instance\":\"a\",\"finding\":3}");

    /* Of two peers any might get it: neither does. */
    struct peer second = peer_connect(ZMQ_PULL, dfopt_zmq_sink_endpoint(s));
    const int64_t until = now_ms() + DEADLINE_MS;
    while (sink_noted(s, DFOPT_ZMQ_NOTE_PLAN_IN_TURN) == 0) {
        assert_true(now_ms() < until);
        dfopt_zmq_sink_drain(s, 10);
    }
    decided(s, "a", "n1", DFOPT_STREAM_FINDING, 4);
    zmq_pollitem_t item = {.socket = second.socket, .events = ZMQ_POLLIN};
    do {
        assert_true(now_ms() < until);
        publish(s, "n1", "k", 1);
        expect_message(s, &p, 2, NULL, "{\"i\":1}");
        publish(s, "n1", "k", 1);
    } while (zmq_poll(&item, 1, 10) == 0);
    expect_message(s, &second, 2, NULL, "{\"i\":1}");
    assert_int_equal(answered(s), 2);
    peer_close(&p);
    peer_close(&second);
    sink_destroy(s);
}

static struct peer subscriber(struct dfopt_sink *s, const char *const *topics)
{
    struct peer p = peer_new(ZMQ_SUB);
    for (; *topics; topics++)
        assert_int_equal(
            zmq_setsockopt(p.socket, ZMQ_SUBSCRIBE, *topics, strlen(*topics)), 0);
    assert_int_equal(zmq_connect(p.socket, dfopt_zmq_sink_endpoint(s)), 0);
    return p;
}

/* Each client has its own; one that does not ask has none. */
static void test_pub(void **state)
{
    (void)state;
    struct dfopt_sink *s =
        open_sink((struct dfopt_zmq_sink_options){.pattern = DFOPT_ZMQ_PUB});
    decided(s, "a", "n1", DFOPT_STREAM_FINDING, 5); /* before it is there */
    struct peer a = subscriber(s, (const char *const[]){"decided:a", "n1", NULL});
    struct peer b = subscriber(s, (const char *const[]){"decided:ab", "n1", NULL});
    struct peer old = subscriber(s, (const char *const[]){"n1", "*", NULL});
    expect_message(s, &a, 3, "decided:a", "{\"instance\":\"a\",\"finding\":5}");
    decided(s, "ab", "n1", DFOPT_STREAM_FINDING, 1);
    expect_message(s, &b, 3, "decided:ab", "{\"instance\":\"ab\",\"finding\":1}");
    publish(s, NULL, "k", 7);
    expect_message(s, &old, 3, "*", "{\"i\":7}"); /* its first */
    zmq_pollitem_t item = {.socket = a.socket, .events = ZMQ_POLLIN};
    publish(s, "n1", "k", 8);
    expect_message(s, &b, 3, "n1", "{\"i\":8}");
    /* a has "decided:ab" by its beginning, which is for its library to drop */
    expect_message(s, &a, 3, "decided:ab", "{\"instance\":\"ab\",\"finding\":1}");
    expect_message(s, &a, 3, "n1", "{\"i\":8}");
    assert_int_equal(zmq_poll(&item, 1, 0), 0);
    peer_close(&a);
    peer_close(&b);
    peer_close(&old);
    sink_destroy(s);
}

/* An answer waits while a plan for its client's node, or for all, does. */
static void test_held(void **state)
{
    (void)state;
    static const struct {
        const char *node, *topic;
    } cases[] = {{"n1", "n1"}, {"N1.cluster.example", "n1"}, {NULL, "*"}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_sink *s =
            open_sink((struct dfopt_zmq_sink_options){.pattern = DFOPT_ZMQ_PUB});
        struct peer a = subscriber(s, (const char *const[]){"decided:a", NULL});
        struct peer b = subscriber(s, (const char *const[]){"decided:b", NULL});
        decided(s, "a", "n1", DFOPT_STREAM_FINDING, 1);
        decided(s, "b", "n2", DFOPT_STREAM_FINDING, 1);
        expect_message(s, &a, 3, "decided:a", "{\"instance\":\"a\",\"finding\":1}");
        expect_message(s, &b, 3, "decided:b", "{\"instance\":\"b\",\"finding\":1}");
        publish(s, cases[i].node, "k", 1); /* to which nobody has subscribed */
        decided(s, "a", "n1", DFOPT_STREAM_FINDING, 2);
        decided(s, "b", "n2", DFOPT_STREAM_FINDING, 2);
        if (cases[i].node) /* b's is not held */
            expect_message(s, &b, 3, "decided:b",
                           "{\"instance\":\"b\",\"finding\":2}");
        (void)s->ops->pump(s);
        assert_int_equal(answered(s), cases[i].node ? 3 : 2);
        assert_int_equal(zmq_setsockopt(a.socket, ZMQ_SUBSCRIBE, cases[i].topic,
                                        strlen(cases[i].topic)),
                         0);
        expect_message(s, &a, 3, cases[i].topic, "{\"i\":1}");
        expect_message(s, &a, 3, "decided:a", "{\"instance\":\"a\",\"finding\":2}");
        peer_close(&a);
        peer_close(&b);
        sink_destroy(s);
    }
}

/* ---- the table ---- */

static void test_table(void **state)
{
    (void)state;
    static const char on[] = "\1decided:c", off[] = "\0decided:c";
    struct dfopt_zmq_answers a = {0};
    struct dfopt_ask ask = {"c", "n1", 3};
    assert_false(dfopt_zmq_answers_subscribed(&a, "\1decided:", 9));
    assert_false(dfopt_zmq_answers_subscribed(&a, "\1n1", 3));
    assert_false(dfopt_zmq_answers_subscribed(&a, "", 0));
    assert_true(dfopt_zmq_answers_subscribed(&a, off, sizeof off - 1));
    assert_null(a.table);
    assert_null(dfopt_zmq_answers_note(&a, DFOPT_STREAM_COUNT, &ask, 5));
    assert_null(a.table);
    struct dfopt_zmq_client *c = dfopt_zmq_answers_note(&a, 0, &ask, 5);
    assert_non_null(c);
    assert_false(dfopt_zmq_client_is_there(c));
    assert_true(dfopt_zmq_answers_subscribed(&a, on, sizeof on - 1));
    assert_true(dfopt_zmq_answers_subscribed(&a, on, sizeof on - 1));
    assert_true(dfopt_zmq_answers_subscribed(&a, off, sizeof off - 1));
    assert_true(dfopt_zmq_client_is_there(c));
    ask.number = 4;
    ask.node = "n2";
    assert_ptr_equal(dfopt_zmq_answers_note(&a, 0, &ask, 6), c);
    assert_int_equal(dfopt_zmq_client_since(c), 5);
    assert_string_equal(dfopt_zmq_client_node(c), "n2");
    assert_ptr_equal(dfopt_zmq_answers_next(&a, NULL), c);
    assert_null(dfopt_zmq_answers_next(&a, c));
    dfopt_zmq_answers_told(&a, c);
    assert_null(dfopt_zmq_answers_next(&a, NULL));
    assert_true(dfopt_zmq_answers_subscribed(&a, off, sizeof off - 1));
    assert_null(a.table); /* gone */

    char name[16];
    size_t known = 0;
    for (int i = 0; i < 70000; i++) { /* those beyond the bound wait in vain */
        snprintf(name, sizeof name, "c%d", i);
        ask.instance = name;
        known += dfopt_zmq_answers_note(&a, 0, &ask, 6) != NULL;
    }
    assert_int_equal(known, 65536);
    dfopt_zmq_answers_free(&a);
    assert_null(a.table);
    dfopt_zmq_answers_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked), cmocka_unit_test(test_push),
        cmocka_unit_test(test_pub),   cmocka_unit_test(test_held),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
