/* The grid: which settings there are, and which is the best. */
#include "cmd/demo/grid.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

static void test_settings(void **state)
{
    (void)state;
    static const struct {
        enum demo_grid_values values;
        unsigned threads, prefetch;
        const char *settings;
    } cases[] = {
        {DEMO_GRID_POWERS, 1, 1, "1/1 "},
        {DEMO_GRID_POWERS, 4, 3, "1/1 1/2 1/3 2/1 2/2 2/3 4/1 4/2 4/3 "},
        {DEMO_GRID_POWERS, 6, 1, "1/1 2/1 4/1 6/1 "},
        {DEMO_GRID_FULL, 3, 2, "1/1 1/2 2/1 2/2 3/1 3/2 "},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct demo_grid g = {.values = cases[i].values,
                              .max_threads = cases[i].threads,
                              .max_prefetch = cases[i].prefetch};
        char text[256] = "";
        while (demo_grid_next(&g) && strlen(text) < 200)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%u/%u ",
                     g.threads, g.prefetch);
        assert_string_equal(text, cases[i].settings);
    }
}

/* Each row is added; the best one by its number from 1. */
static void test_the_best(void **state)
{
    (void)state;
    static const struct {
        uint64_t samples[4];
        double mem_frac[4]; /* 0: no budget */
        int64_t best;
    } cases[] = {
        {{10, 30, 20, 5}, {0}, 2},
        {{10, 30, 30, 5}, {0}, 2}, /* the cheaper of equals */
        {{0, 0, 0, 0}, {0}, 1},
        {{10, 40, 20, 5}, {.5, 1.1, 1, .9}, 3}, /* the fastest holds too much */
        {{40, 10, 20, 5}, {1.1, .2, 1, .9}, 3},
        {{10, 20, 40, 5}, {2, 2, 2, 2}, 3}, /* all do */
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct demo_grid g = {.values = DEMO_GRID_FULL, .windows = 1};
        for (int k = 0; k < 4; k++)
            assert_true(demo_grid_add(
                &g, &(struct demo_window){.index = k + 1,
                                          .samples = cases[i].samples[k],
                                          .seconds = 1,
                                          .has_memory = cases[i].mem_frac[k] > 0,
                                          .mem_frac = cases[i].mem_frac[k]}));
        if (g.best.index != cases[i].best || g.settings != 4)
            fail_msg("case %zu: the best is %d", i, (int)g.best.index);
    }
}

static void test_the_median(void **state)
{
    (void)state;
    static const struct {
        size_t windows;
        uint64_t samples[5], median;
    } cases[] = {
        {1, {7}, 7},          {2, {9, 4}, 4},          {3, {9, 1, 5}, 5},
        {4, {8, 6, 2, 4}, 4}, {5, {1, 1, 9, 8, 3}, 3},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct demo_grid g = {.windows = cases[i].windows};
        for (size_t k = 0; k < 2 * cases[i].windows; k++) { /* two settings alike */
            const struct demo_window w = {
                .samples = cases[i].samples[k % cases[i].windows], .seconds = 1};
            assert_int_equal(demo_grid_add(&g, &w),
                             (k + 1) % cases[i].windows == 0);
        }
        assert_int_equal(g.settings, 2);
        assert_int_equal(g.best.samples, cases[i].median);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_the_best),
        cmocka_unit_test(test_the_median),
    };
    return cmocka_run_group_tests_name("demo_grid", tests, NULL, NULL);
}
