/* From windows to findings: rules, persistence, prevalence, trend, and the text. */
#include "cmd/demo/diagnosis.h"
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A window of a second in which the consumer waited this share of the time. */
static struct demo_window window(int64_t index, double fetch)
{
    return (struct demo_window){.index = index,
                                .samples = 100,
                                .seconds = 1,
                                .fetch_s = fetch,
                                .compute_s = 1 - fetch,
                                .threads = 1,
                                .prefetch = 1};
}

/* The only finding of a window, NULL if there is none. */
static const struct demo_finding *only(struct demo_diagnosis *d, int64_t index,
                                       double fetch)
{
    static struct demo_finding f[DEMO_FINDING_KINDS];
    const struct demo_window w = window(index, fetch);
    size_t n = demo_diagnose(d, &w, f);
    assert_true(n <= 1);
    return n ? &f[0] : NULL;
}

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        double fetch;
        int kind;           /* -1: no finding */
        double severity[2]; /* by habit */
    } cases[] = {
        {0, DEMO_COMPUTE_DOMINANCE, {0.75, 0.75}},
        {0.05, DEMO_COMPUTE_DOMINANCE, {0.5, 0.5}},
        {0.11, -1, {0}},
        {0.19, -1, {0}},
        {0.225, DEMO_FETCH_PRESSURE, {0.5, 0.125 / 0.9}},
        {0.3, DEMO_FETCH_PRESSURE, {0.8, 0.2 / 0.9}},
        {0.35001, DEMO_FETCH_PRESSURE, {1.0, 0.25001 / 0.9}},
        {0.91, DEMO_FETCH_PRESSURE, {1.0, 0.9}},
        {1, DEMO_FETCH_PRESSURE, {1.0, 1.0}},
    };
    for (size_t i = 0; i < 2 * N_OF(cases); i++) {
        const size_t row = i / 2, habit = i % 2;
        struct demo_diagnosis d = {.habit = (enum demo_habit)habit};
        const struct demo_finding *f = only(&d, 1, cases[row].fetch);
        if ((f ? (int)f->kind : -1) != cases[row].kind ||
            (f && fabs(f->severity - cases[row].severity[habit]) > 1e-9))
            fail_msg("fetch %g, habit %zu: kind %d, severity %g", cases[row].fetch,
                     habit, f ? (int)f->kind : -1, f ? f->severity : 0);
    }
}

static void test_readers_and_memory(void **state)
{
    (void)state;
    static const struct {
        double fetch, mem_frac; /* 0: there is no budget */
        unsigned threads;
        int kinds[2]; /* of the findings; -1: none */
    } cases[] = {
        {0.14, 0, 2, {-1, -1}},
        {0.14, 0, 3, {DEMO_IO_CONTENTION, -1}},
        {0.15, 0, 3, {-1, -1}},
        {0.05, 0, 3, {DEMO_COMPUTE_DOMINANCE, DEMO_IO_CONTENTION}},
        {0.15, 0.85, 1, {-1, -1}},
        {0.15, 0.86, 1, {DEMO_MEMORY_PRESSURE, -1}},
        {0.9, 2, 1, {DEMO_FETCH_PRESSURE, DEMO_MEMORY_PRESSURE}},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct demo_diagnosis d = {.habit = DEMO_PEAK};
        struct demo_finding f[DEMO_FINDING_KINDS];
        struct demo_window w = window(1, cases[i].fetch);
        w.threads = cases[i].threads;
        w.has_memory = cases[i].mem_frac > 0;
        w.mem_frac = cases[i].mem_frac;
        const size_t n = demo_diagnose(&d, &w, f);
        for (size_t k = 0; k < 2; k++)
            if ((k < n ? (int)f[k].kind : -1) != cases[i].kinds[k])
                fail_msg("case %zu: finding %zu of %zu", i, k, n);
    }
}

/* What falls stays the peak, unless the window itself is asked for. */
static void test_habits(void **state)
{
    (void)state;
    static const struct {
        double fetch, peak, peak_fetch, current;
    } cases[] = {
        {0.225, 0.5, 0.225, 0.125 / 0.9},
        {0.3, 0.8, 0.3, 0.2 / 0.9},
        {0.25, 0.8, 0.3, 0.15 / 0.9},
        {0.5, 1, 0.5, 0.4 / 0.9},
        {0.91, 1, 0.5, 0.9}, /* at its end it was before */
        {0.2125, 1, 0.5, 0.125},
    };
    struct demo_diagnosis peak = {.habit = DEMO_PEAK},
                          current = {.habit = DEMO_CURRENT};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const int64_t index = (int64_t)i + 1;
        struct demo_finding f = *only(&peak, index, cases[i].fetch);
        assert_int_equal(f.index, index);
        if (fabs(f.severity - cases[i].peak) > 1e-9 ||
            fabs(demo_window_fetch_share(&f.window) - cases[i].peak_fetch) > 1e-9)
            fail_msg("window %d: peak %g", (int)index, f.severity);
        f = *only(&current, index, cases[i].fetch);
        if (fabs(f.severity - cases[i].current) > 1e-9 ||
            fabs(demo_window_fetch_share(&f.window) - cases[i].fetch) > 1e-9)
            fail_msg("window %d: current %g", (int)index, f.severity);
    }
}

static void test_what_is_remembered(void **state)
{
    (void)state;
    static const struct {
        double fetch;
        int64_t persistence; /* 0: no finding */
        int64_t support;
        const char *trend;
    } cases[] = {
        {0.9, 1, 1, "insufficient_data"},
        {0.9, 2, 2, "stable"},
        {0.15, 0, 0, NULL},
        {0.3, 2, 3, "improving"},
        {0.225, 2, 4, "improving"},
        {0.225, 3, 5, "improving"},
        {0.9, 4, 6, "improving"},
        {0.9, 5, 7, "stable"},
        {0.9, 6, 8, "worsening"},
    };
    struct demo_diagnosis d = {0};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const int64_t index = (int64_t)i + 1;
        const struct demo_finding *f = only(&d, index, cases[i].fetch);
        if (!f != !cases[i].persistence)
            fail_msg("window %d: finding or not", (int)index);
        if (f && (f->persistence != cases[i].persistence ||
                  f->support != cases[i].support ||
                  strcmp(f->trend, cases[i].trend) != 0 ||
                  fabs(f->prevalence - (double)f->support / (double)index) > 1e-9))
            fail_msg("window %d: persistence %d, support %d, prevalence %g, %s",
                     (int)index, (int)f->persistence, (int)f->support,
                     f->prevalence, f->trend);
    }
}

/* For texts that are easier to read here. */
static void single_quotes(char *json)
{
    while ((json = strchr(json, '"')))
        *json = '\'';
}

static void test_text(void **state)
{
    (void)state;
    struct demo_diagnosis d = {0};
    char *metadata = NULL, *body = NULL;
    const struct demo_finding *f = NULL;
    for (int64_t i = 1; i <= 4; i++)
        f = only(&d, i, 0.75);
    assert_non_null(f);
    assert_int_equal(demo_finding_json(f, "n1", &metadata, &body), DFOPT_OK);
    single_quotes(metadata);
    single_quotes(body);
    assert_string_equal(metadata,
                        "{'artifact_type':'diagnosis_finding','publish_mode':"
                        "'control','finding_type':'fetch_pressure','scope':"
                        "'node:n1:window'}");
    assert_string_equal(
        body,
        "{'finding_type':'fetch_pressure','scope':'node:n1:window','layer':'node',"
        "'view_type':'window','motif':'persistent_pressure','severity':'critical',"
        "'severity_score':1.0,'confidence':0.8,'prevalence':1.0,'persistence':4,"
        "'support_windows':4,'trend_direction':'stable','last_seen_window':4,"
        "'contributing_facts':[['fetch_pressure','node:n1:window']],"
        "'recommendation_bundle':'input_pipeline_tuning','opportunity_tags':["
        "'dataloader_prefetch','reader_parallelism'],'suppresses_tags':[],'summary'"
        ":"
        "'fetch_pressure(node:n1:window), motif=persistent_pressure, "
        "prevalence=1.00, persistence=4, trend=stable','window_index':4,"
        "'key_metrics':{'fetch_iter_time_proc_max':0.75,'compute_time_proc_max':"
        "0.25,'active_time':1.0,'fetch_frac':0.75,'compute_frac':0.25},"
        "'publish_mode':'control'}");
    free(metadata);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),  cmocka_unit_test(test_readers_and_memory),
        cmocka_unit_test(test_habits), cmocka_unit_test(test_what_is_remembered),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests_name("demo_diagnosis", tests, NULL, NULL);
}
