/* What goes out: values, texts, plans, state, log lines. */

#include "codec/codec.h"
#include "json/write.h"
#include "support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct dfopt_dict *dict;
static struct dfopt_buf out;

static int setup(void **state)
{
    (void)state;
    dict = NULL;
    return (int)dfopt_dict_create(&dict, false);
}

static int teardown(void **state)
{
    (void)state;
    dfopt_dict_destroy(dict);
    dfopt_buf_free(&out);
    return 0;
}

static dfopt_sym sym(const char *text)
{
    return dfopt_dict_intern_z(dict, text);
}

static void assert_out(const char *name, const char *want)
{
    if (out.len != strlen(want) || memcmp(out.data, want, out.len) != 0)
        fail_msg("%s:\n got  %.*s\n want %s", name, (int)out.len, out.data, want);
    dfopt_buf_clear(&out);
}

static void test_values(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct dfopt_value value;
        const char *want;
    } cases[] = {
        {"null", dfopt_value_null(), "null"},
        {"true", dfopt_value_bool(true), "true"},
        {"false", dfopt_value_bool(false), "false"},
        {"int", dfopt_value_int(8), "8"},
        {"least int", dfopt_value_int(INT64_MIN), "-9223372036854775808"},
        {"whole real", dfopt_value_real(8), "8.0"},
        {"real", dfopt_value_real(0.1), "0.1"},
        {"small real", dfopt_value_real(1e-7), "1e-07"},
        {"NaN", dfopt_value_real(NAN), "NaN"},
        {"infinity", dfopt_value_real(-INFINITY), "-Infinity"},
        {"text", dfopt_value_str(sym("a/b\"\\\n\x01")),
         "\"a/b\\\"\\\\\\n\\u0001\""},
        {"empty text", dfopt_value_str(DFOPT_SYM_EMPTY), "\"\""},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_int_equal(dfopt_json_write_value(dict, cases[i].value, &out),
                         DFOPT_OK);
        assert_out(cases[i].name, cases[i].want);
    }
}

static const struct {
    const char *name, *text;
    size_t len;
    const char *want;
} text_cases[] = {
    {"empty", "", 0, "\"\""},
    {"NUL", "a\0b", 3, "\"a\\u0000b\""},
    {"unicode as it is", "\xc3\xa9\xf0\x9f\x98\x80", 6,
     "\"\xc3\xa9\xf0\x9f\x98\x80\""},
    {"stray byte", "a\xff", 2, "\"a\xef\xbf\xbd\""},
    {"half a character", "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"surrogate and text", "\xed\xa0\x80z", 4,
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(text_cases); i++) {
        char *copy = malloc(text_cases[i].len + 1);
        memcpy(copy, text_cases[i].text, text_cases[i].len);
        assert_int_equal(dfopt_json_write_text(copy, text_cases[i].len, &out),
                         DFOPT_OK);
        assert_out(text_cases[i].name, text_cases[i].want);
        free(copy);
    }
}

static struct dfopt_plan own_plan(void)
{
    return (struct dfopt_plan){
        .plan_id = 0x1a0000,
        .relay_id = DFOPT_SYM_NONE,
        .knob = sym("site.stat_batch"),
        .target_function = sym("site.io"),
        .apply_when = sym("next_window"),
        .finding_type = sym("metadata_dominance"),
        .tag = sym("metadata_reduction"),
        .node = sym("n9"),
        .rationale = DFOPT_SYM_NONE,
        .motif = sym("unclassified"),
        .trend = sym("stable"),
        .scope = sym("node:n9:\"w\""),
        .old_value = dfopt_value_int(512),
        .new_value = dfopt_value_real(256),
        .severity = 0.825744222443116,
        .window = 1,
        .persistence = 3,
    };
}

#define OWN_PLAN(nodes)                                                            \
    "{\"plan_id\":\"plan_00000000001a0000\",\"knob_id\":\"site.stat_batch\","      \
    "\"target_function\":\"site.io\",\"old_value\":512,\"new_value\":256.0,"       \
    "\"apply_when\":\"next_window\",\"rationale\":\"metadata_dominance: "          \
    "unclassified "                                                                \
    "(severity=0.826, persistence=3, trend=stable, scope=node:n9:\\\"w\\\") -> "   \
    "metadata_reduction\",\"finding_type\":\"metadata_dominance\",\"severity\":"   \
    "0.825744222443116,\"opportunity_tag\":\"metadata_reduction\",\"window_"       \
    "index\":1,"                                                                   \
    "\"target_nodes\":[" nodes "]}"

static void test_plans(void **state)
{
    (void)state;
    struct dfopt_plan p = own_plan();
    assert_int_equal(dfopt_codec_plan_json(dict, &p, 0, &out), DFOPT_OK);
    assert_out("of a node", OWN_PLAN("\"n9\""));
    p.node = DFOPT_SYM_EMPTY;
    assert_int_equal(dfopt_codec_plan_json(dict, &p, 0, &out), DFOPT_OK);
    assert_out("of the job", OWN_PLAN(""));

    const dfopt_sym nodes[] = {sym("b"), sym("a")};
    p.plan_id = 0;
    p.relay_id = sym("gplan_1");
    p.rationale = sym("global optimizer");
    p.targets = dfopt_dict_intern_list(dict, nodes, 2);
    p.old_value = dfopt_value_null();
    p.new_value = dfopt_value_str(sym("x"));
    p.severity = 0;
    p.window = -1;
    p.tag = DFOPT_SYM_EMPTY;
    assert_int_equal(dfopt_codec_plan_json(dict, &p, 0, &out), DFOPT_OK);
    assert_out(
        "relayed",
        "{\"plan_id\":\"gplan_1\",\"knob_id\":\"site.stat_batch\","
        "\"target_function\":\"site.io\",\"old_value\":null,\"new_value\":\"x\","
        "\"apply_when\":\"next_window\",\"rationale\":\"global optimizer\","
        "\"finding_type\":\"metadata_dominance\",\"severity\":0.0,"
        "\"opportunity_tag\":\"\",\"window_index\":-1,\"target_nodes\":[\"b\","
        "\"a\"]}");
}

static void test_plan_metadata(void **state)
{
    (void)state;
    struct dfopt_plan p = own_plan();
    p.node = DFOPT_SYM_EMPTY;
    assert_int_equal(dfopt_codec_plan_metadata(dict, &p, 0, &out), DFOPT_OK);
    assert_out("of the job",
               "{\"type\":\"action_plan\",\"plan_id\":\"plan_00000000001a0000\","
               "\"knob_id\":\"site.stat_batch\",\"target_function\":\"site.io\"}");
    p.node = sym("n9");
    assert_int_equal(dfopt_codec_plan_metadata(dict, &p, 0, &out), DFOPT_OK);
    assert_out("of a node",
               "{\"type\":\"action_plan\",\"plan_id\":\"plan_00000000001a0000\","
               "\"knob_id\":\"site.stat_batch\",\"target_function\":\"site.io\","
               "\"target_nodes\":[\"n9\"]}");
    const dfopt_sym nodes[] = {sym("b"), sym("a")};
    assert_int_equal(dfopt_codec_plan_metadata(dict, &p, 0x1f, &out), DFOPT_OK);
    assert_out("of a live run",
               "{\"type\":\"action_plan\",\"plan_id\":"
               "\"plan_00000000001a0000_0000001f\",\"knob_id\":\"site.stat_batch\","
               "\"target_function\":\"site.io\",\"target_nodes\":[\"n9\"]}");
    p.relay_id = sym("g\"1");
    p.targets = dfopt_dict_intern_list(dict, nodes, 2);
    assert_int_equal(dfopt_codec_plan_metadata(dict, &p, 0, &out), DFOPT_OK);
    assert_out("relayed",
               "{\"type\":\"action_plan\",\"plan_id\":\"g\\\"1\","
               "\"knob_id\":\"site.stat_batch\",\"target_function\":\"site.io\","
               "\"target_nodes\":[\"b\",\"a\"]}");
}

/* Output is appended to what is there already. */
static void test_appends(void **state)
{
    (void)state;
    struct dfopt_plan p = own_plan();
    p.node = DFOPT_SYM_EMPTY;
    assert_int_equal(dfopt_buf_add(&out, "x", 1), DFOPT_OK);
    assert_int_equal(dfopt_codec_plan_json(dict, &p, 0, &out), DFOPT_OK);
    assert_out("appended", "x" OWN_PLAN(""));
}

static void test_state(void **state)
{
    (void)state;
    /* numbered so that the order of numbers is not that of names */
    dfopt_sym z = sym("z"), b = sym("b"), n2 = sym("n2"), n10 = sym("n10");
    struct dfopt_state_row rows[] = {
        {.knob = z,
         .node = n2,
         .flags = DFOPT_STATE_VALUE,
         .ordinal = 0,
         .value = dfopt_value_int(3)},
        {.knob = b,
         .node = DFOPT_SYM_EMPTY,
         .ordinal = 1,
         .flags = DFOPT_STATE_VALUE | DFOPT_STATE_COOLDOWN,
         .cooldown_window = -2,
         .cooldown_severity = 0,
         .value = dfopt_value_real(1)},
        {.knob = z,
         .node = n10,
         .ordinal = 0,
         .value = dfopt_value_bool(true),
         .flags = DFOPT_STATE_VALUE | DFOPT_STATE_PENDING | DFOPT_STATE_COOLDOWN,
         .plan_id = 0xab0001,
         .plan_severity = 0.5,
         .cooldown_window = 7,
         .cooldown_severity = 0.25},
        {.knob = z,
         .node = DFOPT_SYM_EMPTY,
         .flags = DFOPT_STATE_VALUE,
         .ordinal = 0,
         .value = dfopt_value_null()},
        {.knob = b,
         .node = n2,
         .flags = DFOPT_STATE_PENDING,
         .ordinal = 1,
         .plan_id = 1,
         .plan_severity = 1},
    };
    struct dfopt_suppression_state suppressions[] = {
        {.tag = z, .finding_type = b, .window = 4, .severity = 0.75},
        {.tag = b, .finding_type = z, .window = 5, .severity = 1},
    };
    assert_int_equal(dfopt_codec_knob_state_json(dict, rows, N_OF(rows), &out),
                     DFOPT_OK);
    assert_out("values of the job", "{\"z\":null,\"b\":1.0}");
    assert_int_equal(
        dfopt_codec_state_json(dict, rows, N_OF(rows), suppressions, 2, &out),
        DFOPT_OK);
    assert_out(
        "state",
        "{\"current_values\":{\"z\":null,\"b\":1.0},\"node_values\":"
        "[[\"z\",\"n10\",true],[\"z\",\"n2\",3]],\"pending\":"
        "[[\"b\",\"n2\",\"plan_0000000000000001\",1.0],"
        "[\"z\",\"n10\",\"plan_0000000000ab0001\",0.5]],\"suppressions\":"
        "{\"b\":{\"window_index\":5,\"severity\":1.0,\"finding_type\":\"z\"},"
        "\"z\":{\"window_index\":4,\"severity\":0.75,\"finding_type\":\"b\"}},"
        "\"cooldown\":[[\"b\",\"\",-2,0.0],[\"z\",\"n10\",7,0.25]]}");
    assert_int_equal(dfopt_codec_state_json(dict, NULL, 0, NULL, 0, &out),
                     DFOPT_OK);
    assert_out("empty", "{\"current_values\":{},\"node_values\":[],\"pending\":[],"
                        "\"suppressions\":{},\"cooldown\":[]}");
}

static void test_log_lines(void **state)
{
    (void)state;
    const struct dfopt_field fields[] = {
        DFOPT_F_TEXT("file", "a\xff\"b\n"),
        DFOPT_F_INT("n", -3),
        DFOPT_F_REAL("d", 2),
        DFOPT_F_REAL("nan", NAN),
        DFOPT_F_BOOL("ok", true),
        DFOPT_F_JSON("plan", "{\"a\":1}"),
        DFOPT_F_TEXT("none", NULL),
        {.kind = DFOPT_FIELD_END},
    };
    const struct dfopt_log_line line = {
        .wall_ns = 1767225600123456789, /* 2026-01-01 */
        .level = DFOPT_LOG_WARNING,
        .event = "optimizer.start",
        .fields = fields,
    };
    assert_int_equal(dfopt_log_format_json(&line, &out), DFOPT_OK);
    assert_out("line",
               "{\"event\":\"optimizer.start\",\"file\":\"a\xef\xbf\xbd\\\"b\\n\","
               "\"n\":-3,\"d\":2.0,\"nan\":null,\"ok\":true,\"plan\":{\"a\":1},"
               "\"none\":null,\"level\":\"warning\",\"timestamp\":"
               "\"2026-01-01T00:00:00.123456Z\",\"logger\":\"dfopt-mpi\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plans, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plan_metadata, setup, teardown),
        cmocka_unit_test_setup_teardown(test_appends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_lines, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
