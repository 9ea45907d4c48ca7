/* Values: their text against Python's repr, comparison, equality, names. */
#include "planner/planner_fixture.h"

struct text_case {
    double d;
    const char *want;
};

/* What CPython's repr gives. */
static void text_of_reals(void **state)
{
    (void)state;
    const struct text_case cases[] = {
        {0x0.0p+0, "0.0"},
        {-0x0.0p+0, "-0.0"},
        {0x1.0000000000000p+0, "1.0"},
        {-0x1.0000000000000p+0, "-1.0"},
        {0x1.999999999999ap-4, "0.1"},
        {0x1.999999999999ap-3, "0.2"},
        {0x1.3333333333334p-2, "0.30000000000000004"},
        {0x1.0000000000000p-1, "0.5"},
        {0x1.5555555555555p-2, "0.3333333333333333"},
        {0x1.5555555555555p-1, "0.6666666666666666"},
        {0x1.0000000000000p+3, "8.0"},
        {0x1.4000000000000p+3, "10.0"},
        {0x1.9000000000000p+6, "100.0"},
        {0x1.e240000000000p+16, "123456.0"},
        {0x1.18b54f22aeb00p+50, "1234567890123456.0"},
        {0x1.0000000000000p+53, "9007199254740992.0"},
        {0x1.0000000000000p+53, "9007199254740992.0"},
        {0x1.c6bf526340000p+49, "1000000000000000.0"},
        {0x1.1c37937e07fffp+53, "9999999999999998.0"},
        {0x1.1c37937e08000p+53, "1e+16"},
        {0x1.5ee2a2eb5a5c4p+53, "1.2345678901234568e+16"},
        {0x1.56a95319d63e1p+63, "1.2345678901234567e+19"},
        {0x1.6345785d8a000p+56, "1e+17"},
        {0x1.b1ae4d6e2ef50p+69, "1e+21"},
        {0x1.0f0cf064dd592p+73, "1e+22"},
        {0x1.52d02c7e14af6p+76, "1e+23"},
        {0x1.1eb2d66005835p+997, "1.5e+300"},
        {0x1.249ad2594c37dp+332, "1e+100"},
        {0x1.fffffffffffffp+1023, "1.7976931348623157e+308"},
        {-0x1.fffffffffffffp+1023, "-1.7976931348623157e+308"},
        {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {0x0.0000000000001p-1022, "5e-324"},
        {0x0.0000000000002p-1022, "1e-323"},
        {0x0.0000000000003p-1022, "1.5e-323"},
        {-0x0.0000000000001p-1022, "-5e-324"},
        {0x0.00000000003e8p-1022, "4.94e-321"},
        {0x0.012688b70e62bp-1022, "1e-310"},
        {0x0.00000000009c3p-1022, "1.2347e-320"},
        {0x1.0624dd2f1a9fcp-10, "0.001"},
        {0x1.a36e2eb1c432dp-14, "0.0001"},
        {0x1.02e4b6ce5dc68p-13, "0.00012345"},
        {0x1.4f8b588e368f1p-17, "1e-05"},
        {0x1.4f8b588e368f1p-17, "1e-05"},
        {0x1.a36371ea531a8p-14, "9.999e-05"},
        {0x1.ad7f29abcaf48p-24, "1e-07"},
        {0x1.421f5f40d8376p-23, "1.5e-07"},
        {0x1.edd2f1a9fbe77p+6, "123.456"},
        {0x1.a36e2eb1c432dp-15, "5e-05"},
        {0x1.3333333333334p-2, "0.30000000000000004"},
        {0x1.0000000000000p-44, "5.684341886080802e-14"},
        {0x1.0000000000000p-24, "5.960464477539063e-08"},
        {0x0.0000000000001p-1022, "5e-324"},
        {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
        {0x1.0000000000000p+89, "6.189700196426902e+26"},
        {0x1.0000000000000p-959, "2.0522684006491881e-289"},
        {0x1.0000000000000p-20, "9.5367431640625e-07"},
        {0x1.0000000000000p+52, "4503599627370496.0"},
        {0x1.0000000000000p+63, "9.223372036854776e+18"},
        {-0x1.0000000000000p+63, "-9.223372036854776e+18"},
        {0x1.fe07017c01026p-21, "9.5e-07"},
        {0x1.a6c7f25c821dap-1, "0.825744222443116"},
        {0x1.1000000000000p+4, "17.0"},
        {0x1.7e43c8800759dp+996, "1.0000000000000002e+300"},
        {0x1.1c37937e08000p+52, "5000000000000000.0"},
        {0x1.38a388a43c000p+53, "1.1e+16"},
        {0x1.fe185ca57c517p+78, "6.02214076e+23"},
        {NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char text[DFOPT_REAL_TEXT_SIZE];
        size_t n = dfopt_real_text(cases[i].d, text);
        if (strcmp(text, cases[i].want) != 0 || n != strlen(text))
            fail_msg("%a: got %s (%zu), want %s", cases[i].d, text, n,
                     cases[i].want);
    }
}

/* Digits of a decimal text without the zeros at its ends. */
static size_t digits_of(const char *text)
{
    size_t n = 0, zeros = 0;
    for (const char *p = text; *p && *p != 'e'; p++) {
        if (*p < '0' || *p > '9' || (n == 0 && *p == '0'))
            continue;
        if (*p == '0') {
            zeros++;
        } else {
            n += zeros + 1;
            zeros = 0;
        }
    }
    return n;
}

/* Whether a decimal of n digits, or one beside it in the last, reads as d. */
static bool n_digits_do(double d, int n)
{
    char text[40], *exponent;
    snprintf(text, sizeof text, "%.*e", n - 1, d);
    exponent = strchr(text, 'e');
    int e = atoi(exponent + 1) - (n - 1);
    *exponent = '\0';
    if (n > 1)
        memmove(text + 1, text + 2, strlen(text + 1)); /* the point */
    long long digits = strtoll(text, NULL, 10);
    for (int by = -1; by <= 1; by++) {
        snprintf(text, sizeof text, "%llde%d", digits + by, e);
        if (strtod(text, NULL) == d)
            return true;
    }
    return false;
}

static void check_shortest(double d)
{
    char text[DFOPT_REAL_TEXT_SIZE];
    size_t len = dfopt_real_text(d, text);
    int n = 1;
    if (len >= sizeof text || strlen(text) != len)
        fail_msg("%a: length %zu of %s", d, len, text);
    double back = strtod(text, NULL);
    if (memcmp(&back, &d, sizeof d) != 0)
        fail_msg("%a: %s reads as %a", d, text, back);
    if (!strpbrk(text, ".e"))
        fail_msg("%a: %s would be an integer", d, text);
    while (n < 17 && !n_digits_do(fabs(d), n))
        n++;
    if (d != 0 && digits_of(text) > (size_t)n)
        fail_msg("%a: %s has more than %d digits", d, text, n);
}

static void reals_read_back(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        double d;
        memcpy(&d, &random, sizeof d);
        if (isfinite(d))
            check_shortest(d);
        check_shortest((double)(random >> 40) / 1000);
        check_shortest((double)random);
        check_shortest((double)(random >> 11) * 0x1p-53);
    }
}

static void powers_of_two_read_back(void **state)
{
    (void)state;
    for (int e = -1021; e < 1024; e++)
        check_shortest(ldexp(1, e));
}

static void subnormals_read_back(void **state)
{
    (void)state;
    for (int e = -1074; e < -1021; e++) {
        check_shortest(ldexp(1, e));
        check_shortest(nextafter(ldexp(1, e), 0));
        check_shortest(-ldexp(1.375, e));
    }
}

struct compare_case {
    const char *name;
    int64_t i;
    double d;
    int want;
};

static void compare_int_real(void **state)
{
    (void)state;
    const struct compare_case cases[] = {
        {"equal", 2, 2.0, 0},
        {"before", 2, 2.5, -1},
        {"after", 3, 2.5, 1},
        {"before, negative", -3, -2.5, -1},
        {"after, negative", -2, -2.5, 1},
        {"zeros", 0, -0.0, 0},
        {"least positive", 0, 5e-324, -1},
        {"least negative", 0, -5e-324, 1},
        {"2^53+1 is not 2^53", 9007199254740993, 0x1p53, 1},
        {"-2^53-1 is not -2^53", -9007199254740993, -0x1p53, -1},
        {"the most and 2^63", INT64_MAX, 0x1p63, -1},
        {"the most and the real below 2^63", INT64_MAX, 0x1.fffffffffffffp62, 1},
        {"the least and -2^63", INT64_MIN, -0x1p63, 0},
        {"the least and the real below -2^63", INT64_MIN, -0x1.0000000000001p63, 1},
        {"the least and the real above -2^63", INT64_MIN, -0x1.fffffffffffffp62,
         -1},
        {"infinity", INT64_MAX, INFINITY, -1},
        {"-infinity", INT64_MIN, -INFINITY, 1},
        {"NaN", 0, NAN, 2},
        {"huge", 5, 1e300, -1},
        {"-huge", 5, -1e300, 1},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        int got = dfopt_compare_int_real(cases[i].i, cases[i].d);
        if (got != cases[i].want)
            fail_msg("%s: got %d, want %d", cases[i].name, got, cases[i].want);
    }
}

struct equal_case {
    const char *name;
    struct pf_value a, b;
    bool want;
};

static void equality(void **state)
{
    (void)state;
    const struct equal_case cases[] = {
        {"ints", I(2), I(2), true},
        {"other ints", I(2), I(3), false},
        {"int and real", I(2), R(2), true},
        {"int and another real", I(2), R(2.5), false},
        {"true and 1", B(true), I(1), true},
        {"true and 1.0", B(true), R(1), true},
        {"true and 2", B(true), I(2), false},
        {"false and 0", B(false), I(0), true},
        {"booleans", B(true), B(false), false},
        {"0.0 and -0.0", R(0), R(-0.0), true},
        {"NaN", R(NAN), R(NAN), false},
        {"2^53+1 and 2^53", I(9007199254740993), R(0x1p53), false},
        {"the most and 2^63", I(INT64_MAX), R(0x1p63), false},
        {"null", NUL, NUL, true},
        {"null and 0", NUL, I(0), false},
        {"null and false", NUL, B(false), false},
        {"null and an empty text", NUL, S(""), false},
        {"texts", S("a"), S("a"), true},
        {"other texts", S("a"), S("b"), false},
        {"a text and its number", S("2"), I(2), false},
        {"a text and NaN", S("nan"), R(NAN), false},
        {"empty texts", S(""), S(""), true},
        {"an empty text and 0", S(""), I(0), false},
        {"infinities", R(INFINITY), R(INFINITY), true},
    };
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_value a = pf_value(dict, cases[i].a),
                           b = pf_value(dict, cases[i].b);
        if (dfopt_value_equal(dict, a, b) != cases[i].want ||
            dfopt_value_equal(dict, b, a) != cases[i].want)
            fail_msg("%s", cases[i].name);
    }
    dfopt_dict_destroy(dict);
}

/* On a replica a text may have a number of its own and one of the authority. */
static void equality_of_local_texts(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, true), DFOPT_OK);
    struct dfopt_value local = dfopt_value_str(dfopt_dict_intern_z(dict, "a"));
    struct dfopt_value other = dfopt_value_str(dfopt_dict_intern_z(dict, "b"));
    assert_int_equal(dfopt_dict_define(dict, 9, "a", 1), DFOPT_OK);
    assert_true(local.str != 9);
    assert_true(dfopt_value_equal(dict, local, dfopt_value_str(9)));
    assert_true(dfopt_value_equal(dict, dfopt_value_str(9), local));
    assert_false(dfopt_value_equal(dict, other, dfopt_value_str(9)));
    dfopt_dict_destroy(dict);
}

static void as_double(void **state)
{
    (void)state;
    assert_true(dfopt_value_as_double(dfopt_value_int(-3)) == -3);
    assert_true(dfopt_value_as_double(dfopt_value_int(INT64_MAX)) == 0x1p63);
    assert_true(dfopt_value_as_double(dfopt_value_bool(true)) == 1);
    assert_true(dfopt_value_as_double(dfopt_value_real(2.5)) == 2.5);
    assert_true(isnan(dfopt_value_as_double(dfopt_value_null())));
    assert_true(isnan(dfopt_value_as_double(dfopt_value_str(0))));
}

static void order(void **state)
{
    (void)state;
    const struct dfopt_value two = dfopt_value_int(2), more = dfopt_value_real(2.5),
                             same = dfopt_value_real(2.0),
                             nan = dfopt_value_real(NAN),
                             most = dfopt_value_int(INT64_MAX);
    const struct {
        struct dfopt_value a, b;
        int order;
    } cases[] = {
        {two, most, -1},
        {most, two, 1},
        {two, two, 0},
        {two, more, -1},
        {more, two, 1},
        {two, same, 0},
        {same, more, -1},
        {more, same, 1},
        {most, dfopt_value_real(0x1p63), -1}, /* not rounded */
        {dfopt_value_real(0x1p63), most, 1},
        {nan, two, 2},
        {two, nan, 2},
        {nan, nan, 2},
        {dfopt_value_bool(true), two, 2},
        {two, dfopt_value_str(1), 2},
        {dfopt_value_null(), dfopt_value_null(), 2},
    };
    for (size_t i = 0; i < N_OF(cases); i++)
        if (dfopt_value_order(cases[i].a, cases[i].b) != cases[i].order)
            fail_msg("case %zu", i);
}

static void kinds(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct dfopt_value), 16);
    assert_true(dfopt_value_is_number(dfopt_value_int(0)));
    assert_true(dfopt_value_is_number(dfopt_value_real(0)));
    assert_false(dfopt_value_is_number(dfopt_value_bool(1)));
    assert_false(dfopt_value_is_number(dfopt_value_str(0)));
    assert_false(dfopt_value_is_number(dfopt_value_null()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_reals),
        cmocka_unit_test(reals_read_back),
        cmocka_unit_test(powers_of_two_read_back),
        cmocka_unit_test(subnormals_read_back),
        cmocka_unit_test(compare_int_real),
        cmocka_unit_test(equality),
        cmocka_unit_test(equality_of_local_texts),
        cmocka_unit_test(as_double),
        cmocka_unit_test(order),
        cmocka_unit_test(kinds),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
