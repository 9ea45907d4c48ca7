/* Opening topics, with a module that has no broker. */
#include "net/mofka/link.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *there, *asked; /* the broker's topic; ours */
    const char *name;          /* the one that is opened; NULL: none */
    const char *text;          /* of the error, then */
} cases[] = {
    {"optimizer.plans", "optimizer.plans", "optimizer.plans", NULL},
    {"optimizer_plans", "optimizer.plans", "optimizer_plans", NULL},
    {"a_b_c", "a.b.c", "a_b_c", NULL},
    {"optimizer.plans", "optimizer_plans", NULL,
     "Mofka topic 'optimizer_plans' (group file 'optimizer.plans'): "},
    {"a_b.c", "a.b.c", NULL,
     "Mofka topic 'a.b.c' (group file 'a_b.c'): no such topic, nor one "
     "'a_b_c'"},
    {"plans", "acks", NULL, "Mofka topic 'acks' (group file 'plans'): "},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_mofka_link *l;
        struct dfopt_mofka_at at = {.name = NULL};
        struct dfopt_error err = {0};
        assert_int_equal(
            dfopt_mofka_link_create(&l, getenv("DFOPT_FAKE_MOFKA"), 60000, &err),
            DFOPT_OK);
        const enum dfopt_err e =
            dfopt_mofka_link_open(l, cases[i].there, cases[i].asked, &at, &err);
        assert_int_equal(e, cases[i].name ? DFOPT_OK : DFOPT_ERR_ARG);
        if (cases[i].name)
            assert_string_equal(at.name, cases[i].name);
        else
            assert_non_null(strstr(err.text, cases[i].text));
        assert_true(dfopt_mofka_link_destroy(l));
    }
}

static void test_no_module(void **state)
{
    (void)state;
    struct dfopt_mofka_link *l;
    struct dfopt_error err = {0};
    assert_int_equal(dfopt_mofka_link_create(&l, "/nowhere.so", 1000, &err),
                     DFOPT_ERR_STATE);
    assert_string_equal(err.text, "DFOPT_MOFKA_MODULE=/nowhere.so: "
                                  "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_no_module)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
