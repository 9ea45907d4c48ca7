/* The queue of plans: order by lane, and what goes when it is full. */
#include "transport/zmq/peers/queue.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static struct dfopt_zmq_queue *open_queue(size_t max)
{
    struct dfopt_zmq_queue *q = NULL;
    assert_int_equal(dfopt_zmq_queue_create(&q, max), DFOPT_OK);
    return q;
}

static enum dfopt_zmq_evicted push(struct dfopt_zmq_queue *q, const char *lane,
                                   const char *knob, const char *body)
{
    enum dfopt_zmq_evicted evicted = DFOPT_ZMQ_EVICTED_NONE;
    const struct dfopt_zmq_item item = {.metadata = {"{}", 2},
                                        .body = {body, strlen(body)}};
    assert_int_equal(dfopt_zmq_queue_push(q, lane, lane, knob, &item, &evicted),
                     DFOPT_OK);
    return evicted;
}

/* Empties the queue into text: lane:body,body;... */
static const char *empty(struct dfopt_zmq_queue *q, char *text)
{
    char *p = text;
    struct dfopt_zmq_group *lane = dfopt_zmq_queue_lane(q, NULL), *next;
    for (; lane; lane = next) {
        next = dfopt_zmq_queue_lane(q, lane);
        p += sprintf(p, "%s:", dfopt_zmq_lane_name(lane));
        bool stays;
        do {
            const struct dfopt_zmq_item *i = dfopt_zmq_lane_first(lane);
            assert_int_equal(i->metadata.len, 2);
            p += sprintf(p, "%.*s,", (int)i->body.len, i->body.data);
            stays = dfopt_zmq_lane_pop(q, lane);
        } while (stays);
        p[-1] = ';';
    }
    *p = '\0';
    assert_int_equal(dfopt_zmq_queue_length(q), 0);
    return text;
}

static void test_lanes(void **state)
{
    (void)state;
    char text[256];
    struct dfopt_zmq_queue *q = open_queue(100);
    assert_false(dfopt_zmq_queue_has_lane(q, "a"));
    assert_string_equal(empty(q, text), "");
    push(q, "a", "k", "1");
    push(q, "b", "k", "2");
    push(q, "a", "k", "3");
    push(q, "a", "l", "4");
    push(q, "", "k", "5");
    assert_int_equal(dfopt_zmq_queue_length(q), 5);
    assert_true(dfopt_zmq_queue_has_lane(q, "a"));
    assert_true(dfopt_zmq_queue_has_lane(q, ""));
    assert_false(dfopt_zmq_queue_has_lane(q, "c"));
    assert_string_equal(empty(q, text), "a:1,3,4;b:2;:5;");
    assert_false(dfopt_zmq_queue_has_lane(q, "a"));
    push(q, "a", "k", "6");
    dfopt_zmq_queue_destroy(q);
    dfopt_zmq_queue_destroy(NULL);
}

static void test_full(void **state)
{
    (void)state;
    char text[256];
    struct dfopt_zmq_queue *q = open_queue(3);
    assert_int_equal(push(q, "a", "k", "1"), DFOPT_ZMQ_EVICTED_NONE);
    assert_int_equal(push(q, "a", "l", "2"), DFOPT_ZMQ_EVICTED_NONE);
    assert_int_equal(push(q, "a", "l", "3"), DFOPT_ZMQ_EVICTED_NONE);
    assert_int_equal(push(q, "a", "l", "4"), DFOPT_ZMQ_EVICTED_SAME_KEY); /* 2 */
    assert_int_equal(push(q, "b", "l", "5"), DFOPT_ZMQ_EVICTED_OLDEST);   /* 1 */
    assert_int_equal(push(q, "b", "l", "6"), DFOPT_ZMQ_EVICTED_SAME_KEY); /* 5 */
    assert_int_equal(push(q, "a", "k", "7"), DFOPT_ZMQ_EVICTED_OLDEST);   /* 3 */
    assert_string_equal(empty(q, text), "a:4,7;b:6;");
    dfopt_zmq_queue_destroy(q);
    q = open_queue(0); /* means 1 */
    push(q, "a", "k", "1");
    assert_int_equal(push(q, "b", "k", "2"), DFOPT_ZMQ_EVICTED_OLDEST);
    assert_string_equal(empty(q, text), "b:2;");
    dfopt_zmq_queue_destroy(q);
}

/* (node, knob) is no text joined: "a" "bc" is not "ab" "c". */
static void test_keys(void **state)
{
    (void)state;
    char text[256];
    struct dfopt_zmq_queue *q = open_queue(2);
    push(q, "a", "bc", "1");
    push(q, "x", "y", "2");
    assert_int_equal(push(q, "ab", "c", "3"), DFOPT_ZMQ_EVICTED_OLDEST);
    assert_string_equal(empty(q, text), "x:2;ab:3;");
    dfopt_zmq_queue_destroy(q);
}

static void test_many(void **state)
{
    (void)state;
    char lane[16], knob[16];
    struct dfopt_zmq_queue *q = open_queue(1000);
    size_t same = 0, oldest = 0;
    for (int i = 0; i < 100000; i++) {
        snprintf(lane, sizeof lane, "n%d", i % 200);
        snprintf(knob, sizeof knob, "k%d", i % 7);
        const enum dfopt_zmq_evicted e = push(q, lane, knob, "{}");
        same += e == DFOPT_ZMQ_EVICTED_SAME_KEY;
        oldest += e == DFOPT_ZMQ_EVICTED_OLDEST;
        assert_true(dfopt_zmq_queue_length(q) <= 1000);
    }
    assert_int_equal(same + oldest, 99000);
    dfopt_zmq_queue_destroy(q);
}

/* What waits that a node may get. */
static void test_holds(void **state)
{
    (void)state;
    static const struct {
        const char *lane;
        bool n1;
    } cases[] = {{"n1", true},  {"N1.cluster.example", true},
                 {"*", true},   {"", true},
                 {"n2", false}, {"n10", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_zmq_queue *q = open_queue(3);
        assert_false(dfopt_zmq_queue_holds(q, "n1"));
        push(q, "n3", "k", "1");
        push(q, cases[i].lane, "k", "2");
        if (dfopt_zmq_queue_holds(q, "n1") != cases[i].n1)
            fail_msg("%s", cases[i].lane);
        dfopt_zmq_queue_destroy(q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes), cmocka_unit_test(test_full),
        cmocka_unit_test(test_keys),  cmocka_unit_test(test_many),
        cmocka_unit_test(test_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
