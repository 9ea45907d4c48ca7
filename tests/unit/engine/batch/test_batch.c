/* Rounds: what several planners reported comes together in the order of the
 * events. DFOPT_BATCH_SEED in the environment makes the random batches others. */

#include "engine/batch/batch.h"
#include "support/random.h"
#include "support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SEQ ((uint64_t)1 << 33)
#define MANY      200 /* random batches a case */

static void add(struct dfopt_buf *b, const void *row, size_t n)
{
    assert_int_equal(dfopt_buf_add(b, row, n), DFOPT_OK);
}

/* ---- batches whose answer is known ---- */

struct sample {
    const char *name;
    struct dfopt_batch batch;
    struct dfopt_decisions want; /* what the merge is to give */
    uint64_t seed;
};

static void sample_free(struct sample *s)
{
    dfopt_batch_free(&s->batch);
    dfopt_decisions_free(&s->want);
}

static void sample_reset(struct sample *s, uint64_t number)
{
    dfopt_batch_reset(&s->batch, number, FIRST_SEQ + number);
    dfopt_decisions_clear(&s->want);
}

static void add_event(struct sample *s, uint32_t reporter)
{
    add(&s->batch.reporter, &reporter, sizeof reporter);
    s->batch.n_events++;
}

/* Rows of one event, as a planner reports them, into `d` and what is wanted. */
static void report(struct sample *s, uint64_t seq, struct dfopt_decisions *d)
{
    const uint64_t verdicts = random_next(&s->seed) % 4;
    for (uint32_t i = 0; i < verdicts; i++) {
        const struct dfopt_verdict_row v = {.seq = seq,
                                            .position = i,
                                            .verdict = DFOPT_VERDICT_PLANNED,
                                            .value = (double)random_next(&s->seed)};
        const struct dfopt_plan p = {
            .seq = seq, .position = i, .plan_id = seq << 16 | i};
        add(&d->verdicts, &v, sizeof v);
        add(&s->want.verdicts, &v, sizeof v);
        if (v.value > 0x1p62) {
            add(&d->plans, &p, sizeof p);
            add(&s->want.plans, &p, sizeof p);
        }
    }
    if (random_next(&s->seed) % 4 == 0) {
        const struct dfopt_suppression_row r[] = {{.seq = seq, .tag = 1},
                                                  {.seq = seq, .tag = 2}};
        add(&d->suppressions, r, sizeof r);
        add(&s->want.suppressions, r, sizeof r);
    }
    if (random_next(&s->seed) % 8 == 0) {
        const struct dfopt_relay_row r = {.seq = seq, .severity = 0.5};
        add(&d->relays, &r, sizeof r);
        add(&s->want.relays, &r, sizeof r);
    }
}

/* A record that could not be used. Only of a finding the log has a verdict. */
static void reject(struct sample *s, uint64_t seq, uint32_t stream)
{
    const struct dfopt_declog_reject_row row = {.seq = seq, .stream = stream};
    const struct dfopt_verdict_row v = {.seq = seq,
                                        .verdict = DFOPT_VERDICT_INVALID,
                                        .tag = DFOPT_SYM_NONE,
                                        .knob = DFOPT_SYM_NONE,
                                        .node = DFOPT_SYM_EMPTY,
                                        .value = __builtin_nan(""),
                                        .threshold = __builtin_nan("")};
    add_event(s, DFOPT_REPORTER_NONE);
    add(&s->batch.rejects, &row, sizeof row);
    if (stream == DFOPT_STREAM_FINDING)
        add(&s->want.verdicts, &v, sizeof v);
}

/* An ack, asked of all; `by` knows the plan, or nobody does (of the others some
 * say so, and some say nothing). */
static void ack(struct sample *s, uint64_t seq, uint32_t by)
{
    const struct dfopt_batch_ack given = {.seq = seq};
    const struct dfopt_ack_row none = {.seq = seq, .window = DFOPT_WINDOW_NONE};
    const struct dfopt_ack_row match = {.seq = seq,
                                        .plan_id = seq * 3,
                                        .outcome = DFOPT_ACK_OUTCOME_APPLIED,
                                        .knob = by,
                                        .window = 7,
                                        .value = dfopt_value_int(5)};
    add_event(s, DFOPT_REPORTER_NONE);
    add(&s->batch.acks, &given, sizeof given);
    for (uint32_t i = 0; i < s->batch.n_shares; i++) {
        struct dfopt_buf *acks = &s->batch.shares[i].results.acks;
        if (i == by)
            add(acks, &match, sizeof match);
        else if (random_next(&s->seed) % 2)
            add(acks, &none, sizeof none);
    }
    add(&s->want.acks, by < s->batch.n_shares ? &match : &none, sizeof match);
}

struct shape {
    const char *name;
    uint32_t planners, events;
    unsigned rejects, acks; /* per cent */
};

static void fill(struct sample *s, const struct shape *shape)
{
    static const uint32_t streams[] = {DFOPT_STREAM_FINDING, DFOPT_STREAM_FINDING,
                                       DFOPT_STREAM_ACK, DFOPT_STREAM_REGISTRATION};
    for (uint32_t i = 0; i < shape->events; i++) {
        const uint64_t seq = s->batch.first_seq + i;
        const uint64_t dice = random_next(&s->seed) % 100;
        const uint32_t planner =
            (uint32_t)(random_next(&s->seed) % (shape->planners + 1));
        if (dice < shape->rejects) {
            reject(s, seq, streams[random_next(&s->seed) % N_OF(streams)]);
        } else if (dice < shape->rejects + shape->acks) {
            ack(s, seq, planner); /* the last of the numbers: nobody */
        } else if (planner < shape->planners) {
            add_event(s, planner);
            report(s, seq, &s->batch.shares[planner].results);
        } else { /* a registration: all are given it, nobody reports */
            add_event(s, DFOPT_REPORTER_NONE);
        }
    }
}

static void same(const char *name, const char *what, const struct dfopt_buf *got,
                 const struct dfopt_buf *want)
{
    if (got->len != want->len ||
        (got->len && memcmp(got->data, want->data, got->len)))
        fail_msg("%s: %s: %zu bytes that are not the %zu that were wanted", name,
                 what, got->len, want->len);
}

static void expect(const struct sample *s)
{
    const struct dfopt_decisions *got = &s->batch.merged, *want = &s->want;
    same(s->name, "verdicts", &got->verdicts, &want->verdicts);
    same(s->name, "plans", &got->plans, &want->plans);
    same(s->name, "suppressions", &got->suppressions, &want->suppressions);
    same(s->name, "acks", &got->acks, &want->acks);
    same(s->name, "relays", &got->relays, &want->relays);
}

static void must_merge(struct sample *s)
{
    enum dfopt_err e = dfopt_batch_merge(&s->batch);
    if (e)
        fail_msg("%s: %s", s->name, dfopt_err_text(e));
    expect(s);
}

static const struct shape shapes[] = {
    {"nothing, one planner", 1, 0, 0, 0},
    {"nothing, four planners", 4, 0, 0, 0},
    {"one planner", 1, 50, 0, 0},
    {"one planner, rejects", 1, 50, 20, 0},
    {"one planner, acks", 1, 50, 0, 20},
    {"one planner, all rejects", 1, 20, 100, 0},
    {"two planners", 2, 50, 0, 0},
    {"three planners, rejects", 3, 60, 20, 0},
    {"three planners, acks", 3, 60, 0, 30},
    {"seven planners, everything", 7, 100, 15, 15},
    {"seven planners, all rejects", 7, 20, 100, 0},
    {"seven planners, all acks", 7, 20, 0, 100},
    {"more planners than events", 64, 10, 10, 10},
};

/* The same struct again and again: nothing of a batch shows in the next. */
static void test_merge(void **state)
{
    (void)state;
    const char *given = getenv("DFOPT_BATCH_SEED");
    for (size_t i = 0; i < N_OF(shapes); i++) {
        struct sample s = {.name = shapes[i].name,
                           .seed = given ? strtoull(given, NULL, 0) | 1
                                         : 0x9e3779b97f4a7c15u};
        assert_int_equal(dfopt_batch_init(&s.batch, shapes[i].planners), DFOPT_OK);
        for (uint64_t n = 0; n < MANY; n++) {
            sample_reset(&s, n);
            fill(&s, &shapes[i]);
            must_merge(&s);
        }
        sample_free(&s);
    }
}

/* One planner's rows are taken as they are; with another planner that has none
 * they go the long way, and come out the same. */
static void test_single_share(void **state)
{
    (void)state;
    const struct shape shape = {"one of one, one of two", 1, 80, 0, 0};
    struct sample one = {.name = shape.name, .seed = 1},
                  two = {.name = shape.name, .seed = 1};
    assert_int_equal(dfopt_batch_init(&one.batch, 1), DFOPT_OK);
    assert_int_equal(dfopt_batch_init(&two.batch, 2), DFOPT_OK);
    for (uint64_t n = 0; n < MANY; n++) {
        sample_reset(&one, n);
        sample_reset(&two, n);
        fill(&one, &shape);
        fill(&two, &shape);
        must_merge(&one);
        must_merge(&two);
        same(shape.name, "verdicts", &one.batch.merged.verdicts,
             &two.batch.merged.verdicts);
        same(shape.name, "plans", &one.batch.merged.plans, &two.batch.merged.plans);
    }
    sample_free(&one);
    sample_free(&two);
}

/* ---- planners that report what they were not asked ---- */

/* Three events: of planner 0, of planner 1, of nobody; and an ack. */
static void small_round(struct sample *s)
{
    const struct shape none = {"", 2, 0, 0, 0};
    sample_reset(s, 0);
    fill(s, &none);
    for (uint32_t planner = 0; planner < 2; planner++) {
        const struct dfopt_verdict_row v = {.seq = FIRST_SEQ + planner};
        add_event(s, planner);
        add(&s->batch.shares[planner].results.verdicts, &v, sizeof v);
        add(&s->want.verdicts, &v, sizeof v);
    }
    reject(s, FIRST_SEQ + 2, DFOPT_STREAM_FINDING);
    ack(s, FIRST_SEQ + 3, 1);
}

enum what { VERDICT, PLAN, SUPPRESSION, ACK, RELAY };

static void add_unasked(struct dfopt_decisions *d, enum what what, uint64_t seq)
{
    const struct dfopt_verdict_row v = {.seq = seq};
    const struct dfopt_plan p = {.seq = seq};
    const struct dfopt_suppression_row s = {.seq = seq};
    const struct dfopt_ack_row a = {.seq = seq,
                                    .outcome = DFOPT_ACK_OUTCOME_CLEARED};
    const struct dfopt_relay_row r = {.seq = seq};
    switch (what) {
    case VERDICT:
        add(&d->verdicts, &v, sizeof v);
        break;
    case PLAN:
        add(&d->plans, &p, sizeof p);
        break;
    case SUPPRESSION:
        add(&d->suppressions, &s, sizeof s);
        break;
    case ACK:
        add(&d->acks, &a, sizeof a);
        break;
    case RELAY:
        add(&d->relays, &r, sizeof r);
    }
}

static const struct {
    const char *name;
    uint32_t planner;
    enum what what;
    uint64_t seq;
} unasked[] = {
    {"a verdict of another's event", 0, VERDICT, FIRST_SEQ + 1},
    {"a verdict of a rejected record", 0, VERDICT, FIRST_SEQ + 2},
    {"a verdict of an ack", 1, VERDICT, FIRST_SEQ + 3},
    {"a verdict behind the batch", 1, VERDICT, FIRST_SEQ + 4},
    {"a verdict before the batch", 1, VERDICT, FIRST_SEQ - 1},
    {"a verdict out of order", 1, VERDICT, FIRST_SEQ},
    {"a plan of another's event", 1, PLAN, FIRST_SEQ},
    {"a plan of number 0", 0, PLAN, 0},
    {"a suppression of another's event", 0, SUPPRESSION, FIRST_SEQ + 1},
    {"a suppression behind the batch", 0, SUPPRESSION, UINT64_MAX},
    {"a relay of another's event", 0, RELAY, FIRST_SEQ + 1},
    {"an ack that is a finding", 0, ACK, FIRST_SEQ},
    {"an ack behind the batch", 0, ACK, FIRST_SEQ + 4},
    {"an ack before the batch", 0, ACK, 0},
    {"an ack out of order", 1, ACK, FIRST_SEQ + 2},
};

static void test_unasked(void **state)
{
    (void)state;
    struct sample s = {.name = "after a refusal", .seed = 1};
    assert_int_equal(dfopt_batch_init(&s.batch, 2), DFOPT_OK);
    for (size_t i = 0; i < N_OF(unasked); i++) {
        small_round(&s);
        add_unasked(&s.batch.shares[unasked[i].planner].results, unasked[i].what,
                    unasked[i].seq);
        if (dfopt_batch_merge(&s.batch) != DFOPT_ERR_FORMAT)
            fail_msg("%s: taken", unasked[i].name);
        small_round(&s);
        must_merge(&s);
    }
    sample_free(&s);
}

/* ---- what a batch keeps ---- */

static void add_registration(struct dfopt_batch *r, uint64_t seq)
{
    struct dfopt_batch_registration g = {.seq = seq};
    g.accepted.knobs = calloc(2, sizeof *g.accepted.knobs);
    assert_non_null(g.accepted.knobs);
    g.accepted.n_knobs = 2;
    g.accepted.knobs[1].values = calloc(3, sizeof(struct dfopt_value));
    g.accepted.knobs[1].responses = calloc(3, sizeof(struct dfopt_response));
    add(&r->registrations, &g, sizeof g);
}

/* A reset frees what registrations own and keeps the rest of the memory. */
static void test_reset(void **state)
{
    (void)state;
    struct dfopt_batch r = {0};
    assert_int_equal(dfopt_batch_init(&r, 3), DFOPT_OK);
    for (uint64_t n = 0; n < 3; n++) {
        dfopt_batch_reset(&r, n, n * 100);
        assert_int_equal(r.number, n);
        assert_int_equal(r.first_seq, n * 100);
        assert_int_equal(r.n_events | r.waiting, 0);
        const struct dfopt_buf *const empty[] = {
            &r.reporter,      &r.findings, &r.rejects, &r.acks,
            &r.registrations, &r.texts,    &r.blocks,  &r.merged.verdicts};
        for (size_t i = 0; i < N_OF(empty); i++)
            assert_int_equal(empty[i]->len, 0);
        for (uint32_t i = 0; i < r.n_shares; i++)
            assert_false(r.shares[i].used || r.shares[i].waiting ||
                         r.shares[i].results.verdicts.len);
        assert_int_equal(dfopt_batch_text(&r, "ab\0c", 4), 0);
        assert_int_equal(dfopt_batch_text(&r, "", 0), 4);
        assert_int_equal(dfopt_batch_text(&r, "d", 1), 4);
        assert_memory_equal(r.texts.data, "ab\0cd", 5);
        add_registration(&r, n);
        add_registration(&r, n + 1);
        r.n_events = r.waiting = 2;
        r.shares[1].used = r.shares[1].waiting = true;
        add(&r.shares[1].results.verdicts, "12345678", 8);
        add(&r.blocks, "x", 1);
    }
    dfopt_batch_free(&r);
    assert_null(r.shares);
    dfopt_batch_free(&r); /* an empty one is fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge), cmocka_unit_test(test_single_share),
        cmocka_unit_test(test_unasked), cmocka_unit_test(test_reset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
