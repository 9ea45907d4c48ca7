/* What is counted where, and that the number of labels is bounded. */
#include "metrics/counts.h"
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dfopt_counts *create(struct dfopt_dict **dict)
{
    struct dfopt_counts *c = calloc(1, sizeof *c);
    assert_non_null(c);
    dfopt_counts_init(c);
    assert_int_equal(dfopt_dict_create(dict, false), DFOPT_OK);
    return c;
}

static void destroy(struct dfopt_counts *c, struct dfopt_dict *dict)
{
    dfopt_counts_free(c);
    dfopt_dict_destroy(dict);
    free(c);
}

static void test_labels_end(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    struct dfopt_counts *c = create(&dict);
    char name[32];
    for (int i = 0; i < 3 * DFOPT_LABELS; i++) {
        snprintf(name, sizeof name, "reason %d", i);
        for (int twice = 0; twice < 2; twice++)
            dfopt_counts_reject(c, dict, dfopt_dict_intern_z(dict, name));
    }
    assert_int_equal(c->reasons.n, DFOPT_LABELS + 1);
    assert_string_equal(c->reasons.name[1], "reason 0");
    assert_int_equal(c->rejects[1], 2);
    assert_int_equal(c->rejects[DFOPT_LABELS], 2);
    assert_int_equal(c->rejects[DFOPT_LABEL_OTHER], 2 * 2 * DFOPT_LABELS);
    destroy(c, dict);
}

/* Two names that are the same when they are clean share a row, so that no series
 * comes twice; so does one that is called "other". */
static void test_labels_are_clean(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *label;
    } cases[] = {{"app.k", 5, "app.k"},
                 {"app.k", 5, "app.k"},
                 {"a\0b", 3, "a?b"},
                 {"a?b", 3, "a?b"},
                 {"a\xff"
                  "b",
                  3, "a?b"},
                 {"caf\xc3\xa9", 5, "caf\xc3\xa9"},
                 {"caf\xc3", 4, "caf?"},
                 {"other", 5, "other"},
                 {"", 0, ""}};
    struct dfopt_dict *dict;
    struct dfopt_counts *c = create(&dict);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t row =
            dfopt_label_row(&c->knob_names, dict,
                            dfopt_dict_intern(dict, cases[i].text, cases[i].len));
        assert_string_equal(c->knob_names.name[row], cases[i].label);
    }
    assert_int_equal(c->knob_names.n, 6); /* other, app.k, a?b, two of caf, "" */
    assert_int_equal(dfopt_label_row(&c->knob_names, dict, DFOPT_SYM_NONE),
                     DFOPT_LABEL_OTHER);
    destroy(c, dict);
}

static void test_long_labels(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    struct dfopt_counts *c = create(&dict);
    char name[1000];
    memset(name, 'x', sizeof name);
    memcpy(name + DFOPT_LABEL_BYTES - 1, "\xc3\xa9", 2); /* across the cut */
    const uint32_t row = dfopt_label_row(
        &c->knob_names, dict, dfopt_dict_intern(dict, name, sizeof name));
    assert_int_equal(strlen(c->knob_names.name[row]), DFOPT_LABEL_BYTES - 1);
    destroy(c, dict);
}

static void test_ranks_end(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    struct dfopt_counts *c = create(&dict);
    for (uint32_t rank = 0; rank < 2 * DFOPT_LABELS; rank++)
        dfopt_counts_rank(c, rank)->bytes += 10;
    assert_int_equal(c->ranks[1].bytes, 10);
    assert_int_equal(c->ranks[DFOPT_LABELS].bytes, 10);
    assert_int_equal(c->ranks[DFOPT_LABEL_OTHER].bytes, 10 * DFOPT_LABELS);
    destroy(c, dict);
}

static uint64_t sum(const uint64_t *buckets, size_t n)
{
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += buckets[i];
    return all;
}

static void test_latency(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    struct dfopt_counts *c = create(&dict);
    dfopt_counts_latency(c, -5);     /* a clock that stands still */
    dfopt_counts_latency(c, 100000); /* at a bound: within */
    dfopt_counts_latency(c, 100001);
    dfopt_counts_latency(c, INT64_C(3600) * 1000000000);
    assert_int_equal(c->latency[0], 2);
    assert_int_equal(c->latency[1], 1);
    assert_int_equal(c->latency[DFOPT_LATENCY_BUCKETS], 1);
    assert_int_equal(sum(c->latency, DFOPT_LATENCY_BUCKETS + 1), 4);
    assert_true(fabs(c->latency_sum_s - 3600.000200001) < 1e-6);
    destroy(c, dict);
}

static void add_outcome(struct dfopt_decisions *d, dfopt_sym knob, uint32_t verdict,
                        bool kept, double gain)
{
    const struct dfopt_outcome_row row = {
        .knob = knob, .verdict = verdict, .kept = kept, .gain = gain};
    assert_int_equal(dfopt_buf_add(&d->outcomes, &row, sizeof row), DFOPT_OK);
}

static void test_decisions(void **state)
{
    (void)state;
    struct dfopt_dict *dict;
    struct dfopt_counts *c = create(&dict);
    struct dfopt_decisions d = {0};
    const dfopt_sym knob = dfopt_dict_intern_z(dict, "app.k");
    const struct dfopt_plan own = {.knob = knob, .relay_id = DFOPT_SYM_NONE};
    const struct dfopt_plan relayed = {.knob = knob, .relay_id = knob};
    const struct dfopt_ack_row ack = {.outcome = DFOPT_ACK_OUTCOME_APPLIED};
    const struct dfopt_relay_row relay = {.outcome = DFOPT_RELAY_SAME_VALUE};
    const struct dfopt_verdict_row verdict = {.verdict = DFOPT_VERDICT_PLANNED};
    assert_int_equal(dfopt_buf_add(&d.plans, &own, sizeof own), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&d.plans, &relayed, sizeof relayed), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&d.acks, &ack, sizeof ack), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&d.relays, &relay, sizeof relay), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&d.verdicts, &verdict, sizeof verdict),
                     DFOPT_OK);
    add_outcome(&d, knob, DFOPT_VERDICT_IMPROVED, true, 0.3);
    add_outcome(&d, knob, DFOPT_VERDICT_INCONCLUSIVE, true, NAN);
    add_outcome(&d, knob, DFOPT_VERDICT_NEUTRAL, false, 0);
    add_outcome(&d, knob, DFOPT_VERDICT_WORSE, false, -0.9);
    add_outcome(&d, knob, DFOPT_VERDICT_WITHDRAWN, false, NAN);
    dfopt_counts_decisions(c, dict, &d);
    const struct dfopt_knob_counts *k = &c->knobs[1];
    assert_string_equal(c->knob_names.name[1], "app.k");
    assert_int_equal(k->plans, 1);
    assert_int_equal(k->endings[DFOPT_ENDING_KEPT], 2);
    assert_int_equal(k->endings[DFOPT_ENDING_NEUTRAL], 1);
    assert_int_equal(k->endings[DFOPT_ENDING_REVERTED], 1);
    assert_int_equal(sum(k->gains, DFOPT_GAIN_BUCKETS + 1), 3);
    assert_int_equal(k->gains[0], 1);  /* -0.9 */
    assert_int_equal(k->gains[5], 1);  /* 0 */
    assert_int_equal(k->gains[10], 1); /* 0.3 */
    assert_int_equal(c->acks[DFOPT_ACK_OUTCOME_APPLIED], 1);
    assert_int_equal(c->relays[DFOPT_RELAY_SAME_VALUE], 1);
    assert_int_equal(c->verdicts[DFOPT_VERDICT_PLANNED], 1);
    dfopt_decisions_free(&d);
    destroy(c, dict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_end),  cmocka_unit_test(test_labels_are_clean),
        cmocka_unit_test(test_long_labels), cmocka_unit_test(test_ranks_end),
        cmocka_unit_test(test_latency),     cmocka_unit_test(test_decisions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
