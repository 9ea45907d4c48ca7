/* Decisions: claims about gains, and the verdicts of withdrawn plans. */
#include "support/unit.h"

#include "model/decision.h"

#include <math.h>

struct claim_case {
    const char *name;
    double noise, gain;
    uint32_t base_n, now_n;
    double min_effect, standard_error; /* NAN: none */
    bool certain;
};

static const struct claim_case claims[] = {
    {"noise is not known", NAN, 0.5, 6, 6, 0.04, NAN, false},
    {"not judged by the objective", 0.1, NAN, 0, 0, 0.04, NAN, false},
    {"no windows before", 0.1, 0.5, 0, 6, 0.04, NAN, false},
    {"no windows after", 0.1, 0.5, 6, 0, 0.04, NAN, false},
    {"no noise, at min_effect", 0, 0.04, 6, 6, 0.04, 0, true},
    {"no noise, below min_effect", 0, 0.039, 6, 6, 0.04, 0, false},
    {"a loss is a claim too", 0, -0.04, 6, 6, 0.04, 0, true},
    {"two and two windows: 4.5 standard errors", 0.08, 0.451, 2, 2, 0.04, 0.1,
     true},
    {"less than 4.5", 0.08, 0.449, 2, 2, 0.04, 0.1, false},
    {"a loss, less than 4.5", 0.08, -0.449, 2, 2, 0.04, 0.1, false},
    {"eight and eight windows: 3.375", 0.16, 0.3376, 8, 8, 0.04, 0.1, true},
    {"less than 3.375", 0.16, 0.3374, 8, 8, 0.04, 0.1, false},
    {"four and one: 4.2", 0.16, 0.94, 4, 1, 0.04, 0.22360679774997896, true},
    {"less than 4.2", 0.16, 0.939, 4, 1, 0.04, 0.22360679774997896, false},
    {"one and one: 6", 0.08, 0.849, 1, 1, 0.04, 0.14142135623730951, true},
    {"less than 6", 0.08, 0.848, 1, 1, 0.04, 0.14142135623730951, false},
};

static void a_claim_needs_evidence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        const struct claim_case *c = &claims[i];
        const struct dfopt_outcome_row row = {.noise = c->noise,
                                              .gain = c->gain,
                                              .base_n = c->base_n,
                                              .now_n = c->now_n};
        const struct dfopt_outcome_claim got =
            dfopt_outcome_claim(&row, c->min_effect);
        const bool same =
            isnan(c->standard_error)
                ? isnan(got.standard_error)
                : fabs(got.standard_error - c->standard_error) < 1e-15;
        if (!same || got.certain != c->certain)
            fail_msg("%s: standard error %g, certain %d", c->name,
                     got.standard_error, got.certain);
    }
}

static void add_verdict(struct dfopt_decisions *d, uint64_t seq, uint32_t position)
{
    const struct dfopt_verdict_row row = {
        .seq = seq, .position = position, .verdict = DFOPT_VERDICT_PLANNED};
    assert_int_equal(dfopt_buf_add(&d->verdicts, &row, sizeof row), DFOPT_OK);
}

static void add_outcome(struct dfopt_decisions *d, uint64_t seq, uint32_t verdict,
                        dfopt_sym knob)
{
    const struct dfopt_outcome_row row = {.seq = seq,
                                          .position = DFOPT_POSITION_END,
                                          .verdict = verdict,
                                          .knob = knob,
                                          .node = 3};
    assert_int_equal(dfopt_buf_add(&d->outcomes, &row, sizeof row), DFOPT_OK);
}

static void withdrawn_plans_have_verdicts(void **state)
{
    static const struct {
        uint64_t seq;
        uint32_t verdict;
        dfopt_sym knob;
    } want[] = {{1, DFOPT_VERDICT_WITHDRAWN, 10}, {2, DFOPT_VERDICT_PLANNED, 0},
                {2, DFOPT_VERDICT_PLANNED, 0},    {2, DFOPT_VERDICT_WITHDRAWN, 11},
                {2, DFOPT_VERDICT_WITHDRAWN, 12}, {4, DFOPT_VERDICT_PLANNED, 0},
                {5, DFOPT_VERDICT_WITHDRAWN, 13}};
    struct dfopt_decisions d = {.verdicts = {0}};
    (void)state;
    assert_int_equal(dfopt_decisions_add_withdrawn(&d), DFOPT_OK);
    assert_int_equal(d.verdicts.len, 0);
    add_verdict(&d, 2, 0);
    add_verdict(&d, 2, DFOPT_POSITION_TAG);
    add_verdict(&d, 4, 0);
    add_outcome(&d, 1, DFOPT_VERDICT_WITHDRAWN, 10);
    add_outcome(&d, 2, DFOPT_VERDICT_IMPROVED, 9);
    add_outcome(&d, 2, DFOPT_VERDICT_WITHDRAWN, 11);
    add_outcome(&d, 2, DFOPT_VERDICT_WITHDRAWN, 12);
    add_outcome(&d, 5, DFOPT_VERDICT_WITHDRAWN, 13);
    assert_int_equal(dfopt_decisions_add_withdrawn(&d), DFOPT_OK);
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(&d.verdicts, const struct dfopt_verdict_row);
    assert_int_equal(DFOPT_ROWS(&d.verdicts, struct dfopt_verdict_row),
                     sizeof want / sizeof *want);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_int_equal(v[i].seq, want[i].seq);
        assert_int_equal(v[i].verdict, want[i].verdict);
        if (v[i].verdict != DFOPT_VERDICT_WITHDRAWN)
            continue;
        assert_int_equal(v[i].knob, want[i].knob);
        assert_int_equal(v[i].node, 3);
        assert_int_equal(v[i].tag, DFOPT_SYM_NONE);
        assert_int_equal(v[i].position, DFOPT_POSITION_END);
        assert_true(isnan(v[i].value) && isnan(v[i].threshold));
    }
    dfopt_decisions_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_needs_evidence),
        cmocka_unit_test(withdrawn_plans_have_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
