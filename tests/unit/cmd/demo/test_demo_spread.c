/* The spread of latencies: which reads count, and how exactly. */
#include "cmd/demo/spread.h"
#include "support/unit.h"

#include <math.h>
#include <pthread.h>

#define MS INT64_C(1000000)

static void add(struct demo_spread *s, size_t n, int64_t ns)
{
    for (size_t i = 0; i < n; i++)
        demo_spread_add(s, ns);
}

/* Three groups of reads, from fast to slow. */
static void test_which_reads_count(void **state)
{
    (void)state;
    static const struct {
        size_t n[3];
        int64_t ns[3];
        double wanted; /* 0: no statement */
    } cases[] = {
        {{0}, {0}, 0},
        {{39, 0, 0}, {MS, 0, 0}, 0},
        {{40, 0, 0}, {MS, 0, 0}, 1},
        {{30, 9, 0}, {MS, 90 * MS, 0}, 0},
        {{1, 38, 1}, {1, MS, 900 * MS}, 1},         /* one hiccup */
        {{2, 36, 2}, {MS, 3 * MS, 12 * MS}, 12},    /* two are no accident */
        {{25, 950, 25}, {1, 2 * MS, 1000 * MS}, 1}, /* 2.5 % at each end */
        {{26, 948, 26}, {MS, 2 * MS, 30 * MS}, 30}, /* and more than that */
        {{500, 0, 500}, {MS, 0, 10 * MS}, 10},
        {{50, 0, 50}, {7, 0, INT64_MAX}, 1.2e18},
        {{50, 50, 0}, {-5, 31, 0}, 63}, /* 0.5 ns and 31.5 ns */
    };
    static struct demo_spread s;
    for (size_t i = 0; i < N_OF(cases); i++) {
        for (size_t k = 0; k < 3; k++)
            add(&s, cases[i].n[k], cases[i].ns[k]);
        const double found = demo_spread_take(&s);
        if (fabs(found - cases[i].wanted) > 0.07 * cases[i].wanted)
            fail_msg("case %zu: %g, wanted %g", i, found, cases[i].wanted);
        assert_true(demo_spread_take(&s) == 0); /* it was emptied */
    }
}

/* Times of all magnitudes are told apart to 6 %. */
static void test_how_exactly(void **state)
{
    (void)state;
    static struct demo_spread s;
    for (double ns = 100; ns < 1e17; ns *= 1.9)
        for (double ratio = 1; ratio < 50; ratio *= 1.37) {
            add(&s, 50, (int64_t)ns);
            add(&s, 50, (int64_t)(ns * ratio));
            const double found = demo_spread_take(&s);
            if (fabs(found / ratio - 1) > 0.065)
                fail_msg("%g ns, ratio %g: %g", ns, ratio, found);
        }
}

static void *reads(void *arg)
{
    for (int i = 0; i < 100; i++) {
        demo_spread_add(arg, MS);
        demo_spread_add(arg, 20 * MS);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    static struct demo_spread s;
    pthread_t ids[4];
    for (size_t i = 0; i < N_OF(ids); i++)
        assert_int_equal(pthread_create(&ids[i], NULL, reads, &s), 0);
    for (size_t i = 0; i < N_OF(ids); i++)
        pthread_join(ids[i], NULL);
    assert_true(fabs(demo_spread_take(&s) - 20) < 1.4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_reads_count),
        cmocka_unit_test(test_how_exactly),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("demo_spread", tests, NULL, NULL);
}
