/* Objectives: what is sent, for whom, and what waits. */
#include "client_fixture.h"
#include "support/unit.h"

static const struct dfopt_client_metric metrics[] = {{"mem_frac", 0.71}, {"n", 3}};

static const struct {
    enum dfopt_client_reports options, own;
    const char *nodes[2]; /* whose are sent, in order; NULL: none */
} reports[] = {
    {DFOPT_CLIENT_REPORTS_DEFAULT, DFOPT_CLIENT_REPORTS_DEFAULT, {HOST, NULL}},
    {DFOPT_CLIENT_REPORTS_JOB, DFOPT_CLIENT_REPORTS_DEFAULT, {"", NULL}},
    {DFOPT_CLIENT_REPORTS_BOTH, DFOPT_CLIENT_REPORTS_DEFAULT, {HOST, ""}},
    {DFOPT_CLIENT_REPORTS_NONE, DFOPT_CLIENT_REPORTS_DEFAULT, {NULL, NULL}},
    {DFOPT_CLIENT_REPORTS_NONE, DFOPT_CLIENT_REPORTS_JOB, {"", NULL}},
    {DFOPT_CLIENT_REPORTS_BOTH, DFOPT_CLIENT_REPORTS_NODE, {HOST, NULL}},
};

/* An optimizer with a fourth socket. */
static void *open_objectives(struct optimizer *o, char at[64])
{
    return optimizer_socket(o, ZMQ_PULL, at, NULL);
}

static void expect(void *socket, const char *node, int64_t window)
{
    char meta[128], body[256];
    snprintf(meta, sizeof meta, "{\"type\":\"objective\",\"node\":\"%s\"}", node);
    snprintf(body, sizeof body,
             "{\"node\":\"%s\",\"window_index\":%lld,\"value\":813.5,\"goal\":"
             "\"min\",\"metrics\":{\"mem_frac\":0.71,\"n\":3.0}}",
             node, (long long)window);
    expect_json(socket, meta, body);
}

static void whose(void **state)
{
    struct optimizer *o = *state;
    char at[64] = "";
    void *socket = open_objectives(o, at);
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        struct dfopt_client_options options = {.app_namespace = "app",
                                               .hostname = HOST,
                                               .objectives_endpoint = at,
                                               .reports = reports[i].options};
        dfopt_client *c = make_client(&options);
        const struct dfopt_client_objective objective = {.window_index = (int64_t)i,
                                                         .value = 813.5,
                                                         .goal = DFOPT_CLIENT_MIN,
                                                         .reports = reports[i].own,
                                                         .metrics = metrics,
                                                         .n_metrics = 2};
        start(c);
        assert_int_equal(dfopt_client_objective(c, &objective), DFOPT_OK);
        size_t n = 0;
        for (; n < 2 && reports[i].nodes[n]; n++)
            expect(socket, reports[i].nodes[n], (int64_t)i);
        wait_until(stats_of(c).objectives_sent == n);
        assert_int_equal(dfopt_client_stop(c, DEADLINE_MS), DFOPT_OK);
        dfopt_client_destroy(c);
    }
    assert_true(is_silent(socket, 20));
    zmq_close(socket);
}

static void refused(void **state)
{
    (void)state;
    const struct dfopt_client_options options = {.app_namespace = "app",
                                                 .hostname = HOST};
    static const struct dfopt_client_metric nameless[] = {{NULL, 1}},
                                            infinite[] = {{"m", (double)INFINITY}};
    const struct dfopt_client_objective bad[] = {
        {.value = (double)NAN},
        {.value = (double)INFINITY},
        {.window_index = INT64_MAX},
        {.window_index = INT64_MIN},
        {.goal = 7},
        {.reports = 9},
        {.n_metrics = 1},
        {.metrics = nameless, .n_metrics = 1},
        {.metrics = infinite, .n_metrics = 1},
    };
    dfopt_client *c = make_client(&options);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(dfopt_client_objective(c, &bad[i]), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_objective(c, NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_objective(NULL, &bad[0]), DFOPT_ERR_STATE);
    const struct dfopt_client_objective good = {.value = 1};
    assert_int_equal(dfopt_client_objective(c, &good), DFOPT_OK); /* no endpoint */
    assert_int_equal(stats_of(c).objectives_pending, 0);
    dfopt_client_destroy(c);
    const struct dfopt_client_options wrong = {.app_namespace = "app",
                                               .reports = 9};
    struct dfopt_error err = {0};
    assert_int_equal(dfopt_client_create(&c, &wrong, &err), DFOPT_ERR_ARG);
    assert_non_null(strstr(err.text, "reports"));
}

/* Nobody takes them: bounded, the oldest goes; then somebody comes. */
static void bounded(void **state)
{
    struct optimizer *o = *state;
    char at[64] = "";
    zmq_close(open_objectives(o, at));
    struct dfopt_client_options options = {.app_namespace = "app",
                                           .hostname = HOST,
                                           .objectives_endpoint = at,
                                           .max_pending_objectives = 3};
    dfopt_client *c = make_client(&options);
    start(c);
    for (int w = 0; w < 10; w++) {
        const struct dfopt_client_objective objective = {.window_index = w,
                                                         .value = 813.5,
                                                         .goal = DFOPT_CLIENT_MIN,
                                                         .metrics = metrics,
                                                         .n_metrics = 2};
        assert_int_equal(dfopt_client_objective(c, &objective), DFOPT_OK);
    }
    assert_int_equal(stats_of(c).objectives_pending, 3);
    assert_int_equal(stats_of(c).objectives_dropped, 7);
    void *socket = open_objectives(o, at);
    for (int w = 7; w < 10; w++)
        expect(socket, HOST, w);
    assert_int_equal(dfopt_client_stop(c, DEADLINE_MS), DFOPT_OK);
    dfopt_client_destroy(c);
    zmq_close(socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(whose),
        cmocka_unit_test(refused),
        with_optimizer(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
