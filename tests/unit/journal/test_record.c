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
     "{\"stream\":\"registration\",\"body\":\"{\\\"a\\n\"}",
     "\"seq\":2,\"stream\":\"registration\",\"body\":\"{\\\"a\\n\"}"},
    {"empty", "", DFOPT_STREAM_FINDING, false, UINT64_MAX,
     "{\"stream\":\"finding\",\"body\":\"\"}",
     "\"seq\":18446744073709551615,\"stream\":\"finding\",\"body\":\"\"}"},
};

static void test_lines(void **state)
{
    (void)state;
    struct dfopt_buf line = {0};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct dfopt_record rec = {.data = cases[i].data,
                                         .len = strlen(cases[i].data)};
        const struct dfopt_recorded r = {&rec, cases[i].stream, cases[i].usable,
                                         cases[i].seq, 0};
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
    const struct dfopt_recorded r = {&rec, DFOPT_STREAM_ACK, true, 3, 0};
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
        const struct dfopt_recorded r = {&rec, s, true, UINT64_MAX, 0};
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
    const struct dfopt_recorded r = {&rec, DFOPT_STREAM_FINDING, true, 12, 0};
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
    const struct dfopt_recorded r = {&rec, DFOPT_STREAM_ACK, true, 0, 0xabcd};
    assert_int_equal(dfopt_record_line(&r, false, &line), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&line, "", 1), DFOPT_OK);
    assert_string_equal(
        line.data, "{\"stream\":\"ack\",\"body\":{\"plan_id\":"
                   "\"plan_0000000000020001\",\"reason\":"
                   "\"plan_0000000000020001_0000abce plan_0000000000030000\"}}");
    dfopt_buf_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_check),
        cmocka_unit_test(test_envelope),       cmocka_unit_test(test_decodes),
        cmocka_unit_test(test_run_is_cut_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
