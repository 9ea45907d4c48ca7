/* Commands of operators: each action, and what is refused. */
#include "codec_fixture.h"

static enum dfopt_err take(const char *json, struct dfopt_event *event,
                           struct dfopt_error *err)
{
    memset(event, 0, sizeof *event);
    return decode(DFOPT_STREAM_CONTROL, json, strlen(json), event, err);
}

static void good(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        uint32_t action, mode, target;
        const char *name, *node;
        uint64_t plan_id;
        uint32_t bounded;
        int64_t until;
    } cases[] = {
        {"{\"action\":\"mode\",\"mode\":\"shadow\"}", DFOPT_COMMAND_ACTION_MODE,
         DFOPT_MODE_SHADOW, DFOPT_TARGET_ALL, "", "", 0, 0, 0},
        {"{\"action\":\"mode\",\"mode\":\"off\",\"target\":\"tag:t\"}",
         DFOPT_COMMAND_ACTION_MODE, DFOPT_MODE_OFF, DFOPT_TARGET_TAG, "t", "", 0, 0,
         0},
        {"{\"action\":\"mode\",\"mode\":\"advise\",\"target\":\"knob:k\"}",
         DFOPT_COMMAND_ACTION_MODE, DFOPT_MODE_ADVISE, DFOPT_TARGET_KNOB, "k", "",
         0, 0, 0},
        {"{\"action\":\"approve\",\"plan_id\":\"plan_00000000000a8000\"}",
         DFOPT_COMMAND_ACTION_APPROVE, 0, 0, "", "", 0xa8000, 0, 0},
        {"{\"action\":\"reject\",\"plan_id\":\"plan_00000000000a8000_12345678\"}",
         DFOPT_COMMAND_ACTION_REJECT, 0, 0, "", "", 0xa8000, 0, 0},
        {"{\"action\":\"freeze\"}", DFOPT_COMMAND_ACTION_FREEZE, 0, 0, "", "", 0, 0,
         0},
        {"{\"action\":\"freeze\",\"until_window\":7}", DFOPT_COMMAND_ACTION_FREEZE,
         0, 0, "", "", 0, 1, 7},
        {"{\"action\":\"thaw\",\"by\":\"a\",\"at\":\"b\"}",
         DFOPT_COMMAND_ACTION_THAW, 0, 0, "", "", 0, 0, 0},
        {"{\"action\":\"set\",\"knob_id\":\"k\",\"value\":3,\"node\":\"n\"}",
         DFOPT_COMMAND_ACTION_SET, 0, 0, "k", "n", 0, 0, 0},
        {"{\"action\":\"restore\",\"node\":\"n\"}", DFOPT_COMMAND_ACTION_RESTORE, 0,
         0, "", "n", 0, 0, 0},
        {"{\"action\":\"policy\",\"policy\":{\"limits\":{\"plans_per_window\":2}}}",
         DFOPT_COMMAND_ACTION_POLICY, 0, 0, "", "", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_event event;
        struct dfopt_error err;
        if (take(cases[i].json, &event, &err))
            fail_msg("%s: %s", cases[i].json, err.text);
        const struct dfopt_command *c = &event.command;
        if (c->action != cases[i].action || c->mode != cases[i].mode ||
            c->target != cases[i].target || c->plan_id != cases[i].plan_id ||
            c->bounded != cases[i].bounded || c->until != cases[i].until)
            fail_msg("%s: decoded otherwise", cases[i].json);
        assert_string_equal(text_of(c->name), cases[i].name);
        assert_string_equal(text_of(c->node), cases[i].node);
        assert_int_equal(event.policy != NULL,
                         c->action == DFOPT_COMMAND_ACTION_POLICY);
        if (event.policy)
            assert_int_equal(event.policy->limits.plans_per_window, 2);
        dfopt_event_clear(&event);
    }
}

/* A policy that is only looked at. */
static void check(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        uint32_t check;
    } cases[] = {
        {"{\"action\":\"policy\",\"policy\":{}}", 0},
        {"{\"action\":\"policy\",\"policy\":{},\"check\":null}", 0},
        {"{\"action\":\"policy\",\"policy\":{},\"check\":false}", 0},
        {"{\"action\":\"policy\",\"policy\":{},\"check\":true}", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_event event;
        struct dfopt_error err;
        assert_int_equal(take(cases[i].json, &event, &err), DFOPT_OK);
        assert_int_equal(event.command.check, cases[i].check);
        dfopt_event_clear(&event);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"{\"action\":\"stop\"}",
         "action must be mode, approve, reject, freeze, thaw, set, restore or "
         "policy"},
        {"{\"action\":5}", "action must be mode, approve, reject, freeze, thaw, "
                           "set, restore or policy"},
        {"{\"by\":\"x\"}",
         "has none of the fields of a command (action, target, mode, "
         "knob_id, value, ...)"},
        {"{\"action\":\"freeze\",\"until\":3}",
         "action freeze does not take the key 'until'"},
        {"{\"action\":\"thaw\",\"mode\":\"off\"}",
         "action thaw does not take the key 'mode'"},
        {"{\"action\":\"mode\"}", "mode is missing"},
        {"{\"action\":\"mode\",\"mode\":\"up\"}",
         "mode must be auto, advise, shadow or off"},
        {"{\"action\":\"mode\",\"mode\":\"off\",\"target\":\"app.k\"}",
         "target must be *, tag:NAME or knob:ID"},
        {"{\"action\":\"approve\"}", "plan_id is missing"},
        {"{\"action\":\"approve\",\"plan_id\":\"plan_5\"}",
         "plan_id is not that of a plan of this run"},
        {"{\"action\":\"set\",\"knob_id\":\"k\"}", "value is missing"},
        {"{\"action\":\"set\",\"value\":1}", "knob_id is missing"},
        {"{\"action\":\"set\",\"knob_id\":\"k\",\"value\":[1]}",
         "value has a list or object where a single value belongs"},
        {"{\"action\":\"restore\",\"node\":5}", "node is not a string"},
        {"{\"action\":\"policy\"}", "policy is missing"},
        {"{\"action\":\"policy\",\"policy\":{},\"check\":1}",
         "check is neither true nor false"},
        {"{\"action\":\"policy\",\"policy\":{\"switch\":{}}}",
         "policy: unknown key 'switch' (switches, responses, budgets, guards, "
         "objective_metric or limits)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_event event;
        struct dfopt_error err;
        const enum dfopt_err e = take(cases[i].json, &event, &err);
        if (e != DFOPT_ERR_SCHEMA)
            fail_msg("%s: not refused", cases[i].json);
        assert_string_equal(err.text, cases[i].why);
        assert_null(event.policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good, setup, teardown),
        cmocka_unit_test_setup_teardown(check, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
