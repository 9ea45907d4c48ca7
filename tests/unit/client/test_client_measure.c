/* What an application measures: objectives and findings of its windows, for whom
 * they are sent, and the end of findings. */
#include "client_fixture.h"
#include "dfopt/client_group.h"
#include "dfopt/client_measure.h"
#include "support/unit.h"

/* An optimizer with sockets for objectives and findings. */
struct peer {
    struct optimizer *o;
    void *objectives, *findings;
    char objectives_at[64], findings_at[64];
};

static struct peer open_peer(void **state)
{
    struct peer p = {.o = *state};
    p.objectives = optimizer_socket(p.o, ZMQ_PULL, p.objectives_at, NULL);
    p.findings = optimizer_socket(p.o, ZMQ_PULL, p.findings_at, NULL);
    return p;
}

static void close_peer(struct peer *p)
{
    zmq_close(p->objectives);
    zmq_close(p->findings);
}

static struct dfopt_client_options options_of(const struct peer *p)
{
    struct dfopt_client_options options = optimizer_options(p->o);
    options.objectives_endpoint = p->objectives_at;
    options.findings_endpoint = p->findings_at;
    return options;
}

/* A window of two seconds in which fetching took this share. */
static struct dfopt_client_window window(int64_t index, double fetch)
{
    return (struct dfopt_client_window){.index = index,
                                        .units = 100,
                                        .seconds = 2,
                                        .fetch_s = fetch,
                                        .compute_s = 1 - fetch,
                                        .memory = 0.5};
}

static void report(dfopt_client *c, int64_t index, double fetch)
{
    const struct dfopt_client_window w = window(index, fetch);
    assert_int_equal(dfopt_client_window(c, &w), DFOPT_OK);
}

/* shares: of fetching and computing, as texts: a locale may write numbers
 * otherwise. */
static void expect_objective(void *socket, const char *node, int64_t index,
                             const char *fetch, const char *compute)
{
    char meta[128], body[256];
    snprintf(meta, sizeof meta, "{\"type\":\"objective\",\"node\":\"%s\"}", node);
    snprintf(body, sizeof body,
             "{\"node\":\"%s\",\"window_index\":%lld,\"value\":50.0,\"goal\":"
             "\"max\",\"metrics\":{\"fetch_frac\":%s,\"compute_frac\":%s,"
             "\"mem_frac\":0.5}}",
             node, (long long)index, fetch, compute);
    struct json_object *got_meta, *got = receive_json(socket, &got_meta);
    assert_true(json_object_object_get_ex(got_meta, "answer", NULL));
    json_object_object_del(got_meta, "answer");
    compare_json(got_meta, got, meta, body);
}

/* Index, type and scope of the next finding; and its persistence. */
static void expect_finding(void *socket, int64_t index, const char *type,
                           const char *scope, int persistence)
{
    char want[128], got[128];
    struct json_object *meta, *body = receive_json(socket, &meta);
    snprintf(want, sizeof want, "%lld %s %s %d", (long long)index, type, scope,
             persistence);
    snprintf(got, sizeof got, "%s %s %s %s", json_text(body, "window_index"),
             json_text(body, "finding_type"), json_text(body, "scope"),
             json_text(body, "persistence"));
    assert_string_equal(got, want);
    assert_string_equal(json_text(meta, "artifact_type"), "diagnosis_finding");
    json_object_put(meta);
    json_object_put(body);
}

static void windows(void **state)
{
    struct peer p = open_peer(state);
    struct dfopt_client_options options = options_of(&p);
    options.reports = DFOPT_CLIENT_REPORTS_NODE;
    dfopt_client *c = make_client(&options);
    static const double fetch[] = {0.75, 0.5, 0.25, 0.125};
    static const char *const shares[][2] = {
        {"0.75", "0.25"}, {"0.5", "0.5"}, {"0.25", "0.75"}, {"0.125", "0.875"}};
    static const char *const types[] = {"fetch_pressure", "fetch_pressure",
                                        "fetch_pressure", NULL};
    start(c);
    for (int i = 0; i < 4; i++) {
        report(c, i + 1, fetch[i]);
        expect_objective(p.objectives, HOST, i + 1, shares[i][0], shares[i][1]);
        if (types[i])
            expect_finding(p.findings, i + 1, types[i], "node:" HOST ":window",
                           i + 1);
    }
    wait_until(stats_of(c).findings_sent == 3);
    assert_true(is_silent(p.findings, 20));
    dfopt_client_destroy(c);
    close_peer(&p);
}

/* A plan that is applied leaves out the window in which it was acknowledged. */
static void changed(void **state)
{
    struct peer p = open_peer(state);
    struct dfopt_client_options options = options_of(&p);
    struct dfopt_client_plan plan;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    drop_registration(p.o);
    report(c, 1, 0.5);
    deliver(p.o, c, PLAN("p1", "app.a", "4", "window_boundary"));
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "window_boundary", &plan, 1),
                     1);
    assert_int_equal(dfopt_client_ack(c, &plan, DFOPT_CLIENT_REJECTED, NULL, "", 1),
                     DFOPT_OK);
    report(c, 2, 0.5);
    assert_int_equal(dfopt_client_ack(c, &plan, DFOPT_CLIENT_APPLIED, NULL, "", 1),
                     DFOPT_OK);
    report(c, 3, 0.5);
    report(c, 4, 0.5);
    struct dfopt_client_window own = window(5, 0.5);
    own.changed = true;
    assert_int_equal(dfopt_client_window(c, &own), DFOPT_OK);
    report(c, 6, 0.5);
    static const int64_t said[] = {1, 2, 4, 6};
    for (int i = 0; i < 4; i++)
        expect_finding(p.findings, said[i], "fetch_pressure",
                       "node:" HOST ":window", i + 1);
    dfopt_client_destroy(c);
    close_peer(&p);
}

static int broadcast(void *arg, void *data, size_t len)
{
    (void)arg, (void)data, (void)len;
    return 0;
}

static int maximum(void *arg, int64_t *values, int n)
{
    (void)arg, (void)values, (void)n;
    return 0;
}

/* For whom they are, where nothing is said. */
static void whose(void **state)
{
    static const struct {
        enum dfopt_client_pattern pattern;
        enum dfopt_client_reports reports;
        const char *scope; /* of the knob */
        bool heads;
        const char *nodes[2]; /* of objectives; NULL: none */
        const char *finding;  /* scope */
    } cases[] = {
        {.scope = "node", .nodes = {HOST}, .finding = "node:" HOST ":window"},
        {.scope = "rank_local", .nodes = {HOST}, .finding = "node:" HOST ":window"},
        {.scope = "job", .nodes = {HOST, ""}, .finding = "node:" HOST ":window"},
        {.pattern = DFOPT_CLIENT_SUB,
         .scope = "job",
         .nodes = {HOST},
         .finding = "node:" HOST ":window"},
        {.pattern = DFOPT_CLIENT_SUB,
         .scope = "job",
         .heads = true,
         .nodes = {HOST, ""},
         .finding = "node:" HOST ":window"},
        {.reports = DFOPT_CLIENT_REPORTS_JOB,
         .scope = "node",
         .nodes = {""},
         .finding = "job:window"},
        {.reports = DFOPT_CLIENT_REPORTS_NONE, .scope = "job"},
    };
    struct peer p = open_peer(state);
    char published_at[64] = "";
    void *published = optimizer_socket(p.o, ZMQ_PUB, published_at, NULL);
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_client_options options = options_of(&p);
        options.plans_endpoint = cases[i].pattern ? published_at : p.o->plans_at;
        options.plans_pattern = cases[i].pattern;
        options.reports = cases[i].reports;
        dfopt_client *c = make_client(&options);
        const struct dfopt_client_knob knob = {.parameter = "a",
                                               .scope = cases[i].scope,
                                               .type = DFOPT_CLIENT_INT,
                                               .default_value = int_value(2)};
        assert_int_equal(dfopt_client_knob_declare(c, &knob, NULL), DFOPT_OK);
        start(c);
        if (cases[i].heads) {
            const struct dfopt_client_group g = {.broadcast = broadcast,
                                                 .maximum = maximum};
            struct dfopt_client_agreed none[1];
            size_t n;
            assert_int_equal(dfopt_client_at_boundary_group(
                                 c, &g, NULL, "window_boundary", none, 1, &n),
                             DFOPT_OK);
        }
        report(c, (int64_t)i, 0.75);
        for (size_t k = 0; k < 2 && cases[i].nodes[k]; k++)
            expect_objective(p.objectives, cases[i].nodes[k], (int64_t)i, "0.75",
                             "0.25");
        if (cases[i].finding)
            expect_finding(p.findings, (int64_t)i, "fetch_pressure",
                           cases[i].finding, 1);
        assert_int_equal(dfopt_client_stop(c, DEADLINE_MS), DFOPT_OK);
        dfopt_client_destroy(c);
    }
    assert_true(is_silent(p.objectives, 20));
    assert_true(is_silent(p.findings, 0));
    zmq_close(published);
    close_peer(&p);
}

static void own_findings(void **state)
{
    struct peer p = open_peer(state);
    struct dfopt_client_options options = options_of(&p);
    dfopt_client *c = make_client(&options);
    static const char *const tags[] = {"larger_reads", NULL};
    const struct dfopt_client_finding good = {.type = "small_io",
                                              .window_index = 7,
                                              .severity = 0.5,
                                              .tags = tags,
                                              .n_tags = 1,
                                              .reports = DFOPT_CLIENT_REPORTS_JOB};
    const struct dfopt_client_metric infinite = {"m", (double)INFINITY};
    struct dfopt_client_finding bad[10];
    for (size_t i = 0; i < N_OF(bad); i++)
        bad[i] = good;
    bad[0].type = NULL;
    bad[1].type = "";
    bad[2].window_index = INT64_MAX;
    bad[3].severity = 1.5;
    bad[4].severity = (double)NAN;
    bad[5].n_tags = 2;
    bad[6].persistence = -1;
    bad[7].reports = 9;
    bad[8].metrics = &infinite;
    bad[8].n_metrics = 1;
    bad[9].n_metrics = 1;
    start(c);
    for (size_t i = 0; i < N_OF(bad); i++)
        if (dfopt_client_finding(c, &bad[i]) != DFOPT_ERR_ARG)
            fail_msg("finding %zu was taken", i);
    assert_int_equal(dfopt_client_finding(c, NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_finding(NULL, &good), DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_finding(c, &good), DFOPT_OK);
    struct json_object *meta, *body = receive_json(p.findings, &meta);
    assert_string_equal(json_text(body, "scope"), "job:window");
    assert_string_equal(json_text(body, "opportunity_tags"),
                        "[ \"larger_reads\" ]");
    json_object_put(meta);
    json_object_put(body);
    dfopt_client_destroy(c);
    close_peer(&p);
}

static void refused(void **state)
{
    (void)state;
    const struct dfopt_client_options options = {.app_namespace = "app"};
    dfopt_client *c = make_client(&options);
    const struct dfopt_client_window good = window(1, 0.5);
    struct dfopt_client_window bad[9];
    for (size_t i = 0; i < N_OF(bad); i++)
        bad[i] = good;
    bad[0].index = INT64_MAX;
    bad[1].units = -1;
    bad[2].seconds = 0;
    bad[3].fetch_s = (double)NAN;
    bad[4].compute_s = -1;
    bad[5].workers = -1;
    bad[6].memory = (double)INFINITY;
    bad[7].units = 1e300, bad[7].seconds = 1e-300;
    bad[8].read_spread = -1;
    for (size_t i = 0; i < N_OF(bad); i++)
        if (dfopt_client_window(c, &bad[i]) != DFOPT_ERR_ARG)
            fail_msg("window %zu was taken", i);
    assert_int_equal(dfopt_client_window(c, NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_window(NULL, &good), DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_window(c, &good), DFOPT_OK); /* no endpoint */
    assert_int_equal(stats_of(c).findings_pending, 0);
    dfopt_client_destroy(c);
}

/* Time goes to phases, windows end when they are long enough. */
static void measure(void **state)
{
    struct peer p = open_peer(state);
    struct dfopt_client_options options = options_of(&p);
    options.reports = DFOPT_CLIENT_REPORTS_NODE;
    dfopt_client *c = make_client(&options);
    struct dfopt_measure m;
    const int64_t s = 1000000000;
    start(c);
    dfopt_measure_init(&m, c, 2 * s, 5 * s);
    m.window.memory = 0.5; /* which stays */
    dfopt_measure_phase(&m, DFOPT_MEASURE_FETCH, 5 * s);
    dfopt_measure_phase(&m, DFOPT_MEASURE_COMPUTE, 5 * s + 3 * s / 4);
    dfopt_measure_phase(&m, DFOPT_MEASURE_OTHER, 6 * s);
    dfopt_measure_add(&m, 100);
    dfopt_measure_add(&m, -3);
    dfopt_measure_add(&m, (double)NAN);
    assert_false(dfopt_measure_end(&m, 7 * s - 1));
    assert_true(dfopt_measure_end(&m, 7 * s));
    expect_objective(p.objectives, HOST, 1, "0.75", "0.25");
    expect_finding(p.findings, 1, "fetch_pressure", "node:" HOST ":window", 1);
    assert_int_equal(m.window.index, 2);
    assert_true(m.window.units == 0);
    assert_false(dfopt_measure_end(&m, 7 * s));
    assert_int_equal(dfopt_measure_close(&m, 0, 7 * s), DFOPT_ERR_ARG);
    dfopt_measure_phase(&m, DFOPT_MEASURE_FETCH, 7 * s);
    dfopt_measure_add(&m, 50);
    assert_int_equal(dfopt_measure_close(&m, 9, 8 * s), DFOPT_OK); /* at its end */
    expect_objective(p.objectives, HOST, 9, "1.0", "0.0");
    expect_finding(p.findings, 9, "fetch_pressure", "node:" HOST ":window", 1);
    assert_int_equal(m.window.index, 10);
    m.client = NULL;
    assert_true(dfopt_measure_end(&m, 20 * s));
    dfopt_client_destroy(c);
    close_peer(&p);
}

/* The end comes last, and only where somebody is there. */
static void the_end(void **state)
{
    struct peer p = open_peer(state);
    struct dfopt_client_options options = options_of(&p);
    options.findings_end = true;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    drop_registration(p.o);
    report(c, 1, 0.5);
    assert_int_equal(dfopt_client_stop(c, DEADLINE_MS), DFOPT_OK);
    expect_finding(p.findings, 1, "fetch_pressure", "node:" HOST ":window", 1);
    expect_json(p.findings, "{\"name\":\"end\"}", "{}");
    dfopt_client_destroy(c);
    close_peer(&p);

    options.findings_endpoint = "tcp://127.0.0.1:9";
    options.registry_endpoint = options.acks_endpoint = NULL;
    options.objectives_endpoint = options.plans_endpoint = NULL;
    c = make_client(&options);
    start(c);
    report(c, 1, 0.5);
    assert_int_equal(dfopt_client_stop(c, 0), DFOPT_ERR_LIMIT);
    assert_int_equal(stats_of(c).findings_dropped, 1);
    dfopt_client_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(windows),   with_optimizer(changed),
        with_optimizer(whose),     with_optimizer(own_findings),
        cmocka_unit_test(refused), with_optimizer(measure),
        with_optimizer(the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
