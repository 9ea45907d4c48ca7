/* Python's arithmetic on knob values. What is wanted was taken from CPython
 * (repr of the result, NULL where it raises or the result fits no knob). */
#include "number_fixture.h"

enum op { ADD, SUBTRACT, MULTIPLY, FLOOR_DIVIDE, MAX, MIN, LESS };

struct op_case {
    const char *name;
    enum op op;
    struct pf_value a, b;
    const char *want; /* NULL: there is no result */
};

static bool compute(struct dfopt_dict *dict, enum op op, struct dfopt_number a,
                    struct dfopt_number b, struct dfopt_number *out)
{
    bool less = false, ok;
    switch (op) {
    case ADD:
        return dfopt_number_add(dict, a, b, out);
    case SUBTRACT:
        return dfopt_number_subtract(a, b, out);
    case MULTIPLY:
        return dfopt_number_multiply(a, b, out);
    case FLOOR_DIVIDE:
        return dfopt_number_floor_divide(a, b, out);
    case MAX:
        return dfopt_number_max(a, b, out);
    case MIN:
        return dfopt_number_min(a, b, out);
    default:
        ok = dfopt_number_less(a, b, &less);
        if (ok)
            *out = dfopt_number_from(dfopt_value_bool(less));
        return ok;
    }
}

static void arithmetic(void **state)
{
    (void)state;
    const struct op_case cases[] = {
        {"add(2, 3)", ADD, I(2), I(3), "5"},
        {"add(9223372036854775807, 1)", ADD, I(INT64_MAX), I(1),
         "9223372036854775808"},
        {"add(9223372036854775807, 9223372036854775807)", ADD, I(INT64_MAX),
         I(INT64_MAX), "18446744073709551614"},
        {"add(-9223372036854775808, -9223372036854775808)", ADD, I(INT64_MIN),
         I(INT64_MIN), "-18446744073709551616"},
        {"add(True, 1)", ADD, B(true), I(1), "2"},
        {"add(True, True)", ADD, B(true), B(true), "2"},
        {"add(2, 0.5)", ADD, I(2), R(0.5), "2.5"},
        {"add(0.1, 0.2)", ADD, R(0.1), R(0.2), "0.30000000000000004"},
        {"add(9223372036854775807, 1.0)", ADD, I(INT64_MAX), R(1.0),
         "9.223372036854776e+18"},
        {"add(inf, 1)", ADD, R(INFINITY), I(1), "Infinity"},
        {"add(inf, -inf)", ADD, R(INFINITY), R(-INFINITY), "NaN"},
        {"add(`ab`, `c`)", ADD, S("ab"), S("c"), "'abc'"},
        {"add(``, ``)", ADD, S(""), S(""), "''"},
        {"add(`a`, 1)", ADD, S("a"), I(1), NULL},
        {"add(1, `a`)", ADD, I(1), S("a"), NULL},
        {"add(None, 1)", ADD, NUL, I(1), NULL},
        {"add(1, None)", ADD, I(1), NUL, NULL},
        {"add(-0.0, 0)", ADD, R(-0.0), I(0), "0.0"},
        {"add(-0.0, -0.0)", ADD, R(-0.0), R(-0.0), "-0.0"},
        {"add(1e+308, 1e+308)", ADD, R(1e+308), R(1e+308), "Infinity"},
        {"subtract(2, 3)", SUBTRACT, I(2), I(3), "-1"},
        {"subtract(-9223372036854775808, 1)", SUBTRACT, I(INT64_MIN), I(1),
         "-9223372036854775809"},
        {"subtract(-9223372036854775808, 9223372036854775807)", SUBTRACT,
         I(INT64_MIN), I(INT64_MAX), "-18446744073709551615"},
        {"subtract(9223372036854775807, -9223372036854775808)", SUBTRACT,
         I(INT64_MAX), I(INT64_MIN), "18446744073709551615"},
        {"subtract(True, True)", SUBTRACT, B(true), B(true), "0"},
        {"subtract(2, 0.5)", SUBTRACT, I(2), R(0.5), "1.5"},
        {"subtract(0.3, 0.1)", SUBTRACT, R(0.3), R(0.1), "0.19999999999999998"},
        {"subtract(inf, inf)", SUBTRACT, R(INFINITY), R(INFINITY), "NaN"},
        {"subtract(`ab`, `b`)", SUBTRACT, S("ab"), S("b"), NULL},
        {"subtract(None, 1)", SUBTRACT, NUL, I(1), NULL},
        {"subtract(1, `a`)", SUBTRACT, I(1), S("a"), NULL},
        {"subtract(False, 0.5)", SUBTRACT, B(false), R(0.5), "-0.5"},
        {"multiply(2, 3)", MULTIPLY, I(2), I(3), "6"},
        {"multiply(9223372036854775807, 9223372036854775807)", MULTIPLY,
         I(INT64_MAX), I(INT64_MAX), "85070591730234615847396907784232501249"},
        {"multiply(-9223372036854775808, -9223372036854775808)", MULTIPLY,
         I(INT64_MIN), I(INT64_MIN), "85070591730234615865843651857942052864"},
        {"multiply(-9223372036854775808, -1)", MULTIPLY, I(INT64_MIN), I(-1),
         "9223372036854775808"},
        {"multiply(9223372036854775807, 2)", MULTIPLY, I(INT64_MAX), I(2),
         "18446744073709551614"},
        {"multiply(True, 7)", MULTIPLY, B(true), I(7), "7"},
        {"multiply(True, False)", MULTIPLY, B(true), B(false), "0"},
        {"multiply(3, 1.5)", MULTIPLY, I(3), R(1.5), "4.5"},
        {"multiply(9223372036854775807, 2.0)", MULTIPLY, I(INT64_MAX), R(2.0),
         "1.8446744073709552e+19"},
        {"multiply(0, inf)", MULTIPLY, I(0), R(INFINITY), "NaN"},
        {"multiply(1e+200, 1e+200)", MULTIPLY, R(1e+200), R(1e+200), "Infinity"},
        {"multiply(None, 2)", MULTIPLY, NUL, I(2), NULL},
        {"multiply(2, None)", MULTIPLY, I(2), NUL, NULL},
        {"multiply(`a`, 1.5)", MULTIPLY, S("a"), R(1.5), NULL},
        {"multiply(-3, 0.0)", MULTIPLY, I(-3), R(0.0), "-0.0"},
        {"floor_divide(7, 2)", FLOOR_DIVIDE, I(7), I(2), "3"},
        {"floor_divide(-7, 2)", FLOOR_DIVIDE, I(-7), I(2), "-4"},
        {"floor_divide(7, -2)", FLOOR_DIVIDE, I(7), I(-2), "-4"},
        {"floor_divide(-7, -2)", FLOOR_DIVIDE, I(-7), I(-2), "3"},
        {"floor_divide(6, -2)", FLOOR_DIVIDE, I(6), I(-2), "-3"},
        {"floor_divide(0, -5)", FLOOR_DIVIDE, I(0), I(-5), "0"},
        {"floor_divide(-9223372036854775808, -1)", FLOOR_DIVIDE, I(INT64_MIN),
         I(-1), "9223372036854775808"},
        {"floor_divide(-9223372036854775808, 1)", FLOOR_DIVIDE, I(INT64_MIN), I(1),
         "-9223372036854775808"},
        {"floor_divide(9223372036854775807, -9223372036854775808)", FLOOR_DIVIDE,
         I(INT64_MAX), I(INT64_MIN), "-1"},
        {"floor_divide(-9223372036854775808, 9223372036854775807)", FLOOR_DIVIDE,
         I(INT64_MIN), I(INT64_MAX), "-2"},
        {"floor_divide(1, 9223372036854775807)", FLOOR_DIVIDE, I(1), I(INT64_MAX),
         "0"},
        {"floor_divide(-1, 9223372036854775807)", FLOOR_DIVIDE, I(-1), I(INT64_MAX),
         "-1"},
        {"floor_divide(7, 0)", FLOOR_DIVIDE, I(7), I(0), NULL},
        {"floor_divide(7, 0.0)", FLOOR_DIVIDE, I(7), R(0.0), NULL},
        {"floor_divide(7.5, 0)", FLOOR_DIVIDE, R(7.5), I(0), NULL},
        {"floor_divide(7, False)", FLOOR_DIVIDE, I(7), B(false), NULL},
        {"floor_divide(7, True)", FLOOR_DIVIDE, I(7), B(true), "7"},
        {"floor_divide(True, 2)", FLOOR_DIVIDE, B(true), I(2), "0"},
        {"floor_divide(7.5, 2)", FLOOR_DIVIDE, R(7.5), I(2), "3.0"},
        {"floor_divide(-7.5, 2)", FLOOR_DIVIDE, R(-7.5), I(2), "-4.0"},
        {"floor_divide(7.5, -2)", FLOOR_DIVIDE, R(7.5), I(-2), "-4.0"},
        {"floor_divide(-41.431399930077426, 0.1)", FLOOR_DIVIDE,
         R(-41.431399930077426), R(0.1), "-415.0"},
        {"floor_divide(-7.5, -2.5)", FLOOR_DIVIDE, R(-7.5), R(-2.5), "3.0"},
        {"floor_divide(7, 0.1)", FLOOR_DIVIDE, I(7), R(0.1), "69.0"},
        {"floor_divide(1.0, 0.1)", FLOOR_DIVIDE, R(1.0), R(0.1), "9.0"},
        {"floor_divide(0.3, 0.1)", FLOOR_DIVIDE, R(0.3), R(0.1), "2.0"},
        {"floor_divide(-0.3, 0.1)", FLOOR_DIVIDE, R(-0.3), R(0.1), "-3.0"},
        {"floor_divide(1e+308, 1e-10)", FLOOR_DIVIDE, R(1e+308), R(1e-10),
         "Infinity"},
        {"floor_divide(5.0, inf)", FLOOR_DIVIDE, R(5.0), R(INFINITY), "0.0"},
        {"floor_divide(-5.0, inf)", FLOOR_DIVIDE, R(-5.0), R(INFINITY), "-1.0"},
        {"floor_divide(5, -inf)", FLOOR_DIVIDE, I(5), R(-INFINITY), "-1.0"},
        {"floor_divide(inf, 2)", FLOOR_DIVIDE, R(INFINITY), I(2), "NaN"},
        {"floor_divide(nan, 2)", FLOOR_DIVIDE, R(NAN), I(2), "NaN"},
        {"floor_divide(2, nan)", FLOOR_DIVIDE, I(2), R(NAN), "NaN"},
        {"floor_divide(0.0, -3)", FLOOR_DIVIDE, R(0.0), I(-3), "-0.0"},
        {"floor_divide(-0.0, 3)", FLOOR_DIVIDE, R(-0.0), I(3), "-0.0"},
        {"floor_divide(0.0, 3.0)", FLOOR_DIVIDE, R(0.0), R(3.0), "0.0"},
        {"floor_divide(1e+17, 3)", FLOOR_DIVIDE, R(1e+17), I(3),
         "3.3333333333333332e+16"},
        {"floor_divide(9223372036854775807, 2.0)", FLOOR_DIVIDE, I(INT64_MAX),
         R(2.0), "4.611686018427388e+18"},
        {"floor_divide(6.0, 0.2)", FLOOR_DIVIDE, R(6.0), R(0.2), "29.0"},
        {"floor_divide(`a`, 2)", FLOOR_DIVIDE, S("a"), I(2), NULL},
        {"floor_divide(2, `a`)", FLOOR_DIVIDE, I(2), S("a"), NULL},
        {"floor_divide(None, 2)", FLOOR_DIVIDE, NUL, I(2), NULL},
        {"floor_divide(2, None)", FLOOR_DIVIDE, I(2), NUL, NULL},
        {"floor_divide(4.0, 2)", FLOOR_DIVIDE, R(4.0), I(2), "2.0"},
        {"floor_divide(5e-324, 2.0)", FLOOR_DIVIDE, R(5e-324), R(2.0), "0.0"},
        {"floor_divide(-5e-324, 2.0)", FLOOR_DIVIDE, R(-5e-324), R(2.0), "-1.0"},
        {"max(2, 3)", MAX, I(2), I(3), "3"},
        {"max(3, 2)", MAX, I(3), I(2), "3"},
        {"max(2, 2.0)", MAX, I(2), R(2.0), "2"},
        {"max(2.0, 2)", MAX, R(2.0), I(2), "2.0"},
        {"max(True, 1)", MAX, B(true), I(1), "true"},
        {"max(1, True)", MAX, I(1), B(true), "1"},
        {"max(0.0, -0.0)", MAX, R(0.0), R(-0.0), "0.0"},
        {"max(-0.0, 0.0)", MAX, R(-0.0), R(0.0), "-0.0"},
        {"max(nan, 1)", MAX, R(NAN), I(1), "NaN"},
        {"max(1, nan)", MAX, I(1), R(NAN), "1"},
        {"max(inf, 9223372036854775807)", MAX, R(INFINITY), I(INT64_MAX),
         "Infinity"},
        {"max(-inf, -9223372036854775808)", MAX, R(-INFINITY), I(INT64_MIN),
         "-9223372036854775808"},
        {"max(9223372036854775807, 9.223372036854776e+18)", MAX, I(INT64_MAX),
         R(9.223372036854776e+18), "9.223372036854776e+18"},
        {"max(9.223372036854776e+18, 9223372036854775807)", MAX,
         R(9.223372036854776e+18), I(INT64_MAX), "9.223372036854776e+18"},
        {"max(9007199254740993, 9007199254740992.0)", MAX, I(9007199254740993),
         R(9007199254740992.0), "9007199254740993"},
        {"max(9007199254740992.0, 9007199254740993)", MAX, R(9007199254740992.0),
         I(9007199254740993), "9007199254740993"},
        {"max(2, `a`)", MAX, I(2), S("a"), NULL},
        {"max(`a`, 2)", MAX, S("a"), I(2), NULL},
        {"max(None, 2)", MAX, NUL, I(2), NULL},
        {"max(2, None)", MAX, I(2), NUL, NULL},
        {"max(-9223372036854775808, -9.223372036854776e+18)", MAX, I(INT64_MIN),
         R(-9.223372036854776e+18), "-9223372036854775808"},
        {"max(-5, -4.5)", MAX, I(-5), R(-4.5), "-4.5"},
        {"max(-4, -4.5)", MAX, I(-4), R(-4.5), "-4"},
        {"min(2, 3)", MIN, I(2), I(3), "2"},
        {"min(3, 2)", MIN, I(3), I(2), "2"},
        {"min(2, 2.0)", MIN, I(2), R(2.0), "2"},
        {"min(2.0, 2)", MIN, R(2.0), I(2), "2.0"},
        {"min(True, 1)", MIN, B(true), I(1), "true"},
        {"min(1, True)", MIN, I(1), B(true), "1"},
        {"min(0.0, -0.0)", MIN, R(0.0), R(-0.0), "0.0"},
        {"min(-0.0, 0.0)", MIN, R(-0.0), R(0.0), "-0.0"},
        {"min(nan, 1)", MIN, R(NAN), I(1), "NaN"},
        {"min(1, nan)", MIN, I(1), R(NAN), "1"},
        {"min(inf, 9223372036854775807)", MIN, R(INFINITY), I(INT64_MAX),
         "9223372036854775807"},
        {"min(-inf, -9223372036854775808)", MIN, R(-INFINITY), I(INT64_MIN),
         "-Infinity"},
        {"min(9223372036854775807, 9.223372036854776e+18)", MIN, I(INT64_MAX),
         R(9.223372036854776e+18), "9223372036854775807"},
        {"min(9.223372036854776e+18, 9223372036854775807)", MIN,
         R(9.223372036854776e+18), I(INT64_MAX), "9223372036854775807"},
        {"min(9007199254740993, 9007199254740992.0)", MIN, I(9007199254740993),
         R(9007199254740992.0), "9007199254740992.0"},
        {"min(9007199254740992.0, 9007199254740993)", MIN, R(9007199254740992.0),
         I(9007199254740993), "9007199254740992.0"},
        {"min(2, `a`)", MIN, I(2), S("a"), NULL},
        {"min(None, 2)", MIN, NUL, I(2), NULL},
        {"min(2, None)", MIN, I(2), NUL, NULL},
        {"min(-5, -5.5)", MIN, I(-5), R(-5.5), "-5.5"},
        {"min(9, nan)", MIN, I(9), R(NAN), "9"},
        {"less(2, 3)", LESS, I(2), I(3), "true"},
        {"less(3, 2)", LESS, I(3), I(2), "false"},
        {"less(2, 2)", LESS, I(2), I(2), "false"},
        {"less(2, 2.5)", LESS, I(2), R(2.5), "true"},
        {"less(3, 2.5)", LESS, I(3), R(2.5), "false"},
        {"less(-3, -2.5)", LESS, I(-3), R(-2.5), "true"},
        {"less(-2, -2.5)", LESS, I(-2), R(-2.5), "false"},
        {"less(2.5, 3)", LESS, R(2.5), I(3), "true"},
        {"less(2.5, 2)", LESS, R(2.5), I(2), "false"},
        {"less(True, 2)", LESS, B(true), I(2), "true"},
        {"less(False, True)", LESS, B(false), B(true), "true"},
        {"less(nan, 1)", LESS, R(NAN), I(1), "false"},
        {"less(1, nan)", LESS, I(1), R(NAN), "false"},
        {"less(nan, nan)", LESS, R(NAN), R(NAN), "false"},
        {"less(9223372036854775807, 9.223372036854776e+18)", LESS, I(INT64_MAX),
         R(9.223372036854776e+18), "true"},
        {"less(9.223372036854776e+18, 9223372036854775807)", LESS,
         R(9.223372036854776e+18), I(INT64_MAX), "false"},
        {"less(-9223372036854775808, -9.223372036854776e+18)", LESS, I(INT64_MIN),
         R(-9.223372036854776e+18), "false"},
        {"less(-9.223372036854776e+18, -9223372036854775808)", LESS,
         R(-9.223372036854776e+18), I(INT64_MIN), "false"},
        {"less(9007199254740993, 9007199254740992.0)", LESS, I(9007199254740993),
         R(9007199254740992.0), "false"},
        {"less(9007199254740992.0, 9007199254740993)", LESS, R(9007199254740992.0),
         I(9007199254740993), "true"},
        {"less(-9007199254740993, -9007199254740992.0)", LESS, I(-9007199254740993),
         R(-9007199254740992.0), "true"},
        {"less(0, 1e+300)", LESS, I(0), R(1e+300), "true"},
        {"less(1e+300, 0)", LESS, R(1e+300), I(0), "false"},
        {"less(0, -1e+300)", LESS, I(0), R(-1e+300), "false"},
        {"less(0, inf)", LESS, I(0), R(INFINITY), "true"},
        {"less(0, -inf)", LESS, I(0), R(-INFINITY), "false"},
        {"less(inf, 0)", LESS, R(INFINITY), I(0), "false"},
        {"less(9223372036854775807, inf)", LESS, I(INT64_MAX), R(INFINITY), "true"},
        {"less(1, `a`)", LESS, I(1), S("a"), NULL},
        {"less(None, 1)", LESS, NUL, I(1), NULL},
        {"less(1, 5e-324)", LESS, I(1), R(5e-324), "false"},
        {"less(0, 5e-324)", LESS, I(0), R(5e-324), "true"},
        {"less(0, -5e-324)", LESS, I(0), R(-5e-324), "false"},
    };
    struct dfopt_dict *dict;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct op_case *c = &cases[i];
        struct dfopt_number a = dfopt_number_from(pf_value(dict, c->a)),
                            b = dfopt_number_from(pf_value(dict, c->b)),
                            out = untouched(dict);
        bool ok = compute(dict, c->op, a, b, &out);
        check(dict, c->name, ok, out, c->want);
    }
    dfopt_dict_destroy(dict);
}

/* Numbers beyond 64 bits live on between two steps of a computation. */
static void beyond_64_bits(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    struct dfopt_number most = dfopt_number_int(INT64_MAX), n, m, back;
    struct dfopt_value v = dfopt_value_int(7);
    bool less;
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    assert_true(dfopt_number_multiply(most, most, &n));
    assert_false(dfopt_number_value(n, &v));
    assert_int_equal(v.i, 7);
    assert_false(dfopt_number_cast(dict, DFOPT_KNOB_INT, n, &m));
    assert_true(dfopt_number_cast(dict, DFOPT_KNOB_FLOAT, n, &m));
    assert_true(m.d == 8.507059173023462e+37);
    assert_true(dfopt_number_cast(dict, DFOPT_KNOB_STR, n, &m));
    assert_string_equal(dfopt_dict_text(dict, m.str, NULL),
                        "85070591730234615847396907784232501249");
    assert_true(
        dfopt_number_less(n, dfopt_number_real(8.507059173023462e+37), &less));
    assert_true(less);
    assert_true(dfopt_number_floor_divide(n, most, &back));
    assert_true(dfopt_number_value(back, &v));
    assert_int_equal(v.i, INT64_MAX);
    assert_true(dfopt_number_min(most, n, &back));
    assert_true(dfopt_number_value(back, &v));
    assert_int_equal(v.i, INT64_MAX);
    dfopt_dict_destroy(dict);
}

static void truncation(void **state)
{
    (void)state;
    const struct {
        double d;
        bool ok;
        double want;
    } cases[] = {
        {2.9, true, 2},       {-2.9, true, -2},      {-0.5, true, 0},
        {1e18, true, 1e18},   {1e29, true, 1e29},    {1e30, true, 1e30},
        {-1e31, true, -1e31}, {1e308, true, 1e308},  {NAN, false, 0},
        {INFINITY, false, 0}, {-INFINITY, false, 0},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_number n;
        bool ok = dfopt_number_truncate(cases[i].d, &n);
        if (ok != cases[i].ok)
            fail_msg("truncate %g", cases[i].d);
        if (!ok)
            continue;
        double got = n.kind == DFOPT_KIND_REAL ? n.d : (double)n.i;
        if (got != cases[i].want)
            fail_msg("truncate %g: %g", cases[i].d, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(beyond_64_bits),
        cmocka_unit_test(truncation),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
