/* Samples: functions of their seed, in range, and one point a slice. */
#include "model/sample.h"
#include "support/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define POINTS     50
#define DIMENSIONS 3

static void fill(enum dfopt_sample_method method, uint64_t seed, size_t dimensions,
                 double *u)
{
    assert_int_equal(dfopt_sample_fill(method, seed, POINTS, dimensions, u),
                     DFOPT_OK);
    for (size_t i = 0; i < POINTS * dimensions; i++)
        assert_true(u[i] >= 0 && u[i] < 1);
}

static size_t slices_hit(const double *u, size_t dimension)
{
    bool hit[POINTS] = {false};
    size_t n = 0;
    for (size_t i = 0; i < POINTS; i++) {
        const size_t slice = (size_t)(u[i * DIMENSIONS + dimension] * POINTS);
        n += !hit[slice];
        hit[slice] = true;
    }
    return n;
}

static void hypercube_hits_every_slice(void **state)
{
    (void)state;
    double u[POINTS * DIMENSIONS];
    fill(DFOPT_SAMPLE_LATIN_HYPERCUBE, 7, DIMENSIONS, u);
    for (size_t d = 0; d < DIMENSIONS; d++)
        assert_int_equal(slices_hit(u, d), POINTS);
    fill(DFOPT_SAMPLE_RANDOM, 7, DIMENSIONS, u);
    assert_true(slices_hit(u, 0) < POINTS);
}

static void seed_decides(void **state)
{
    (void)state;
    double a[POINTS * DIMENSIONS], b[POINTS * DIMENSIONS];
    for (int m = DFOPT_SAMPLE_RANDOM; m <= DFOPT_SAMPLE_LATIN_HYPERCUBE; m++) {
        fill((enum dfopt_sample_method)m, 1, DIMENSIONS, a);
        fill((enum dfopt_sample_method)m, 1, DIMENSIONS, b);
        assert_memory_equal(a, b, sizeof a);
        fill((enum dfopt_sample_method)m, 2, DIMENSIONS, b);
        assert_memory_not_equal(a, b, sizeof a);
    }
}

/* A dimension more leaves the others as they were. */
static void dimensions_are_apart(void **state)
{
    (void)state;
    double one[POINTS], three[POINTS * DIMENSIONS];
    fill(DFOPT_SAMPLE_LATIN_HYPERCUBE, 3, 1, one);
    fill(DFOPT_SAMPLE_LATIN_HYPERCUBE, 3, DIMENSIONS, three);
    for (size_t i = 0; i < POINTS; i++) {
        assert_true(one[i] == three[i * DIMENSIONS]);
        assert_true(one[i] != three[i * DIMENSIONS + 1]);
    }
}

/* The numbers themselves are part of what a seed means. */
static void numbers_are_fixed(void **state)
{
    (void)state;
    double u[2];
    assert_int_equal(dfopt_sample_fill(DFOPT_SAMPLE_RANDOM, 1, 2, 1, u), DFOPT_OK);
    assert_true(u[0] == 0x1.7906ac21d0e58p-2);
    assert_true(u[1] == 0x1.e31ad9d27ad9ep-1);
    assert_int_equal(dfopt_sample_fill(DFOPT_SAMPLE_RANDOM, 1, 0, 3, NULL),
                     DFOPT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hypercube_hits_every_slice),
        cmocka_unit_test(seed_decides),
        cmocka_unit_test(dimensions_are_apart),
        cmocka_unit_test(numbers_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
