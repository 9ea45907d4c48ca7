/* Policy files: read, written, and what is wrong with them named. */

#include "codec/codec.h"
#include "policy/policy_json.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static struct dfopt_dict *dict;

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
    return 0;
}

#define SWITCHES                                                                   \
    "\"ack_match\":\"plan_id\",\"ack_window\":\"seen\",\"reject\":\"previous\","   \
    "\"reject_cooldown\":true,\"reregister\":\"replace\",\"enum_step\":"           \
    "\"neighbour\","                                                               \
    "\"global_exempt\":true,\"strict_direction\":true,\"strict_types\":true,"      \
    "\"global_overrides_nodes\":true,\"suppress_before_registration\":true,"       \
    "\"evidence_probe\":true"
#define CONTROL                                                                    \
    "\"effect\":\"objective\",\"scope\":\"interpret\",\"registration\":"           \
    "\"interpret\",\"unmatched_ack\":\"adopt\",\"settle_windows\":1,"              \
    "\"verify_windows\":6,\"min_effect\":0.04,\"noise_z\":2.0,"                    \
    "\"backoff_windows\":24,\"release_windows\":8,\"ack_timeout_windows\":8,"      \
    "\"inconclusive_steps\":4,\"inconclusive_factor\":8.0,"                        \
    "\"approval_windows\":24"
#define POLICY(windows, responses)                                                 \
    "{\"switches\":{" SWITCHES "," windows "," CONTROL                             \
    "},\"responses\":{" responses "}}"
#define PARTS(parts)                                                               \
    "{\"switches\":{" SWITCHES "," NO_WINDOWS "," CONTROL                          \
    "},\"responses\":{}," parts "}"
#define NO_WINDOWS "\"pending_timeout_windows\":0,\"suppression_ttl_windows\":0"

static const struct {
    const char *name, *json, *want;
} good[] = {
    {"empty", "{}", POLICY(NO_WINDOWS, "")},
    {"empty parts", "{\"switches\":{},\"responses\":{}}", POLICY(NO_WINDOWS, "")},
    {"windows",
     "{\"switches\":{\"pending_timeout_windows\":3.0,"
     "\"suppression_ttl_windows\":9007199254740992}}",
     POLICY("\"pending_timeout_windows\":3,\"suppression_ttl_windows\":"
            "9007199254740992",
            "")},
    {"same as the default",
     "{\"switches\":{\"ack_match\":\"plan_id\",\"reject_cooldown\":true}}",
     POLICY(NO_WINDOWS, "")},
    {"responses",
     "{\"responses\":{\"*\":{\"min_severity\":0.4,\"cooldown_windows\":2},"
     "\"tag:t\":{\"direction\":\"set\",\"set_to\":\"x\",\"step_mode\":\"evidence\"}"
     ","
     "\"knob:a.b\":{\"step\":2,\"apply_when\":\"now\",\"min_persistence\":true,"
     "\"effectiveness_threshold\":null},\"tag:\":{}}}",
     POLICY(
         NO_WINDOWS,
         "\"*\":{\"min_severity\":0.4,\"cooldown_windows\":2.0},"
         "\"tag:t\":{\"direction\":\"set\",\"step_mode\":\"evidence\",\"set_to\":"
         "\"x\"},"
         "\"knob:a.b\":{\"step\":2,\"min_persistence\":1.0,\"apply_when\":\"now\","
         "\"effectiveness_threshold\":0.1},\"tag:\":{}")},
    {"escaped", "{\"responses\":{\"knob:a\\\"\\u0000\":{\"step\":null}}}",
     POLICY(NO_WINDOWS, "\"knob:a\\\"\\u0000\":{\"step\":null}")},
    {"budgets",
     "{\"budgets\":[{\"name\":\"memory\",\"capacity\":64,\"terms\":[{\"factor\":"
     "602112,\"knobs\":[\"a\",\"b\"]},{\"knobs\":[\"a\"]}]},{\"capacity\":0.5,"
     "\"terms\":[]}]}",
     PARTS("\"budgets\":[{\"name\":\"memory\",\"capacity\":64.0,\"terms\":[{"
           "\"factor\":602112,\"knobs\":[\"a\",\"b\"]},{\"factor\":1.0,\"knobs\":["
           "\"a\"]}]},{\"name\":\"\",\"capacity\":0.5,\"terms\":[]}]")},
    {"guards",
     "{\"guards\":[{\"finding_type\":\"oom\",\"knobs\":[\"a\"]},{\"metric\":"
     "\"mem\",\"above\":1},{\"metric\":\"fetch_frac\",\"above\":0.5,\"knobs\":[]},"
     "{}]}",
     PARTS("\"guards\":[{\"finding_type\":\"oom\",\"knobs\":[\"a\"]},{\"metric\":"
           "\"mem\",\"above\":1.0},{\"metric\":\"fetch_frac\",\"above\":0.5,"
           "\"knobs\":[]},{}]")},
    {"objective metric",
     "{\"objective_metric\":{\"metric\":\"rate\",\"goal\":\"min\",\"finding_"
     "types\":"
     "[\"a\"]}}",
     PARTS("\"objective_metric\":{\"metric\":\"rate\",\"goal\":\"min\","
           "\"finding_types\":[\"a\"]}")},
    {"objective metric by default",
     "{\"objective_metric\":{\"metric\":\"compute_frac\"}}",
     PARTS("\"objective_metric\":{\"metric\":\"compute_frac\",\"goal\":\"max\"}")},
    {"no parts", "{\"budgets\":[],\"guards\":null,\"objective_metric\":null}",
     POLICY(NO_WINDOWS, "")},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(good); i++) {
        struct dfopt_policy p;
        struct dfopt_error err = {0};
        struct dfopt_buf text = {0}, again = {0};
        dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
        enum dfopt_err e =
            dfopt_policy_read(dict, good[i].json, strlen(good[i].json), &p, &err);
        if (e)
            fail_msg("%s: rejected: %s", good[i].name, err.text);
        assert_int_equal(dfopt_policy_json(dict, &p, &text), DFOPT_OK);
        if (text.len != strlen(good[i].want) ||
            memcmp(text.data, good[i].want, text.len) != 0)
            fail_msg("%s:\n got  %.*s\n want %s", good[i].name, (int)text.len,
                     text.data, good[i].want);
        dfopt_policy_clear(&p);
        /* what was written reads back as the same, from either preset */
        dfopt_policy_preset(&p, DFOPT_PRESET_UPSTREAM);
        assert_int_equal(dfopt_policy_read(dict, text.data, text.len, &p, &err),
                         DFOPT_OK);
        assert_int_equal(dfopt_policy_json(dict, &p, &again), DFOPT_OK);
        assert_int_equal(again.len, text.len);
        assert_memory_equal(again.data, text.data, text.len);
        dfopt_policy_clear(&p);
        dfopt_buf_free(&text);
        dfopt_buf_free(&again);
    }
}

static const struct {
    const char *name, *json, *error;
} bad[] = {
    {"list", "[]", "not an object"},
    {"text", "\"default\"", "not an object"},
    {"comment", "{} // none", "more than one JSON value"},
    {"cut short", "{\"switches\":{", "truncated JSON"},
    {"unknown key", "{\"switch\":{}}",
     "unknown key 'switch' (switches, responses, budgets, guards, "
     "objective_metric or limits)"},
    {"switches list", "{\"switches\":[]}", "switches is not an object"},
    {"switches null", "{\"switches\":null}", "switches is not an object"},
    {"unknown switch", "{\"switches\":{\"strict\":true}}",
     "unknown switch 'strict'"},
    {"choice unknown", "{\"switches\":{\"ack_match\":\"both\"}}",
     "switch ack_match must be \"plan_id\" or \"knob_node\""},
    {"choice number", "{\"switches\":{\"ack_match\":1}}",
     "switch ack_match must be \"plan_id\" or \"knob_node\""},
    {"bool number", "{\"switches\":{\"strict_types\":1}}",
     "switch strict_types must be true or false"},
    {"bool null", "{\"switches\":{\"strict_types\":null}}",
     "switch strict_types must be true or false"},
    {"windows negative", "{\"switches\":{\"pending_timeout_windows\":-1}}",
     "switch pending_timeout_windows must be a whole number from 0 to 2^53"},
    {"windows fraction", "{\"switches\":{\"pending_timeout_windows\":1.5}}",
     "switch pending_timeout_windows must be a whole number from 0 to 2^53"},
    {"windows NaN", "{\"switches\":{\"pending_timeout_windows\":NaN}}",
     "switch pending_timeout_windows must be a whole number from 0 to 2^53"},
    {"windows too many",
     "{\"switches\":{\"pending_timeout_windows\":9007199254740993}}",
     "switch pending_timeout_windows must be a whole number from 0 to 2^53"},
    {"windows text", "{\"switches\":{\"pending_timeout_windows\":\"1\"}}",
     "switch pending_timeout_windows must be a whole number from 0 to 2^53"},
    {"responses list", "{\"responses\":[]}", "responses is not an object"},
    {"unknown target", "{\"responses\":{\"reader_parallelism\":{}}}",
     "unknown responses key 'reader_parallelism' (*, tag:NAME or knob:NAME)"},
    {"override list", "{\"responses\":{\"*\":[]}}",
     "responses '*': the response is not an object"},
    {"unknown field", "{\"responses\":{\"tag:t\":{\"severity\":1}}}",
     "responses 'tag:t': unknown field 'severity'"},
    {"direction", "{\"responses\":{\"*\":{\"direction\":\"up\"}}}",
     "responses '*': direction must be increase, decrease or set"},
    {"direction 'unknown'", "{\"responses\":{\"*\":{\"direction\":\"unknown\"}}}",
     "responses '*': direction must be increase, decrease or set"},
    {"step_mode", "{\"responses\":{\"*\":{\"step_mode\":null}}}",
     "responses '*': step_mode must be add, multiply or evidence"},
    {"step list", "{\"responses\":{\"knob:k\":{\"step\":[1]}}}",
     "responses 'knob:k': step has a list or object where a single value belongs"},
    {"min_severity text", "{\"responses\":{\"*\":{\"min_severity\":\"x\"}}}",
     "responses '*': min_severity is not a finite number"},
    {"good, then bad",
     "{\"switches\":{\"reject_cooldown\":false},\"responses\":{\"*\":{\"step\":1},"
     "\"x\":{}}}",
     "unknown responses key 'x' (*, tag:NAME or knob:NAME)"},
    {"effect", "{\"switches\":{\"effect\":\"none\"}}",
     "switch effect must be \"objective\", \"trend\" or \"severity\""},
    {"real text", "{\"switches\":{\"min_effect\":\"0.1\"}}",
     "switch min_effect must be a finite number, at least 0"},
    {"real negative", "{\"switches\":{\"noise_z\":-0.5}}",
     "switch noise_z must be a finite number, at least 0"},
    {"real infinite", "{\"switches\":{\"noise_z\":Infinity}}",
     "switch noise_z must be a finite number, at least 0"},
    {"factor below 1", "{\"switches\":{\"inconclusive_factor\":0.5}}",
     "switch inconclusive_factor must be a finite number, at least 1"},
    {"budgets object", "{\"budgets\":{}}", "budgets is not a list"},
    {"budget text", "{\"budgets\":[\"x\"]}", "budgets[0]: not an object"},
    {"budget without capacity", "{\"budgets\":[{\"terms\":[]}]}",
     "budgets[0]: capacity is not a finite number"},
    {"budget without terms", "{\"budgets\":[{\"capacity\":1}]}",
     "budgets[0]: terms is not a list"},
    {"budget key", "{\"budgets\":[{\"capacity\":1,\"terms\":[],\"unit\":\"B\"}]}",
     "budgets[0]: unknown key 'unit'"},
    {"term without knobs", "{\"budgets\":[{\"capacity\":1,\"terms\":[{}]}]}",
     "budgets[0]: term 0: knobs is missing"},
    {"term's knob twice",
     "{\"budgets\":[{\"capacity\":1,\"terms\":[{\"knobs\":[\"a\",\"a\"]}]}]}",
     "budgets[0]: term 0: duplicate name"},
    {"term's factor",
     "{\"budgets\":[{\"capacity\":1,\"terms\":[{\"factor\":true,\"knobs\":[]}]}]}",
     "budgets[0]: term 0: factor is not a finite number"},
    {"guard without above", "{\"guards\":[{},{\"metric\":\"m\"}]}",
     "guards[1]: above is not a finite number"},
    {"guard without metric", "{\"guards\":[{\"above\":1}]}",
     "guards[0]: above needs a metric"},
    {"guard metric", "{\"guards\":[{\"metric\":1,\"above\":1}]}",
     "guards[0]: metric is not a non-empty string"},
    {"too many metrics",
     "{\"guards\":[{\"metric\":\"a\",\"above\":1},{\"metric\":\"b\",\"above\":1},"
     "{\"metric\":\"c\",\"above\":1},{\"metric\":\"d\",\"above\":1},"
     "{\"metric\":\"a\",\"above\":2},{\"metric\":\"e\",\"above\":1}]}",
     "guards[5]: more than 4 different metrics are named"},
    {"objective metric list", "{\"objective_metric\":[]}",
     "objective_metric: not an object"},
    {"objective metric goal",
     "{\"objective_metric\":{\"metric\":\"m\",\"goal\":\"up\"}}",
     "objective_metric: goal must be \"max\" or \"min\""},
};

static void test_bad(void **state)
{
    (void)state;
    struct dfopt_policy p;
    struct dfopt_buf before = {0}, after = {0};
    static const char first[] = "{\"responses\":{\"tag:t\":{\"step\":7}}}";
    dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
    assert_int_equal(dfopt_policy_read(dict, first, sizeof first - 1, &p, NULL),
                     DFOPT_OK);
    assert_int_equal(dfopt_policy_json(dict, &p, &before), DFOPT_OK);
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct dfopt_error err = {0};
        enum dfopt_err e =
            dfopt_policy_read(dict, bad[i].json, strlen(bad[i].json), &p, &err);
        if ((e != DFOPT_ERR_SCHEMA && e != DFOPT_ERR_PARSE) ||
            strcmp(err.text, bad[i].error) != 0)
            fail_msg("%s: code %d, \"%s\"", bad[i].name, e, err.text);
        dfopt_buf_clear(&after);
        assert_int_equal(dfopt_policy_json(dict, &p, &after), DFOPT_OK);
        if (after.len != before.len ||
            memcmp(after.data, before.data, after.len) != 0)
            fail_msg("%s: changed the policy", bad[i].name);
    }
    dfopt_policy_clear(&p);
    dfopt_buf_free(&before);
    dfopt_buf_free(&after);
}

/* A second file is laid over the first, field by field. */
static void test_two_files(void **state)
{
    (void)state;
    static const char first[] =
        "{\"responses\":{\"*\":{\"step\":7,\"min_severity\":0.1}}}";
    static const char second[] =
        "{\"responses\":{\"tag:t\":{},\"*\":{\"step\":8}}}";
    struct dfopt_policy p;
    dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
    assert_int_equal(dfopt_policy_read(dict, first, sizeof first - 1, &p, NULL),
                     DFOPT_OK);
    assert_int_equal(dfopt_policy_read(dict, second, sizeof second - 1, &p, NULL),
                     DFOPT_OK);
    assert_int_equal(p.n_overrides, 2);
    assert_int_equal(p.overrides[0].target, DFOPT_OVERRIDE_ALL);
    assert_int_equal(p.overrides[0].fields, DFOPT_RF_STEP | DFOPT_RF_MIN_SEVERITY);
    assert_int_equal(p.overrides[0].to.step.i, 8);
    assert_true(p.overrides[0].to.min_severity == 0.1);
    dfopt_policy_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
