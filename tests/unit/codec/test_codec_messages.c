/* Registrations in, by themselves and in registry files. */
#include "messages_fixture.h"

static void show_response(const struct dfopt_response *r)
{
    dfopt_buf_printf(&seen, " {%s %s %s %s", text_of(r->tag),
                     dfopt_direction_name(r->direction),
                     dfopt_step_mode_name(r->step_mode), text_of(r->apply_when));
    show_value("step", r->step);
    show_value("set_to", r->set_to);
    dfopt_buf_printf(&seen, " %g %g %g %g}", r->min_severity, r->min_persistence,
                     r->cooldown_windows, r->effectiveness_threshold);
}

static void show_knob(const struct dfopt_knob *k)
{
    dfopt_buf_printf(&seen, "[%s %s %s '%s' '%s'", text_of(k->id),
                     text_of(k->parameter), dfopt_knob_type_name(k->type),
                     text_of(k->target_function), text_of(k->scope));
    show_value("default", k->default_value);
    if (k->range_state == DFOPT_RANGE_BAD)
        dfopt_buf_printf(&seen, " range=bad");
    if (k->range_state == DFOPT_RANGE_OK) {
        show_value("lo", k->lo);
        show_value("hi", k->hi);
    }
    if (k->has_values)
        dfopt_buf_printf(&seen, " values=%zu", k->n_values);
    for (size_t i = 0; i < k->n_values; i++)
        show_value("value", k->values[i]);
    for (size_t i = 0; i < k->n_responses; i++)
        show_response(&k->responses[i]);
    if (k->has_current)
        show_value("current", k->current);
    dfopt_buf_printf(&seen, "]");
}

static const char *show(const struct dfopt_registration *r)
{
    dfopt_buf_clear(&seen);
    dfopt_buf_printf(&seen, "'%s' '%s' ", text_of(r->name_space),
                     text_of(r->function));
    for (size_t i = 0; i < r->n_knobs; i++)
        show_knob(&r->knobs[i]);
    return seen.data;
}

#define KNOB(more)        "{\"knobs\":{\"p\":{\"id\":\"k\",\"default\":1" more "}}}"
#define IS_KNOB(more)     "'' '' [k p int '' '' default=1" more "]"
#define RESPONSE(more)    KNOB(",\"responds_to\":{\"t\":{" more "}}")
#define IS_RESPONSE(more) IS_KNOB(" {t " more "}")
#define ADD_STEP(step)                                                             \
    IS_RESPONSE("increase add epoch_boundary step=" step " set_to=null 0.5 2 3 "   \
                "0.1")
#define DIRECTION(is)                                                              \
    IS_RESPONSE(is " add epoch_boundary step=null set_to=null 0.5 2 3 0.1")

static const struct {
    const char *name, *json, *want; /* want NULL: SCHEMA, with `error` */
    const char *error;
} registration_cases[] = {
    {"nothing", "{}", NULL,
     "has none of the fields of a registration (knobs, namespace, current_values, "
     "...)"},
    {"a finding", "{\"finding_type\":\"t\",\"scope\":\"app\"}", NULL,
     "not a registration: this looks like a finding (it has finding_type); pass it "
     "to --findings-file or send it to --address"},
    {"a plan", "{\"plan_id\":\"p\",\"knob_id\":\"k\"}", NULL,
     "not a registration: this looks like a plan (it has plan_id); plans are "
     "output"},
    {"null everywhere",
     "{\"namespace\":null,\"function_name\":null,\"knobs\":null,"
     "\"current_values\":null}",
     "'' '' ", NULL},
    {"no knobs, list", "{\"namespace\":\"n\",\"knobs\":[]}", "'n' '' ", NULL},
    {"object of knobs",
     "{\"namespace\":\"n\",\"function_name\":\"f\",\"knobs\":{\"a\":{\"id\":\"n."
     "a\","
     "\"default\":2,\"type\":\"int\",\"range\":[1,16],\"values\":null,\"scope\":"
     "\"job\","
     "\"target_function\":\"tf\",\"responds_to\":{\"t1\":{\"direction\":"
     "\"decrease\","
     "\"step\":2,\"step_mode\":\"multiply\",\"set_to\":null,\"min_severity\":0.25,"
     "\"min_persistence\":1,\"cooldown_windows\":4,\"apply_when\":\"now\","
     "\"effectiveness_threshold\":0.2},\"t2\":{}}},\"b\":{\"id\":\"n.b\","
     "\"default\":"
     "0.5,\"type\":\"float\"}},\"current_values\":{\"a\":7,\"n.b\":8.0}}",
     "'n' 'f' [n.a a int 'tf' 'job' default=2 lo=1 hi=16 "
     "{t1 decrease multiply now step=2 set_to=null 0.25 1 4 0.2} "
     "{t2 increase add epoch_boundary step=null set_to=null 0.5 2 3 0.1} current=7]"
     "[n.b b float '' '' default=0.5 current=8.0]",
     NULL},
    {"list of knobs",
     "{\"knobs\":[{\"id\":\"d.f\",\"default\":1,\"knob_response\":{\"step\":2}}],"
     "\"current_values\":{\"d.f\":4}}",
     "'' '' [d.f d.f int '' '' default=1 {io_bottleneck increase add "
     "epoch_boundary "
     "step=2 set_to=null 0.5 2 3 0.1} current=4]",
     NULL},
    {"responds_to beats knob_response",
     KNOB(",\"responds_to\":{},\"knob_response\":{\"step\":2}"), IS_KNOB(""), NULL},
    {"null responds_to does not",
     KNOB(",\"responds_to\":null,\"knob_response\":{\"direction\":\"set\"}"),
     IS_KNOB(" {io_bottleneck set add epoch_boundary step=null set_to=null 0.5 2 3 "
             "0.1}"),
     NULL},
    {"parameter before id",
     "{\"knobs\":{\"p\":{\"id\":\"k\",\"default\":1}},\"current_values\":"
     "{\"k\":2,\"p\":3}}",
     IS_KNOB(" current=3"), NULL},
    {"null current value",
     "{\"knobs\":{\"p\":{\"id\":\"k\",\"default\":1}},\"current_values\":{\"p\":"
     "null}}",
     IS_KNOB(" current=null"), NULL},
    {"same id twice",
     "{\"knobs\":[{\"id\":\"k\",\"default\":1},{\"id\":\"k\",\"default\":2}]}",
     "'' '' [k k int '' '' default=1][k k int '' '' default=2]", NULL},
    {"defaults of all kinds",
     "{\"knobs\":[{\"id\":\"a\",\"default\":null},{\"id\":\"b\",\"default\":true,"
     "\"type\":\"bool\"},{\"id\":\"c\",\"default\":\"x\",\"type\":\"str\"},"
     "{\"id\":\"d\",\"default\":-9223372036854775808},{\"id\":\"e\",\"default\":"
     "NaN}]}",
     "'' '' [a a int '' '' default=null][b b bool '' '' default=true]"
     "[c c str '' '' default=\"x\"][d d int '' '' default=-9223372036854775808]"
     "[e e int '' '' default=NaN]",
     NULL},
    {"type unknown", KNOB(",\"type\":\"enum\""), IS_KNOB(""), NULL},
    {"type no string", KNOB(",\"type\":[1]"), IS_KNOB(""), NULL},
    {"carried fields of odd types", KNOB(",\"scope\":[1]"), IS_KNOB(""), NULL},

    {"range null", KNOB(",\"range\":null"), IS_KNOB(""), NULL},
    {"range []", KNOB(",\"range\":[]"), IS_KNOB(""), NULL},
    {"range {}", KNOB(",\"range\":{}"), IS_KNOB(""), NULL},
    {"range 0", KNOB(",\"range\":0"), IS_KNOB(""), NULL},
    {"range 0.0", KNOB(",\"range\":0.0"), IS_KNOB(""), NULL},
    {"range text empty", KNOB(",\"range\":\"\""), IS_KNOB(""), NULL},
    {"range false", KNOB(",\"range\":false"), IS_KNOB(""), NULL},
    {"range true", KNOB(",\"range\":true"), IS_KNOB(" range=bad"), NULL},
    {"range of one", KNOB(",\"range\":[1]"), IS_KNOB(" range=bad"), NULL},
    {"range of three", KNOB(",\"range\":[1,2,3]"), IS_KNOB(" range=bad"), NULL},
    {"range with null", KNOB(",\"range\":[1,null]"), IS_KNOB(" range=bad"), NULL},
    {"range with text", KNOB(",\"range\":[\"1\",2]"), IS_KNOB(" range=bad"), NULL},
    {"range object", KNOB(",\"range\":{\"lo\":1}"), IS_KNOB(" range=bad"), NULL},
    {"range mixed", KNOB(",\"range\":[false,2.0]"), IS_KNOB(" lo=false hi=2.0"),
     NULL},
    {"range endless", KNOB(",\"range\":[-Infinity,1e999]"),
     IS_KNOB(" lo=-Infinity hi=Infinity"), NULL},
    {"values", KNOB(",\"values\":[1,2.0,\"x\",null,true]"),
     IS_KNOB(" values=5 value=1 value=2.0 value=\"x\" value=null value=true"),
     NULL},
    {"values empty", KNOB(",\"values\":[]"), IS_KNOB(" values=0"), NULL},

    {"direction unknown", RESPONSE("\"direction\":\"up\""), DIRECTION("unknown"),
     NULL},
    {"direction null", RESPONSE("\"direction\":null"), DIRECTION("unknown"), NULL},
    {"direction number", RESPONSE("\"direction\":1"), DIRECTION("unknown"), NULL},
    {"direction 'unknown'", RESPONSE("\"direction\":\"unknown\""),
     DIRECTION("unknown"), NULL},
    {"direction set", RESPONSE("\"direction\":\"set\""), DIRECTION("set"), NULL},
    {"step_mode unknown", RESPONSE("\"step_mode\":\"x\",\"step\":1"), ADD_STEP("1"),
     NULL},
    {"step_mode null", RESPONSE("\"step_mode\":null,\"step\":1"), ADD_STEP("1"),
     NULL},
    {"step real", RESPONSE("\"step\":5.0"), ADD_STEP("5.0"), NULL},
    {"step 1e3", RESPONSE("\"step\":1e3"), ADD_STEP("1000.0"), NULL},
    {"step bool", RESPONSE("\"step\":true"), ADD_STEP("true"), NULL},
    {"step text", RESPONSE("\"step\":\"x\""), ADD_STEP("\"x\""), NULL},
    {"step list", RESPONSE("\"step\":[1]"), ADD_STEP("null"), NULL},
    {"set_to object", RESPONSE("\"set_to\":{}"), ADD_STEP("null"), NULL},
    {"unknown field", RESPONSE("\"steps\":1"), ADD_STEP("null"), NULL},
    {"numbers null",
     RESPONSE(
         "\"min_severity\":null,\"min_persistence\":null,\"cooldown_windows\":null,"
         "\"effectiveness_threshold\":null,\"apply_when\":null"),
     ADD_STEP("null"), NULL},
    {"numbers odd",
     RESPONSE(
         "\"min_severity\":true,\"min_persistence\":1.5,\"cooldown_windows\":-1,"
         "\"effectiveness_threshold\":123456789012345678901234567890"),
     IS_RESPONSE(
         "increase add epoch_boundary step=null set_to=null 1 1.5 -1 1.23457e+29"),
     NULL},

    {"knobs text", "{\"knobs\":\"x\"}", NULL,
     "knobs is neither an object nor a list"},
    {"knob number", "{\"knobs\":{\"p\":1}}", NULL, "knobs['p']: not an object"},
    {"knob null in a list", "{\"knobs\":[{\"id\":\"k\",\"default\":1},null]}", NULL,
     "knobs[1]: not an object"},
    {"no id", "{\"knobs\":{\"p\":{\"default\":1}}}", NULL,
     "knobs['p']: id is missing"},
    {"id null", "{\"knobs\":[{\"id\":null,\"default\":1}]}", NULL,
     "knobs[0]: id is missing"},
    {"id empty", "{\"knobs\":[{\"id\":\"\",\"default\":1}]}", NULL,
     "knobs[0]: id is not a non-empty string"},
    {"id number", "{\"knobs\":[{\"id\":7,\"default\":1}]}", NULL,
     "knobs[0]: id is not a non-empty string"},
    {"no default", "{\"knobs\":{\"p\":{\"id\":\"k\"}}}", NULL,
     "knob 'k': default is missing"},
    {"default list", "{\"knobs\":[{\"id\":\"k\",\"default\":[]}]}", NULL,
     "knob 'k': default has a list or object where a single value belongs"},
    {"default beyond int64",
     "{\"knobs\":[{\"id\":\"k\",\"default\":9223372036854775808}]}", NULL,
     "knob 'k': default has an integer that needs more than 64 bits"},
    {"default beyond uint64",
     "{\"knobs\":[{\"id\":\"k\",\"default\":-18446744073709551616}]}", NULL,
     "knob 'k': default has an integer that needs more than 64 bits"},
    {"range beyond int64", KNOB(",\"range\":[0,9223372036854775808]"), NULL,
     "knob 'k': range has an integer that needs more than 64 bits"},
    {"values text", KNOB(",\"values\":\"x\""), NULL,
     "knob 'k': values is not a list"},
    {"values nested", KNOB(",\"values\":[1,[2]]"), NULL,
     "knob 'k': values has a list or object where a single value belongs"},
    {"values beyond int64", KNOB(",\"values\":[1,99999999999999999999]"), NULL,
     "knob 'k': values has an integer that needs more than 64 bits"},
    {"target_function", KNOB(",\"target_function\":1"), NULL,
     "knob 'k': target_function is not a string"},
    {"responds_to list", KNOB(",\"responds_to\":[]"), NULL,
     "knob 'k': responds_to is not an object"},
    {"response null", KNOB(",\"responds_to\":{\"t\":null}"), NULL,
     "knob 'k': tag 't': the response is not an object"},
    {"min_severity text", RESPONSE("\"min_severity\":\"0.5\""), NULL,
     "knob 'k': tag 't': min_severity is not a finite number"},
    {"cooldown NaN", RESPONSE("\"cooldown_windows\":NaN"), NULL,
     "knob 'k': tag 't': cooldown_windows is not a finite number"},
    {"apply_when number", RESPONSE("\"apply_when\":1"), NULL,
     "knob 'k': tag 't': apply_when is not a string"},
    {"step beyond int64", RESPONSE("\"step\":-9223372036854775809"), NULL,
     "knob 'k': tag 't': step has an integer that needs more than 64 bits"},
    {"current_values list", "{\"current_values\":[1]}", NULL,
     "current_values is not an object"},
    {"current value list",
     "{\"knobs\":{\"p\":{\"id\":\"k\",\"default\":1}},\"current_values\":{\"k\":[1]"
     "}}",
     NULL,
     "knob 'k': current_values has a list or object where a single value belongs"},
    {"the second of two",
     "{\"knobs\":[{\"id\":\"a\",\"default\":1,\"values\":[1],\"responds_to\":"
     "{\"t\":{}}},{\"id\":\"b\"}]}",
     NULL, "knob 'b': default is missing"},
};

static void test_registrations(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(registration_cases); i++) {
        const char *name = registration_cases[i].name;
        const char *json = registration_cases[i].json;
        struct dfopt_event event;
        struct dfopt_error err = {0};
        uint32_t before = dfopt_dict_strings(dict);
        enum dfopt_err e = dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION,
                                              json, strlen(json), &event, &err);
        if (registration_cases[i].want) {
            if (e)
                fail_msg("%s: rejected: %s", name, err.text);
            const char *got = show(&event.registration);
            if (strcmp(got, registration_cases[i].want) != 0)
                fail_msg("%s:\n got  %s\n want %s", name, got,
                         registration_cases[i].want);
            if (event.body_len != strlen(json) ||
                memcmp(event.body, json, event.body_len) != 0)
                if (!strstr(json, "1e"))
                    fail_msg("%s: body %.*s", name, (int)event.body_len,
                             event.body);
        } else {
            if (e != DFOPT_ERR_SCHEMA ||
                strcmp(err.text, registration_cases[i].error) != 0)
                fail_msg("%s: code %d, \"%s\"", name, e, err.text);
            if (dfopt_dict_strings(dict) != before)
                fail_msg("%s: left strings in the dictionary", name);
            assert_null(event.body);
        }
        dfopt_event_clear(&event);
    }
}

static void test_body_is_compact(void **state)
{
    (void)state;
    static const char json[] =
        " { \"node\":1, \"a/b\" : [ 1.50 , 99999999999999999999 , -1e5, NaN, 0.1 ] "
        ",\n"
        "  \"n\\u0000\" : \"\\u00e9\\u0000 \\\"x. \\/\" , \"a/b\" : [1.0, "
        "123456789012345678901.] }";
    struct dfopt_event event;
    struct dfopt_error err = {0};
    char text[sizeof json];
    memcpy(text, json, sizeof json);
    enum dfopt_err e = dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION, text,
                                          sizeof json - 1, &event, &err);
    assert_int_equal(e, DFOPT_ERR_PARSE); /* the point at its end */
    memcpy(strstr(text, "901.]"), "9012]", 5);
    e = dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION, text, sizeof json - 1,
                           &event, &err);
    assert_int_equal(e, DFOPT_OK);
    static const char want[] = "{\"node\":1,\"a/b\":[1.0,1234567890123456789012],"
                               "\"n\\u0000\":\"\xc3\xa9\\u0000 \\\"x. /\"}";
    assert_int_equal(event.body_len, sizeof want - 1);
    assert_memory_equal(event.body, want, sizeof want - 1);
    dfopt_event_clear(&event);
}

static void test_names_with_nul(void **state)
{
    (void)state;
    static const char json[] =
        "{\"knobs\":{\"p\\u0000q\":{\"id\":\"k\\u0000\",\"default\":1,\"responds_"
        "to\":"
        "{\"t\\u0000\":{}}}},\"current_values\":{\"k\":1,\"k\\u0000\":5}}";
    struct dfopt_event event;
    size_t len;
    assert_int_equal(dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION, json,
                                        sizeof json - 1, &event, NULL),
                     DFOPT_OK);
    const struct dfopt_knob *k = event.registration.knobs;
    assert_memory_equal(dfopt_dict_text(dict, k->parameter, &len), "p\0q", 3);
    assert_int_equal(len, 3);
    dfopt_dict_text(dict, k->id, &len);
    assert_int_equal(len, 2);
    dfopt_dict_text(dict, k->responses[0].tag, &len);
    assert_int_equal(len, 2);
    assert_int_equal(k->current.i, 5);
    assert_int_equal(event.body_len, sizeof json - 1);
    assert_memory_equal(event.body, json, event.body_len);
    dfopt_event_clear(&event);
}

static void test_error_cuts_names(void **state)
{
    (void)state;
    char json[512], id[200];
    struct dfopt_event event;
    struct dfopt_error err = {0};
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    memcpy(id, "\\n\xc3\xa9", 4);
    int n = snprintf(json, sizeof json, "{\"knobs\":[{\"id\":\"%s\"}]}", id);
    assert_int_equal(dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION, json,
                                        (size_t)n, &event, &err),
                     DFOPT_ERR_SCHEMA);
    assert_true(strlen(err.text) < 100);
    assert_memory_equal(err.text, "knob '?\xc3\xa9xx", 11);
}

/* ---- registry files ---- */

static const struct {
    const char *name, *json;
    size_t n; /* of registrations; SIZE_MAX: fails with `error` */
    const char *error;
} registry_cases[] = {
    {"one", "{\"knobs\": []}", 1, NULL},
    {"none", "[]", 0, NULL},
    {"two", "[{\"knobs\":[]}, {\"knobs\":[{\"id\":\"a\",\"default\":1}]}]\n", 2,
     NULL},
    {"text", "\"x\"", SIZE_MAX, "neither a registration nor a list of them"},
    {"null inside", "[{\"knobs\":[]},null]", SIZE_MAX,
     "registration 1: not an object"},
    {"bad knob",
     "[{\"knobs\":[{\"id\":\"a\",\"default\":1}]},{\"knobs\":[{\"id\":\"b\"}]}]",
     SIZE_MAX, "registration 1: knob 'b': default is missing"},
    {"cut short", "[{}", SIZE_MAX, "truncated JSON"},
};

static void test_registries(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(registry_cases); i++) {
        const char *name = registry_cases[i].name, *json = registry_cases[i].json;
        struct dfopt_registration *out = NULL;
        struct dfopt_error err = {0};
        struct dfopt_buf bodies = {0};
        size_t n = 99, lines = 0;
        dfopt_buf_add(&bodies, "x", 1);
        enum dfopt_err e = dfopt_codec_registry(codec, json, strlen(json), &out, &n,
                                                &bodies, &err);
        if (registry_cases[i].error) {
            if (!e || strcmp(err.text, registry_cases[i].error) != 0)
                fail_msg("%s: code %d, \"%s\"", name, e, err.text);
            assert_null(out);
            assert_int_equal(n, 99);
            assert_int_equal(bodies.len, 1);
        } else {
            for (size_t b = 0; b < bodies.len; b++)
                lines += bodies.data[b] == '\n';
            if (e || n != registry_cases[i].n || lines != n)
                fail_msg("%s: code %d (%s), %zu, %zu lines", name, e, err.text, n,
                         lines);
            for (size_t r = 0; r < n; r++)
                dfopt_registration_clear(&out[r]);
            free(out);
        }
        dfopt_buf_free(&bodies);
    }
    struct dfopt_registration *out;
    size_t n;
    assert_int_equal(
        dfopt_codec_registry(codec, "{\"knobs\":[]}", 12, &out, &n, NULL, NULL),
        DFOPT_OK);
    dfopt_registration_clear(out);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_registrations, setup, teardown_seen),
        cmocka_unit_test_setup_teardown(test_body_is_compact, setup, teardown_seen),
        cmocka_unit_test_setup_teardown(test_names_with_nul, setup, teardown_seen),
        cmocka_unit_test_setup_teardown(test_error_cuts_names, setup,
                                        teardown_seen),
        cmocka_unit_test_setup_teardown(test_registries, setup, teardown_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
