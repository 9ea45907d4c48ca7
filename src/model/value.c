/* Tagged values: comparing and writing them. */
#include "model/value.h"

#include "base/digits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int dfopt_compare_int_real(int64_t i, double d)
{
    if (isnan(d))
        return 2;
    if (d >= 0x1p63)
        return -1;
    if (d < -0x1p63)
        return 1;
    int64_t whole = (int64_t)d; /* toward zero; exact, for d is in range */
    if (i != whole)
        return i < whole ? -1 : 1;
    double rest = d - (double)whole;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

static bool is_whole(struct dfopt_value v)
{
    return v.kind == DFOPT_KIND_INT || v.kind == DFOPT_KIND_BOOL;
}

bool dfopt_value_equal(const struct dfopt_dict *dict, struct dfopt_value a,
                       struct dfopt_value b)
{
    if (a.kind == DFOPT_KIND_STR || b.kind == DFOPT_KIND_STR)
        return a.kind == b.kind && dfopt_dict_same(dict, a.str, b.str);
    if (a.kind == DFOPT_KIND_NULL || b.kind == DFOPT_KIND_NULL)
        return a.kind == b.kind;
    if (is_whole(a))
        return is_whole(b) ? a.i == b.i : dfopt_compare_int_real(a.i, b.d) == 0;
    return is_whole(b) ? dfopt_compare_int_real(b.i, a.d) == 0 : a.d == b.d;
}

int dfopt_value_order(struct dfopt_value a, struct dfopt_value b)
{
    if (!dfopt_value_is_number(a) || !dfopt_value_is_number(b))
        return 2;
    if (a.kind == DFOPT_KIND_INT && b.kind == DFOPT_KIND_INT)
        return (a.i > b.i) - (a.i < b.i);
    if (a.kind == DFOPT_KIND_INT)
        return dfopt_compare_int_real(a.i, b.d);
    if (b.kind == DFOPT_KIND_INT) {
        const int order = dfopt_compare_int_real(b.i, a.d);
        return order == 2 ? 2 : -order;
    }
    return isnan(a.d) || isnan(b.d) ? 2 : (a.d > b.d) - (a.d < b.d);
}

double dfopt_value_as_double(struct dfopt_value v)
{
    switch (v.kind) {
    case DFOPT_KIND_BOOL:
    case DFOPT_KIND_INT:
        return (double)v.i;
    case DFOPT_KIND_REAL:
        return v.d;
    default:
        return NAN;
    }
}

size_t dfopt_real_text(double d, char text[DFOPT_REAL_TEXT_SIZE])
{
    size_t size = DFOPT_REAL_TEXT_SIZE;
    if (isnan(d))
        return (size_t)snprintf(text, size, "NaN");
    const char *sign = signbit(d) ? "-" : "";
    if (isinf(d))
        return (size_t)snprintf(text, size, "%sInfinity", sign);
    if (d == 0)
        return (size_t)snprintf(text, size, "%s0.0", sign);
    char digits[DFOPT_DIGITS_SIZE];
    int exp10 = dfopt_digits_shortest(fabs(d), digits), n = (int)strlen(digits);
    if (exp10 < -4 || exp10 >= 16)
        return (size_t)snprintf(text, size, "%s%c%s%se%+03d", sign, digits[0],
                                n > 1 ? "." : "", digits + 1, exp10);
    if (exp10 < 0)
        return (size_t)snprintf(text, size, "%s0.%.*s%s", sign, -exp10 - 1, "000",
                                digits);
    if (n <= exp10 + 1) /* an integer so far: pad with zeros */
        return (size_t)snprintf(text, size, "%s%s%.*s.0", sign, digits,
                                exp10 + 1 - n, "0000000000000000");
    return (size_t)snprintf(text, size, "%s%.*s.%s", sign, exp10 + 1, digits,
                            digits + exp10 + 1);
}
