/* Analysis windows. Each case is a line of calls: '(' start, ')' stop, 'f' flush,
 * '+' increase, '-' decrease, 'u' update to 3; below it what each returned. The
 * expected lines were written by DFOptimizer's own Window. */
#include "client_fixture.h"

static const struct {
    int64_t max;
    const char *calls, *returned;
    int64_t every_n, index, counter;
} cases[] = {
    {0, "()()()f", "1111110", 1, 3, 0},
    {0, "+()()()()f", "1100110010", 2, 2, 0},
    {0, "+()()()f", "11001101", 2, 2, 0},
    {0, "(+)()()f", "11001101", 2, 2, 0},
    {0, "++()()()f()()", "1110000011000", 4, 2, 2},
    {4, "+++()()()()()f", "11010000001101", 4, 2, 0},
    {0, "-()(-)f", "0111010", 1, 2, 0},
    {0, "u()()()()f", "1100001101", 3, 2, 0},
    {2, "u+()()f", "1010010", 2, 1, 0},
    {0, ")f()f", "00110", 1, 1, 0},
    {0, "+)()f)", "101010", 2, 1, 0},
    {0, "(+)(-)f", "1100110", 1, 1, 0},
    {0, "((()))f", "1111000", 1, 3, 0},
    {1, "+u()f", "00110", 1, 1, 0},
    {0, "u(-))f", "111100", 1, 1, 0},
    {0, "+f()+)-+)+()(f))u)ff)(-()-(f(u(-)(+(((()",
     "1010101101000100100001111011110111101010", 2, 8, 7},
    {3, "u(u((u+)())(())(-(-((f(+)f+(+))-((+-u(u)",
     "1100000110000101110111110111000111111100", 3, 11, 4},
    {3, "++)u-)-+(()))-))))(((((()(++((u+)f(f)(((",
     "1100100110100100001111111111100001110100", 3, 11, 3},
    {0, ")+f()((+((u()))((()f(-+-f)+f((-uu)(((f(f",
     "0101001101101001001011111010101100010111", 3, 8, 0},
    {1, "((+)((++-((--)))-)+u(u)(+(-()(-)(++)()()",
     "1101110001100100000010110101110110011111", 1, 14, 14},
    {8, ")+((()(+-u((f)-())(-(-u))+))-))())u-)+)(",
     "0110100111001011101010110100100100011101", 2, 7, 5},
    {0, ")(f))+(()-)+)+(((f())-(((+(((()()+f(fu)(",
     "0110011011010100111001010110001101111101", 3, 9, 1},
    {5, ")-uf(f)))+())((uf)(+(()u)(f()-(ff((+))((",
     "0010110001100001101100011111011101111010", 2, 9, 4},
    {8, "f)())))f)()((()-+((()(+ff(())(((()())(u)",
     "0011000001111110110100110100000100000010", 3, 9, 8},
    {3, "f))()))(-(+()())()(f(uu()+(())+-f(-(+(()",
     "0001100101101100011111000001000111011101", 2, 10, 4},
    {5, ")u)(u()())f(u+)()((())f())u)u-f(-)u)+f)+",
     "0101000010010100000010010010011101101100", 5, 5, 0},
    {5, "()()((f)+)-((())()-)u(+()(+ffu))fu)f(f)+",
     "1111111010111110110010110001010000001101", 5, 10, 0},
};

static bool call(struct dfopt_window *w, char what, struct dfopt_window_event *e)
{
    switch (what) {
    case '(':
        return dfopt_window_start(w, 10, e);
    case ')':
        return dfopt_window_stop(w, 20, e);
    case 'f':
        return dfopt_window_flush(w, 30, e);
    case '+':
        return dfopt_window_increase(w);
    case '-':
        return dfopt_window_decrease(w);
    default:
        return dfopt_window_update(w, 3);
    }
}

static void as_upstream(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_window w;
        dfopt_window_init(&w, cases[i].max);
        for (size_t j = 0; cases[i].calls[j]; j++) {
            bool want = cases[i].returned[j] == '1';
            if (call(&w, cases[i].calls[j], NULL) != want)
                fail_msg("%s: call %zu", cases[i].calls, j);
        }
        if (w.every_n != cases[i].every_n || w.index != cases[i].index ||
            w.counter != cases[i].counter)
            fail_msg("%s: every_n %d, index %d, counter %d", cases[i].calls,
                     (int)w.every_n, (int)w.index, (int)w.counter);
    }
}

static void events(void **state)
{
    (void)state;
    struct dfopt_window w;
    struct dfopt_window_event e;
    dfopt_window_init(&w, -5);
    assert_int_equal(w.max_every_n, 0);
    assert_true(dfopt_window_start(&w, 100, &e));
    assert_string_equal(e.name, "window.start");
    assert_true(e.start_ns == 100 && e.duration_ns == 0 && !e.flush);
    assert_true(e.window_index == 1 && e.every_n == 1 && e.counter == 1);
    assert_true(dfopt_window_stop(&w, 130, &e));
    assert_string_equal(e.name, "window.stop");
    assert_true(e.start_ns == 100 && e.duration_ns == 30 && !e.flush);
    assert_true(dfopt_window_increase(&w));
    assert_false(dfopt_window_start(&w, 140, &e)); /* 2 of 2 */
    assert_false(dfopt_window_flush(&w, 150, &e)); /* whole windows only */
    assert_true(dfopt_window_start(&w, 160, &e));
    assert_true(dfopt_window_flush(&w, 170, &e));
    assert_true(e.start_ns == 160 && e.duration_ns == 10 && e.flush);
    assert_int_equal(w.counter, 0);
    w.counter = 1; /* counted, but no window began: a part of one */
    assert_true(dfopt_window_flush(&w, 180, &e));
    assert_true(e.start_ns == 180 && e.duration_ns == 0 && e.window_index == 3);
}

static void bounds(void **state)
{
    (void)state;
    struct dfopt_window w;
    dfopt_window_init(&w, 0);
    for (int i = 0; i < 100; i++)
        dfopt_window_increase(&w);
    assert_true(w.every_n == (int64_t)1 << 62);
    assert_false(dfopt_window_increase(&w));
    assert_true(dfopt_window_update(&w, -3));
    assert_int_equal(w.every_n, 1);
    assert_false(dfopt_window_decrease(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_upstream),
        cmocka_unit_test(events),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
