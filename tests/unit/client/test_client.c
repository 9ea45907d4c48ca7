/* The application library without an optimizer: arguments, and a process that
 * goes on as if the library were not there. */
#include "client_fixture.h"

static const struct dfopt_client_options nowhere = {
    .app_namespace = "app",
    .function = "load",
    .hostname = HOST,
    /* a port that nobody listens on: 1 is reserved */
    .plans_endpoint = "tcp://127.0.0.1:1",
    .registry_endpoint = "tcp://127.0.0.1:1",
    .acks_endpoint = "tcp://127.0.0.1:1",
};

static void no_client(void **state)
{
    (void)state;
    struct dfopt_client_plan plan = {.knob_id = "k", .function = "f"};
    struct dfopt_client_value v = int_value(1);
    struct dfopt_client_stats s;
    struct dfopt_error err = {0};
    const struct dfopt_client_knob k = {.id = "k"};
    dfopt_client_destroy(NULL);
    assert_string_equal(dfopt_client_version(), DFOPT_VERSION);
    assert_int_equal(dfopt_client_at_boundary(NULL, NULL, NULL, &plan, 1), 0);
    assert_int_equal(dfopt_client_start(NULL, &err), DFOPT_ERR_STATE);
    assert_int_equal(err.code, DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_stop(NULL, 10), DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_knob_declare(NULL, &k, NULL), DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_register(NULL, NULL, NULL), DFOPT_ERR_STATE);
    assert_int_equal(
        dfopt_client_ack(NULL, &plan, DFOPT_CLIENT_APPLIED, NULL, NULL, 0),
        DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_current(NULL, NULL, "k", &v), DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_current_set(NULL, NULL, "k", &v),
                     DFOPT_ERR_STATE);
    assert_int_equal(dfopt_client_stats(NULL, &s), DFOPT_ERR_STATE);
}

#define KEY "0123456789012345678901234567890123456789"

static void bad_options(void **state)
{
    (void)state;
    static char long_name[DFOPT_CLIENT_TEXT_SIZE + 1];
    memset(long_name, 'x', sizeof long_name - 1);
    const struct {
        const char *name; /* that the error must have in it */
        struct dfopt_client_options o;
    } cases[] = {
        {"app_namespace", {.hostname = HOST}},
        {"app_namespace", {.app_namespace = ""}},
        {"hostname", {.app_namespace = "a", .hostname = ""}},
        {"hostname", {.app_namespace = "a", .hostname = long_name}},
        {"function", {.app_namespace = "a", .function = long_name}},
        {"transport", {.app_namespace = "a", .transport = "pigeon"}},
        {"plans_pattern", {.app_namespace = "a", .plans_pattern = 7}},
        {"max_message_bytes",
         {.app_namespace = "a", .max_message_bytes = SIZE_MAX}},
        {"max_queued_plans", {.app_namespace = "a", .max_queued_plans = SIZE_MAX}},
        {"curve_server_key", {.app_namespace = "a", .curve_secret_key = KEY}},
        {"curve_secret_key",
         {.app_namespace = "a", .curve_server_key = KEY, .curve_public_key = KEY}},
        {"plans_bind",
         {.app_namespace = "a",
          .plans_bind = true,
          .curve_server_key = KEY,
          .curve_public_key = KEY,
          .curve_secret_key = KEY}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dfopt_client *c = NULL;
        struct dfopt_error err = {0};
        enum dfopt_err e = dfopt_client_create(&c, &cases[i].o, &err);
        if (e != DFOPT_ERR_ARG || c || !strstr(err.text, cases[i].name))
            fail_msg("case %zu (%s): %d, %s", i, cases[i].name, (int)e, err.text);
    }
    dfopt_client *c;
    assert_int_equal(dfopt_client_create(&c, NULL, NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_create(NULL, &nowhere, NULL), DFOPT_ERR_ARG);
}

static void bad_endpoints(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "node7",
                                      "tcp://",
                                      "tcp://127.0.0.1:port",
                                      "carrier://pigeon",
                                      "inproc://a",
                                      "tcp://h:99999",
                                      "tcp://h:70o1",
                                      "tcp://h:-5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int which = 0; which < 3; which++) {
            struct dfopt_client_options o = {.app_namespace = "a"};
            struct dfopt_error err = {0};
            *(which == 0   ? &o.plans_endpoint
              : which == 1 ? &o.registry_endpoint
                           : &o.acks_endpoint) = bad[i];
            dfopt_client *c = make_client(&o);
            enum dfopt_err e = dfopt_client_start(c, &err);
            if ((e != DFOPT_ERR_ARG && e != DFOPT_ERR_IO) ||
                !strstr(err.text, bad[i]))
                fail_msg("'%s': %d %s", bad[i], (int)e, err.text);
            dfopt_client_destroy(c);
        }
    }
}

#define I(n)                                                                       \
    {                                                                              \
        .kind = DFOPT_CLIENT_INT, .i = (n)                                         \
    }
#define D(n)                                                                       \
    {                                                                              \
        .kind = DFOPT_CLIENT_FLOAT, .d = (n)                                       \
    }
#define S(text)                                                                    \
    {                                                                              \
        .kind = DFOPT_CLIENT_STR, .s = text                                        \
    }

static const struct dfopt_client_value texts[] = {S("x")}, ints[] = {I(1)};
static const struct dfopt_client_response no_tag[] = {
    {DFOPT_CLIENT_RESPONSE_DEFAULT}};
static const struct dfopt_client_response text_step[] = {
    {DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "t", .step = S("x")}};
static const struct dfopt_client_response twice[] = {
    {DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "t"},
    {DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "t"}};
static const struct dfopt_client_response nan_severity[] = {
    {.tag = "t", .min_severity = (double)NAN}};
static const struct {
    const char *name;
    struct dfopt_client_knob k;
} knob_cases[] = {
    {"no id", {.type = DFOPT_CLIENT_INT, .default_value = I(1)}},
    {"no id", {.id = "", .type = DFOPT_CLIENT_INT, .default_value = I(1)}},
    {"type", {.id = "k", .default_value = I(1)}},
    {"type", {.id = "k", .type = 9, .default_value = I(1)}},
    {"default_value", {.id = "k", .type = DFOPT_CLIENT_INT}},
    {"default_value", {.id = "k", .type = DFOPT_CLIENT_INT, .default_value = D(1)}},
    {"default_value",
     {.id = "k", .type = DFOPT_CLIENT_FLOAT, .default_value = D((double)INFINITY)}},
    {"current",
     {.id = "k",
      .type = DFOPT_CLIENT_INT,
      .default_value = I(1),
      .current = S("1")}},
    {"lo, hi",
     {.id = "k", .type = DFOPT_CLIENT_INT, .default_value = I(1), .lo = I(1)}},
    {"lo, hi",
     {.id = "k",
      .type = DFOPT_CLIENT_INT,
      .default_value = I(1),
      .lo = D(0.5),
      .hi = I(4)}},
    {"lo, hi",
     {.id = "k",
      .type = DFOPT_CLIENT_STR,
      .default_value = S("a"),
      .lo = S("a"),
      .hi = S("b")}},
    {"values",
     {.id = "k",
      .type = DFOPT_CLIENT_INT,
      .default_value = I(1),
      .values = texts,
      .n_values = 1}},
    {"values",
     {.id = "k", .type = DFOPT_CLIENT_INT, .default_value = I(1), .values = ints}},
    {"values",
     {.id = "k", .type = DFOPT_CLIENT_INT, .default_value = I(1), .n_values = 1}},
    {"responses",
     {.id = "k",
      .type = DFOPT_CLIENT_INT,
      .default_value = I(1),
      .n_responses = 1}},
#define WITH(r, n)                                                                 \
    {                                                                              \
        .id = "k", .type = DFOPT_CLIENT_INT, .default_value = I(1),                \
        .responses = r, .n_responses = n                                           \
    }
    {"tag", WITH(no_tag, 1)},
    {"step", WITH(text_step, 1)},
    {"tag (given twice)", WITH(twice, 2)},
    {"min_severity", WITH(nan_severity, 1)},
};

static void bad_knobs(void **state)
{
    (void)state;
    dfopt_client *c = make_client(&nowhere);
    for (size_t i = 0; i < sizeof knob_cases / sizeof *knob_cases; i++) {
        struct dfopt_error err = {0};
        enum dfopt_err e = dfopt_client_knob_declare(c, &knob_cases[i].k, &err);
        if (e != DFOPT_ERR_ARG || !strstr(err.text, knob_cases[i].name))
            fail_msg("case %zu (%s): %d, %s", i, knob_cases[i].name, (int)e,
                     err.text);
    }
    static char long_name[DFOPT_CLIENT_TEXT_SIZE + 1];
    memset(long_name, 'x', sizeof long_name - 1);
    const struct dfopt_client_knob too_long = {
        .id = long_name, .type = DFOPT_CLIENT_INT, .default_value = I(1)};
    assert_int_equal(dfopt_client_knob_declare(c, &too_long, NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_knob_declare(c, NULL, NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_register(c, NULL, NULL), DFOPT_ERR_ARG);
    dfopt_client_destroy(c);
}

static void the_same_knob_twice(void **state)
{
    (void)state;
    dfopt_client *c = make_client(&nowhere);
    declare_int(c, "a");
    const struct {
        const char *id, *parameter, *function;
        enum dfopt_err want;
    } cases[] = {
        {"app.a", "other", NULL, DFOPT_ERR_STATE},
        {"other", "a", NULL, DFOPT_ERR_STATE},
        {"app.a", "a", "save", DFOPT_ERR_STATE},
        {NULL, "a", "save", DFOPT_ERR_STATE},
        {"app.save.a", "a", "save", DFOPT_OK},
        {NULL, "b", NULL, DFOPT_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dfopt_client_knob k = {.id = cases[i].id,
                                            .parameter = cases[i].parameter,
                                            .function = cases[i].function,
                                            .type = DFOPT_CLIENT_INT,
                                            .default_value = I(1)};
        struct dfopt_error err = {0};
        assert_int_equal(dfopt_client_knob_declare(c, &k, &err), cases[i].want);
        if (cases[i].function && cases[i].want)
            assert_string_equal(err.text,
                                "knob app.a: function 'load' already uses this id; "
                                "give the knob of 'save' another, such as "
                                "app.save.a");
    }
    dfopt_client_destroy(c);
}

static void current_values(void **state)
{
    (void)state;
    dfopt_client *c = make_client(&nowhere);
    const struct dfopt_client_knob ratio = {
        .id = "ratio", .type = DFOPT_CLIENT_FLOAT, .default_value = I(2)};
    struct dfopt_client_value v, three = int_value(3), text = text_value("x");
    declare_int(c, "a");
    assert_int_equal(dfopt_client_knob_declare(c, &ratio, NULL), DFOPT_OK);
    assert_int_equal(dfopt_client_current(c, NULL, "app.a", &v), DFOPT_OK);
    assert_int_equal(v.kind, DFOPT_CLIENT_INT);
    assert_int_equal(v.i, 2);
    assert_int_equal(dfopt_client_current(c, "load", "ratio", &v), DFOPT_OK);
    assert_int_equal(v.kind, DFOPT_CLIENT_FLOAT);
    assert_true(v.d == 2.0);
    assert_int_equal(dfopt_client_current_set(c, NULL, "app.a", &three), DFOPT_OK);
    assert_int_equal(dfopt_client_current_set(c, NULL, "app.a", &text),
                     DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_current(c, NULL, "app.a", &v), DFOPT_OK);
    assert_int_equal(v.i, 3);
    assert_int_equal(dfopt_client_current(c, NULL, "b", &v), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_current(c, "save", "app.a", &v), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_current(c, NULL, "app.a", NULL), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_current_set(c, NULL, NULL, &three),
                     DFOPT_ERR_ARG);
    dfopt_client_destroy(c);
}

static void count_lines(void *arg, enum dfopt_client_level level, const char *text)
{
    (void)level;
    assert_true(strlen(text) > 0);
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
}

static const struct dfopt_client_value doubles[] = {I(1), I(2), I(2), I(4), I(8)};
static const struct dfopt_client_value real_doubles[] = {I(2), D(2.0), D(2.5)};
#define RESPONSE(...)                                                              \
    {                                                                              \
        DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "t", __VA_ARGS__                     \
    }
static const struct dfopt_client_response
    backward[] = {RESPONSE(.step = I(-1))},
    halving[] = {RESPONSE(.step_mode = DFOPT_CLIENT_MULTIPLY, .step = D(0.5))},
    down[] = {RESPONSE(.direction = DFOPT_CLIENT_DECREASE, .step = I(1))},
    sets[] = {
        RESPONSE(.direction = DFOPT_CLIENT_SET, .step = I(-1), .set_to = I(1))};
#define KNOB(...)                                                                  \
    {                                                                              \
        .id = "k", .type = DFOPT_CLIENT_INT, .default_value = I(2), __VA_ARGS__    \
    }
static const struct {
    const char *warning; /* NULL: none */
    struct dfopt_client_knob k;
} odd_cases[] = {
    {NULL, KNOB(.lo = I(1), .hi = I(16))},
    {NULL, KNOB(.lo = I(2), .hi = I(2))},
    {"lower bound", KNOB(.lo = I(16), .hi = I(1))},
    {"default", KNOB(.lo = I(3), .hi = I(16))},
    {"default", KNOB(.values = ints, .n_values = 1)},
    {"duplicate values ignored: 1", KNOB(.values = doubles, .n_values = 5)},
    {"duplicate values ignored: 1",
     {.id = "k",
      .type = DFOPT_CLIENT_FLOAT,
      .default_value = D(2.5),
      .values = real_doubles,
      .n_values = 3}},
    {"direction", KNOB(.responses = backward, .n_responses = 1)},
    {"direction", KNOB(.responses = halving, .n_responses = 1)},
    {NULL, KNOB(.responses = down, .n_responses = 1)},
    {NULL, KNOB(.responses = sets, .n_responses = 1)},
};

struct line {
    int n;
    enum dfopt_client_level level;
    char text[512];
};

static void keep_line(void *arg, enum dfopt_client_level level, const char *text)
{
    struct line *line = arg;
    line->level = level;
    snprintf(line->text, sizeof line->text, "%s", text);
    __atomic_fetch_add(&line->n, 1, __ATOMIC_RELEASE);
}

/* Declarations that DFOptimizer accepts, but that are probably mistakes. */
static void odd_knobs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof odd_cases / sizeof *odd_cases; i++) {
        struct line line = {0};
        struct dfopt_client_options o = nowhere;
        o.log = keep_line;
        o.log_arg = &line;
        dfopt_client *c = make_client(&o);
        assert_int_equal(dfopt_client_knob_declare(c, &odd_cases[i].k, NULL),
                         DFOPT_OK);
        if (line.n != (odd_cases[i].warning ? 1 : 0) ||
            (line.n && (line.level != DFOPT_CLIENT_WARNING ||
                        !strstr(line.text, odd_cases[i].warning) ||
                        !strstr(line.text, "knob k: "))))
            fail_msg("case %zu: %d %s", i, line.n, line.text);
        dfopt_client_destroy(c);
    }
}

/* Nobody there, an endpoint of each kind: a line each after a while, and no more.
 */
static void nobody_answers(void **state)
{
    (void)state;
    struct line line = {0};
    struct dfopt_client_options o = nowhere;
    o.acks_endpoint = "tcp://no-such-host.invalid:7004";
    o.plans_endpoint = NULL;
    o.log = keep_line;
    o.log_arg = &line;
    dfopt_client *c = make_client(&o);
    declare_int(c, "a");
    const int64_t before = now_ms();
    start(c);
    wait_until(__atomic_load_n(&line.n, __ATOMIC_ACQUIRE) == 2);
    assert_true(now_ms() - before >= 5000);
    pause_ms(1500); /* several attempts */
    dfopt_client_destroy(c);
    assert_int_equal(line.n, 2);
    assert_non_null(strstr(line.text, "tcp://no-such-host.invalid:7004"));
}

/* Nothing blocks, with endpoints where nobody is and with none at all. */
static void absent_optimizer(void **state)
{
    (void)state;
    struct dfopt_client_options none = {.app_namespace = "app"};
    const struct dfopt_client_options *const cases[] = {&nowhere, &none};
    int lines = 0;
    none.log = count_lines;
    none.log_arg = &lines;
    for (size_t i = 0; i < 2; i++) {
        dfopt_client *c = make_client(cases[i]);
        struct dfopt_client_plan plan;
        declare_int(c, "a");
        int64_t before = now_ms();
        start(c);
        assert_int_equal(dfopt_client_start(c, NULL), DFOPT_ERR_STATE);
        for (int w = 0; w < 1000; w++)
            assert_int_equal(dfopt_client_at_boundary(c, NULL, NULL, &plan, 1), 0);
        assert_int_equal(dfopt_client_register(c, NULL, NULL), DFOPT_OK);
        assert_int_equal(dfopt_client_stop(c, 10000),
                         DFOPT_OK); /* nothing to send */
        assert_int_equal(dfopt_client_stop(c, 10000), DFOPT_OK);
        start(c); /* again */
        assert_true(now_ms() - before < DEADLINE_MS);
        assert_int_equal(stats_of(c).registrations_sent, 0);
        dfopt_client_destroy(c);
    }
}

/* Acks that nobody takes: bounded, the oldest goes, and stop gives up in time. */
static void acks_without_optimizer(void **state)
{
    (void)state;
    struct dfopt_client_options o = nowhere;
    o.max_pending_acks = 10;
    dfopt_client *c = make_client(&o);
    declare_int(c, "a");
    start(c);
    const struct dfopt_client_plan plan = {.plan_id = "p",
                                           .knob_id = "app.a",
                                           .function = "load",
                                           .new_value = {.kind = DFOPT_CLIENT_INT}};
    for (int i = 0; i < 25; i++)
        assert_int_equal(
            dfopt_client_ack(c, &plan, DFOPT_CLIENT_APPLIED, NULL, "", i),
            DFOPT_OK);
    assert_int_equal(stats_of(c).acks_pending, 10);
    assert_int_equal(stats_of(c).acks_dropped, 15);
    int64_t before = now_ms();
    assert_int_equal(dfopt_client_stop(c, 200), DFOPT_ERR_LIMIT);
    int64_t took = now_ms() - before;
    assert_true(took >= 190 && took < DEADLINE_MS);
    assert_int_equal(stats_of(c).acks_dropped, 25);
    dfopt_client_destroy(c);
}

/* Starts and stops at once, many times; each stop within its bound. */
static void stop_at_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        dfopt_client *c = make_client(&nowhere);
        declare_int(c, "a");
        start(c);
        if (i % 4)
            pause_ms(i % 4 * 3);
        int64_t before = now_ms();
        if (i % 2)
            assert_int_equal(dfopt_client_stop(c, 0), DFOPT_OK);
        dfopt_client_destroy(c);
        assert_true(now_ms() - before < DEADLINE_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_client),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(bad_endpoints),
        cmocka_unit_test(bad_knobs),
        cmocka_unit_test(the_same_knob_twice),
        cmocka_unit_test(current_values),
        cmocka_unit_test(odd_knobs),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(absent_optimizer),
        cmocka_unit_test(acks_without_optimizer),
        cmocka_unit_test(stop_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
