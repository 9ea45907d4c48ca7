/* The two presets, switch by switch, and the order of overrides. */
#include "model/decision.h"
#include "model/policy.h"
#include "support/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct switch_case {
    const char *name;
    enum dfopt_switch_kind kind;
    const char *want[2]; /* by preset, in words */
};

static const struct switch_case switches[] = {
    {"ack_match", DFOPT_SWITCH_CHOICE, {"plan_id", "knob_node"}},
    {"ack_window", DFOPT_SWITCH_CHOICE, {"seen", "none"}},
    {"reject", DFOPT_SWITCH_CHOICE, {"previous", "upstream"}},
    {"reject_cooldown", DFOPT_SWITCH_BOOL, {"true", "false"}},
    {"reregister", DFOPT_SWITCH_CHOICE, {"replace", "append"}},
    {"enum_step", DFOPT_SWITCH_CHOICE, {"neighbour", "upstream"}},
    {"global_exempt", DFOPT_SWITCH_BOOL, {"true", "false"}},
    {"strict_direction", DFOPT_SWITCH_BOOL, {"true", "false"}},
    {"strict_types", DFOPT_SWITCH_BOOL, {"true", "false"}},
    {"global_overrides_nodes", DFOPT_SWITCH_BOOL, {"true", "false"}},
    {"suppress_before_registration", DFOPT_SWITCH_BOOL, {"true", "false"}},
    {"evidence_probe", DFOPT_SWITCH_BOOL, {"true", "true"}},
    {"pending_timeout_windows", DFOPT_SWITCH_WINDOWS, {"0", "0"}},
    {"suppression_ttl_windows", DFOPT_SWITCH_WINDOWS, {"0", "0"}},
    {"effect", DFOPT_SWITCH_CHOICE, {"objective", "severity"}},
    {"scope", DFOPT_SWITCH_CHOICE, {"interpret", "carry"}},
    {"registration", DFOPT_SWITCH_CHOICE, {"interpret", "carry"}},
    {"unmatched_ack", DFOPT_SWITCH_CHOICE, {"adopt", "ignore"}},
    {"settle_windows", DFOPT_SWITCH_WINDOWS, {"1", "1"}},
    {"verify_windows", DFOPT_SWITCH_WINDOWS, {"6", "6"}},
    {"min_effect", DFOPT_SWITCH_REAL, {"0.04", "0.04"}},
    {"noise_z", DFOPT_SWITCH_REAL, {"2", "2"}},
    {"backoff_windows", DFOPT_SWITCH_WINDOWS, {"24", "24"}},
    {"release_windows", DFOPT_SWITCH_WINDOWS, {"8", "8"}},
    {"ack_timeout_windows", DFOPT_SWITCH_WINDOWS, {"8", "8"}},
    {"inconclusive_steps", DFOPT_SWITCH_WINDOWS, {"4", "4"}},
    {"inconclusive_factor", DFOPT_SWITCH_REAL, {"8", "8"}},
    {"approval_windows", DFOPT_SWITCH_WINDOWS, {"24", "24"}},
};

/* Eight bytes of a policy as the real that they are. */
static double real_of(int64_t bits)
{
    double real;
    memcpy(&real, &bits, sizeof real);
    return real;
}

static void in_words(const struct dfopt_switch_info *info, int64_t value,
                     char text[32])
{
    if (info->kind == DFOPT_SWITCH_CHOICE)
        snprintf(text, 32, "%s", info->choice[value]);
    else if (info->kind == DFOPT_SWITCH_BOOL)
        snprintf(text, 32, "%s", value ? "true" : "false");
    else if (info->kind == DFOPT_SWITCH_REAL)
        snprintf(text, 32, "%g", real_of(value));
    else
        snprintf(text, 32, "%" PRId64, value);
}

static void presets(void **state)
{
    (void)state;
    size_t n;
    const struct dfopt_switch_info *table = dfopt_switch_table(&n);
    assert_int_equal(n, N_OF(switches));
    for (int preset = 0; preset < 2; preset++) {
        struct dfopt_policy p;
        memset(&p, 0x5a, sizeof p);
        dfopt_policy_preset(&p, (enum dfopt_preset)preset);
        assert_null(p.overrides);
        assert_int_equal(p.n_overrides, 0);
        for (size_t i = 0; i < n; i++) {
            char got[32];
            assert_string_equal(table[i].name, switches[i].name);
            assert_int_equal(table[i].kind, switches[i].kind);
            assert_int_equal(table[i].offset, i * sizeof(int64_t));
            in_words(&table[i], ((int64_t *)&p.on)[i], got);
            if (strcmp(got, switches[i].want[preset]) != 0)
                fail_msg("%s, preset %d: %s", table[i].name, preset, got);
        }
        dfopt_policy_clear(&p);
    }
}

static const struct dfopt_response original = {
    .tag = 1,
    .apply_when = 2,
    .direction = DFOPT_DIRECTION_INCREASE,
    .step_mode = DFOPT_STEP_ADD,
    .step = {.kind = DFOPT_KIND_INT, .i = 1},
    .set_to = {.kind = DFOPT_KIND_INT, .i = 2},
    .min_severity = 0.1,
    .min_persistence = 1,
    .cooldown_windows = 2,
    .effectiveness_threshold = 0.2,
};

static const struct dfopt_response other = {
    .tag = 91,
    .apply_when = 92,
    .direction = DFOPT_DIRECTION_DECREASE,
    .step_mode = DFOPT_STEP_MULTIPLY,
    .step = {.kind = DFOPT_KIND_INT, .i = 91},
    .set_to = {.kind = DFOPT_KIND_INT, .i = 92},
    .min_severity = 0.91,
    .min_persistence = 91,
    .cooldown_windows = 92,
    .effectiveness_threshold = 0.92,
};

/* Which fields of r are those of `other`, as bits. */
static uint32_t taken(const struct dfopt_response *r)
{
    return (r->direction == other.direction ? DFOPT_RF_DIRECTION : 0u) |
           (r->step.i == other.step.i ? DFOPT_RF_STEP : 0u) |
           (r->step_mode == other.step_mode ? DFOPT_RF_STEP_MODE : 0u) |
           (r->set_to.i == other.set_to.i ? DFOPT_RF_SET_TO : 0u) |
           (r->min_severity == other.min_severity ? DFOPT_RF_MIN_SEVERITY : 0u) |
           (r->min_persistence == other.min_persistence ? DFOPT_RF_MIN_PERSISTENCE
                                                        : 0u) |
           (r->cooldown_windows == other.cooldown_windows
                ? DFOPT_RF_COOLDOWN_WINDOWS
                : 0u) |
           (r->apply_when == other.apply_when ? DFOPT_RF_APPLY_WHEN : 0u) |
           (r->effectiveness_threshold == other.effectiveness_threshold
                ? DFOPT_RF_EFFECTIVENESS_THRESHOLD
                : 0u);
}

static void merge_takes_the_named_fields(void **state)
{
    (void)state;
    for (uint32_t fields = 0; fields < 1u << 9; fields++) {
        struct dfopt_response r = original;
        dfopt_response_merge(&r, &other, fields);
        if (taken(&r) != fields || r.tag != original.tag)
            fail_msg("fields %03x: took %03x", fields, taken(&r));
    }
}

struct override_case {
    const char *name;
    struct dfopt_override o[4];
    size_t n;
    double want; /* min_severity of the response to tag 1 of knob 7 */
};

#define OVERRIDE(t, who, v)                                                        \
    {                                                                              \
        .target = DFOPT_OVERRIDE_##t, .name = (who),                               \
        .fields = DFOPT_RF_MIN_SEVERITY, .to = {                                   \
            .min_severity = (v)                                                    \
        }                                                                          \
    }

static void most_specific_wins(void **state)
{
    (void)state;
    const struct override_case cases[] = {
        {"none", {OVERRIDE(ALL, 0, 0.2)}, 0, 0.1},
        {"all", {OVERRIDE(ALL, 0, 0.2)}, 1, 0.2},
        {"tag", {OVERRIDE(TAG, 1, 0.3)}, 1, 0.3},
        {"another tag", {OVERRIDE(TAG, 7, 0.3)}, 1, 0.1},
        {"knob", {OVERRIDE(KNOB, 7, 0.4)}, 1, 0.4},
        {"another knob", {OVERRIDE(KNOB, 1, 0.4)}, 1, 0.1},
        {"tag over all, wherever it stands",
         {OVERRIDE(TAG, 1, 0.3), OVERRIDE(ALL, 0, 0.2)},
         2,
         0.3},
        {"knob over tag over all",
         {OVERRIDE(KNOB, 7, 0.4), OVERRIDE(TAG, 1, 0.3), OVERRIDE(ALL, 0, 0.2)},
         3,
         0.4},
        {"of equals the last",
         {OVERRIDE(TAG, 1, 0.3), OVERRIDE(TAG, 1, 0.35)},
         2,
         0.35},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_override o[4];
        memcpy(o, cases[i].o, sizeof o);
        struct dfopt_policy p = {.overrides = o, .n_overrides = cases[i].n};
        struct dfopt_response r = original;
        dfopt_policy_apply(&p, 7, &r);
        if (r.min_severity != cases[i].want)
            fail_msg("%s: got %g, want %g", cases[i].name, r.min_severity,
                     cases[i].want);
    }
}

static void fields_add_up(void **state)
{
    (void)state;
    struct dfopt_override o[] = {
        {.target = DFOPT_OVERRIDE_KNOB,
         .name = 7,
         .fields = DFOPT_RF_STEP,
         .to = {.step = dfopt_value_int(5)}},
        {.target = DFOPT_OVERRIDE_ALL,
         .fields = DFOPT_RF_STEP | DFOPT_RF_COOLDOWN_WINDOWS,
         .to = {.step = dfopt_value_int(6), .cooldown_windows = 8}},
    };
    struct dfopt_policy p = {.overrides = o, .n_overrides = 2};
    struct dfopt_response r = original;
    dfopt_policy_apply(&p, 7, &r);
    assert_int_equal(r.step.i, 5);
    assert_true(r.cooldown_windows == 8);
    assert_true(r.min_severity == original.min_severity);
}

static void defaults_of_a_response(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    struct dfopt_response r = dfopt_response_default(dict, 0);
    assert_int_equal(r.tag, 0);
    assert_int_equal(r.direction, DFOPT_DIRECTION_INCREASE);
    assert_int_equal(r.step_mode, DFOPT_STEP_ADD);
    assert_int_equal(r.step.kind, DFOPT_KIND_NULL);
    assert_int_equal(r.set_to.kind, DFOPT_KIND_NULL);
    assert_string_equal(dfopt_dict_text(dict, r.apply_when, NULL),
                        "epoch_boundary");
    assert_true(r.min_severity == 0.5 && r.min_persistence == 2 &&
                r.cooldown_windows == 3 && r.effectiveness_threshold == 0.1);
    dfopt_dict_destroy(dict);
}

static void clearing(void **state)
{
    (void)state;
    struct dfopt_policy p;
    dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
    p.overrides = calloc(2, sizeof *p.overrides);
    p.n_overrides = 2;
    dfopt_policy_clear(&p);
    assert_null(p.overrides);
    assert_int_equal(p.n_overrides, 0);
    dfopt_policy_clear(&p);

    struct dfopt_knob zero = {0}, copy;
    assert_int_equal(dfopt_knob_copy(&copy, &zero), DFOPT_OK);
    dfopt_knob_clear(&copy);
    dfopt_knob_clear(&zero);
    struct dfopt_registration r = {0};
    dfopt_registration_clear(&r);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(dfopt_knob_type_name(DFOPT_KNOB_BOOL), "bool");
    assert_string_equal(dfopt_knob_type_name(99), "unknown");
    assert_string_equal(dfopt_direction_name(DFOPT_DIRECTION_SET), "set");
    assert_string_equal(dfopt_direction_name(99), "unknown");
    assert_string_equal(dfopt_step_mode_name(DFOPT_STEP_EVIDENCE), "evidence");
    assert_string_equal(dfopt_step_mode_name(99), "unknown");
    assert_string_equal(dfopt_verdict_name(DFOPT_VERDICT_COOLDOWN_INEFFECTIVE),
                        "cooldown_ineffective");
    assert_string_equal(dfopt_verdict_name(DFOPT_VERDICT_COUNT), "unknown");
    assert_string_equal(dfopt_verdict_meaning(DFOPT_VERDICT_COUNT), "unknown");
    assert_string_equal(dfopt_stream_name(DFOPT_STREAM_GLOBAL_PLAN), "global_plan");
    assert_string_equal(dfopt_stream_name(DFOPT_STREAM_COUNT), "unknown");
    assert_string_equal(dfopt_ack_status_name(DFOPT_ACK_DEFERRED), "deferred");
    assert_string_equal(dfopt_ack_outcome_name(99), "unknown");
    assert_string_equal(dfopt_relay_outcome_name(DFOPT_RELAY_SAME_VALUE),
                        "same_value");
    assert_string_equal(dfopt_suppression_action_name(DFOPT_SUPPRESSION_CLEARED),
                        "cleared");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets),
        cmocka_unit_test(merge_takes_the_named_fields),
        cmocka_unit_test(most_specific_wins),
        cmocka_unit_test(fields_add_up),
        cmocka_unit_test(defaults_of_a_response),
        cmocka_unit_test(clearing),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
