/* Findings in, field by field. */
#include "codec_fixture.h"

#include <math.h>

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
#define METRICS(m) "0 0 0 '' '' '' 'unclassified' 'insufficient_data' [] [] " m
#define NO_FIELD                                                                   \
    "has none of the fields of a finding (finding_type, scope, severity_score, "   \
    "...)"
#define NOT_NUMERIC  "severity_score must be a number, or the text of one"
#define NOT_FINITE   "severity_score is not a finite number"
#define NOT_WHOLE(f) f " is not a whole number of at most 2^53"

static const struct {
    const char *name, *json, *want, *error;
} finding_cases[] = {
    {"nothing given", "{}", NULL, NO_FIELD},
    {"any object", "{\"anything\":1}", NULL, NO_FIELD},
    {"one field", "{\"window_index\":0}", DEFAULTS, NULL},
    {"one field, null", "{\"confidence\":null}", DEFAULTS, NULL},
    {"a registration", "{\"namespace\":\"n\",\"knobs\":[],\"scope\":\"\"}", NULL,
     "not a finding: this looks like a registration (it has knobs); pass it to "
     "--registry-file or send it to --registry-address"},
    {"a fact", "{\"fact_type\":\"t\",\"scope\":\"app\",\"severity_score\":1}", NULL,
     "not a finding: this looks like a fact (it has fact_type); DFDiagnoser turns "
     "facts into findings"},
    {"findings in an object", "{\"findings\":[{\"severity_score\":1}]}", NULL,
     "not a finding: this looks like an object that holds a list of findings (it "
     "has findings); pass the list, or one finding per line"},
    {"a plan",
     "{\"plan_id\":\"p\",\"knob_id\":\"k\",\"window_index\":1,\"finding_type\":"
     "\"t\"}",
     NULL,
     "not a finding: this looks like a plan (it has plan_id); plans are output"},
    {"an ack", "{\"plan_id\":\"p\",\"status\":\"applied\"}", NULL,
     "not a finding: this looks like a plan (it has plan_id); plans are output"},
    {"an event", "{\"stream\":\"finding\",\"body\":{}}", NULL,
     "this looks like an event of an event log (it has stream and body); send the "
     "body alone"},
    {"a key of another message, null", "{\"knobs\":null,\"scope\":\"\"}", DEFAULTS,
     NULL},
    {"a key of another message, escaped", "{\"kn\\u006fbs\":[],\"scope\":\"\"}",
     NULL,
     "not a finding: this looks like a registration (it has knobs); pass it to "
     "--registry-file or send it to --registry-address"},
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
    {"key with NUL is another", "{\"scope\":null,\"persistence\\u0000\":\"x\"}",
     DEFAULTS, NULL},

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_findings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recorded_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_big_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul_in_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interning_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
