/* The warnings of a service whose objectives are missing, or count other windows
 * than its findings. */
#include "engine/online/reports.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

enum { F = DFOPT_STREAM_FINDING, O = DFOPT_STREAM_OBJECTIVE };

/* `times` windows from `window` on, `step` apart, for one node. */
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
    int missing_at_end, missing,
        clock; /* lines: before the end of the run, after */
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
    const dfopt_sym node = dfopt_dict_intern_z(r->config->dict, what->node);
    for (int64_t i = 0; i < what->times; i++) {
        const int64_t window = what->window + i * what->step;
        if (what->stream == F) {
            e.finding.node = node;
            e.finding.window = window;
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
            count(text, "optimizer.objective.clock") != cases[i].clock)
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
