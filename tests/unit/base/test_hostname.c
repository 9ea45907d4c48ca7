/* Names of hosts: which are of the same host. */
#include "base/hostname.h"
#include "support/unit.h"

#include <string.h>

static const struct {
    const char *a, *b;
    bool same, equal;
} cases[] = {
    {"n1", "n1", true, true},
    {"n1", "N1", true, true},
    {"n1", "n1.", true, true},
    {"n1", "n1.cluster.example", true, false},
    {"N1", "n1.Cluster.Example.", true, false},
    {"n1.cluster.example", "n1.cluster.example.", true, true},
    {"n1.a.example", "N1.A.EXAMPLE", true, true},
    {"n1.a.example", "n1.b.example", false, false},
    {"n1.a", "n1.a.example", false, false}, /* two full names */
    {"n1", "n10", false, false},
    {"n1", "n10.cluster.example", false, false},
    {"n1", "n2.n1", false, false},
    {"n1", "n1-ib0", false, false},
    {"10.0.0.1", "10.0.0.1", true, true},
    {"10", "10.0.0.1", false, false}, /* an address has no labels */
    {"10.0.0.1", "10.0.0.2", false, false},
    {"fe80::1", "FE80::1", true, true},
    {"fe80::1.2.3.4", "fe80::1", false, false},
    {"", "", true, true},
    {"", "n1", false, false},
    {".", "", false, false},
    {".", ".", true, true},
    {".n1", "n1", false, false},
    {"n1..", "n1", true, false}, /* no name, but its first label */
    {"\xc3\xa4", "\xc3\x84", false, false},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        const char *a = cases[i].a, *b = cases[i].b;
        const size_t m = strlen(a), n = strlen(b);
        if (dfopt_hostname_same(a, m, b, n) != cases[i].same ||
            dfopt_hostname_same(b, n, a, m) != cases[i].same)
            fail_msg("same: '%s', '%s'", a, b);
        if (dfopt_hostname_equal(a, m, b, n) != cases[i].equal ||
            dfopt_hostname_equal(b, n, a, m) != cases[i].equal)
            fail_msg("equal: '%s', '%s'", a, b);
    }
    assert_int_equal(dfopt_hostname_label("n1.a.b", 6), 2);
    assert_int_equal(dfopt_hostname_label("10.0.0.1", 8), 8);
    assert_int_equal(dfopt_hostname_label("", 0), 0);
    assert_int_equal(dfopt_hostname_fold('Z'), 'z');
    assert_int_equal(dfopt_hostname_fold('['), '[');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
