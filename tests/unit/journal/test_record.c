/* Records as lines of an event log: whatever came in, the line decodes to it. */
#include "journal/line.h"
#include "support/unit.h"

#include "codec/codec.h"

#include <string.h>

static const struct {
    const char *name, *data;
    uint32_t stream;
    bool usable;
    uint64_t seq;
    const char *plain, *numbered;
} cases[] = {
    {"finding", "{\"a\":1}", DFOPT_STREAM_FINDING, true, 7,
     "{\"stream\":\"finding\",\"body\":{\"a\":1}}",
     "\"seq\":7,\"stream\":\"finding\",\"body\":{\"a\":1}}"},
    {"several lines", "{\r\n \"a\":\n1}\n", DFOPT_STREAM_ACK, true, 0,
     "{\"stream\":\"ack\",\"body\":{   \"a\": 1} }",
     "\"seq\":0,\"stream\":\"ack\",\"body\":{   \"a\": 1} }"},
    {"broken", "{\"a\n", DFOPT_STREAM_REGISTRATION, false, 2,
     "{\"stream\":\"registration\",\"raw\":\"{\\\"a\\n\"}",
     "\"seq\":2,\"stream\":\"registration\",\"raw\":\"{\\\"a\\n\"}"},
    {"empty", "", DFOPT_STREAM_FINDING, false, UINT64_MAX,
     "{\"stream\":\"finding\",\"raw\":\"\"}",
     "\"seq\":18446744073709551615,\"stream\":\"finding\",\"raw\":\"\"}"},
    {"no text", "\xff\n\"", DFOPT_STREAM_ACK, false, 1,
     "{\"stream\":\"ack\",\"raw_hex\":\"ff0a22\"}",
     "\"seq\":1,\"stream\":\"ack\",\"raw_hex\":\"ff0a22\"}"},
};

static void test_lines(void **state)
{
    (void)state;
    struct dfopt_buf line = {0};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct dfopt_record rec = {.data = cases[i].data,
                                         .len = strlen(cases[i].data)};
        const struct dfopt_recorded r = {
            .record = &rec,
            .stream = cases[i].stream,
            .usable = cases[i].usable,
            .seq = cases[i].seq,
        };
        for (int numbered = 0; numbered < 2; numbered++) {
            assert_int_equal(dfopt_record_line(&r, numbered, &line), DFOPT_OK);
            const char *expected = numbered ? cases[i].numbered : cases[i].plain;
            const char *is =
                numbered ? dfopt_record_checked(line.data, line.len) : line.data;
            assert_non_null(is);
            const size_t len = line.len - (size_t)(is - line.data);
            if (len != strlen(expected) || memcmp(is, expected, len) != 0)
                fail_msg("%s: %.*s", cases[i].name, (int)line.len, line.data);
        }
    }
    dfopt_buf_free(&line);
}

/* A numbered line that is not as it was written. */
static void test_check(void **state)
{
    (void)state;
    struct dfopt_buf line = {0};
    const struct dfopt_record rec = {.data = "{}", .len = 2};
    const struct dfopt_recorded r = {
        .record = &rec, .stream = DFOPT_STREAM_ACK, .usable = true, .seq = 3};
    assert_int_equal(dfopt_record_line(&r, true, &line), DFOPT_OK);
    for (size_t i = 0; i < line.len; i++) {
        assert_null(dfopt_record_checked(line.data, i));
        line.data[i] ^= 1;
        assert_null(dfopt_record_checked(line.data, line.len));
        line.data[i] ^= 1;
    }
    assert_non_null(dfopt_record_checked(line.data, line.len));
    dfopt_buf_free(&line);
}

/* The longest line of a usable record is the record and the envelope. */
static void test_envelope(void **state)
{
    (void)state;
    struct dfopt_buf line = {0};
    const struct dfopt_record rec = {.data = "{}", .len = 2};
    for (uint32_t s = 0; s < DFOPT_STREAM_COUNT; s++) {
        const struct dfopt_recorded r = {
            .record = &rec, .stream = s, .usable = true, .seq = UINT64_MAX};
        assert_int_equal(dfopt_record_line(&r, false, &line), DFOPT_OK);
        assert_true(line.len <= rec.len + DFOPT_RECORD_ENVELOPE_BYTES);
    }
    dfopt_buf_free(&line);
}

/* Decoding a line gives what decoding the record gives; the number is ignored. */
static void test_decodes(void **state)
{
    (void)state;
    const char *body = "{\"finding_type\":\"x\",\"severity_score\":0.5,\n"
                       "\"scope\":\"node:n1:window\",\"window_index\":3}";
    const struct dfopt_record rec = {.data = body, .len = strlen(body)};
    const struct dfopt_recorded r = {
        .record = &rec, .stream = DFOPT_STREAM_FINDING, .usable = true, .seq = 12};
    struct dfopt_buf line = {0};
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_event bare, recorded;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    assert_int_equal(dfopt_codec_create(&codec, dict, NULL), DFOPT_OK);
    assert_int_equal(dfopt_codec_decode(codec, DFOPT_STREAM_FINDING, body,
                                        strlen(body), &bare, NULL),
                     DFOPT_OK);
    assert_int_equal(dfopt_record_line(&r, true, &line), DFOPT_OK);
    assert_int_equal(
        dfopt_codec_decode(codec, -1, line.data, line.len, &recorded, NULL),
        DFOPT_OK);
    assert_true(recorded.enveloped);
    assert_int_equal(recorded.finding.type, bare.finding.type);
    assert_int_equal(recorded.finding.node, bare.finding.node);
    assert_int_equal(recorded.finding.window, bare.finding.window);
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    dfopt_buf_free(&line);
}

/* Ids of this run lose it, others keep theirs. */
static void test_run_is_cut_out(void **state)
{
    (void)state;
    struct dfopt_buf line = {0};
    const char *ack =
        "{\"plan_id\":\"plan_0000000000020001_0000abcd\",\"reason\":"
        "\"plan_0000000000020001_0000abce plan_0000000000030000_0000abcd\"}";
    const struct dfopt_record rec = {.data = ack, .len = strlen(ack)};
    const struct dfopt_recorded r = {.record = &rec,
                                     .stream = DFOPT_STREAM_ACK,
                                     .usable = true,
                                     .seq = 0,
                                     .run = 0xabcd};
    assert_int_equal(dfopt_record_line(&r, false, &line), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&line, "", 1), DFOPT_OK);
    assert_string_equal(
        line.data, "{\"stream\":\"ack\",\"body\":{\"plan_id\":"
                   "\"plan_0000000000020001\",\"reason\":"
                   "\"plan_0000000000020001_0000abce plan_0000000000030000\"}}");
    dfopt_buf_free(&line);
}

/* Of what cannot be used, text and reason survive: out of the recording, and out of
 * a journal that a resumed run writes again. */
static void test_unusable(void **state)
{
    (void)state;
    static const struct {
        const char *data, *problem;
    } bad[] = {
        {"{\"severity_score\":NaN}", NULL},
        {"[1,2]", NULL},
        {"{broken", NULL},
        {"\"a text\"", NULL},
        {"\\u0041 \x01 \t \"\\/ \xc3\xa9", NULL},
        {"\xff\xfe{}", NULL},
        {"", "the body is empty"},
        {"{\"scope\":\"cut o", "longer than the \"record limit\""},
        {"{\"stream\":\"ack\",\"raw\":\"x\"}", NULL},
    };
    struct dfopt_buf line = {0};
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    assert_int_equal(dfopt_codec_create(&codec, dict, NULL), DFOPT_OK);
    for (size_t i = 0; i < N_OF(bad); i++) {
        const struct dfopt_record rec = {.data = bad[i].data,
                                         .len = strlen(bad[i].data),
                                         .problem = bad[i].problem};
        const struct dfopt_recorded r = {.record = &rec,
                                         .stream = DFOPT_STREAM_FINDING,
                                         .usable = false,
                                         .seq = 5};
        struct dfopt_event event;
        struct dfopt_error first = {0}, again = {0};
        if (bad[i].problem)
            dfopt_error_set(&first, DFOPT_ERR_LIMIT, "%s", bad[i].problem);
        else
            assert_int_not_equal(dfopt_codec_decode(codec, DFOPT_STREAM_FINDING,
                                                    rec.data, rec.len, &event,
                                                    &first),
                                 DFOPT_OK);
        assert_int_equal(dfopt_record_line(&r, false, &line), DFOPT_OK);
        assert_int_equal(
            dfopt_codec_decode(codec, -1, line.data, line.len, &event, &again),
            first.code);
        assert_string_equal(again.text, first.text);
        assert_int_equal(event.stream, DFOPT_STREAM_FINDING);
        assert_true(event.enveloped);
    }
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    dfopt_buf_free(&line);
}

/* A line that a replay would not read, since escapes and digits make it longer than
 * the record, keeps the reason and the record's beginning. */
static void test_too_long_a_line(void **state)
{
    (void)state;
    static const struct {
        char fill;
        const char *kept;
    } bad[] = {{'x', "\"raw\":\"xxx"},
               {'"', "\"raw\":\"\\\"\\\""},
               {'\x01', "\"raw\":\"\\u0001"},
               {'\xff', "\"raw_hex\":\"ffff"}};
    enum { MAX = 1024 };
    struct dfopt_buf line = {0};
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    const struct dfopt_codec_limits limits = {.max_record_bytes = MAX};
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    assert_int_equal(dfopt_codec_create(&codec, dict, &limits), DFOPT_OK);
    for (size_t i = 0; i < N_OF(bad); i++) {
        char data[MAX - DFOPT_RECORD_ENVELOPE_BYTES];
        memset(data, bad[i].fill, sizeof data);
        for (size_t len = 0; len <= sizeof data; len++) {
            const struct dfopt_record rec = {.data = data, .len = len};
            struct dfopt_event event;
            struct dfopt_error first = {0}, again = {0};
            const enum dfopt_err e = dfopt_codec_decode(codec, DFOPT_STREAM_FINDING,
                                                        data, len, &event, &first);
            assert_int_not_equal(e, DFOPT_OK);
            const struct dfopt_recorded r = {.record = &rec,
                                             .stream = DFOPT_STREAM_FINDING,
                                             .why = first.text,
                                             .max_line = MAX};
            assert_int_equal(dfopt_record_line(&r, false, &line), DFOPT_OK);
            assert_true(line.len <= MAX);
            assert_int_not_equal(
                dfopt_codec_decode(codec, -1, line.data, line.len, &event, &again),
                DFOPT_OK);
            assert_string_equal(again.text, first.text);
            assert_int_equal(event.stream, DFOPT_STREAM_FINDING);
        }
        assert_int_equal(dfopt_buf_add(&line, "", 1), DFOPT_OK);
        assert_non_null(strstr(line.data, bad[i].kept));
        assert_int_equal(!strstr(line.data, "problem"), bad[i].fill == 'x');
    }
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    dfopt_buf_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_decodes),
        cmocka_unit_test(test_run_is_cut_out),
        cmocka_unit_test(test_too_long_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
