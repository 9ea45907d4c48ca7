/* Idle time: what counts and what does not. */
#include "base/idle.h"
#include "support/unit.h"

#define S INT64_C(1000000000)

static void test_idle(void **state)
{
    (void)state;
    static const struct {
        int64_t at, want;
        bool came;
    } looks[] = {
        {5 * S, 0, false}, /* nothing has come yet */
        {6 * S, 0, false},
        {7 * S, 0, true},
        {7 * S + S / 2, S / 2, false},
        {8 * S, S, false},
        {8 * S, S, false},
        {3600 * S, 2 * S, false}, /* it was stopped for an hour */
        {3600 * S + S, 3 * S, false},
        {3602 * S, 0, true},
        {3603 * S, S, false},
    };
    struct dfopt_idle idle = {0};
    for (size_t i = 0; i < N_OF(looks); i++)
        if (dfopt_idle_look(&idle, looks[i].at, looks[i].came) != looks[i].want)
            fail_msg("look %zu: %lld", i, (long long)idle.spent_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_idle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
