/* Records in, of any kind: what is well-formed, envelopes, limits, damage. */
#include "codec_fixture.h"
#include "support/random.h"

/* ---- well-formed or not ---- */

/* The reason for an object that is well-formed and nothing else. */
#define WELL_FORMED                                                                \
    DFOPT_ERR_SCHEMA, "has none of the fields of a finding (finding_type, scope, " \
                      "severity_score, "                                           \
                      "...)"

static const struct {
    const char *name, *json;
    size_t len; /* 0: strlen */
    enum dfopt_err want;
    const char *error; /* NULL: none, or any */
} grammar_cases[] = {
    {"empty", "", 0, DFOPT_ERR_PARSE, "empty"},
    {"white space", " \t\r\n ", 0, DFOPT_ERR_PARSE, "empty"},
    {"no field", "{}", 0, WELL_FORMED},
    {"white space around", " \t{ \"a\" : 1 , \"b\" : [ ] }\r\n", 0, WELL_FORMED},
    {"list", "[]", 0, DFOPT_ERR_SCHEMA, "not an object"},
    {"number", "12", 0, DFOPT_ERR_SCHEMA, "not an object"},
    {"null", "null", 0, DFOPT_ERR_SCHEMA, "not an object"},
    {"string", "\"x\"", 0, DFOPT_ERR_SCHEMA, "not an object"},
    {"trailing word", "{} x", 0, DFOPT_ERR_PARSE, "more than one JSON value"},
    {"two objects", "{}{}", 0, DFOPT_ERR_PARSE, "more than one JSON value"},
    {"trailing NUL", "{}\0", 3, DFOPT_ERR_PARSE, "more than one JSON value"},
    {"cut short", "{\"a\":", 0, DFOPT_ERR_PARSE, "truncated JSON"},
    {"cut in a word", "{\"a\":tr", 0, DFOPT_ERR_PARSE, "truncated JSON"},
    {"cut in a number", "{\"a\":-", 0, DFOPT_ERR_PARSE, "truncated JSON"},
    {"cut in an escape", "{\"a\\u00", 0, DFOPT_ERR_PARSE, "truncated JSON"},
    {"single quotes", "{'a':1}", 0, DFOPT_ERR_PARSE, "a key that is not a string"},
    {"single-quoted value", "{\"a\":'b'}", 0, DFOPT_ERR_PARSE, NULL},
    {"comment", "/* c */{}", 0, DFOPT_ERR_PARSE, NULL},
    {"comment inside", "{\"a\":1/* c */}", 0, DFOPT_ERR_PARSE, NULL},
    {"comment to the end", "{}// c", 0, DFOPT_ERR_PARSE, NULL},
    {"comma at the end", "{\"a\":1,}", 0, DFOPT_ERR_PARSE, NULL},
    {"comma at the end of a list", "{\"a\":[1,]}", 0, DFOPT_ERR_PARSE, NULL},
    {"comma missing", "{\"a\":1 \"b\":2}", 0, DFOPT_ERR_PARSE,
     "no comma between two values"},
    {"colon missing", "{\"a\" 1}", 0, DFOPT_ERR_PARSE, "no colon after a key"},
    {"wrong bracket", "{\"a\":[1}", 0, DFOPT_ERR_PARSE, NULL},
    {"leading zero", "{\"a\":01}", 0, DFOPT_ERR_PARSE, NULL},
    {"negative leading zero", "{\"a\":-01}", 0, DFOPT_ERR_PARSE, NULL},
    {"plus", "{\"a\":+1}", 0, DFOPT_ERR_PARSE, NULL},
    {"no digit after the point", "{\"a\":1.}", 0, DFOPT_ERR_PARSE,
     "malformed number"},
    {"no digit before the point", "{\"a\":.5}", 0, DFOPT_ERR_PARSE, NULL},
    {"no exponent", "{\"a\":1e}", 0, DFOPT_ERR_PARSE, NULL},
    {"hexadecimal", "{\"a\":0x1}", 0, DFOPT_ERR_PARSE, NULL},
    {"numbers", "{\"a\":[0,-0,1.5,1e3,1E+3,1e-3,-0.0]}", 0, WELL_FORMED},
    {"NaN and infinities", "{\"a\":[NaN,Infinity,-Infinity]}", 0, WELL_FORMED},
    {"nan", "{\"a\":nan}", 0, DFOPT_ERR_PARSE, NULL},
    {"NAN", "{\"a\":NAN}", 0, DFOPT_ERR_PARSE, "unknown word"},
    {"-NaN", "{\"a\":-NaN}", 0, DFOPT_ERR_PARSE, NULL},
    {"infinity", "{\"a\":infinity}", 0, DFOPT_ERR_PARSE, NULL},
    {"-infinity", "{\"a\":-infinity}", 0, DFOPT_ERR_PARSE, NULL},
    {"True", "{\"a\":True}", 0, DFOPT_ERR_PARSE, NULL},
    {"NULL", "{\"a\":NULL}", 0, DFOPT_ERR_PARSE, NULL},
    {"truex", "{\"a\":truex}", 0, DFOPT_ERR_PARSE, NULL},
    {"tab in a string", "{\"a\":\"\t\"}", 0, DFOPT_ERR_PARSE,
     "control character in a string"},
    {"NUL in a string", "{\"a\":\"\0\"}", 9, DFOPT_ERR_PARSE,
     "control character in a string"},
    {"newline in a key", "{\"\n\":1}", 0, DFOPT_ERR_PARSE,
     "control character in a string"},
    {"DEL in a string", "{\"a\":\"\x7f\"}", 0, WELL_FORMED},
    {"all escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", 0,
     WELL_FORMED},
    {"unknown escape", "{\"a\":\"\\x\"}", 0, DFOPT_ERR_PARSE,
     "bad escape in a string"},
    {"escaped single quote", "{\"a\":\"\\'\"}", 0, DFOPT_ERR_PARSE, NULL},
    {"escape of three digits", "{\"a\":\"\\u12\"}", 0, DFOPT_ERR_PARSE, NULL},
    {"escaped lone surrogate", "{\"a\":\"\\ud800\"}", 0, WELL_FORMED},
    {"UTF-8", "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}", 0, WELL_FORMED},
    {"stray byte", "{\"a\":\"\xff\"}", 0, DFOPT_ERR_PARSE, "invalid UTF-8"},
    {"stray byte in a key", "{\"\xff\":1}", 0, DFOPT_ERR_PARSE, "invalid UTF-8"},
    {"overlong", "{\"a\":\"\xc0\x80\"}", 0, DFOPT_ERR_PARSE, "invalid UTF-8"},
    {"overlong of three", "{\"a\":\"\xe0\x80\x80\"}", 0, DFOPT_ERR_PARSE, NULL},
    {"surrogate", "{\"a\":\"\xed\xa0\x80\"}", 0, DFOPT_ERR_PARSE, "invalid UTF-8"},
    {"above the top", "{\"a\":\"\xf4\x90\x80\x80\"}", 0, DFOPT_ERR_PARSE, NULL},
    {"half a character", "{\"a\":\"\xc3\"}", 0, DFOPT_ERR_PARSE, "invalid UTF-8"},
    {"byte order mark", "\xef\xbb\xbf{}", 0, DFOPT_ERR_PARSE, NULL},
    {"form feed", "{\f}", 0, DFOPT_ERR_PARSE, NULL},
};

static void test_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(grammar_cases); i++) {
        const char *name = grammar_cases[i].name, *json = grammar_cases[i].json;
        struct dfopt_event event;
        struct dfopt_error err;
        size_t len = grammar_cases[i].len ? grammar_cases[i].len : strlen(json);
        enum dfopt_err e = decode(-1, json, len, &event, &err);
        if (e != grammar_cases[i].want)
            fail_msg("%s: code %d (%s)", name, e, err.text);
        if (grammar_cases[i].error && strcmp(err.text, grammar_cases[i].error) != 0)
            fail_msg("%s: \"%s\"", name, err.text);
        if (e && (err.code != e || err.text[0] == '\0'))
            fail_msg("%s: no error text", name);
        assert_int_equal(event.stream, DFOPT_STREAM_FINDING);
    }
}

/* ---- envelopes ---- */

static const struct {
    const char *name;
    int stream;
    const char *json;
    enum dfopt_err want;
    uint32_t got_stream;
    bool enveloped;
} envelope_cases[] = {
    {"bare", -1, "{\"scope\":\"\"}", DFOPT_OK, DFOPT_STREAM_FINDING, false},
    {"finding", -1, "{\"stream\":\"finding\",\"body\":{\"motif\":null}}", DFOPT_OK,
     DFOPT_STREAM_FINDING, true},
    {"registration", -1,
     "{\"stream\":\"registration\",\"body\":{\"knobs\":{}},\"note\":[1]}", DFOPT_OK,
     DFOPT_STREAM_REGISTRATION, true},
    {"ack", -1, "{\"body\":{\"status\":1},\"stream\":\"ack\"}", DFOPT_OK,
     DFOPT_STREAM_ACK, true},
    {"global plan", -1,
     "{\"stream\":\"global_plan\",\"body\":{\"plan_id\":\"p\",\"knob_id\":\"k\"}}",
     DFOPT_OK, DFOPT_STREAM_GLOBAL_PLAN, true},
    {"unknown stream", -1, "{\"stream\":\"plan\",\"body\":{}}", DFOPT_ERR_SCHEMA,
     DFOPT_STREAM_FINDING, true},
    {"null stream", -1, "{\"stream\":null,\"body\":{}}", DFOPT_ERR_SCHEMA,
     DFOPT_STREAM_FINDING, true},
    {"stream number", -1, "{\"stream\":1,\"body\":{}}", DFOPT_ERR_SCHEMA,
     DFOPT_STREAM_FINDING, true},
    {"no body", -1, "{\"stream\":\"ack\"}", DFOPT_ERR_SCHEMA, DFOPT_STREAM_ACK,
     true},
    {"null body", -1, "{\"stream\":\"ack\",\"body\":null}", DFOPT_ERR_SCHEMA,
     DFOPT_STREAM_ACK, true},
    {"body list", -1, "{\"stream\":\"finding\",\"body\":[]}", DFOPT_ERR_SCHEMA,
     DFOPT_STREAM_FINDING, true},
    {"stream is known", DFOPT_STREAM_FINDING, "{\"stream\":\"ack\",\"scope\":\"\"}",
     DFOPT_OK, DFOPT_STREAM_FINDING, false},
    {"known, not JSON", DFOPT_STREAM_ACK, "{", DFOPT_ERR_PARSE, DFOPT_STREAM_ACK,
     false},
    {"known, list", DFOPT_STREAM_ACK, "[]", DFOPT_ERR_SCHEMA, DFOPT_STREAM_ACK,
     false},
};

static void test_envelopes(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(envelope_cases); i++) {
        const char *name = envelope_cases[i].name, *json = envelope_cases[i].json;
        struct dfopt_event event;
        struct dfopt_error err;
        enum dfopt_err e =
            decode(envelope_cases[i].stream, json, strlen(json), &event, &err);
        if (e != envelope_cases[i].want ||
            event.stream != envelope_cases[i].got_stream ||
            event.enveloped != envelope_cases[i].enveloped)
            fail_msg("%s: code %d (%s), stream %u, enveloped %d", name, e, err.text,
                     event.stream, event.enveloped);
        dfopt_event_clear(&event);
    }
}

/* ---- limits ---- */

static char *nested(int depth, size_t *len)
{
    size_t n = 0;
    char *text = malloc((size_t)depth * 2 + 16);
    assert_non_null(text);
    n += (size_t)sprintf(text, "{\"scope\":\"\",\"x\":");
    memset(text + n, '[', (size_t)depth - 1);
    n += (size_t)depth - 1;
    memset(text + n, ']', (size_t)depth - 1);
    n += (size_t)depth - 1;
    text[n++] = '}';
    *len = n;
    return text;
}

static void test_depth(void **state)
{
    (void)state;
    static const int depths[] = {31, 32, 33, 10000, 500000};
    for (size_t i = 0; i < N_OF(depths); i++) {
        struct dfopt_event event;
        struct dfopt_error err;
        size_t len;
        char *text = nested(depths[i], &len);
        enum dfopt_err e = decode(-1, text, len, &event, &err);
        if (e != (depths[i] > 32 ? DFOPT_ERR_LIMIT : DFOPT_OK))
            fail_msg("depth %d: code %d (%s)", depths[i], e, err.text);
        if (e)
            assert_string_equal(err.text, "nested deeper than 32");
        free(text);
    }
}

static void test_own_limits(void **state)
{
    (void)state;
    struct dfopt_codec *small;
    struct dfopt_event event;
    struct dfopt_error err = {0};
    const struct dfopt_codec_limits limits = {.max_record_bytes = 12,
                                              .max_depth = 1};
    assert_int_equal(dfopt_codec_create(&small, dict, &limits), DFOPT_OK);
    assert_int_equal(
        dfopt_codec_decode(small, -1, "{\"motif\":\"\"}", 12, &event, &err),
        DFOPT_OK);
    assert_int_equal(
        dfopt_codec_decode(small, -1, "{\"motif\": \"\"}", 13, &event, &err),
        DFOPT_ERR_LIMIT);
    assert_string_equal(err.text, "longer than 12 bytes");
    assert_int_equal(dfopt_codec_decode(small, -1, "{\"a\":[]}", 8, &event, &err),
                     DFOPT_ERR_LIMIT);
    assert_string_equal(err.text, "nested deeper than 1");
    dfopt_codec_destroy(small);
    const struct dfopt_codec_limits wild = {.max_depth = 1000000};
    assert_int_equal(dfopt_codec_create(&small, dict, &wild), DFOPT_ERR_ARG);
}

static void test_long_texts(void **state)
{
    (void)state;
    const size_t size = 10u << 20;
    const struct dfopt_codec_limits limits = {.max_record_bytes = size + 64};
    struct dfopt_codec *large;
    struct dfopt_event event;
    struct dfopt_error err = {0};
    char *text = malloc(size + 64);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "{\"motif\":\"");
    memset(text + n, 'x', size);
    n += size;
    n += (size_t)sprintf(text + n, "\"}");
    assert_int_equal(dfopt_codec_create(&large, dict, &limits), DFOPT_OK);
    assert_int_equal(dfopt_codec_decode(large, -1, text, n, &event, &err),
                     DFOPT_OK);
    size_t len;
    dfopt_dict_text(dict, event.finding.motif, &len);
    assert_int_equal(len, size);
    assert_int_equal(dfopt_codec_decode(codec, -1, text, n, &event, &err),
                     DFOPT_ERR_LIMIT);
    /* an integer of as many digits */
    n = (size_t)sprintf(text, "{\"scope\":\"\",\"a\":");
    memset(text + n, '9', 4301);
    text[n + 4301] = '}';
    assert_int_equal(dfopt_codec_decode(codec, -1, text, n + 4302, &event, &err),
                     DFOPT_ERR_LIMIT);
    text[n + 4300] = '}';
    assert_int_equal(dfopt_codec_decode(codec, -1, text, n + 4301, &event, &err),
                     DFOPT_OK);
    dfopt_codec_destroy(large);
    free(text);
}

/* ---- damaged records ---- */

static const char realistic[] =
    "{\"finding_type\":\"fetch_pressure\",\"scope\":\"node:tuolumne1001:window\","
    "\"layer\":\"node\",\"view_type\":\"window\",\"motif\":\"d\xc3\xa9"
    "bit \\u2192\",\"severity\":\"critical\",\"severity_score\":1.0,"
    "\"confidence\":0.8,\"prevalence\":1.0,\"persistence\":5,\"support_windows\":5,"
    "\"trend_direction\":\"stable\",\"last_seen_window\":4,\"contributing_facts\":"
    "[[\"fetch_pressure\",\"node:tuolumne1001:window\"]],\"opportunity_tags\":"
    "[\"dataloader_prefetch\",\"reader_parallelism\"],\"suppresses_tags\":[],"
    "\"window_index\":4,\"key_metrics\":{\"fetch_iter_time_proc_max\":NaN,"
    "\"big\":123456789012345678901234567890,\"fetch_frac\":0.89,"
    "\"compute_frac\":\"0.11\",\"n\\u0000l\":-Infinity},\"publish_mode\":null}";

static const char registration[] =
    "{\"stream\":\"registration\",\"body\":{\"namespace\":\"dlio\",\"knobs\":"
    "{\"p\":{\"id\":\"dlio.p\",\"default\":2,\"type\":\"int\",\"range\":[1,16],"
    "\"values\":[1,\"a\",null,2.5],\"scope\":\"job\",\"responds_to\":{\"t\\u0000\":"
    "{\"direction\":\"increase\",\"step\":2,\"step_mode\":\"add\",\"set_to\":null,"
    "\"min_severity\":0.5,\"min_persistence\":2,\"apply_when\":\"x\"}},"
    "\"target_function\":\"f\"}},\"current_values\":{\"p\":2}}}";

static const char ack[] =
    "{\"stream\":\"ack\",\"body\":{\"plan_id\":\"plan_0123456789abcdef\",\"knob_"
    "id\":"
    "\"k\",\"status\":\"applied\",\"new_value\":1,\"old_value\":\"x\","
    "\"window_index\":3,\"target_nodes\":[\"n\"],\"reason\":\"r\"}}";

static const char global_plan[] =
    "{\"stream\":\"global_plan\",\"body\":{\"plan_id\":\"g1\",\"knob_id\":\"k\","
    "\"new_value\":2.5,\"severity\":0.5,\"target_nodes\":[\"a\",\"b\"]}}";

static const struct {
    const char *json;
    size_t len;
} whole[] = {
    {realistic, sizeof realistic - 1},
    {registration, sizeof registration - 1},
    {ack, sizeof ack - 1},
    {global_plan, sizeof global_plan - 1},
};

static void test_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(whole); i++)
        for (size_t n = 0; n <= whole[i].len; n++) {
            struct dfopt_event event;
            struct dfopt_error err;
            enum dfopt_err e = decode(-1, whole[i].json, n, &event, &err);
            if (e != (n < whole[i].len ? DFOPT_ERR_PARSE : DFOPT_OK))
                fail_msg("record %zu, %zu bytes: code %d (%s)", i, n, e, err.text);
            if (n > 0 && n < whole[i].len &&
                strcmp(err.text, "truncated JSON") != 0 &&
                strcmp(err.text, "invalid UTF-8") != 0)
                fail_msg("record %zu, %zu bytes: \"%s\"", i, n, err.text);
            dfopt_event_clear(&event);
        }
}

/* Nothing is asserted but the code: the sanitizers do the looking. */
static void test_mutations(void **state)
{
    (void)state;
    uint64_t seed = 7;
    char text[2048];
    for (int i = 0; i < 20000; i++) {
        size_t w = random_below(&seed, N_OF(whole)), len = whole[w].len;
        assert_true(len < sizeof text);
        memcpy(text, whole[w].json, len);
        for (uint32_t hits = random_below(&seed, 3); hits != UINT32_MAX; hits--)
            text[random_below(&seed, (uint32_t)len)] =
                random_below(&seed, 2) ? "{}[]\",:0e.-\\u"[random_below(&seed, 13)]
                                       : (char)random_below(&seed, 256);
        struct dfopt_event event;
        struct dfopt_error err;
        enum dfopt_err e = decode(-1, text, len, &event, &err);
        if (e != DFOPT_OK && e != DFOPT_ERR_PARSE && e != DFOPT_ERR_SCHEMA)
            fail_msg("mutation %d: code %d (%s)", i, e, err.text);
        dfopt_event_clear(&event);
    }
}

static void test_null(void **state)
{
    (void)state;
    struct dfopt_event zero = {0};
    dfopt_codec_destroy(NULL);
    dfopt_event_clear(&zero);
    assert_int_equal(dfopt_codec_decode(codec, -1, "{", 1, &zero, NULL),
                     DFOPT_ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_grammar, setup, teardown),
        cmocka_unit_test_setup_teardown(test_envelopes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_null, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
