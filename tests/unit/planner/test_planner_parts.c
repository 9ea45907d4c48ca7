/* The parts of control by effect, each by itself: instances, guards, series,
 * backoffs, steps down, budgets. */
#include "planner_fixture.h"

#include "planner/control/control.h"

#include <math.h>
#include <stdlib.h>

/* ---- instances ---- */

static void instances_come_and_leave(void **state)
{
    (void)state;
    const struct dfopt_owner a = {1, 2}, b = {1, 3};
    struct dfopt_instances x = {0};
    assert_false(dfopt_instances_any(&x, a));
    dfopt_instances_remove(&x, a, 10, 20); /* nothing is known: nothing happens */
    assert_int_equal(dfopt_instances_add(&x, a, 10, 20), DFOPT_OK);
    assert_int_equal(dfopt_instances_add(&x, a, 11, 21), DFOPT_OK);
    assert_int_equal(dfopt_instances_add(&x, b, 10, 20), DFOPT_OK);
    assert_true(dfopt_instances_know(&x, a, 10, 20));
    assert_false(dfopt_instances_know(&x, a, 11, 20));
    assert_false(dfopt_instances_know(&x, b, 11, 21));
    dfopt_instances_remove(&x, a, 10, 99); /* one that is not known */
    assert_true(dfopt_instances_know(&x, a, 10, 20));
    dfopt_instances_remove(&x, a, 10, 20);
    assert_false(dfopt_instances_know(&x, a, 10, 20));
    assert_true(dfopt_instances_any(&x, a));
    dfopt_instances_remove(&x, a, 11, DFOPT_SYM_EMPTY); /* all of a node */
    assert_false(dfopt_instances_any(&x, a));
    assert_true(dfopt_instances_any(&x, b));
    assert_int_equal(dfopt_instances_add(&x, b, 11, 22), DFOPT_OK);
    dfopt_instances_remove(&x, b, DFOPT_SYM_EMPTY, DFOPT_SYM_EMPTY); /* all */
    assert_false(dfopt_instances_any(&x, b));
    dfopt_instances_free(&x);
}

static void the_oldest_instance_is_forgotten(void **state)
{
    (void)state;
    const struct dfopt_owner a = {1, 2};
    struct dfopt_instances x = {0};
    for (dfopt_sym i = 0; i < DFOPT_INSTANCES_MAX + 2; i++)
        assert_int_equal(dfopt_instances_add(&x, a, 5, 100 + i), DFOPT_OK);
    assert_false(dfopt_instances_know(&x, a, 5, 101));
    for (dfopt_sym i = 2; i < DFOPT_INSTANCES_MAX + 2; i++)
        assert_true(dfopt_instances_know(&x, a, 5, 100 + i));
    dfopt_instances_free(&x);
}

/* Names of one node are of the same processes, unless each name is a node. */
static void processes_of_a_node_by_its_other_names(void **state)
{
    (void)state;
    static const char *const names[] = {"n1", "N1.", "n1.a.example", "n1.b.example",
                                        ""};
    static const int node_of[] = {0, 0, 0, 3, 4};
    const struct dfopt_owner a = {1, 2};
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    for (int hosts = 0; hosts < 2; hosts++) {
        struct dfopt_instances x = {.dict = hosts ? dict : NULL};
        for (size_t i = 0; i < N_OF(names); i++) {
            const dfopt_sym name = dfopt_dict_intern_z(dict, names[i]);
            const dfopt_sym want =
                hosts ? dfopt_dict_intern_z(dict, names[node_of[i]]) : name;
            dfopt_sym node;
            assert_int_equal(dfopt_instances_node(&x, name), want);
            assert_int_equal(dfopt_instances_enter(&x, name, &node), DFOPT_OK);
            assert_int_equal(node, want);
            assert_int_equal(dfopt_instances_know(&x, a, node, 20),
                             hosts && node_of[i] != (int)i);
            if (!dfopt_instances_know(&x, a, node, 20))
                assert_int_equal(dfopt_instances_add(&x, a, node, 20), DFOPT_OK);
        }
        dfopt_instances_free(&x);
    }
    dfopt_dict_destroy(dict);
}

/* ---- guards and registrations under a policy ---- */

static void the_first_guard_that_matches(void **state)
{
    (void)state;
    struct dfopt_guard guards[] = {
        {.finding_type = 7, .metric = DFOPT_METRIC_NONE, .above = NAN},
        {.finding_type = DFOPT_SYM_NONE, .metric = 4, .above = 0.9},
        {.finding_type = 8, .metric = 5, .above = 2},
        {.finding_type = 9, .metric = DFOPT_METRIC_NONE, .above = NAN},
    };
    const struct dfopt_policy p = {.guards = guards, .n_guards = 4};
    const struct {
        dfopt_sym type;
        double m4, m5; /* NaN: absent */
        size_t want;
        double x;
    } cases[] = {
        {7, 1.0, NAN, 0, NAN},
        {7, NAN, NAN, 0, NAN},
        {1, 0.95, NAN, 1, 0.95},
        {1, 0.9, NAN, 4, NAN},
        {8, NAN, 3, 2, 3},
        {8, NAN, 2, 4, NAN},
        {8, 0.95, 3, 1, 0.95},
        {9, 0.1, NAN, 3, NAN},
        {DFOPT_SYM_NONE, 1, 3, 1, 1},
        {DFOPT_SYM_NONE, NAN, 3, 4, NAN}, /* an objective has no type */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t has[DFOPT_METRIC_COUNT] = {0};
        double metric[DFOPT_METRIC_COUNT] = {0}, x = 0;
        if (!isnan(cases[i].m4))
            has[4] = DFOPT_METRIC_NUMBER;
        has[5] = DFOPT_METRIC_BAD;
        if (!isnan(cases[i].m5))
            has[5] = DFOPT_METRIC_NUMBER;
        metric[4] = isnan(cases[i].m4) ? 0 : cases[i].m4;
        metric[5] = isnan(cases[i].m5) ? 0 : cases[i].m5;
        const size_t got = dfopt_policy_guard(&p, cases[i].type, has, metric, &x);
        if (got != cases[i].want)
            fail_msg("case %zu: guard %zu", i, got);
        if (got < 4 && !(isnan(cases[i].x) ? isnan(x) : x == cases[i].x))
            fail_msg("case %zu: %g", i, x);
    }
}

static void registrations_that_a_policy_refuses(void **state)
{
    (void)state;
    struct dfopt_policy p;
    for (uint32_t carry = 0; carry < 2; carry++)
        for (uint32_t flaw = DFOPT_FLAW_NONE; flaw <= DFOPT_FLAW_KNOBS; flaw++) {
            const struct dfopt_registration r = {.flaw = flaw};
            struct dfopt_error err = {0};
            dfopt_policy_preset(&p, carry ? DFOPT_PRESET_UPSTREAM
                                          : DFOPT_PRESET_DEFAULT);
            const bool bad = flaw == DFOPT_FLAW_KNOBS
                                 ? carry
                                 : flaw != DFOPT_FLAW_NONE && !carry;
            assert_int_equal(dfopt_registration_check(&r, &p, &err),
                             bad ? DFOPT_ERR_SCHEMA : DFOPT_OK);
            assert_true(bad == (err.text[0] != '\0'));
        }
}

/* ---- objectives ---- */

static void medians(void **state)
{
    (void)state;
    const struct {
        double values[4];
        uint32_t n;
        double want;
    } cases[] = {{{5}, 1, 5},
                 {{3, 1}, 2, 2},
                 {{9, 1, 4}, 3, 4},
                 {{4, 1, 3, 2}, 4, 2.5},
                 {{-1, -1, 0, -1}, 4, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t behind = 0; behind < DFOPT_RING; behind++) {
            struct dfopt_series r = {0}; /* wherever in the ring they lie */
            for (uint32_t k = 0; k < cases[i].n + behind; k++)
                dfopt_series_take(&r, k, cases[i].values[k % cases[i].n], false);
            assert_true(dfopt_series_median(&r, cases[i].n, 0) == cases[i].want);
            if (cases[i].n + behind <= DFOPT_RING)
                assert_true(dfopt_series_median(&r, cases[i].n, behind) ==
                            cases[i].want);
        }
}

/* In every order. */
static void medians_of_three(void **state)
{
    (void)state;
    for (int i = 0; i < 27; i++) {
        const double v[] = {i % 3, i / 3 % 3, i / 9};
        struct dfopt_series r = {0};
        double want = v[0];
        for (int k = 0; k < 3; k++) {
            int less = 0, more = 0;
            for (int j = 0; j < 3; j++) {
                less += v[j] < v[k];
                more += v[j] > v[k];
            }
            want = less <= 1 && more <= 1 ? v[k] : want;
            dfopt_series_take(&r, k, v[k], false);
        }
        assert_true(dfopt_series_median(&r, 3, 0) == want);
    }
}

static void gains(void **state)
{
    (void)state;
    const struct {
        int goal;
        double before, now, want;
    } cases[] = {{1, 100, 110, 0.1}, {-1, 100, 110, -0.1}, {1, -100, -90, 0.1},
                 {1, 0, 3, 1},       {-1, 0, 3, -1},       {1, 0, -2, -1},
                 {1, 0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dfopt_site site = {.goal = (int8_t)cases[i].goal};
        assert_true(dfopt_site_gain(&site, cases[i].before, cases[i].now) ==
                    cases[i].want);
    }
}

static void the_ring_keeps_the_newest(void **state)
{
    (void)state;
    struct dfopt_policy policy;
    dfopt_policy_preset(&policy, DFOPT_PRESET_DEFAULT);
    struct dfopt_planner p = {.policy = &policy};
    struct dfopt_decisions out = {0};
    struct dfopt_pass s = dfopt_pass_begin(&p, 0, &out);
    struct dfopt_site site = {.goal = 1, .clock = 40};
    assert_true(isnan(dfopt_site_noise(&site)));
    for (int i = 0; i < 20; i++)
        dfopt_site_take(&s, &site, 2 * i, 100 + i % 2, 1);
    const struct dfopt_series *r = site.series;
    assert_int_equal(r->n, DFOPT_RING);
    assert_int_equal(r->n_diffs, DFOPT_RING);
    assert_int_equal(dfopt_series_window(r, DFOPT_RING), 8);
    assert_int_equal(dfopt_series_window(r, 1), 38);
    assert_int_equal(dfopt_series_count(r, 9, DFOPT_RING), DFOPT_RING - 1);
    assert_int_equal(dfopt_series_count(r, 39, DFOPT_RING), 0);
    assert_int_equal(dfopt_series_count(r, -5, DFOPT_RING), DFOPT_RING);
    assert_int_equal(dfopt_series_count(r, -5, 3), 3);
    assert_true(dfopt_site_noise(&site) == 2.22 * (1.0 / 100.5));
    assert_true(dfopt_site_band(&p, &site, 4, 4) ==
                2.0 * (2.22 * (1.0 / 100.5)) * sqrt(0.25 + 0.25));
    dfopt_site_take(&s, &site, 50, 7, -1); /* another goal: all is forgotten */
    assert_int_equal(r->n, 1);
    assert_int_equal(r->n_diffs, 0);
    assert_int_equal(site.goal, -1);
    dfopt_site_take(&s, &site, 51, 7, -1);
    site.since = 53;
    dfopt_site_take(&s, &site, 52, 9, -1); /* between two settings: no noise */
    dfopt_site_take(&s, &site, 53, 9, -1);
    assert_int_equal(r->n_diffs, 1);
    dfopt_site_take(&s, &site, 54, 9, -1);
    assert_int_equal(r->n_diffs, 2);
    assert_true(dfopt_series_noise(r, 1) == 0);
    free(site.series);
}

/* ---- backoffs ---- */

static void backoffs_end_on_a_grid(void **state)
{
    (void)state;
    const struct {
        int64_t least, window;
        uint32_t failures;
        int64_t want;
    } cases[] = {
        {24, 0, 0, 24},  {24, 1, 0, 48},    {24, 24, 0, 48},   {24, 14, 0, 48},
        {24, 10, 1, 72}, {24, 10, 6, 1560}, {24, 10, 9, 1560}, {1, 7, 0, 8},
        {0, 7, 3, 7},    {4, -6, 0, 0},     {4, -9, 0, -4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_policy policy = {.on.backoff_windows = cases[i].least};
        const struct dfopt_planner p = {.policy = &policy};
        struct dfopt_adjustment a = {.failures[0] = cases[i].failures};
        dfopt_back_off(&p, &a, 0, cases[i].window);
        if (a.until[0] != cases[i].want)
            fail_msg("case %zu: until %lld", i, (long long)a.until[0]);
        assert_int_equal(a.failures[0], cases[i].failures + 1);
        assert_true(dfopt_backed_off(&a, 0, cases[i].want - 1));
        assert_false(dfopt_backed_off(&a, 0, cases[i].want));
        assert_false(dfopt_backed_off(&a, 1, cases[i].want - 1));
    }
    assert_false(dfopt_backed_off(NULL, 0, 0));
}

static void relearning_keeps_failed_releases(void **state)
{
    (void)state;
    struct dfopt_adjustment a = {.proven = true,
                                 .hurt = true,
                                 .inconclusive = 3,
                                 .delta = dfopt_value_int(4),
                                 .failures = {1, 1, 1, 1, 1, 1}};
    struct dfopt_site site = {.first = &a, .isolate = true};
    dfopt_site_relearn(&site);
    for (uint32_t d = 0; d < DFOPT_MOVE_COUNT; d++)
        assert_int_equal(a.failures[d], d == DFOPT_MOVE_RELEASE);
    assert_false(a.proven || site.isolate);
    assert_true(a.hurt);
    assert_int_equal(a.inconclusive, 0);
    assert_int_equal(a.delta.i, 0);
}

/* ---- steps down ---- */

static void steps_down(void **state)
{
    (void)state;
    const struct {
        const char *name;
        uint32_t type;
        struct pf_value values[4];
        size_t n_values;
        struct pf_value low, now;
        double by;
        struct pf_value want;
    } cases[] = {
        {"int", DFOPT_KNOB_INT, {NUL}, 0, I(2), I(16), 3.5, I(13)},
        {"int, at least one", DFOPT_KNOB_INT, {NUL}, 0, I(2), I(4), 0.5, I(3)},
        {"int, not below", DFOPT_KNOB_INT, {NUL}, 0, I(2), I(3), 7, I(2)},
        {"float", DFOPT_KNOB_FLOAT, {NUL}, 0, R(1), R(3), 0.5, R(2.5)},
        {"at the bottom", DFOPT_KNOB_INT, {NUL}, 0, I(4), I(4), 1, I(4)},
        {"below it", DFOPT_KNOB_INT, {NUL}, 0, I(4), I(2), 1, I(2)},
        {"entries", DFOPT_KNOB_INT, {I(1), I(4), I(9)}, 3, I(1), I(9), 1, I(4)},
        {"first entry", DFOPT_KNOB_INT, {I(1), I(4), I(9)}, 3, I(4), I(1), 1, I(1)},
        {"no entry", DFOPT_KNOB_INT, {I(1), I(4)}, 2, I(1), I(3), 1, I(2)},
        {"texts", DFOPT_KNOB_STR, {NUL}, 0, S("a"), S("b"), 0, S("a")},
    };
    struct pf t;
    pf_open(&t, DFOPT_PRESET_DEFAULT, "steps down");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_value values[4];
        for (size_t k = 0; k < cases[i].n_values; k++)
            values[k] = pf_value(t.dict, cases[i].values[k]);
        const struct dfopt_knob k = {.type = cases[i].type,
                                     .has_values = cases[i].n_values > 0,
                                     .values = values,
                                     .n_values = cases[i].n_values};
        const struct dfopt_value got =
            dfopt_step_down(pf_planner(&t), &k, pf_value(t.dict, cases[i].low),
                            pf_value(t.dict, cases[i].now), cases[i].by);
        if (got.kind != pf_value(t.dict, cases[i].want).kind ||
            !dfopt_value_equal(t.dict, got, pf_value(t.dict, cases[i].want)))
            fail_msg("%s", cases[i].name);
    }
    pf_close(&t);
}

/* ---- budgets ---- */

static void budgets_cut_values(void **state)
{
    (void)state;
    const struct {
        const char *name;
        double capacity;
        struct pf_value other, old, new, want; /* NUL: no room */
        bool real, entries;
    } cases[] = {
        {"fits", 64, I(4), I(2), I(16), I(16), false, false},
        {"cut to a whole number", 30, I(4), I(2), I(16), I(7), false, false},
        {"cut to a real", 30, I(4), R(2), R(16), R(7.5), true, false},
        {"no room", 8, I(4), I(2), I(16), NUL, false, false},
        {"below", 0, I(4), I(2), I(1), I(1), false, false},
        {"nothing but free", 0, I(0), I(2), I(16), I(16), false, false},
        {"an entry", 36, I(4), I(1), I(16), I(8), false, true},
        {"no entry", 6, I(4), I(1), I(16), NUL, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pf t;
        pf_open(&t, DFOPT_PRESET_DEFAULT, cases[i].name);
        dfopt_sym names[] = {pf_sym(&t, "k"), pf_sym(&t, "other")};
        struct dfopt_budget_term term = {dfopt_value_int(1), {0, 2}};
        struct dfopt_budget budget = {.capacity = cases[i].capacity, .n_terms = 1};
        const struct dfopt_policy mine = t.policy;
        t.policy.names = names;
        t.policy.n_names = 2;
        t.policy.terms = &term;
        t.policy.n_terms = 1;
        t.policy.budgets = &budget;
        t.policy.n_budgets = 1;
        const uint32_t type = cases[i].real ? DFOPT_KNOB_FLOAT : DFOPT_KNOB_INT;
        struct pf_knob k = KNOB(.type = type, .dflt = cases[i].old);
        struct pf_knob other = KNOB(.id = "other", .dflt = cases[i].other);
        if (cases[i].entries)
            k = (struct pf_knob)KNOB(.dflt = cases[i].old,
                                     VALUES(I(1), I(2), I(8), I(16)));
        REGISTER(&t, k, other);
        struct dfopt_value new = pf_value(t.dict, cases[i].new);
        const bool fits = dfopt_budget_fit(t.planner, DFOPT_JOB_NODE, 0,
                                           pf_value(t.dict, cases[i].old), &new);
        const struct dfopt_value want = pf_value(t.dict, cases[i].want);
        if (fits != (want.kind != DFOPT_KIND_NULL) ||
            (fits &&
             (new.kind != want.kind || !dfopt_value_equal(t.dict, new, want))))
            fail_msg("%s: %d %g", cases[i].name, fits, dfopt_value_as_double(new));
        dfopt_planner_destroy(t.planner);
        t.planner = NULL;
        t.policy = mine;
        pf_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_come_and_leave),
        cmocka_unit_test(the_oldest_instance_is_forgotten),
        cmocka_unit_test(processes_of_a_node_by_its_other_names),
        cmocka_unit_test(the_first_guard_that_matches),
        cmocka_unit_test(registrations_that_a_policy_refuses),
        cmocka_unit_test(medians),
        cmocka_unit_test(medians_of_three),
        cmocka_unit_test(gains),
        cmocka_unit_test(the_ring_keeps_the_newest),
        cmocka_unit_test(backoffs_end_on_a_grid),
        cmocka_unit_test(relearning_keeps_failed_releases),
        cmocka_unit_test(steps_down),
        cmocka_unit_test(budgets_cut_values),
    };
    return cmocka_run_group_tests_name("planner parts", tests, NULL, NULL);
}
