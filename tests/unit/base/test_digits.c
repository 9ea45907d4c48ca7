/* Shortest digits: known ones, and the reals around each power of two and ten. */
#include "base/digits.h"
#include "support/unit.h"

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    double d;
    const char *digits;
    int exp10;
} cases[] = {
    {1, "1", 0},
    {10, "1", 1},
    {0.5, "5", -1},
    {0.1, "1", -1},
    {0.3, "3", -1},
    {0.1 + 0.2, "30000000000000004", -1},
    {1e22, "1", 22},
    {1e23, "1", 23},
    {5e-324, "5", -324},
    {2.2250738585072014e-308, "22250738585072014", -308},
    {1.7976931348623157e308, "17976931348623157", 308},
    {9007199254740992.0, "9007199254740992", 15},
    {123456.789, "123456789", 5},
    {4.35, "435", 0},
    {0.825744222443116, "825744222443116", -1},
    {1e-7, "1", -7},
    {1e15, "1", 15},
};

static void known(void **state)
{
    (void)state;
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
                                FE_TOWARDZERO};
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char digits[DFOPT_DIGITS_SIZE];
            fesetround(modes[m]);
            const int exp10 = dfopt_digits_shortest(cases[i].d, digits);
            fesetround(FE_TONEAREST);
            if (exp10 != cases[i].exp10 || strcmp(digits, cases[i].digits) != 0)
                fail_msg("%.17g, mode %zu: %s, %d", cases[i].d, m, digits, exp10);
        }
}

/* No shorter text reads back, and of the shortest none is nearer. */
static void check(double d)
{
    char digits[DFOPT_DIGITS_SIZE], text[64], nearest[64];
    const int exp10 = dfopt_digits_shortest(d, digits);
    const int n = (int)strlen(digits);
    snprintf(text, sizeof text, "%se%d", digits, exp10 - n + 1);
    if (strtod(text, NULL) != d)
        fail_msg("%.17g: %s", d, text);
    snprintf(nearest, sizeof nearest, "%.*e", n > 1 ? n - 2 : 0, d);
    if (n > 1 && strtod(nearest, NULL) == d)
        fail_msg("%.17g: %s, and %s would do", d, text, nearest);
}

static void around_powers(void **state)
{
    (void)state;
    for (int e = -1074; e < 1024; e++) {
        const double d = ldexp(1, e);
        check(d);
        check(nextafter(d, INFINITY) < INFINITY ? nextafter(d, INFINITY) : d);
        if (nextafter(d, 0) > 0)
            check(nextafter(d, 0));
    }
    for (int e = -323; e <= 308; e++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", e);
        const double d = strtod(text, NULL);
        check(d);
        check(nextafter(d, INFINITY));
        check(nextafter(d, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known),
        cmocka_unit_test(around_powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
