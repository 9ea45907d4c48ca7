/* What processes say of a plan, by the bounds of what is remembered. What is
 * counted how: tests/cli/test_tally.py. */
#include "state/tally.h"
#include "support/unit.h"

#include <stdio.h>

static struct dfopt_dict *dict;

static int setup(void **state)
{
    (void)state;
    return dfopt_dict_create(&dict, false) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    dfopt_dict_destroy(dict);
    return 0;
}

static uint32_t say(struct dfopt_tally *t, uint64_t plan, bool first,
                    dfopt_sym instance, uint32_t status)
{
    const struct dfopt_tally_ack ack = {
        .plan_id = plan, .first = first, .instance = instance, .status = status};
    uint32_t kind;
    assert_int_equal(dfopt_tally_add(t, &ack, &kind), DFOPT_OK);
    return kind;
}

/* The oldest plan gives way, whatever chain it is in. */
static void oldest_is_forgotten(void **state)
{
    (void)state;
    enum { KEPT = 5, PLANS = 1000 };
    struct dfopt_tally *t;
    assert_int_equal(dfopt_tally_create(&t, dict, KEPT), DFOPT_OK);
    for (uint64_t id = 1; id <= PLANS; id++) {
        assert_int_equal(say(t, id, true, DFOPT_SYM_EMPTY, DFOPT_ACK_APPLIED),
                         DFOPT_ACK_TALLY_FIRST);
        for (uint64_t old = id; old > 0 && old + 2 * KEPT > id; old--)
            assert_int_equal(dfopt_tally_of(t, old) != NULL, old + KEPT > id);
    }
    assert_int_equal(say(t, 1, false, DFOPT_SYM_EMPTY, DFOPT_ACK_REJECTED),
                     DFOPT_ACK_TALLY_NONE);
    assert_null(dfopt_tally_of(t, 0));
    dfopt_tally_destroy(t);
    dfopt_tally_destroy(NULL);
}

/* Each is counted once, however often it says so; those beyond the bound count
 * with each ack. */
static void many_processes(void **state)
{
    (void)state;
    enum { KNOWN = 4096 };
    struct dfopt_tally *t;
    char name[24];
    assert_int_equal(dfopt_tally_create(&t, dict, 0), DFOPT_OK);
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i <= KNOWN; i++) {
            snprintf(name, sizeof name, "p%d", i);
            const uint32_t kind = say(t, 7, true, dfopt_dict_intern_z(dict, name),
                                      i ? DFOPT_ACK_APPLIED : DFOPT_ACK_OTHER);
            assert_int_equal(kind, !twice && !i ? DFOPT_ACK_TALLY_FIRST
                                   : !twice || i == KNOWN
                                       ? DFOPT_ACK_TALLY_AGREES
                                       : DFOPT_ACK_TALLY_REPEATS);
        }
    const struct dfopt_tally_count *n = dfopt_tally_of(t, 7);
    assert_int_equal(n->applied, KNOWN + 1);
    assert_int_equal(n->other, 1);
    assert_int_equal(n->differ, 0);
    dfopt_tally_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(oldest_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(many_processes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
