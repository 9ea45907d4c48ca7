/* From windows to findings: rules, persistence, prevalence, trend, and the text. */
#include "diagnosis/diagnosis.h"
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A window of a second in which the consumer waited this share of the time. */
static struct dfopt_client_window window(int64_t index, double fetch)
{
    return (struct dfopt_client_window){.index = index,
                                        .units = 100,
                                        .seconds = 1,
                                        .fetch_s = fetch,
                                        .compute_s = 1 - fetch,
                                        .workers = 1};
}

/* The only finding of a window, NULL if there is none. */
static const struct dfopt_diagnosed *only(struct dfopt_diagnosis *d, int64_t index,
                                          double fetch)
{
    static struct dfopt_diagnosed f[DFOPT_FINDING_KINDS];
    const struct dfopt_client_window w = window(index, fetch);
    size_t n = dfopt_diagnose(d, &w, f);
    assert_true(n <= 1);
    return n ? &f[0] : NULL;
}

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        double fetch;
        int kind;           /* -1: no finding */
        double severity[2]; /* peak, current */
    } cases[] = {
        {0, DFOPT_COMPUTE_DOMINANCE, {0.75, 0.75}},
        {0.05, DFOPT_COMPUTE_DOMINANCE, {0.5, 0.5}},
        {0.11, -1, {0}},
        {0.19, -1, {0}},
        {0.225, DFOPT_FETCH_PRESSURE, {0.5, 0.125 / 0.9}},
        {0.3, DFOPT_FETCH_PRESSURE, {0.8, 0.2 / 0.9}},
        {0.35001, DFOPT_FETCH_PRESSURE, {1.0, 0.25001 / 0.9}},
        {0.91, DFOPT_FETCH_PRESSURE, {1.0, 0.9}},
        {1, DFOPT_FETCH_PRESSURE, {1.0, 1.0}},
    };
    for (size_t i = 0; i < 2 * N_OF(cases); i++) {
        const size_t row = i / 2, habit = i % 2;
        struct dfopt_diagnosis d = {.habit = (enum dfopt_diagnosis_habit)habit};
        const struct dfopt_diagnosed *f = only(&d, 1, cases[row].fetch);
        if ((f ? (int)f->kind : -1) != cases[row].kind ||
            (f &&
             fabs(f->severity -
                  cases[row].severity[habit == DFOPT_DIAGNOSIS_CURRENT]) > 1e-9))
            fail_msg("fetch %g, habit %zu: kind %d, severity %g", cases[row].fetch,
                     habit, f ? (int)f->kind : -1, f ? f->severity : 0);
    }
}

static void test_readers_and_memory(void **state)
{
    (void)state;
    static const struct {
        double fetch, memory; /* 0: there is no budget */
        int64_t workers;
        int kinds[2]; /* of the findings; -1: none */
    } cases[] = {
        {0.14, 0, 2, {-1, -1}},
        {0.14, 0, 3, {DFOPT_IO_CONTENTION, -1}},
        {0.15, 0, 3, {-1, -1}},
        {0.05, 0, 3, {DFOPT_COMPUTE_DOMINANCE, DFOPT_IO_CONTENTION}},
        {0.15, 0.85, 1, {-1, -1}},
        {0.15, 0.86, 1, {DFOPT_MEMORY_PRESSURE, -1}},
        {0.9, 2, 1, {DFOPT_FETCH_PRESSURE, DFOPT_MEMORY_PRESSURE}},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_PEAK};
        struct dfopt_diagnosed f[DFOPT_FINDING_KINDS];
        struct dfopt_client_window w = window(1, cases[i].fetch);
        w.workers = cases[i].workers;
        w.memory = cases[i].memory;
        const size_t n = dfopt_diagnose(&d, &w, f);
        for (size_t k = 0; k < 2; k++)
            if ((k < n ? (int)f[k].kind : -1) != cases[i].kinds[k])
                fail_msg("case %zu: finding %zu of %zu", i, k, n);
    }
}

/* Reads that differ: the same with either habit, but that a peak stays. */
static void test_reads(void **state)
{
    (void)state;
    static const struct {
        double spread, severity[2]; /* peak, current; 0: no finding */
    } cases[] = {
        {0, {0, 0}}, /* not measured */
        {1, {0, 0}},      {10, {0, 0}},      {10.5, {0.1375, 0.1375}},
        {25, {0.5, 0.5}}, {15, {0.5, 0.25}}, {9, {0, 0}},
        {45, {1, 1}},     {90, {1, 1}},      {13, {1, 0.2}},
    };
    for (size_t habit = 0; habit < 2; habit++) {
        struct dfopt_diagnosis d = {.habit = habit ? DFOPT_DIAGNOSIS_CURRENT
                                                   : DFOPT_DIAGNOSIS_PEAK};
        for (size_t i = 0; i < N_OF(cases); i++) {
            struct dfopt_diagnosed f[DFOPT_FINDING_KINDS];
            struct dfopt_client_window w = window((int64_t)i + 1, 0.15);
            w.read_spread = cases[i].spread;
            const size_t n = dfopt_diagnose(&d, &w, f);
            const double wanted = cases[i].severity[habit];
            if (n != (wanted > 0) || (n && (f[0].kind != DFOPT_READ_CONTENTION ||
                                            fabs(f[0].severity - wanted) > 1e-9)))
                fail_msg("habit %zu, spread %g: %zu findings, severity %g", habit,
                         cases[i].spread, n, n ? f[0].severity : 0);
        }
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
    struct dfopt_diagnosis peak = {.habit = DFOPT_DIAGNOSIS_PEAK},
                           current = {.habit = DFOPT_DIAGNOSIS_CURRENT};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const int64_t index = (int64_t)i + 1;
        struct dfopt_diagnosed f = *only(&peak, index, cases[i].fetch);
        assert_int_equal(f.index, index);
        if (fabs(f.severity - cases[i].peak) > 1e-9 ||
            fabs(dfopt_diagnosis_fetch_share(&f.window) - cases[i].peak_fetch) >
                1e-9)
            fail_msg("window %d: peak %g", (int)index, f.severity);
        f = *only(&current, index, cases[i].fetch);
        if (fabs(f.severity - cases[i].current) > 1e-9 ||
            fabs(dfopt_diagnosis_fetch_share(&f.window) - cases[i].fetch) > 1e-9)
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
    struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_PEAK};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const int64_t index = (int64_t)i + 1;
        const struct dfopt_diagnosed *f = only(&d, index, cases[i].fetch);
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

/* A window in which a knob changed says nothing, and ends no run. */
static void test_left_out(void **state)
{
    (void)state;
    static const struct {
        int64_t index, persistence; /* 0: no finding */
        bool changed;
    } cases[] = {
        {1, 1, false}, {2, 2, false}, {3, 0, true},  {4, 3, false}, {5, 0, true},
        {6, 0, true},  {7, 4, false}, {9, 4, false}, {10, 0, true}, {12, 4, false},
    };
    struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_CURRENT};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_diagnosed f[DFOPT_FINDING_KINDS];
        struct dfopt_client_window w = window(cases[i].index, 0.5);
        w.changed = cases[i].changed;
        const size_t n = dfopt_diagnose(&d, &w, f);
        if (n != !!cases[i].persistence ||
            (n && f[0].persistence != cases[i].persistence))
            fail_msg("window %d: %zu findings, persistence %d", (int)cases[i].index,
                     n, n ? (int)f[0].persistence : 0);
    }
    assert_int_equal(d.left_out, 4);
}

static struct dfopt_client_finding finding_of(const struct dfopt_diagnosed *f)
{
    static struct dfopt_client_metric metrics[DFOPT_DIAGNOSED_METRICS];
    struct dfopt_client_finding out;
    dfopt_diagnosed_finding(f, &out, metrics);
    return out;
}

/* For texts that are easier to read here. */
static const char *single_quotes(struct dfopt_buf *json)
{
    assert_int_equal(dfopt_buf_add(json, "", 1), DFOPT_OK);
    for (char *c = json->data; (c = strchr(c, '"'));)
        *c = '\'';
    return json->data;
}

static void expect_text(const struct dfopt_client_finding *f, const char *meta,
                        const char *body)
{
    struct dfopt_buf m = {0}, b = {0};
    assert_int_equal(dfopt_finding_json(f, "node:n1:window", &m, &b), DFOPT_OK);
    assert_string_equal(single_quotes(&m), meta);
    assert_string_equal(single_quotes(&b), body);
    dfopt_buf_free(&m);
    dfopt_buf_free(&b);
}

static void test_text(void **state)
{
    (void)state;
    struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_PEAK};
    const struct dfopt_diagnosed *f = NULL;
    for (int64_t i = 1; i <= 4; i++)
        f = only(&d, i, 0.75);
    assert_non_null(f);
    const struct dfopt_client_finding finding = finding_of(f);
    expect_text(
        &finding,
        "{'artifact_type':'diagnosis_finding','publish_mode':'control',"
        "'finding_type':'fetch_pressure','scope':'node:n1:window'}",
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
}

/* Readers that contend are a problem of their number. */
static void test_what_contention_says(void **state)
{
    (void)state;
    struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_PEAK};
    struct dfopt_diagnosed f[DFOPT_FINDING_KINDS];
    struct dfopt_client_window w = window(1, 0.15);
    w.read_spread = 20;
    assert_int_equal(dfopt_diagnose(&d, &w, f), 1);
    const struct dfopt_client_finding c = finding_of(&f[0]);
    assert_string_equal(c.type, "read_contention");
    assert_int_equal(c.n_tags, 1);
    assert_string_equal(c.tags[0], "reader_contention");
    assert_int_equal(c.n_suppresses, 1);
    assert_string_equal(c.suppresses[0], "reader_parallelism");
    assert_int_equal(c.n_metrics, DFOPT_DIAGNOSED_METRICS);
    assert_string_equal(c.metrics[5].name, "pread_latency_spread");
    assert_true(c.metrics[5].value == 20);
}

/* An application's own, with as little as can be. */
static void test_own(void **state)
{
    (void)state;
    const struct dfopt_client_finding least = {.type = "slow_\"write\""};
    expect_text(
        &least,
        "{'artifact_type':'diagnosis_finding','publish_mode':'control',"
        "'finding_type':'slow_\\'write\\'','scope':'node:n1:window'}",
        "{'finding_type':'slow_\\'write\\'','scope':'node:n1:window','layer':'node'"
        ","
        "'view_type':'window','motif':'unclassified','severity':'none',"
        "'severity_score':0.0,'confidence':0.5,'prevalence':0.0,'persistence':0,"
        "'support_windows':0,'trend_direction':'insufficient_data',"
        "'last_seen_window':0,'contributing_facts':[['slow_\\'write\\'',"
        "'node:n1:window']],'recommendation_bundle':'investigate',"
        "'opportunity_tags':[],'suppresses_tags':[],'summary':'slow_\\'write\\'("
        "node:n1:window), motif=unclassified, prevalence=0.00, persistence=0, "
        "trend=insufficient_data','window_index':0,'key_metrics':{},"
        "'publish_mode':'control'}");
}

/* Numbers that start over, or come twice, as of several functions. */
static void test_numbers(void **state)
{
    (void)state;
    struct dfopt_diagnosis d = {.habit = DFOPT_DIAGNOSIS_CURRENT};
    const struct dfopt_diagnosed *f = NULL;
    for (int64_t i = 1; i <= 8; i++)
        f = only(&d, i, i % 2 ? 0.8 : 0.15);
    assert_null(f);
    f = only(&d, 1, 0.8);
    assert_true(f->support == 1 && f->prevalence == 1 && f->persistence == 1);
    f = only(&d, 1, 0.8);
    assert_true(f->support == 2 && f->prevalence == 1);
    (void)only(&d, 2, 0.15);
    (void)only(&d, 3, 0.15);
    f = only(&d, 4, 0.8);
    assert_true(f->support == 3 && f->prevalence == 0.75);

    struct dfopt_diagnosed found[DFOPT_FINDING_KINDS];
    for (int i = 0; i < 9; i++) { /* left out, under a number that was counted */
        struct dfopt_client_window w = window(4, 0.8);
        w.changed = true;
        assert_int_equal(dfopt_diagnose(&d, &w, found), 0);
    }
    f = only(&d, 4, 0.8);
    assert_true(f->prevalence == 1);
    f = only(&d, -7, 0.8);
    assert_true(f->support == 1 && f->prevalence == 1);
    f = only(&d, INT64_C(1) << 53, 0.8);
    assert_true(f->prevalence > 0 && f->prevalence < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_readers_and_memory),
        cmocka_unit_test(test_habits),
        cmocka_unit_test(test_what_is_remembered),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_what_contention_says),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests_name("diagnosis", tests, NULL, NULL);
}
