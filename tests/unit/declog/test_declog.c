/* The decision log: what is written is what is read. */
#include "test_declog.h"

#include <sys/stat.h>

static void read_one(struct dfopt_declog_reader *r, enum dfopt_declog_table t,
                     void *row)
{
    struct dfopt_error err = {.text = ""};
    assert_true(dfopt_declog_reader_rows(r, t) >= 1);
    if (dfopt_declog_reader_read(r, t, 0, 1, row, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

static void check_text(struct dfopt_declog_reader *r, enum dfopt_declog_pool pool,
                       struct dfopt_declog_text text, const char *want)
{
    const char *bytes = NULL;
    assert_int_equal(dfopt_declog_reader_text(r, pool, text, &bytes, NULL),
                     DFOPT_OK);
    assert_int_equal(text.end - text.start, strlen(want));
    assert_memory_equal(bytes, want, strlen(want));
}

static void check_value(const struct fixture *f, struct dfopt_value got,
                        struct dfopt_value want)
{
    assert_int_equal(got.kind, want.kind);
    assert_true(dfopt_value_equal(f->dict, got, want));
}

/* ---- every table ---- */

static const struct dfopt_finding_row a_finding = {
    .seq = 1,
    .f = {.severity = 0.75,
          .confidence = NAN,
          .prevalence = 0.5,
          .persistence = 3,
          .window = -12,
          .metric_state = {DFOPT_METRIC_NUMBER, DFOPT_METRIC_ABSENT,
                           DFOPT_METRIC_BAD, DFOPT_METRIC_NUMBER},
          .metric = {0.25, 0, 0, -1e300}}};

static struct dfopt_registration a_registration(struct fixture *f,
                                                struct dfopt_knob *knob)
{
    static struct dfopt_value values[3];
    static struct dfopt_response response;
    values[0] = dfopt_value_int(INT64_MIN);
    values[1] = dfopt_value_real(8.0);
    values[2] = dfopt_value_str(f->node);
    response = dfopt_response_default(f->dict, f->tag);
    response.direction = DFOPT_DIRECTION_DECREASE;
    response.step_mode = DFOPT_STEP_EVIDENCE;
    response.step = dfopt_value_real(0.5);
    response.set_to = dfopt_value_bool(true);
    response.min_severity = 0.3;
    response.cooldown_windows = 4;
    *knob = (struct dfopt_knob){.id = f->knob,
                                .parameter = f->tag,
                                .target_function = f->node,
                                .type = DFOPT_KNOB_FLOAT,
                                .range_state = DFOPT_RANGE_OK,
                                .has_values = 1,
                                .has_current = 1,
                                .lo = dfopt_value_int(1),
                                .hi = dfopt_value_real(64.5),
                                .default_value = dfopt_value_bool(false),
                                .current = dfopt_value_str(f->tag),
                                .values = values,
                                .n_values = 3,
                                .responses = &response,
                                .n_responses = 1};
    return (struct dfopt_registration){.knobs = knob, .n_knobs = 1};
}

static struct dfopt_plan a_plan(const struct fixture *f)
{
    return (struct dfopt_plan){.seq = 1,
                               .plan_id = 1 << 16,
                               .position = 2,
                               .relay_id = DFOPT_SYM_NONE,
                               .knob = f->knob,
                               .target_function = f->tag,
                               .apply_when = f->tag,
                               .finding_type = f->tag,
                               .tag = f->tag,
                               .node = f->node,
                               .rationale = DFOPT_SYM_NONE,
                               .motif = f->tag,
                               .trend = f->tag,
                               .scope = f->node,
                               .old_value = dfopt_value_int(8),
                               .new_value = dfopt_value_real(8.5),
                               .severity = 0.75,
                               .window = 9,
                               .persistence = 3};
}

static void write_events(struct fixture *f, struct dfopt_declog *w)
{
    struct dfopt_finding_row finding = a_finding;
    dfopt_sym tags[2] = {f->tag, f->knob};
    finding.f.type = finding.f.scope = f->tag;
    finding.f.node = f->node;
    finding.f.tags = dfopt_dict_intern_list(f->dict, tags, 2);
    assert_int_equal(dfopt_declog_findings(w, &finding, 1), DFOPT_OK);
    struct dfopt_declog_reject_row reject = {.seq = 2,
                                             .line = 77,
                                             .stream = DFOPT_STREAM_ACK,
                                             .origin = f->node,
                                             .reason = f->tag};
    assert_int_equal(dfopt_declog_reject(w, &reject), DFOPT_OK);
    struct dfopt_ack given = {.status = DFOPT_ACK_APPLIED,
                              .knob = f->knob,
                              .window = -5,
                              .old_value = dfopt_value_null(),
                              .new_value = dfopt_value_int(INT64_MAX)};
    struct dfopt_ack_row outcome = {.plan_id = 1 << 16,
                                    .outcome = DFOPT_ACK_OUTCOME_APPLIED,
                                    .other_plan = 1,
                                    .knob = f->knob,
                                    .node = f->node,
                                    .window = 9,
                                    .value = dfopt_value_int(INT64_MAX)};
    struct dfopt_declog_ack ack = {.seq = 3,
                                   .given = &given,
                                   .outcome = &outcome,
                                   .plan_id = "plan_x",
                                   .plan_id_len = 6,
                                   .reason = "b\xc3\xa9",
                                   .reason_len = 3};
    assert_int_equal(dfopt_declog_ack(w, &ack), DFOPT_OK);
    ack.outcome = NULL;
    ack.plan_id = ack.reason = NULL;
    ack.seq = 4;
    assert_int_equal(dfopt_declog_ack(w, &ack), DFOPT_OK);
    struct dfopt_relay_row relay = {.seq = 5,
                                    .outcome = DFOPT_RELAY_WRONG_VALUE,
                                    .plan_id = f->tag,
                                    .knob = f->knob,
                                    .targets = finding.f.tags,
                                    .new_value = dfopt_value_str(f->node),
                                    .severity = 0.5,
                                    .window = DFOPT_WINDOW_NONE};
    assert_int_equal(dfopt_declog_relay(w, &relay), DFOPT_OK);
}

static void write_all(struct fixture *f, struct dfopt_declog *w)
{
    struct dfopt_knob knob;
    struct dfopt_registration reg = a_registration(f, &knob);
    struct dfopt_declog_registration in = {.seq = 99,
                                           .source = DFOPT_SOURCE_BOOTSTRAP,
                                           .body = "{\"knobs\":[]}",
                                           .body_len = 12,
                                           .accepted = &reg};
    assert_int_equal(dfopt_declog_registration(w, &in), DFOPT_OK);
    in = (struct dfopt_declog_registration){.seq = 0, .source = DFOPT_SOURCE_EVENT};
    assert_int_equal(dfopt_declog_registration(w, &in), DFOPT_OK);
    write_events(f, w);
    struct dfopt_decisions d = {.verdicts = {0}};
    struct dfopt_verdict_row verdict = verdict_number(f, 0);
    struct dfopt_plan plan = a_plan(f);
    struct dfopt_suppression_row suppression = {.seq = 1,
                                                .tag = f->tag,
                                                .finding_type = f->knob,
                                                .action = DFOPT_SUPPRESSION_CLEARED,
                                                .window = 4,
                                                .severity = 0.25};
    assert_int_equal(dfopt_buf_add(&d.verdicts, &verdict, sizeof verdict),
                     DFOPT_OK);
    assert_int_equal(dfopt_buf_add(&d.plans, &plan, sizeof plan), DFOPT_OK);
    assert_int_equal(
        dfopt_buf_add(&d.suppressions, &suppression, sizeof suppression), DFOPT_OK);
    assert_int_equal(dfopt_declog_decisions(w, &d), DFOPT_OK);
    dfopt_decisions_free(&d);
}

static void check_registration(const struct fixture *f,
                               struct dfopt_declog_reader *r)
{
    struct dfopt_declog_registration_row reg[2];
    assert_int_equal(dfopt_declog_reader_rows(r, DFOPT_TABLE_REGISTRATIONS), 2);
    assert_int_equal(
        dfopt_declog_reader_read(r, DFOPT_TABLE_REGISTRATIONS, 0, 2, reg, NULL),
        DFOPT_OK);
    assert_int_equal(reg[0].seq, 99);
    assert_int_equal(reg[0].source, DFOPT_SOURCE_BOOTSTRAP);
    assert_int_equal(reg[0].accepted, 1);
    assert_int_equal(reg[1].accepted, 0);
    check_text(r, DFOPT_POOL_BODY, reg[0].body, "{\"knobs\":[]}");
    check_text(r, DFOPT_POOL_BODY, reg[1].body, "");

    struct dfopt_declog_knob_row knob;
    read_one(r, DFOPT_TABLE_KNOBS, &knob);
    assert_int_equal(knob.knob, f->knob);
    assert_int_equal(knob.type, DFOPT_KNOB_FLOAT);
    assert_int_equal(knob.range_state, DFOPT_RANGE_OK);
    check_value(f, knob.lo, dfopt_value_int(1));
    check_value(f, knob.hi, dfopt_value_real(64.5));
    check_value(f, knob.default_value, dfopt_value_bool(false));
    check_value(f, knob.current, dfopt_value_str(f->tag));

    struct dfopt_declog_knob_value_row values[3];
    assert_int_equal(
        dfopt_declog_reader_read(r, DFOPT_TABLE_KNOB_VALUES, 0, 3, values, NULL),
        DFOPT_OK);
    check_value(f, values[0].value, dfopt_value_int(INT64_MIN));
    check_value(f, values[1].value, dfopt_value_real(8.0));
    check_value(f, values[2].value, dfopt_value_str(f->node));

    struct dfopt_declog_response_row response;
    read_one(r, DFOPT_TABLE_RESPONSES, &response);
    assert_int_equal(response.knob, f->knob);
    assert_int_equal(response.r.tag, f->tag);
    assert_int_equal(response.r.direction, DFOPT_DIRECTION_DECREASE);
    assert_int_equal(response.r.step_mode, DFOPT_STEP_EVIDENCE);
    check_value(f, response.r.step, dfopt_value_real(0.5));
    check_value(f, response.r.set_to, dfopt_value_bool(true));
    assert_true(response.r.min_severity == 0.3 && response.r.cooldown_windows == 4);
}

static void check_finding_and_ack(const struct fixture *f,
                                  struct dfopt_declog_reader *r)
{
    struct dfopt_declog_finding_row finding;
    read_one(r, DFOPT_TABLE_FINDINGS, &finding);
    assert_int_equal(finding.seq, 1);
    assert_int_equal(finding.node, f->node);
    assert_int_equal(finding.window, -12);
    assert_int_equal(finding.bad_metrics, 1 << DFOPT_METRIC_COMPUTE);
    assert_true(finding.metric[DFOPT_METRIC_FETCH] == 0.25);
    assert_true(finding.metric[DFOPT_METRIC_COMPUTE_PARENT] == -1e300);
    assert_true(isnan(finding.metric[DFOPT_METRIC_FETCH_PARENT]));
    assert_true(isnan(finding.metric[DFOPT_METRIC_COMPUTE]) &&
                isnan(finding.confidence));
    size_t n;
    const dfopt_sym *tags =
        dfopt_dict_items(dfopt_declog_reader_dict(r), finding.tags, &n);
    assert_int_equal(n, 2);
    assert_int_equal(tags[1], f->knob);
    assert_string_equal(dfopt_dict_text(dfopt_declog_reader_dict(r), tags[0], NULL),
                        "reader_parallelism");

    struct dfopt_declog_ack_row acks[2];
    assert_int_equal(
        dfopt_declog_reader_read(r, DFOPT_TABLE_ACKS, 0, 2, acks, NULL), DFOPT_OK);
    assert_int_equal(acks[0].plan_id, 1 << 16);
    assert_int_equal(acks[0].outcome, DFOPT_ACK_OUTCOME_APPLIED);
    assert_int_equal(acks[0].other_plan, 1);
    assert_int_equal(acks[0].node, f->node);
    assert_int_equal(acks[0].window, -5);
    assert_int_equal(acks[0].cooldown_window, 9);
    check_value(f, acks[0].given_old, dfopt_value_null());
    check_value(f, acks[0].given_new, dfopt_value_int(INT64_MAX));
    check_text(r, DFOPT_POOL_PLAN_ID, acks[0].given_plan_id, "plan_x");
    check_text(r, DFOPT_POOL_ACK_REASON, acks[0].reason, "b\xc3\xa9");
    assert_int_equal(acks[1].outcome, DFOPT_ACK_OUTCOME_UNMATCHED);
    assert_int_equal(acks[1].knob, f->knob);
    check_text(r, DFOPT_POOL_ACK_REASON, acks[1].reason, "");
}

static void check_others(const struct fixture *f, struct dfopt_declog_reader *r)
{
    struct dfopt_declog_plan_row plan;
    read_one(r, DFOPT_TABLE_PLANS, &plan);
    assert_int_equal(plan.p.plan_id, 1 << 16);
    assert_int_equal(plan.p.relay_id, DFOPT_SYM_NONE);
    assert_int_equal(plan.p.node, f->node);
    check_value(f, plan.p.old_value, dfopt_value_int(8));
    check_value(f, plan.p.new_value, dfopt_value_real(8.5));
    check_text(
        r, DFOPT_POOL_RATIONALE, plan.rationale,
        "reader_parallelism: reader_parallelism (severity=0.750, persistence=3, "
        "trend=reader_parallelism, scope=nid0001) -> reader_parallelism");
    struct dfopt_relay_row relay;
    read_one(r, DFOPT_TABLE_GLOBAL_PLANS, &relay);
    assert_int_equal(relay.outcome, DFOPT_RELAY_WRONG_VALUE);
    assert_int_equal(relay.window, DFOPT_WINDOW_NONE);
    check_value(f, relay.new_value, dfopt_value_str(f->node));
    struct dfopt_declog_reject_row reject;
    read_one(r, DFOPT_TABLE_REJECTS, &reject);
    assert_int_equal(reject.line, 77);
    assert_int_equal(reject.stream, DFOPT_STREAM_ACK);
    assert_int_equal(reject.origin, f->node);
    struct dfopt_suppression_row suppression;
    read_one(r, DFOPT_TABLE_SUPPRESSIONS, &suppression);
    assert_int_equal(suppression.action, DFOPT_SUPPRESSION_CLEARED);
    assert_int_equal(suppression.finding_type, f->knob);
    assert_int_equal(suppression.window, 4);
    assert_true(suppression.severity == 0.25);
    assert_int_equal(check_verdicts(r, f), 1);
}

static void every_table(void **state)
{
    struct fixture *f = *state;
    for (int compression = 0; compression <= 9; compression += 3) {
        struct dfopt_declog *w = must_create(f, compression);
        write_all(f, w);
        must_commit(w, 6);
        must_close(w, true);
        struct dfopt_declog_reader *r = must_open(f->path);
        check_registration(f, r);
        check_finding_and_ack(f, r);
        check_others(f, r);
        dfopt_declog_reader_close(r);
    }
}

static void run_facts(void **state)
{
    struct fixture *f = *state;
    must_close(must_create(f, 1), false);
    struct dfopt_declog_reader *r = must_open(f->path);
    const struct dfopt_declog_run *run = dfopt_declog_reader_run(r);
    assert_int_equal(run->format_version, DFOPT_DECLOG_VERSION);
    assert_int_equal(run->ranks, 7);
    assert_int_equal(run->created_ns, INT64_C(1700000000000000000));
    assert_string_equal(run->created, "2023-11-14T22:13:20.000000Z");
    assert_string_equal(run->detail, "findings");
    assert_string_equal(run->policy, "{\"switches\":{}}");
    assert_string_equal(run->acks_mode, "assumed");
    assert_string_equal(run->run_id, "r-1");
    assert_false(run->complete);
    dfopt_declog_reader_close(r);
}

/* ---- size, chunks, commits ---- */

static void chunk_borders(void **state)
{
    struct fixture *f = *state;
    static const size_t steps[] = {1, 8191, 8192, 8193, 100, 150000, 25323};
    for (int compression = 0; compression < 2; compression++) {
        struct dfopt_declog *w = must_create(f, compression);
        uint64_t n = 0;
        for (size_t i = 0; i < N_OF(steps); n += steps[i++]) {
            assert_int_equal(add_verdicts(w, f, n, steps[i]), DFOPT_OK);
            if (i % 2)
                must_commit(w, n);
        }
        must_close(w, true);
        struct dfopt_declog_reader *r = must_open(f->path);
        assert_int_equal(check_verdicts(r, f), 200000);
        assert_true(dfopt_declog_reader_run(r)->complete);
        dfopt_declog_reader_close(r);
    }
}

/* A file that is flushed at every row stays within about twice its plain size. */
static void many_commits(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1);
    char name[32];
    for (uint64_t i = 0; i < 2500; i++) {
        snprintf(name, sizeof name, "n%u", (unsigned)i);
        dfopt_sym s = dfopt_dict_intern_z(f->dict, name);
        assert_int_not_equal(dfopt_dict_intern_list(f->dict, &s, 1),
                             DFOPT_LIST_NONE);
        assert_int_equal(add_verdicts(w, f, i, 1), DFOPT_OK);
        must_commit(w, i + 1);
        must_commit(w, i + 1); /* nothing new: no row */
    }
    must_close(w, true);
    struct dfopt_declog_reader *r = must_open(f->path);
    assert_int_equal(dfopt_declog_reader_run(r)->commits,
                     2501); /* the first is of the creation */
    assert_int_equal(dfopt_declog_reader_run(r)->last.at.next_seq, 2500);
    assert_int_equal(dfopt_declog_reader_run(r)->last.at.offset, 250000);
    assert_int_equal(check_verdicts(r, f), 2500);
    const struct dfopt_dict *dict = dfopt_declog_reader_dict(r);
    assert_int_equal(dfopt_dict_strings(dict), dfopt_dict_strings(f->dict));
    assert_int_equal(dfopt_dict_lists(dict), dfopt_dict_lists(f->dict));
    for (dfopt_sym s = 0; s < dfopt_dict_strings(dict); s++)
        assert_string_equal(dfopt_dict_text(dict, s, NULL),
                            dfopt_dict_text(f->dict, s, NULL));
    dfopt_declog_reader_close(r);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_in_range(st.st_size, 1, 3 << 20);
}

static void small_log_is_small(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1);
    write_all(f, w);
    must_commit(w, 6);
    must_close(w, true);
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_in_range(st.st_size, 1, 256 << 10);
}

static void long_texts(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1);
    size_t len = 300000; /* more than the chunk of a pool */
    char *text = malloc(len);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i * i % 26);
    struct dfopt_declog_registration reg = {.source = DFOPT_SOURCE_EVENT,
                                            .body = text};
    for (uint64_t i = 0; i < 4; i++) {
        reg.seq = i;
        reg.body_len = i == 2 ? 0 : len - (size_t)i;
        assert_int_equal(dfopt_declog_registration(w, &reg), DFOPT_OK);
    }
    must_close(w, true);
    struct dfopt_declog_reader *r = must_open(f->path);
    for (uint64_t i = 4; i-- > 0;) { /* backwards, too */
        struct dfopt_declog_registration_row row;
        const char *bytes;
        assert_int_equal(dfopt_declog_reader_read(r, DFOPT_TABLE_REGISTRATIONS, i,
                                                  1, &row, NULL),
                         DFOPT_OK);
        assert_int_equal(row.body.end - row.body.start, i == 2 ? 0 : len - i);
        assert_int_equal(
            dfopt_declog_reader_text(r, DFOPT_POOL_BODY, row.body, &bytes, NULL),
            DFOPT_OK);
        assert_memory_equal(bytes, text, row.body.end - row.body.start);
    }
    dfopt_declog_reader_close(r);
    free(text);
}

static void detail(void **state)
{
    struct fixture *f = *state;
    for (enum dfopt_declog_detail d = 0; d < DFOPT_DETAIL_COUNT; d++) {
        struct dfopt_declog_options o = log_options(f->path, 1);
        struct dfopt_declog *w = NULL;
        o.detail = d;
        assert_int_equal(dfopt_declog_create(&w, f->dict, &o, NULL), DFOPT_OK);
        write_all(f, w);
        must_close(w, true);
        struct dfopt_declog_reader *r = must_open(f->path);
        assert_int_equal(dfopt_declog_reader_rows(r, DFOPT_TABLE_FINDINGS),
                         d == DFOPT_DETAIL_FINDINGS);
        assert_int_equal(dfopt_declog_reader_rows(r, DFOPT_TABLE_VERDICTS),
                         d >= DFOPT_DETAIL_VERDICTS);
        assert_int_equal(dfopt_declog_reader_rows(r, DFOPT_TABLE_PLANS), 1);
        dfopt_declog_reader_close(r);
    }
}

static void nothing_given(void **state)
{
    (void)state;
    struct dfopt_declog *none = NULL;
    assert_int_equal(dfopt_declog_close(&none, true, NULL), DFOPT_OK);
    assert_int_equal(dfopt_declog_error(NULL)->code, DFOPT_OK);
    dfopt_declog_reader_close(NULL);
}

static void beyond_the_rows(void **state)
{
    struct fixture *f = *state;
    struct dfopt_verdict_row row;
    struct dfopt_declog *w = must_create(f, 1);
    assert_int_equal(add_verdicts(w, f, 0, 10), DFOPT_OK);
    must_close(w, true);
    struct dfopt_declog_reader *r = must_open(f->path);
    static const uint64_t firsts[] = {10, 11, UINT64_MAX};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dfopt_declog_reader_read(r, DFOPT_TABLE_VERDICTS,
                                                  firsts[i], 1, &row, NULL),
                         DFOPT_ERR_ARG);
    const char *bytes;
    struct dfopt_declog_text beyond = {0, 1};
    assert_int_equal(
        dfopt_declog_reader_text(r, DFOPT_POOL_RATIONALE, beyond, &bytes, NULL),
        DFOPT_ERR_ARG);
    dfopt_declog_reader_close(r);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(every_table),
                                       CASE(run_facts),
                                       CASE(chunk_borders),
                                       CASE(many_commits),
                                       CASE(small_log_is_small),
                                       CASE(long_texts),
                                       CASE(detail),
                                       CASE(beyond_the_rows),
                                       cmocka_unit_test(nothing_given)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
