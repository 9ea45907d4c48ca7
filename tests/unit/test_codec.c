/* Records in: what is well-formed, envelopes, findings field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codec/codec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_OF(a) (sizeof(a) / sizeof *(a))

static struct dfopt_dict *dict;
static struct dfopt_codec *codec;

static int setup(void **state)
{
    (void)state;
    dict = NULL;
    codec = NULL;
    return dfopt_dict_create(&dict, false) ||
           dfopt_codec_create(&codec, dict, NULL);
}

static int teardown(void **state)
{
    (void)state;
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    return 0;
}

/* Decodes a copy of exact size, so that the sanitizer sees each byte read too
 * far. */
static enum dfopt_err decode(int stream, const char *text, size_t len,
                             struct dfopt_event *out, struct dfopt_error *err)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    *err = (struct dfopt_error){0};
    enum dfopt_err e = dfopt_codec_decode(codec, stream, copy, len, out, err);
    free(copy);
    return e;
}

static const char *text_of(dfopt_sym s)
{
    return dfopt_dict_text(dict, s, NULL);
}

/* ---- well-formed or not ---- */

static const struct {
    const char *name, *json;
    size_t len; /* 0: strlen */
    enum dfopt_err want;
    const char *error; /* NULL: none, or any */
} grammar_cases[] = {
    {"empty", "", 0, DFOPT_ERR_PARSE, "empty"},
    {"white space", " \t\r\n ", 0, DFOPT_ERR_PARSE, "empty"},
    {"no field", "{}", 0, DFOPT_OK, NULL},
    {"white space around", " \t{ \"a\" : 1 , \"b\" : [ ] }\r\n", 0, DFOPT_OK, NULL},
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
    {"numbers", "{\"a\":[0,-0,1.5,1e3,1E+3,1e-3,-0.0]}", 0, DFOPT_OK, NULL},
    {"NaN and infinities", "{\"a\":[NaN,Infinity,-Infinity]}", 0, DFOPT_OK, NULL},
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
    {"DEL in a string", "{\"a\":\"\x7f\"}", 0, DFOPT_OK, NULL},
    {"all escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}", 0, DFOPT_OK,
     NULL},
    {"unknown escape", "{\"a\":\"\\x\"}", 0, DFOPT_ERR_PARSE,
     "bad escape in a string"},
    {"escaped single quote", "{\"a\":\"\\'\"}", 0, DFOPT_ERR_PARSE, NULL},
    {"escape of three digits", "{\"a\":\"\\u12\"}", 0, DFOPT_ERR_PARSE, NULL},
    {"escaped lone surrogate", "{\"a\":\"\\ud800\"}", 0, DFOPT_OK, NULL},
    {"UTF-8", "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}", 0, DFOPT_OK,
     NULL},
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

/* ---- findings ---- */

/* What is expected is a line: severity persistence window type scope node motif
 * trend [tags] [suppresses] metrics. NULL: SCHEMA, and `error` is its text. */
static void render(const struct dfopt_finding *f, char *out, size_t size)
{
    struct dfopt_buf b = {0};
    dfopt_buf_printf(&b, "%g %lld %lld '%s' '%s' '%s' '%s' '%s'%s%s%s [",
                     f->severity, (long long)f->persistence, (long long)f->window,
                     text_of(f->type), text_of(f->scope), text_of(f->node),
                     text_of(f->motif), text_of(f->trend_text),
                     f->global ? " global" : "",
                     f->trend == DFOPT_TREND_IMPROVING ? " improving" : "",
                     f->trend == DFOPT_TREND_STABLE ? " stable" : "");
    for (int l = 0; l < 2; l++) {
        size_t n;
        const dfopt_sym *s =
            dfopt_dict_items(dict, l ? f->suppresses : f->tags, &n);
        for (size_t i = 0; i < n; i++)
            dfopt_buf_printf(&b, "%s%s", i ? " " : "", text_of(s[i]));
        dfopt_buf_printf(&b, l ? "]" : "] [");
    }
    for (size_t i = 0; i < DFOPT_METRIC_KNOWN; i++)
        if (f->metric_state[i] == DFOPT_METRIC_NUMBER)
            dfopt_buf_printf(&b, " %g", f->metric[i]);
        else
            dfopt_buf_printf(&b, f->metric_state[i] == DFOPT_METRIC_BAD ? " bad"
                                                                        : " -");
    snprintf(out, size, "%s", b.data);
    dfopt_buf_free(&b);
}

#define DEFAULTS "0 0 0 '' '' '' 'unclassified' 'insufficient_data' [] [] - - - -"
#define SEVERITY(s)                                                                \
    s " 0 0 '' '' '' 'unclassified' 'insufficient_data' [] [] - - - -"
#define PERSISTS(p)                                                                \
    "0 " p " 0 '' '' '' 'unclassified' 'insufficient_data' [] [] - - - -"
#define WINDOW(w)                                                                  \
    "0 0 " w " '' '' '' 'unclassified' 'insufficient_data' [] [] - - - -"
#define SCOPE(s, n)                                                                \
    "0 0 0 '' '" s "' '" n "' 'unclassified' 'insufficient_data' [] [] - - - -"
#define MOTIF(m)     "0 0 0 '' '' '' '" m "' 'insufficient_data' [] [] - - - -"
#define TREND(t, is) "0 0 0 '' '' '' 'unclassified' '" t "'" is " [] [] - - - -"
#define TAGS(t, s)                                                                 \
    "0 0 0 '' '' '' 'unclassified' 'insufficient_data' [" t "] [" s "] - - - -"
#define METRICS(m)   "0 0 0 '' '' '' 'unclassified' 'insufficient_data' [] [] " m
#define NOT_NUMERIC  "severity_score is neither a number nor a numeric text"
#define NOT_FINITE   "severity_score is not a finite number"
#define NOT_WHOLE(f) f " is not a whole number of at most 2^53"

static const struct {
    const char *name, *json, *want, *error;
} finding_cases[] = {
    {"nothing given", "{}", DEFAULTS, NULL},
    {"all null",
     "{\"finding_type\":null,\"scope\":null,\"motif\":null,\"severity_score\":null,"
     "\"confidence\":null,\"prevalence\":null,\"persistence\":null,"
     "\"window_index\":null,\"trend_direction\":null,\"opportunity_tags\":null,"
     "\"suppresses_tags\":null,\"key_metrics\":null,\"contributing_facts\":null}",
     DEFAULTS, NULL},
    {"all given",
     "{\"finding_type\":\"t\",\"scope\":\"node:n1:window\",\"motif\":\"m\","
     "\"severity_score\":0.5,\"persistence\":5,\"trend_direction\":\"stable\","
     "\"opportunity_tags\":[\"a\",\"b\"],\"suppresses_tags\":[\"c\"],"
     "\"window_index\":4,\"key_metrics\":{\"fetch_frac\":0.25,\"x\":[]}}",
     "0.5 5 4 't' 'node:n1:window' 'n1' 'm' 'stable' stable [a b] [c] 0.25 - - -",
     NULL},
    {"fields that are not looked at",
     "{\"layer\":null,\"view_type\":7,\"fact_ids\":[1,{\"a\":null}],\"summary\":"
     "1e999,"
     "\"confidence\":\"x\",\"big\":123456789012345678901234567890}",
     DEFAULTS, NULL},
    {"repeated key", "{\"persistence\":\"x\",\"persistence\":2}", PERSISTS("2"),
     NULL},
    {"repeated key, last bad", "{\"persistence\":2,\"persistence\":\"x\"}", NULL,
     NOT_WHOLE("persistence")},
    {"escaped key", "{\"persi\\u0073tence\":2}", PERSISTS("2"), NULL},
    {"key with NUL is another", "{\"persistence\\u0000\":\"x\"}", DEFAULTS, NULL},

    {"severity int", "{\"severity_score\":1}", SEVERITY("1"), NULL},
    {"severity above 1", "{\"severity_score\":3.5}", SEVERITY("3.5"), NULL},
    {"severity negative", "{\"severity_score\":-0.25}", SEVERITY("-0.25"), NULL},
    {"severity true", "{\"severity_score\":true}", SEVERITY("1"), NULL},
    {"severity false", "{\"severity_score\":false}", SEVERITY("0"), NULL},
    {"severity text", "{\"severity_score\":\"0.75\"}", SEVERITY("0.75"), NULL},
    {"severity text 1e-2", "{\"severity_score\":\"1e-2\"}", SEVERITY("0.01"), NULL},
    {"severity beyond int64", "{\"severity_score\":123456789012345678901234567890}",
     SEVERITY("1.23457e+29"), NULL},
    {"severity beyond double", "{\"severity_score\":1e999}", NULL, NOT_FINITE},
    {"severity NaN", "{\"severity_score\":NaN}", NULL, NOT_FINITE},
    {"severity -Infinity", "{\"severity_score\":-Infinity}", NULL, NOT_FINITE},
    {"severity word", "{\"severity_score\":\"high\"}", NULL, NOT_NUMERIC},
    {"severity empty text", "{\"severity_score\":\"\"}", NULL, NOT_NUMERIC},
    {"severity text with space", "{\"severity_score\":\" 1\"}", NULL, NOT_NUMERIC},
    {"severity text NaN", "{\"severity_score\":\"NaN\"}", NULL, NOT_NUMERIC},
    {"severity text hex", "{\"severity_score\":\"0x1\"}", NULL, NOT_NUMERIC},
    {"severity text 01", "{\"severity_score\":\"01\"}", NULL, NOT_NUMERIC},
    {"severity text 1e999", "{\"severity_score\":\"1e999\"}", NULL, NOT_NUMERIC},
    {"severity text with NUL", "{\"severity_score\":\"1\\u0000\"}", NULL,
     NOT_NUMERIC},
    {"severity list", "{\"severity_score\":[1]}", NULL, NOT_NUMERIC},

    {"persistence real", "{\"persistence\":5.0}", PERSISTS("5"), NULL},
    {"persistence 1e3", "{\"persistence\":1e3}", PERSISTS("1000"), NULL},
    {"persistence negative", "{\"persistence\":-1}", PERSISTS("-1"), NULL},
    {"persistence 2^53", "{\"persistence\":9007199254740992}",
     PERSISTS("9007199254740992"), NULL},
    {"persistence -2^53", "{\"persistence\":-9007199254740992.0}",
     PERSISTS("-9007199254740992"), NULL},
    {"persistence 2^53 + 1", "{\"persistence\":9007199254740993}", NULL,
     NOT_WHOLE("persistence")},
    {"persistence beyond int64", "{\"persistence\":12345678901234567890}", NULL,
     NOT_WHOLE("persistence")},
    {"persistence fraction", "{\"persistence\":5.5}", NULL,
     NOT_WHOLE("persistence")},
    {"persistence bool", "{\"persistence\":true}", NULL, NOT_WHOLE("persistence")},
    {"persistence text", "{\"persistence\":\"5\"}", NULL, NOT_WHOLE("persistence")},
    {"persistence NaN", "{\"persistence\":NaN}", NULL, NOT_WHOLE("persistence")},
    {"window real", "{\"window_index\":4.0}", WINDOW("4"), NULL},
    {"window Infinity", "{\"window_index\":Infinity}", NULL,
     NOT_WHOLE("window_index")},
    {"window list", "{\"window_index\":[]}", NULL, NOT_WHOLE("window_index")},

    {"tags twice", "{\"opportunity_tags\":[\"a\",\"b\",\"a\"]}", TAGS("a b a", ""),
     NULL},
    {"tags empty", "{\"opportunity_tags\":[],\"suppresses_tags\":[]}", DEFAULTS,
     NULL},
    {"suppresses", "{\"suppresses_tags\":[\"\",\"c\"]}", TAGS("", " c"), NULL},
    {"tags text", "{\"opportunity_tags\":\"a\"}", NULL,
     "opportunity_tags is not a list of strings"},
    {"tags with a number", "{\"opportunity_tags\":[\"a\",1]}", NULL,
     "opportunity_tags is not a list of strings"},
    {"tags with null", "{\"opportunity_tags\":[null]}", NULL,
     "opportunity_tags is not a list of strings"},
    {"suppresses object", "{\"suppresses_tags\":{}}", NULL,
     "suppresses_tags is not a list of strings"},

    {"scope int", "{\"scope\":7}", NULL, "scope is not a string"},
    {"scope node", "{\"scope\":\"node:h\"}", SCOPE("node:h", "h"), NULL},
    {"scope of no node", "{\"scope\":\"node::w\"}", SCOPE("node::w", ""), NULL},
    {"scope of a job", "{\"scope\":\"app:epoch\"}", SCOPE("app:epoch", ""), NULL},
    {"scope global", "{\"scope\":\"global:global\"}",
     "0 0 0 '' 'global:global' '' 'unclassified' 'insufficient_data' global [] [] "
     "- - - -",
     NULL},
    {"motif unicode", "{\"motif\":\"d\\u00e9bit \xe2\x86\x92 \\ud83d\\udcbe\"}",
     MOTIF("d\xc3\xa9"
           "bit \xe2\x86\x92 \xf0\x9f\x92\xbe"),
     NULL},
    {"motif list", "{\"motif\":[]}", NULL, "motif is not a string"},
    {"type bool", "{\"finding_type\":true}", NULL, "finding_type is not a string"},
    {"trend improving", "{\"trend_direction\":\"improving\"}",
     TREND("improving", " improving"), NULL},
    {"trend other", "{\"trend_direction\":\"Stable\"}", TREND("Stable", ""), NULL},
    {"trend number", "{\"trend_direction\":1}", NULL,
     "trend_direction is not a string"},

    {"metrics empty", "{\"key_metrics\":{}}", DEFAULTS, NULL},
    {"metrics list", "{\"key_metrics\":[1]}", NULL, "key_metrics is not an object"},
    {"metrics text", "{\"key_metrics\":\"x\"}", NULL,
     "key_metrics is not an object"},
    {"metric NaN and infinities",
     "{\"key_metrics\":{\"fetch_frac\":NaN,\"fetch_iter_time_frac_parent\":"
     "Infinity,"
     "\"compute_frac\":-Infinity,\"compute_time_frac_parent\":1e400}}",
     METRICS("bad bad bad bad"), NULL},
    {"metric odd types",
     "{\"key_metrics\":{\"fetch_frac\":[],\"fetch_iter_time_frac_parent\":{},"
     "\"compute_frac\":\"word\",\"compute_time_frac_parent\":null}}",
     METRICS("bad bad bad -"), NULL},
    {"metric that counts",
     "{\"key_metrics\":{\"fetch_frac\":\"0.5\",\"fetch_iter_time_frac_parent\":"
     "true,"
     "\"compute_frac\":12345678901234567890,\"compute_time_frac_parent\":2}}",
     METRICS("0.5 1 1.23457e+19 2"), NULL},
    {"metric of a key with NUL", "{\"key_metrics\":{\"fetch_frac\\u0000\":1}}",
     DEFAULTS, NULL},
};

static void test_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(finding_cases); i++) {
        const char *name = finding_cases[i].name, *json = finding_cases[i].json;
        struct dfopt_event event;
        struct dfopt_error err;
        char got[512];
        uint32_t before = dfopt_dict_strings(dict);
        enum dfopt_err e =
            decode(DFOPT_STREAM_FINDING, json, strlen(json), &event, &err);
        if (finding_cases[i].want) {
            if (e)
                fail_msg("%s: rejected: %s", name, err.text);
            render(&event.finding, got, sizeof got);
            if (strcmp(got, finding_cases[i].want) != 0)
                fail_msg("%s:\n got  %s\n want %s", name, got,
                         finding_cases[i].want);
            assert_null(event.body);
            assert_null(event.plan_id);
            continue;
        }
        if (e != DFOPT_ERR_SCHEMA || strcmp(err.text, finding_cases[i].error) != 0)
            fail_msg("%s: code %d, \"%s\"", name, e, err.text);
        if (dfopt_dict_strings(dict) != before)
            fail_msg("%s: left strings in the dictionary", name);
    }
}

static void test_recorded_numbers(void **state)
{
    (void)state;
    static const char json[] = "{\"confidence\":0.8,\"prevalence\":\"0.8\"}";
    struct dfopt_event event;
    struct dfopt_error err;
    assert_int_equal(decode(-1, json, sizeof json - 1, &event, &err), DFOPT_OK);
    assert_true(event.finding.confidence == 0.8);
    assert_true(isnan(event.finding.prevalence));
    for (size_t i = 0; i < sizeof event.finding.reserved; i++)
        assert_int_equal(event.finding.reserved[i], 0);
}

static void test_exact_big_number(void **state)
{
    (void)state;
    static const char json[] =
        "{\"severity_score\":123456789012345678901234567890,"
        "\"key_metrics\":{\"fetch_frac\":18446744073709551616}}";
    struct dfopt_event event;
    struct dfopt_error err;
    assert_int_equal(decode(-1, json, sizeof json - 1, &event, &err), DFOPT_OK);
    assert_true(event.finding.severity == 1.2345678901234568e29);
    assert_true(event.finding.metric[DFOPT_METRIC_FETCH] == 0x1p64);
}

static void test_nul_in_texts(void **state)
{
    (void)state;
    static const char json[] =
        "{\"motif\":\"a\\u0000b\",\"opportunity_tags\":[\"\\u0000\"]}";
    struct dfopt_event event;
    struct dfopt_error err;
    size_t len, n;
    assert_int_equal(decode(-1, json, sizeof json - 1, &event, &err), DFOPT_OK);
    const char *motif = dfopt_dict_text(dict, event.finding.motif, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(motif, "a\0b", 3);
    const dfopt_sym *tags = dfopt_dict_items(dict, event.finding.tags, &n);
    assert_int_equal(n, 1);
    dfopt_dict_text(dict, tags[0], &len);
    assert_int_equal(len, 1);
}

/* Other ranks are told of strings in the order of their numbers. */
static void test_interning_order(void **state)
{
    (void)state;
    static const char json[] =
        "{\"suppresses_tags\":[\"s\"],\"opportunity_tags\":[\"t1\",\"t2\"],"
        "\"trend_direction\":\"up\",\"motif\":\"m\",\"scope\":\"node:n\","
        "\"finding_type\":\"f\"}";
    static const char *const order[] = {"f",  "node:n", "m", "up",
                                        "t1", "t2",     "s", "n"};
    struct dfopt_event event;
    struct dfopt_error err;
    uint32_t first = dfopt_dict_strings(dict);
    assert_int_equal(decode(-1, json, sizeof json - 1, &event, &err), DFOPT_OK);
    assert_int_equal(dfopt_dict_strings(dict), first + N_OF(order));
    for (uint32_t i = 0; i < N_OF(order); i++)
        assert_string_equal(text_of(first + i), order[i]);
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
    {"bare", -1, "{}", DFOPT_OK, DFOPT_STREAM_FINDING, false},
    {"finding", -1, "{\"stream\":\"finding\",\"body\":{}}", DFOPT_OK,
     DFOPT_STREAM_FINDING, true},
    {"registration", -1, "{\"stream\":\"registration\",\"body\":{},\"note\":[1]}",
     DFOPT_OK, DFOPT_STREAM_REGISTRATION, true},
    {"ack", -1, "{\"body\":{},\"stream\":\"ack\"}", DFOPT_OK, DFOPT_STREAM_ACK,
     true},
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
    {"stream is known", DFOPT_STREAM_FINDING, "{\"stream\":\"ack\",\"body\":7}",
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
    n += (size_t)sprintf(text, "{\"x\":");
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
    const struct dfopt_codec_limits limits = {.max_record_bytes = 8,
                                              .max_depth = 1};
    assert_int_equal(dfopt_codec_create(&small, dict, &limits), DFOPT_OK);
    assert_int_equal(dfopt_codec_decode(small, -1, "{\"a\": 1}", 8, &event, &err),
                     DFOPT_OK);
    assert_int_equal(dfopt_codec_decode(small, -1, "{\"a\":  1}", 9, &event, &err),
                     DFOPT_ERR_LIMIT);
    assert_string_equal(err.text, "longer than 8 bytes");
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
    n = (size_t)sprintf(text, "{\"a\":");
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

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Nothing is asserted but the code: the sanitizers do the looking. */
static void test_mutations(void **state)
{
    (void)state;
    uint32_t seed = 7;
    char text[2048];
    for (int i = 0; i < 20000; i++) {
        size_t w = next_random(&seed) % N_OF(whole), len = whole[w].len;
        assert_true(len < sizeof text);
        memcpy(text, whole[w].json, len);
        for (uint32_t hits = next_random(&seed) % 3; hits != UINT32_MAX; hits--)
            text[next_random(&seed) % len] =
                next_random(&seed) & 1 ? "{}[]\",:0e.-\\u"[next_random(&seed) % 13]
                                       : (char)next_random(&seed);
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
        cmocka_unit_test_setup_teardown(test_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recorded_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_big_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul_in_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interning_order, setup, teardown),
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
