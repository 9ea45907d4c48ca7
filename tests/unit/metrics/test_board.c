/* Counts go over at most once a second, health at once; a loop that stands still
 * shows. */
#include "metrics/board.h"
#include "base/clock.h"
#include "support/unit.h"

#include <stdlib.h>

#define SECOND INT64_C(1000000000)

struct world {
    struct dfopt_board *board;
    struct dfopt_counts *counts;
    struct dfopt_snapshot *seen;
    int64_t now;
};

static void begin(struct world *w)
{
    w->counts = calloc(1, sizeof *w->counts);
    w->seen = calloc(1, sizeof *w->seen);
    assert_true(w->counts && w->seen);
    dfopt_counts_init(w->counts);
    assert_int_equal(dfopt_board_create(&w->board, "1.2.3", "zmq"), DFOPT_OK);
    w->now = dfopt_clock_monotonic_ns();
}

static void end(struct world *w)
{
    dfopt_board_destroy(w->board);
    dfopt_counts_free(w->counts);
    free(w->counts);
    free(w->seen);
}

static void test_starting(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    dfopt_board_read(w.board, w.now, w.seen);
    assert_false(dfopt_health_is_good(&w.seen->health));
    assert_string_equal(w.seen->health.problem[DFOPT_CHECK_LOOP], "starting");
    assert_true(w.seen->alive);
    assert_string_equal(w.seen->version, "1.2.3");
    end(&w);
    dfopt_board_destroy(NULL);
}

static void test_counts_once_a_second(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    const struct dfopt_health good = {0};
    w.counts->undecided = 1;
    assert_true(dfopt_board_due(w.board, w.now));
    dfopt_board_post(w.board, w.counts, &good, w.now);
    w.counts->undecided = 2;
    assert_false(dfopt_board_due(w.board, w.now + SECOND - 1));
    dfopt_board_post(w.board, w.counts, &good, w.now + SECOND - 1);
    dfopt_board_read(w.board, w.now + SECOND, w.seen);
    assert_int_equal(w.seen->counts.undecided, 1);
    assert_true(dfopt_health_is_good(&w.seen->health));
    dfopt_board_post(w.board, w.counts, &good, w.now + SECOND);
    dfopt_board_read(w.board, w.now + SECOND, w.seen);
    assert_int_equal(w.seen->counts.undecided, 2);
    end(&w);
}

static void test_health_at_once(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    struct dfopt_health bad = {0};
    const struct dfopt_health good = {0};
    dfopt_board_post(w.board, w.counts, &good, w.now);
    dfopt_health_add(&bad, DFOPT_CHECK_RANKS, "rank %d", 3);
    dfopt_health_add(&bad, DFOPT_CHECK_RANKS, "rank %d", 4); /* the first counts */
    dfopt_board_post(w.board, w.counts, &bad, w.now + 1);
    dfopt_board_read(w.board, w.now + 1, w.seen);
    assert_string_equal(w.seen->health.problem[DFOPT_CHECK_RANKS], "rank 3");
    assert_false(dfopt_health_is_good(&w.seen->health));
    dfopt_board_post(w.board, w.counts, &good, w.now + 2);
    dfopt_board_read(w.board, w.now + 2, w.seen);
    assert_true(dfopt_health_is_good(&w.seen->health));
    end(&w);
}

static void test_loop_stands_still(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    const struct dfopt_health good = {0};
    dfopt_board_post(w.board, w.counts, &good, w.now);
    dfopt_board_read(w.board, w.now + DFOPT_LOOP_SILENT_NS, w.seen);
    assert_true(dfopt_health_is_good(&w.seen->health));
    dfopt_board_read(w.board, w.now + 2 * SECOND, w.seen);
    assert_string_equal(w.seen->health.problem[DFOPT_CHECK_LOOP],
                        "no progress for 2.0 s: neither deciding nor waiting");
    assert_true(w.seen->alive);
    dfopt_board_read(w.board, w.now + DFOPT_LOOP_DEAD_NS + 1, w.seen);
    assert_false(w.seen->alive);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_starting),
                                       cmocka_unit_test(test_counts_once_a_second),
                                       cmocka_unit_test(test_health_at_once),
                                       cmocka_unit_test(test_loop_stands_still)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
