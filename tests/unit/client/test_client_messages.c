/* What the application library sends, byte for byte as far as JSON
 * goes: registrations and acks. */
#include "client_fixture.h"
#include "codec/codec.h"

#define INT(n)                                                                     \
    {                                                                              \
        .kind = DFOPT_CLIENT_INT, .i = (n)                                         \
    }
#define REAL(n)                                                                    \
    {                                                                              \
        .kind = DFOPT_CLIENT_FLOAT, .d = (n)                                       \
    }
#define TEXT(text)                                                                 \
    {                                                                              \
        .kind = DFOPT_CLIENT_STR, .s = text                                        \
    }

/* The example of the wire format. */
static const struct dfopt_client_response prefetch_response = {
    DFOPT_CLIENT_RESPONSE_DEFAULT,
    .tag = "dataloader_prefetch",
    .step = INT(2),
};

#define REGISTRATION                                                               \
    "{\"namespace\":\"dlio\",\"function_name\":\"DLIOBenchmark.make_loader\","     \
    "\"node\":\"" HOST "\","                                                       \
    "\"knobs\":{\"prefetch_size\":{\"id\":\"dlio.prefetch_size\",\"default\":2,"   \
    "\"type\":\"int\",\"range\":[1,16],\"values\":null,\"scope\":\"job\","         \
    "\"responds_to\":{\"dataloader_prefetch\":{\"direction\":\"increase\","        \
    "\"step\":"                                                                    \
    "2,\"step_mode\":\"add\",\"set_to\":null,\"min_severity\":0.5,"                \
    "\"min_persistence\":2,\"cooldown_windows\":4,"                                \
    "\"apply_when\":\"epoch_boundary\",\"effectiveness_threshold\":0.1}},"         \
    "\"target_function\":\"DLIOBenchmark.make_loader\"}},"                         \
    "\"current_values\":{\"prefetch_size\":%d}}"
#define REGISTRATION_META                                                          \
    "{\"type\":\"knob_registration\",\"namespace\":\"dlio\","                      \
    "\"function\":\"DLIOBenchmark.make_loader\"}"

static void expect_registration(struct optimizer *o, int value)
{
    char want[1024];
    snprintf(want, sizeof want, REGISTRATION, value);
    expect_registration_json(o, REGISTRATION_META, want);
}

static void registration(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    options.app_namespace = "dlio";
    options.function = "DLIOBenchmark.make_loader";
    dfopt_client *c = make_client(&options);
    struct dfopt_client_response response = prefetch_response;
    response.cooldown_windows = 4;
    const struct dfopt_client_knob knob = {
        .parameter = "prefetch_size",
        .type = DFOPT_CLIENT_INT,
        .default_value = INT(2),
        .current = INT(2),
        .lo = INT(1),
        .hi = INT(16),
        .responses = &response,
        .n_responses = 1,
    };
    const struct dfopt_client_value five = INT(5);
    assert_int_equal(dfopt_client_knob_declare(c, &knob, NULL), DFOPT_OK);
    start(c);
    expect_registration(o, 2);
    /* told again on request, with the value of the moment */
    assert_int_equal(dfopt_client_current_set(c, NULL, "dlio.prefetch_size", &five),
                     DFOPT_OK);
    assert_int_equal(dfopt_client_register(c, NULL, NULL), DFOPT_OK);
    expect_registration(o, 5);
    assert_true(is_silent(o->registry, 100)); /* once each */
    wait_until(stats_of(c).registrations_sent == 2);
    dfopt_client_destroy(c);
}

/* All kinds of knobs: kinds are kept, and the service reads them. */
static void every_member(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    dfopt_client *c = make_client(&options);
    const struct dfopt_client_value engines[] = {TEXT("posix"), TEXT("\"mmap\"\n")};
    const struct dfopt_client_value reals[] = {REAL(8.0), INT(8), REAL(1e-07)};
    const struct dfopt_client_response responses[] = {
        {.tag = "t\xc3\xa9",
         .direction = DFOPT_CLIENT_SET,
         .step_mode = DFOPT_CLIENT_MULTIPLY,
         .step = REAL(1.5),
         .set_to = {.kind = DFOPT_CLIENT_BOOL, .b = true},
         .min_severity = 0,
         .min_persistence = 1.5,
         .cooldown_windows = 0,
         .apply_when = "now",
         .effectiveness_threshold = 1},
        {DFOPT_CLIENT_RESPONSE_DEFAULT, .tag = "u",
         .direction = DFOPT_CLIENT_DECREASE, .step_mode = DFOPT_CLIENT_EVIDENCE},
    };
    const struct dfopt_client_knob knobs[] = {
        {.id = "x.engine",
         .function = "f",
         .scope = "node",
         .type = DFOPT_CLIENT_STR,
         .default_value = TEXT("posix"),
         .values = engines,
         .n_values = 2,
         .responses = responses,
         .n_responses = 2},
        {.parameter = "ratio",
         .function = "f",
         .type = DFOPT_CLIENT_FLOAT,
         .default_value = REAL(8.0),
         .current = INT(8),
         .values = reals,
         .n_values = 3},
        {.id = "flag",
         .parameter = "on",
         .function = "f",
         .type = DFOPT_CLIENT_BOOL,
         .default_value = {.kind = DFOPT_CLIENT_BOOL, .b = false}},
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(dfopt_client_knob_declare(c, &knobs[i], NULL), DFOPT_OK);
    start(c);
    expect_registration_json(
        o,
        "{\"type\":\"knob_registration\",\"namespace\":\"app\",\"function\":\"f\"}",
        "{\"namespace\":\"app\",\"function_name\":\"f\",\"node\":\"" HOST
        "\",\"knobs\":{"
        "\"x.engine\":{\"id\":\"x.engine\",\"default\":\"posix\",\"type\":\"str\","
        "\"range\":null,\"values\":[\"posix\",\"\\\"mmap\\\"\\n\"],\"scope\":"
        "\"node\","
        "\"responds_to\":{\"t\xc3\xa9\":{\"direction\":\"set\",\"step\":1.5,"
        "\"step_mode\":\"multiply\",\"set_to\":true,\"min_severity\":0.0,"
        "\"min_persistence\":1.5,\"cooldown_windows\":0,\"apply_when\":\"now\","
        "\"effectiveness_threshold\":1.0},\"u\":{\"direction\":\"decrease\","
        "\"step\":null,\"step_mode\":\"evidence\",\"set_to\":null,"
        "\"min_severity\":0.5,\"min_persistence\":2,\"cooldown_windows\":3,"
        "\"apply_when\":\"epoch_boundary\",\"effectiveness_threshold\":0.1}},"
        "\"target_function\":\"f\"},"
        "\"ratio\":{\"id\":\"app.ratio\",\"default\":8.0,\"type\":\"float\","
        "\"range\":null,\"values\":[8.0,1e-07],\"scope\":\"job\",\"responds_to\":"
        "{},"
        "\"target_function\":\"f\"},"
        "\"on\":{\"id\":\"flag\",\"default\":false,\"type\":\"bool\",\"range\":"
        "null,"
        "\"values\":null,\"scope\":\"job\",\"responds_to\":{},"
        "\"target_function\":\"f\"}},\"current_values\":{\"x.engine\":\"posix\","
        "\"ratio\":8,\"on\":false}}");
    dfopt_client_destroy(c);
}

/* The registration of a function, as the service's decoder takes it. */
static void the_service_reads_it(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c;
    struct dfopt_client_options options = optimizer_options(o);
    c = make_client(&options);
    declare_int(c, "a");
    start(c);
    struct json_object *body = receive_registration(o, NULL);
    const char *text = json_object_to_json_string(body);
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_event event;
    struct dfopt_error err = {0};
    assert_int_equal(dfopt_dict_create(&dict, false), DFOPT_OK);
    assert_int_equal(dfopt_codec_create(&codec, dict, NULL), DFOPT_OK);
    if (dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION, text, strlen(text),
                           &event, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(event.registration.n_knobs, 1);
    assert_int_equal(event.registration.knobs[0].range_state, DFOPT_RANGE_OK);
    assert_int_equal(event.registration.knobs[0].default_value.i, 2);
    assert_int_equal(event.registration.knobs[0].has_current, 1);
    dfopt_event_clear(&event);
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    json_object_put(body);
    dfopt_client_destroy(c);
}

/* The process chooses another locale while the library runs. */
static void another_locale(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    dfopt_client *c = make_client(&options);
    struct dfopt_client_plan p;
    const struct dfopt_client_knob k = {.parameter = "ratio",
                                        .type = DFOPT_CLIENT_FLOAT,
                                        .default_value = REAL(0.5),
                                        .lo = REAL(1e-7),
                                        .hi = REAL(0.30000000000000004)};
    assert_int_equal(dfopt_client_knob_declare(c, &k, NULL), DFOPT_OK);
    start(c);
    drop_registration(o);
    char *before = strdup(setlocale(LC_ALL, NULL));
    const char *name = getenv("DFOPT_TEST_LOCALE");
    if (name) /* there and back: it was chosen before, too */
        assert_true(setlocale(LC_ALL, "C") && setlocale(LC_ALL, name));
    assert_int_equal(dfopt_client_register(c, NULL, NULL), DFOPT_OK);
    struct json_object *body = receive_registration(o, NULL);
    const char *text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    assert_non_null(strstr(text, "\"range\":[1e-07,0.30000000000000004]"));
    json_object_put(body);
    deliver(o, c, PLAN("p", "app.ratio", "0.25", "now"));
    assert_int_equal(dfopt_client_at_boundary(c, NULL, "now", &p, 1), 1);
    assert_true(p.new_value.d == 0.25);
    assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, NULL, "", 1),
                     DFOPT_OK);
    body = receive_json(o->acks, NULL);
    assert_string_equal(json_text(body, "new_value"), "0.25");
    json_object_put(body);
    setlocale(LC_ALL, before);
    free(before);
    dfopt_client_destroy(c);
}

/* What is declared while it runs is sent when it is registered, each function by
 * itself. */
static void late_functions(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    const struct dfopt_client_knob k = {.parameter = "z",
                                        .function = "save",
                                        .type = DFOPT_CLIENT_INT,
                                        .default_value = INT(1)};
    assert_int_equal(dfopt_client_knob_declare(c, &k, NULL), DFOPT_OK);
    assert_true(is_silent(o->registry, 50));
    assert_int_equal(dfopt_client_register(c, "save", NULL), DFOPT_OK);
    struct json_object *name, *body = receive_registration(o, NULL);
    assert_true(json_object_object_get_ex(body, "function_name", &name));
    assert_string_equal(json_object_get_string(name), "save");
    json_object_put(body);
    dfopt_client_destroy(c);
}

/* Nothing is registered before its values are known; but its plans are taken. */
static void lazy(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    options.lazy_registration = true;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    wait_until(stats_of(c).connections == 1);
    deliver(o, c, PLAN("p", "app.a", "3", "now"));
    assert_int_equal(stats_of(c).plans_pending, 1);
    assert_true(is_silent(o->registry, 50));
    assert_int_equal(dfopt_client_register(c, NULL, NULL), DFOPT_OK);
    drop_registration(o);
    assert_int_equal(dfopt_client_stop(c, 0), DFOPT_OK);
    start(c); /* it is known now */
    drop_registration(o);
    dfopt_client_destroy(c);
}

static char *instance_of(struct json_object *body)
{
    return strdup(json_text(body, "instance"));
}

/* A client that was registered says so when it stops, once, for each function;
 * with the instance that it has kept. Another client has another. */
static void leaving(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    char *first = NULL;
    for (int i = 0; i < 2; i++) {
        dfopt_client *c = make_client(&options);
        declare_int(c, "a");
        for (int run = 0; run < 2; run++) {
            char want[512];
            start(c);
            struct json_object *body = receive_registration(o, NULL);
            char *instance = instance_of(body);
            json_object_put(body);
            wait_until(stats_of(c).registrations_sent == (uint64_t)run + 1);
            assert_int_equal(dfopt_client_stop(c, DEADLINE_MS), DFOPT_OK);
            snprintf(want, sizeof want,
                     "{\"namespace\":\"app\",\"function_name\":\"load\","
                     "\"node\":\"" HOST
                     "\",\"instance\":\"%s\",\"unregister\":true}",
                     instance);
            expect_json(o->registry,
                        "{\"type\":\"knob_registration\",\"namespace\":\"app\","
                        "\"function\":\"load\"}",
                        want);
            if (first)
                assert_int_equal(strcmp(first, instance) == 0, i == 0);
            if (!first)
                first = strdup(instance);
            free(instance);
        }
        dfopt_client_destroy(c);
        assert_true(is_silent(o->registry, 20));
    }
    free(first);
}

/* What was never registered does not leave. */
static void leaving_unknown(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    options.lazy_registration = true;
    dfopt_client *c = make_client(&options);
    declare_int(c, "a");
    start(c);
    wait_until(stats_of(c).connections == 1);
    assert_int_equal(dfopt_client_stop(c, 100), DFOPT_OK);
    assert_true(is_silent(o->registry, 100));
    dfopt_client_destroy(c);
}

#define ACK_META "{\"type\":\"action_ack\",\"plan_id\":\"plan_0000000000010000\"}"
#define ACK(rest)                                                                  \
    "{\"plan_id\":\"plan_0000000000010000\",\"knob_id\":\"app.a\"," rest "}"

static const struct dfopt_client_value four = INT(4);

static const struct {
    enum dfopt_client_status status;
    const struct dfopt_client_value *value;
    const char *reason;
    int64_t window;
    bool for_node;
    const char *want;
} ack_cases[] = {
    {DFOPT_CLIENT_APPLIED, NULL, "", 7, false,
     ACK("\"status\":\"applied\",\"old_value\":2,\"new_value\":8,\"reason\":"
         "\"\","
         "\"window_index\":7,\"target_nodes\":[]")},
    {DFOPT_CLIENT_APPLIED, &four, NULL, -1, true, /* the old value is ours */
     ACK("\"status\":\"applied\",\"old_value\":8,\"new_value\":4,\"reason\":"
         "\"\","
         "\"target_nodes\":[\"" HOST "\"]")},
    {DFOPT_CLIENT_REJECTED, NULL, "no \"memory\"", 0, false,
     ACK("\"status\":\"rejected\",\"old_value\":4,\"new_value\":null,"
         "\"reason\":\"no \\\"memory\\\"\",\"window_index\":0,"
         "\"target_nodes\":[]")},
    {DFOPT_CLIENT_DEFERRED, &four, "busy", 9, true,
     ACK("\"status\":\"deferred\",\"old_value\":4,\"new_value\":4,"
         "\"reason\":\"busy\",\"window_index\":9,\"target_nodes\":[\"" HOST "\"]")},
};

static void acks(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    const struct dfopt_client_value wrong = TEXT("4"), real = REAL(4);
    struct dfopt_client_plan p = {.plan_id = "plan_0000000000010000",
                                  .knob_id = "app.a",
                                  .function = "load",
                                  .new_value = INT(8)};
    for (size_t i = 0; i < sizeof ack_cases / sizeof *ack_cases; i++) {
        p.for_node = ack_cases[i].for_node;
        assert_int_equal(dfopt_client_ack(c, &p, ack_cases[i].status,
                                          ack_cases[i].value, ack_cases[i].reason,
                                          ack_cases[i].window),
                         DFOPT_OK);
        expect_ack(o->acks, ACK_META, ack_cases[i].want);
    }
    assert_int_equal(dfopt_client_ack(c, &p, 9, NULL, "", 0), DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, &wrong, "", 0),
                     DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, &real, "", 0),
                     DFOPT_ERR_ARG);
    assert_int_equal(dfopt_client_ack(c, NULL, DFOPT_CLIENT_APPLIED, NULL, "", 0),
                     DFOPT_ERR_ARG);
    p.knob_id = "nobody's";
    assert_int_equal(dfopt_client_ack(c, &p, DFOPT_CLIENT_APPLIED, NULL, "", 0),
                     DFOPT_ERR_ARG);
    assert_true(is_silent(o->acks, 50));
    wait_until(stats_of(c).acks_sent == 4);
    dfopt_client_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(registration),
        with_optimizer(every_member),
        with_optimizer(the_service_reads_it),
        with_optimizer(another_locale),
        with_optimizer(late_functions),
        with_optimizer(lazy),
        with_optimizer(leaving),
        with_optimizer(leaving_unknown),
        with_optimizer(acks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
