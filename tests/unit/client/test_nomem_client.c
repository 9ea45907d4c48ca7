/* The application library when memory runs out in the calls of the application;
 * what its listener thread allocates does not fail. */
#include "support/nomem.h"

#include "dfopt/client.h"

#include <string.h>

static const char plan[] =
    "{\"plan_id\":\"p\",\"knob_id\":\"app.size\",\"new_value\":4,"
    "\"target_function\":\"load\",\"apply_when\":\"next\"}";

static enum dfopt_err declare(dfopt_client *c)
{
    const struct dfopt_client_response response = {
        .tag = "t",
        .step = {.kind = DFOPT_CLIENT_INT, .i = 2},
        DFOPT_CLIENT_RESPONSE_DEFAULT};
    const struct dfopt_client_value values[] = {{.kind = DFOPT_CLIENT_INT, .i = 2},
                                                {.kind = DFOPT_CLIENT_INT, .i = 4}};
    const struct dfopt_client_knob knob = {.parameter = "size",
                                           .function = "load",
                                           .type = DFOPT_CLIENT_INT,
                                           .default_value = values[0],
                                           .values = values,
                                           .n_values = 2,
                                           .responses = &response,
                                           .n_responses = 1};
    return dfopt_client_knob_declare(c, &knob, NULL);
}

/* A plan in, taken at its boundary, and acknowledged. */
static enum dfopt_err take(dfopt_client *c)
{
    struct dfopt_client_plan taken;
    enum dfopt_err e = dfopt_client_enqueue(c, plan, sizeof plan - 1, NULL);
    if (e)
        return e;
    assert_int_equal(dfopt_client_at_boundary(c, "load", "next", &taken, 1), 1);
    return dfopt_client_ack(c, &taken, DFOPT_CLIENT_APPLIED, NULL, "because", 3);
}

static enum dfopt_err run(bool started)
{
    const struct dfopt_client_options options = {
        .app_namespace = "app",
        .hostname = "n1",
        .plans_endpoint = started ? "tcp://127.0.0.1:9" : NULL,
        .registry_endpoint = started ? "tcp://127.0.0.1:9" : NULL,
        .acks_endpoint = started ? "tcp://127.0.0.1:9" : NULL};
    dfopt_client *c = NULL;
    enum dfopt_err e = dfopt_client_create(&c, &options, NULL);
    if (!e)
        e = declare(c);
    if (!e)
        e = dfopt_client_start(c, NULL);
    if (!e)
        e = take(c);
    dfopt_client_destroy(c);
    return e;
}

static enum dfopt_err alone(void)
{
    return run(false);
}

static enum dfopt_err with_a_listener(void)
{
    return run(true);
}

static const struct nomem_case cases[] = {
    {"without endpoints", alone, false},
    {"with a listener", with_a_listener, false}};

static void each_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        nomem_each(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
