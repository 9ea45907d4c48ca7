/* The warnings of a service whose objectives are missing, or count other windows
 * than its findings, or whose findings begin anew with their windows. */
#include "engine/online/reports.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

enum {
    F = DFOPT_STREAM_FINDING,
    O = DFOPT_STREAM_OBJECTIVE,
    R = DFOPT_STREAM_REGISTRATION
};

/* `times` windows from `window` on, `step` apart, for one node. A registration: of
 * "NODE INSTANCE", with a cooldown of so many windows. */
struct report {
    int stream;
    int64_t window, step, times;
    const char *node;
};

static const struct {
    const char *name;
    struct report reports[6];
    enum dfopt_effect effect;
    uint32_t run, metric;
    int missing_at_end, missing, clock,
        back; /* lines: before the end of the run, after */
} cases[] = {
    {"nothing", {{0}}, .run = 1},
    {"one finding", {{F, 1, 1, 1, "n1"}}, .run = 1, .missing_at_end = 1},
    {"twenty windows", {{F, 1, 1, 20, "n1"}}, .run = 1, .missing_at_end = 1},
    {"more", {{F, 1, 1, 90, "n1"}}, .run = 1, .missing = 1, .missing_at_end = 1},
    {"many findings of one window",
     {{F, 1, 0, 90, "n1"}},
     .run = 1,
     .missing_at_end = 1},
    {"an objective", {{O, 1, 1, 1, "n9"}, {F, 1, 1, 90, "n1"}}, .run = 1},
    {"a replay", {{F, 1, 1, 90, "n1"}}, .run = 0},
    {"judged by trends", {{F, 1, 1, 90, "n1"}}, DFOPT_EFFECT_TREND, .run = 1},
    {"not judged", {{F, 1, 1, 90, "n1"}}, DFOPT_EFFECT_SEVERITY, .run = 1},
    {"judged by a metric", {{F, 1, 1, 90, "n1"}}, .run = 1, .metric = 1},
    {"eight windows apart",
     {{F, 9, 1, 1, "n1"}, {O, 1, 1, 3, "n1"}, {F, 10, 1, 2, "n1"}},
     .run = 1},
    {"apart, objectives behind",
     {{F, 50, 1, 3, "n1"}, {O, 1, 1, 3, "n1"}, {F, 53, 1, 3, "n1"}},
     .run = 1,
     .clock = 1},
    {"apart, objectives ahead",
     {{O, 50, 10, 3, ""}, {F, 1, 1, 3, ""}, {O, 90, 10, 9, ""}},
     .run = 1,
     .clock = 1},
    {"one of them stands still",
     {{F, 1, 1, 5, "n1"}, {O, 1, 1, 90, "n1"}},
     .run = 1},
    {"of other nodes",
     {{F, 1, 1, 9, "n1"}, {O, 100, 1, 9, "n2"}, {F, 10, 1, 9, "n1"}},
     .run = 1},
    {"it catches up",
     {{F, 50, 1, 3, "n1"},
      {O, 1, 1, 2, "n1"},
      {O, 52, 1, 3, "n1"},
      {F, 53, 1, 5, "n1"}},
     .run = 1},
    {"windows begin anew",
     {{F, 1, 1, 20, "n1"}, {F, 1, 1, 20, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1,
     .back = 1},
    {"in a replay",
     {{F, 1, 1, 20, "n1"}, {F, 1, 1, 20, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 0},
    {"a few findings are late",
     {{F, 1, 1, 9, "n1"}, {F, 6, 0, 5, "n1"}, {F, 1, 1, 9, "n2"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1},
    {"no further than a cooldown",
     {{R, 9, 0, 1, "n1 a"}, {F, 10, 1, 1, "n1"}, {F, 1, 0, 1, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1},
    {"further than a cooldown",
     {{R, 9, 0, 1, "n1 a"}, {F, 11, 1, 1, "n1"}, {F, 1, 0, 9, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1,
     .back = 1},
    {"another process",
     {{R, 1, 0, 1, "n1 a"},
      {F, 50, 1, 1, "n1"},
      {R, 1, 0, 1, "n1 b"},
      {F, 1, 0, 9, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1},
    {"the same process",
     {{R, 1, 0, 1, "n1 a"},
      {F, 50, 1, 1, "n1"},
      {R, 1, 0, 1, "n1 a"},
      {F, 1, 0, 9, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1,
     .back = 1},
    {"a process without a name",
     {{R, 1, 0, 1, "n1 "},
      {F, 50, 1, 1, "n1"},
      {R, 1, 0, 1, " "},
      {F, 1, 0, 9, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1},
    {"a process of another node",
     {{R, 1, 0, 1, "n1 a"},
      {F, 50, 1, 1, "n1"},
      {R, 1, 0, 1, "n2 b"},
      {F, 1, 0, 9, "n1"}},
     DFOPT_EFFECT_SEVERITY,
     .run = 1,
     .back = 1},
    {"far apart",
     {{F, INT64_C(1) << 53, 0, 1, "n1"}, {O, -(INT64_C(1) << 53), 1, 5, "n1"}},
     .run = 1},
};

static int count(const char *text, const char *event)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, event)); p += strlen(event))
        n++;
    return n;
}

static void report(struct dfopt_reports *r, const struct report *what)
{
    struct dfopt_event e = {.stream = (uint32_t)what->stream};
    struct dfopt_response response = {.cooldown_windows = (double)what->window};
    struct dfopt_knob knob = {.responses = &response, .n_responses = 1};
    const size_t len = strcspn(what->node, " ");
    const char *behind = what->node + len + (what->node[len] == ' ');
    const dfopt_sym node = dfopt_dict_intern(r->config->dict, what->node, len);
    const dfopt_sym instance = dfopt_dict_intern_z(r->config->dict, behind);
    for (int64_t i = 0; i < what->times; i++) {
        const int64_t window = what->window + i * what->step;
        if (what->stream == F) {
            e.finding.node = node;
            e.finding.window = window;
        } else if (what->stream == R) {
            e.registration = (struct dfopt_registration){
                .node = node, .instance = instance, .knobs = &knob, .n_knobs = 1};
        } else {
            e.objective.node = node;
            e.objective.window = window;
        }
        dfopt_reports_event(r, &e);
    }
}

static void test_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        char *text = NULL;
        size_t size;
        struct dfopt_policy policy = {0};
        struct dfopt_log log = {.level = DFOPT_LOG_WARNING,
                                .format = dfopt_log_format_text,
                                .clock = dfopt_clock_wall_ns};
        struct dfopt_run_config config = {
            .policy = &policy, .log = &log, .run = cases[i].run};
        struct dfopt_reports r = {.config = &config};
        dfopt_policy_preset(&policy, DFOPT_PRESET_DEFAULT);
        policy.on.effect = cases[i].effect;
        policy.objective_metric.metric = cases[i].metric ? 0 : DFOPT_METRIC_NONE;
        log.out = open_memstream(&text, &size);
        assert_non_null(log.out);
        assert_int_equal(dfopt_dict_create(&config.dict, false), DFOPT_OK);
        for (const struct report *w = cases[i].reports; w->times; w++)
            report(&r, w);
        fflush(log.out);
        const int missing = count(text, "optimizer.objective.missing");
        dfopt_reports_end(&r);
        dfopt_reports_end(&r);
        fflush(log.out);
        if (missing != cases[i].missing ||
            count(text, "optimizer.objective.missing") != cases[i].missing_at_end ||
            count(text, "optimizer.objective.clock") != cases[i].clock ||
            count(text, "optimizer.window.back") != cases[i].back)
            fail_msg("%s: %s", cases[i].name, text);
        dfopt_reports_free(&r);
        dfopt_dict_destroy(config.dict);
        fclose(log.out);
        free(text);
        dfopt_buf_free(&log.line);
        dfopt_policy_clear(&policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_warnings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
