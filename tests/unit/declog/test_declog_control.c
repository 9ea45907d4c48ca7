/* What control needs of a log: objectives, named metrics, acks as given, outcomes.
 */
#include "test_declog.h"

#include "declog/block.h"

static void read_rows(struct dfopt_declog_reader *r, enum dfopt_declog_table table,
                      size_t n, void *rows)
{
    assert_int_equal(dfopt_declog_reader_rows(r, table), n);
    assert_int_equal(dfopt_declog_reader_read(r, table, 0, n, rows, NULL),
                     DFOPT_OK);
}

static void metrics(uint8_t state[DFOPT_METRIC_COUNT],
                    double metric[DFOPT_METRIC_COUNT])
{
    state[DFOPT_METRIC_FETCH] = DFOPT_METRIC_NUMBER;
    metric[DFOPT_METRIC_FETCH] = 0.25;
    state[DFOPT_METRIC_KNOWN] = DFOPT_METRIC_NUMBER; /* the first that is named */
    metric[DFOPT_METRIC_KNOWN] = -7;
    state[DFOPT_METRIC_COUNT - 1] = DFOPT_METRIC_BAD;
}

static void check_metrics(const double metric[DFOPT_METRIC_COUNT], uint32_t bad)
{
    assert_int_equal(bad, 1u << (DFOPT_METRIC_COUNT - 1));
    for (uint32_t m = 0; m < DFOPT_METRIC_COUNT; m++)
        if (m == DFOPT_METRIC_FETCH)
            assert_true(metric[m] == 0.25);
        else if (m == DFOPT_METRIC_KNOWN)
            assert_true(metric[m] == -7);
        else
            assert_true(isnan(metric[m]));
}

static void inputs_keep_their_metrics(void **state)
{
    const struct fixture *f = *state;
    struct dfopt_numbered_objective o[2] = {
        {.seq = 3, .o = {.node = f->node, .goal = -1, .window = 4, .value = 1e300}},
        {.seq = 5, .o = {.node = DFOPT_SYM_EMPTY, .goal = 1, .value = -2.5}}};
    struct dfopt_finding_row in = {.seq = 4, .f = {.type = f->knob}};
    metrics(o[0].o.metric_state, o[0].o.metric);
    metrics(in.f.metric_state, in.f.metric);
    struct dfopt_declog *w = must_create(f, 1);
    assert_int_equal(dfopt_declog_objectives(w, o, 2), DFOPT_OK);
    assert_int_equal(dfopt_declog_findings(w, &in, 1), DFOPT_OK);
    must_commit(w, 6);
    must_close(w, true);

    struct dfopt_declog_reader *r = must_open(f->path);
    struct dfopt_declog_objective_row rows[2];
    struct dfopt_declog_finding_row finding;
    read_rows(r, DFOPT_TABLE_OBJECTIVES, 2, rows);
    assert_int_equal(rows[0].seq, 3);
    assert_int_equal(rows[0].node, f->node);
    assert_int_equal(rows[0].goal, -1);
    assert_int_equal(rows[0].window, 4);
    assert_true(rows[0].value == 1e300 && rows[1].value == -2.5);
    check_metrics(rows[0].metric, rows[0].bad_metrics);
    assert_int_equal(rows[1].node, DFOPT_SYM_EMPTY);
    assert_int_equal(rows[1].goal, 1);
    assert_true(isnan(rows[1].metric[DFOPT_METRIC_FETCH]));
    read_rows(r, DFOPT_TABLE_FINDINGS, 1, &finding);
    check_metrics(finding.metric, finding.bad_metrics);
    dfopt_declog_reader_close(r);
}

static void acks_are_kept_as_given(void **state)
{
    const struct fixture *f = *state;
    const struct dfopt_ack given[2] = {
        {.plan_id = 77,
         .known_form = 1,
         .knob = f->knob,
         .node = f->node,
         .has_nodes = 1,
         .window = 2},
        {.plan_id = 5, .knob = f->tag, .window = -1}};
    const struct dfopt_ack_row outcome = {.seq = 0,
                                          .plan_id = 99,
                                          .outcome = DFOPT_ACK_OUTCOME_ADOPTED,
                                          .knob = f->tag,
                                          .node = DFOPT_SYM_EMPTY,
                                          .window = DFOPT_WINDOW_NONE};
    const struct dfopt_declog_ack acks[2] = {
        {.seq = 0, .given = &given[0], .outcome = &outcome},
        {.seq = 1, .given = &given[1]}};
    struct dfopt_declog *w = must_create(f, 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(dfopt_declog_ack(w, &acks[i]), DFOPT_OK);
    must_commit(w, 2);
    must_close(w, true);

    struct dfopt_declog_reader *r = must_open(f->path);
    struct dfopt_declog_ack_row row[2];
    read_rows(r, DFOPT_TABLE_ACKS, 2, row);
    assert_int_equal(row[0].outcome, DFOPT_ACK_OUTCOME_ADOPTED);
    assert_int_equal(row[0].plan_id, 99);
    assert_int_equal(row[0].knob, f->tag);
    assert_int_equal(row[0].known_form, 1);
    assert_int_equal(row[0].given_id, 77);
    assert_int_equal(row[0].given_knob, f->knob);
    assert_int_equal(row[0].given_node, f->node);
    assert_int_equal(row[0].has_nodes, 1);
    assert_int_equal(row[1].known_form, 0);
    assert_int_equal(row[1].given_id, 0);
    assert_int_equal(row[1].given_knob, f->tag);
    assert_int_equal(row[1].given_node, DFOPT_SYM_EMPTY);
    assert_int_equal(row[1].has_nodes, 0);
    dfopt_declog_reader_close(r);
}

static void outcomes_say_how_sure_they_are(void **state)
{
    const struct fixture *f = *state;
    const struct dfopt_outcome_row in[2] = {{.seq = 1,
                                             .plan_id = 65536,
                                             .position = 3,
                                             .verdict = DFOPT_VERDICT_IMPROVED,
                                             .knob = f->knob,
                                             .node = f->node,
                                             .kept = 1,
                                             .base_n = 2,
                                             .now_n = 2,
                                             .planned = 4,
                                             .window = 8,
                                             .base = 10,
                                             .now = 15,
                                             .gain = 0.5,
                                             .threshold = 0.05,
                                             .noise = 0.08},
                                            {.seq = 2,
                                             .verdict = DFOPT_VERDICT_VOID,
                                             .base = NAN,
                                             .now = NAN,
                                             .gain = NAN,
                                             .threshold = NAN,
                                             .noise = NAN}};
    struct dfopt_declog_options o = log_options(f->path, 1);
    struct dfopt_declog *w = NULL;
    struct dfopt_decisions d = {.verdicts = {0}};
    o.min_effect = 0.35;
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, NULL), DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&d.outcomes, in, sizeof in), DFOPT_OK);
    assert_int_equal(dfopt_declog_decisions(w, &d), DFOPT_OK);
    dfopt_decisions_free(&d);
    must_commit(w, 3);
    must_close(w, true);

    struct dfopt_declog_reader *r = must_open(f->path);
    struct dfopt_declog_outcome_row row[2];
    read_rows(r, DFOPT_TABLE_OUTCOMES, 2, row);
    assert_memory_equal(&row[0].o, &in[0], sizeof in[0]);
    assert_true(fabs(row[0].standard_error - 0.1) < 1e-15);
    assert_int_equal(row[0].certain, 1);
    assert_int_equal(row[1].o.verdict, DFOPT_VERDICT_VOID);
    assert_true(isnan(row[1].o.gain) && isnan(row[1].standard_error));
    assert_int_equal(row[1].certain, 0);
    dfopt_declog_reader_close(r);
}

int main(void)
{
#define TEST(name)                                                                 \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(inputs_keep_their_metrics),
        TEST(acks_are_kept_as_given),
        TEST(outcomes_say_how_sure_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
