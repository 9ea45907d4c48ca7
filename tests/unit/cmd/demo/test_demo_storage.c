/* Profiles of storage: their arithmetic, and which one a window has. */
#include "cmd/demo/storage.h"
#include "support/unit.h"

#include <math.h>
#include <stdlib.h>

#define MS INT64_C(1000000)

static void test_profile_of_a_window(void **state)
{
    (void)state;
    static const struct {
        enum demo_profile profile, step_to;
        int64_t window;
        enum demo_profile wanted;
    } cases[] = {
        {DEMO_LATENCY, DEMO_CONTENTION, 9, DEMO_LATENCY},
        {DEMO_BANDWIDTH, DEMO_CONTENTION, 1, DEMO_BANDWIDTH},
        {DEMO_CONTENTION, DEMO_LATENCY, 1, DEMO_CONTENTION},
        {DEMO_MEMORY, DEMO_LATENCY, 9, DEMO_MEMORY},
        {DEMO_STEP, DEMO_CONTENTION, 1, DEMO_LATENCY},
        {DEMO_STEP, DEMO_CONTENTION, 4, DEMO_LATENCY},
        {DEMO_STEP, DEMO_CONTENTION, 5, DEMO_CONTENTION},
        {DEMO_STEP, DEMO_MEMORY, 6, DEMO_MEMORY},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct demo_storage_options o = {
            .profile = cases[i].profile, .step_at = 5, .step_to = cases[i].step_to};
        if (demo_storage_profile(&o, cases[i].window) != cases[i].wanted)
            fail_msg("case %zu", i);
    }
}

/* 1 MB/s: 1000 bytes a millisecond, of which 10000 are saved up. */
static void test_a_bucket(void **state)
{
    (void)state;
    static const struct {
        int64_t at_ms;
        size_t bytes;
        int64_t wait_ms;
    } cases[] = {
        {1000, 4000, 0},  /* of what was saved up */
        {1000, 6000, 0},  /* the rest of it */
        {1000, 2000, 2},  /* at the rate, from here on */
        {1000, 3000, 5},  /* behind the one before */
        {1004, 1000, 2},  /* its end is at 1006 */
        {1006, 0, 0},     /* nothing costs nothing */
        {1016, 10000, 0}, /* saved up again */
        {9000, 12000, 2}, /* no more is saved up than that */
        {9001, 1000, 2},
    };
    struct demo_bucket b = {0};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const int64_t wait =
            demo_bucket_take(&b, 1000000, cases[i].at_ms * MS, cases[i].bytes);
        if (wait != cases[i].wait_ms * MS)
            fail_msg("case %zu: %g ms", i, (double)wait / (double)MS);
    }
}

/* Whatever the readers do, no more passes than the rate and what was saved up. */
static void test_a_bucket_holds_its_rate(void **state)
{
    (void)state;
    struct demo_bucket b = {0};
    const int64_t begin = 50 * MS, rate = 20000000;
    int64_t last = 0;
    double bytes = 0;
    for (int i = 0; i < 5000; i++) {
        const size_t n = (size_t)(i * 7919 % 30000);
        const int64_t now = begin + i * (MS / 10);
        last = now + demo_bucket_take(&b, rate, now, n);
        bytes += (double)n;
        const double most =
            (double)rate * (double)(last - begin + DEMO_BURST_NS) / 1e9;
        if (bytes > most + 5000) /* a part of a ns is lost at each */
            fail_msg("%d: %g bytes, %g may pass", i, bytes, most);
    }
    assert_true(last - begin > 5000 * (MS / 10)); /* it was the limit */
}

static void test_contention_peaks_where_it_says(void **state)
{
    (void)state;
    static const int64_t best[] = {1, 2, 4, 16, 64};
    assert_int_equal(demo_contention_ns(2 * MS, 4, 1, 9), 2 * MS);
    assert_int_equal(demo_contention_ns(2 * MS, 4, 4, 1), 2 * MS + 3 * MS / 2);
    assert_int_equal(demo_contention_ns(2 * MS, 4, 4, 9), 2 * MS + 3 * MS / 2);
    assert_int_equal(demo_contention_ns(2 * MS, 4, 16, 1), 32 * MS);
    assert_int_equal(demo_contention_ns(2 * MS, 4, 16, 0), 2 * MS + 3 * MS / 2);
    assert_int_equal(demo_contention_ns(2 * MS, 4, 16, 2),
                     2 * 32 * MS - 7 * MS / 2);
    for (size_t i = 0; i < N_OF(best); i++) {
        double most = 0;
        unsigned at = 0;
        for (unsigned n = 1; n <= 256; n++) {
            const double rate =
                (double)n / (double)demo_contention_ns(100 * MS, best[i], n, 1);
            if (rate > most * (1 + 1e-6)) {
                most = rate;
                at = n;
            }
        }
        assert_int_equal(at, best[i]);
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of any reads in a row: the mean is that of the formula, the luck differs as much
 * as the distribution says; another seed is another order. */
static void test_luck(void **state)
{
    (void)state;
    static const uint64_t starts[] = {0, 1, 777, 1000000, UINT64_C(1) << 32};
    static const struct {
        size_t at;
        double luck, within;
    } quantiles[] = {
        {20, 0, 0.001}, {100, 0.109, 0.03}, {180, 3.72, 0.3}, {195, 6.01, 0.3}};
    for (uint64_t seed = 0; seed < 8; seed++)
        for (size_t i = 0; i < N_OF(starts); i++) {
            double all[200], sum = 0;
            for (size_t k = 0; k < N_OF(all); k++) {
                all[k] = demo_luck(seed, starts[i] + k);
                sum += all[k];
            }
            qsort(all, N_OF(all), sizeof *all, by_size);
            if (fabs(sum / N_OF(all) - 1) > 0.07)
                fail_msg("seed %d from %g: mean %g", (int)seed, (double)starts[i],
                         sum / N_OF(all));
            for (size_t q = 0; q < N_OF(quantiles); q++)
                if (fabs(all[quantiles[q].at] - quantiles[q].luck) >
                    quantiles[q].within)
                    fail_msg("seed %d from %g: the read at %zu of 200: %g",
                             (int)seed, (double)starts[i], quantiles[q].at,
                             all[quantiles[q].at]);
        }
    assert_true(demo_luck(1, 5) == demo_luck(1, 5));
    assert_true(demo_luck(1, 5) != demo_luck(2, 5));
    assert_true(demo_luck(1, 5) != demo_luck(1, 6));
}

static void test_memory(void **state)
{
    (void)state;
    assert_int_equal(demo_memory_ns(2 * MS, 1000, 0), 2 * MS);
    assert_int_equal(demo_memory_ns(2 * MS, 1000, 1000), 2 * MS);
    assert_int_equal(demo_memory_ns(2 * MS, 1000, 1001), 10 * MS);
}

/* Readers that have ended do not contend. */
static void test_readers_are_those_under_way(void **state)
{
    (void)state;
    struct demo_storage s;
    const struct demo_storage_options o = {.profile = DEMO_CONTENTION,
                                           .best_readers = 4};
    demo_storage_init(&s, &o);
    for (int i = 0; i < 3; i++)
        demo_storage_begin(&s, 1, 1);
    assert_int_equal(s.readers, 3);
    for (int i = 0; i < 3; i++)
        demo_storage_end(&s);
    assert_int_equal(s.readers, 0);
    demo_storage_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profile_of_a_window),
        cmocka_unit_test(test_a_bucket),
        cmocka_unit_test(test_a_bucket_holds_its_rate),
        cmocka_unit_test(test_contention_peaks_where_it_says),
        cmocka_unit_test(test_luck),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_readers_are_those_under_way),
    };
    return cmocka_run_group_tests_name("demo_storage", tests, NULL, NULL);
}
