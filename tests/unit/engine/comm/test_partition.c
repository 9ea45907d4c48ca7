/* Which planner owns a node. The values are for all time: logs of runs with the
 * same ranks are compared by them. All names of a host have one owner. */

#include "engine/comm/partition.h"
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAMES  10000
#define MOST   64 /* planners */
#define SIGMAS 5

static const struct {
    const char *node;
    uint32_t of_2, of_3, of_7, of_64, of_1000;
} golden[] = {
    {"", 0, 0, 1, 11, 175},        {"n", 1, 2, 5, 50, 795},
    {"nid0001", 1, 2, 6, 63, 987}, {"nid0002", 1, 2, 6, 63, 988},
    {"node17", 1, 2, 6, 59, 924},  {"node17.cluster.example.org", 1, 2, 6, 59, 924},
    {"NODE17.", 1, 2, 6, 59, 924}, {"x1000c0s0b0n0", 1, 2, 6, 57, 897},
    {"localhost", 0, 0, 0, 5, 86}, {"NID0001", 1, 2, 6, 63, 987},
    {" ", 1, 2, 6, 63, 984},       {"\xC3\xA9toile", 0, 1, 2, 22, 354},
};

static void test_golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(golden); i++) {
        const char *node = golden[i].node;
        const struct {
            uint32_t planners, owner;
        } want[] = {{1, 0},
                    {2, golden[i].of_2},
                    {3, golden[i].of_3},
                    {7, golden[i].of_7},
                    {64, golden[i].of_64},
                    {1000, golden[i].of_1000}};
        for (size_t j = 0; j < N_OF(want); j++) {
            const uint32_t got =
                dfopt_partition_owner(node, strlen(node), want[j].planners);
            if (got != want[j].owner)
                fail_msg("%s of %u planners: %u, not %u", node, want[j].planners,
                         got, want[j].owner);
        }
    }
}

/* A name is its bytes, a NUL among them too, and no more of them than said. */
static void test_bytes(void **state)
{
    (void)state;
    const uint32_t all = UINT32_MAX;
    assert_int_equal(dfopt_partition_owner("nid0001-rest", 7, all),
                     dfopt_partition_owner("nid0001", 7, all));
    assert_int_not_equal(dfopt_partition_owner("a\0b", 3, all),
                         dfopt_partition_owner("a\0c", 3, all));
    assert_int_not_equal(dfopt_partition_owner("a", 1, all),
                         dfopt_partition_owner("a\0", 2, all));
}

static const struct {
    const char *name, *format;
} clusters[] = {{"numbers", "%zu"},
                {"padded numbers", "nid%06zu"},
                {"domains", "node-%zu.cluster.example.org"},
                {"racks", "x%1$zu000c%1$zus%1$zub0n0"}};

/* However nodes are named, each planner has its share, within what chance does:
 * shares are close to binomial, and this asks for five standard deviations. */
static void test_spread(void **state)
{
    (void)state;
    char node[96];
    for (size_t c = 0; c < N_OF(clusters); c++) {
        for (uint32_t planners = 1; planners <= MOST; planners++) {
            const double p = 1.0 / planners, share = NAMES * p;
            const double most_off = SIGMAS * sqrt(share * (1 - p));
            unsigned count[MOST] = {0};
            for (size_t i = 0; i < NAMES; i++) {
                int n = snprintf(node, sizeof node, clusters[c].format, i);
                uint32_t owner = dfopt_partition_owner(node, (size_t)n, planners);
                if (owner >= planners)
                    fail_msg("%s: planner %u of %u", node, owner, planners);
                count[owner]++;
            }
            for (uint32_t i = 0; i < planners; i++)
                if (fabs(count[i] - share) > most_off)
                    fail_msg("%s: planner %u of %u has %u, not %.0f +- %.0f",
                             clusters[c].name, i, planners, count[i], share,
                             most_off);
        }
    }
}

/* The scaling of the hash: never the number of planners itself. */
static void test_many_planners(void **state)
{
    (void)state;
    static const uint32_t planners[] = {1, 1000, 65537, UINT32_MAX - 1, UINT32_MAX};
    char node[16];
    for (size_t i = 0; i < NAMES; i++) {
        int n = snprintf(node, sizeof node, "n%zu", i);
        for (size_t j = 0; j < N_OF(planners); j++)
            if (dfopt_partition_owner(node, (size_t)n, planners[j]) >= planners[j])
                fail_msg("%s has no owner of %u", node, planners[j]);
    }
}

static void test_ranks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int ranks;
        uint32_t planners;
        int first, last; /* ranks of planners */
    } cases[] = {{"alone", 1, 1, 0, 0},
                 {"two", 2, 1, 1, 1},
                 {"four", 4, 3, 1, 3},
                 {"many", 4097, 4096, 1, 4096}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        const int ranks = cases[i].ranks;
        const uint32_t planners = dfopt_partition_planners(ranks);
        if (planners != cases[i].planners ||
            dfopt_partition_rank(DFOPT_PARTITION_SPEAKER, ranks) !=
                cases[i].first ||
            dfopt_partition_rank(planners - 1, ranks) != cases[i].last)
            fail_msg("%s: %u planners", cases[i].name, planners);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_spread), cmocka_unit_test(test_many_planners),
        cmocka_unit_test(test_ranks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
