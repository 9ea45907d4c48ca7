/* The scanner of metadata: what is an object, and what says stop. */
#include "transport/zmq/metadata.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static enum dfopt_zmq_metadata scan(const char *text, size_t n)
{
    char *exact = malloc(n + 1); /* so that a byte too far is seen */
    assert_non_null(exact);
    memcpy(exact + 1, text, n);
    struct dfopt_zmq_members has;
    enum dfopt_zmq_metadata got = dfopt_zmq_metadata_scan(exact + 1, n, &has);
    free(exact);
    return got;
}

static const char *const plain[] = {
    "{}",
    " \t\r\n{ } \n",
    "{\"artifact_type\":\"diagnosis_finding\",\"publish_mode\":\"control\"}",
    "{\"type\":\"action_plan\",\"target_nodes\":[\"a\",\"b\"]}",
    "{\"a\":[],\"b\":{},\"c\":[[1,2],{\"d\":null}],\"e\":true,\"f\":false}",
    "{\"a\":-0,\"b\":0.5,\"c\":12e3,\"d\":1E-7,\"e\":1.5e+300}",
    "{\"a\":NaN,\"b\":Infinity,\"c\":-Infinity}",
    "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\"}",
    "{\"name\":\"ended\"}",
    "{\"name\":[\"end\"],\"type\":{\"type\":\"stop\"}}",
    "{\"x\":{\"name\":\"end\"}}",
    "{\"x\":[{\"type\":\"stop\"}]}",
    "{\"name\":\"end\",\"name\":\"x\"}",
    "{\"type\":\"stop\",\"type\":1}",
    "{\"name\":\"stop\",\"type\":\"end\"}",
    "{\"\":\"\"}",
    "{\"a\":\"\xc3\xa9\",\"\\u0000\":99999999999999999999}",
    "{\"a\":\"name\",\"b\":\"end\"}",
    "{\"a\":[\"name\"],\"\\\"type\":\"stop\"}",
};

static const char *const stop[] = {
    "{\"name\":\"end\"}",
    "{\"type\":\"stop\"}",
    " { \"type\" : \"stop\" , \"n\" : [1] } ",
    "{\"type\":\"diagnosis_finding\",\"name\":\"end\"}",
    "{\"name\":\"x\",\"name\":\"end\"}",
    "{\"name\":{\"name\":1},\"type\":\"stop\"}",
};

static const char *const bad[] = {
    "",
    " ",
    "{",
    "}",
    "[]",
    "null",
    "1",
    "\"end\"",
    "{}{}",
    "{} x",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1]",
    "{\"a\":[1,]}",
    "{\"a\":[1}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":1.}",
    "{\"a\":.5}",
    "{\"a\":1e}",
    "{\"a\":-}",
    "{\"a\":-NaN}",
    "{\"a\":tru}",
    "{\"a\":nulll}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\u12",
    "{\"a\":\"\\",
    "{\"a\":\"\n\"}",
    "{\"a\":\"b}",
    "{'a':1}",
    "\xef\xbb\xbf{}",
    "{\"a\":1}\v",
    "{\"type\":\"stop\"",
    "{\"type\":\"stop\"},",
    "[{\"type\":\"stop\"}]",
    "{\"type\":\"stop\",\"a\":\"\xff\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
};

static void check(const char *const *cases, size_t n, enum dfopt_zmq_metadata want)
{
    for (size_t i = 0; i < n; i++)
        if (scan(cases[i], strlen(cases[i])) != want)
            fail_msg("%s", cases[i]);
}

static void test_cases(void **state)
{
    (void)state;
    check(plain, N_OF(plain), DFOPT_ZMQ_METADATA_PLAIN);
    check(stop, N_OF(stop), DFOPT_ZMQ_METADATA_STOP);
    check(bad, N_OF(bad), DFOPT_ZMQ_METADATA_BAD);
    struct dfopt_zmq_members has;
    assert_int_equal(dfopt_zmq_metadata_scan(NULL, 0, &has),
                     DFOPT_ZMQ_METADATA_BAD);
    assert_int_equal(scan("{\"a\":\"\0\"}", 9), DFOPT_ZMQ_METADATA_BAD);
    assert_int_equal(scan("{}\0", 3), DFOPT_ZMQ_METADATA_BAD);
    assert_int_equal(scan("{\"a\":\"\\\0\"}", 10), DFOPT_ZMQ_METADATA_BAD);
}

/* Every beginning of an object is none. */
static void test_cut_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(plain); i++)
        for (size_t n = 0; n < (size_t)(strrchr(plain[i], '}') - plain[i]); n++)
            if (scan(plain[i], n) != DFOPT_ZMQ_METADATA_BAD)
                fail_msg("%.*s", (int)n, plain[i]);
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 100000; depth += depth < 64 ? 1 : 33333) {
        const size_t size = (size_t)depth * 2 + 16;
        char *text = malloc(size);
        assert_non_null(text);
        char *p = stpcpy(text, "{\"a\":");
        memset(p, '[', (size_t)depth);
        memset(p + depth, ']', (size_t)depth);
        p[2 * depth] = '}';
        const enum dfopt_zmq_metadata got =
            scan(text, (size_t)(p + 2 * depth + 1 - text));
        assert_int_equal(got, depth <= 32 ? DFOPT_ZMQ_METADATA_PLAIN
                                          : DFOPT_ZMQ_METADATA_BAD);
        free(text);
    }
}

/* The members that count, as they are spelt; the last of each. */
static void test_members(void **state)
{
    (void)state;
    static const struct {
        const char *metadata, *type, *answer;
    } cases[] = {
        {"{}", "", ""},
        {"{\"type\":\"objective\"}", "objective", ""},
        {"{\"answer\":{},\"type\":\"x\"}", "x", "{}"},
        {"{\"answer\" : { \"a\":[{\"b\":\"}\"}] } }", "",
         "{ \"a\":[{\"b\":\"}\"}] }"},
        {"{\"answer\":{\"type\":\"stop\",\"answer\":{}}}", "",
         "{\"type\":\"stop\",\"answer\":{}}"},
        {"{\"answer\":{\"n\":1},\"answer\":{\"n\":2}}", "", "{\"n\":2}"},
        {"{\"answer\":{\"n\":1},\"answer\":2}", "", ""},
        {"{\"answer\":[{\"n\":1}],\"type\":[\"x\"]}", "", ""},
        {"{\"answer\":\"{}\",\"x\":{\"answer\":{\"n\":1}}}", "", ""},
        {"{\"x\":{},\"type\":\"a\",\"type\":\"b\"}", "b", ""},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_zmq_members has;
        assert_int_equal(dfopt_zmq_metadata_scan(cases[i].metadata,
                                                 strlen(cases[i].metadata), &has),
                         DFOPT_ZMQ_METADATA_PLAIN);
        if (!dfopt_text_is(has.type, cases[i].type) ||
            !dfopt_text_is(has.answer, cases[i].answer))
            fail_msg("%s: type %.*s, answer %.*s", cases[i].metadata,
                     (int)has.type.len, has.type.at, (int)has.answer.len,
                     has.answer.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
