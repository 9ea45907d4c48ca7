/* What a knob takes of the values it is told: each of its kind, within its bounds,
 * or not at all. */
#include "client_fixture.h"

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
#define BOOL(t)                                                                    \
    {                                                                              \
        .kind = DFOPT_CLIENT_BOOL, .b = (t)                                        \
    }

static const struct dfopt_client_value sizes[] = {INT(1), INT(4), INT(8)};
static const struct dfopt_client_value ratios[] = {REAL(0.5), INT(2)};
static const struct dfopt_client_value engines[] = {TEXT("posix"), TEXT("uring")};
static const struct dfopt_client_value on_only[] = {BOOL(true)};

static const struct dfopt_client_knob value_knobs[] = {
    {.id = "int", .type = DFOPT_CLIENT_INT, .default_value = INT(2)},
    {.id = "int.range",
     .type = DFOPT_CLIENT_INT,
     .default_value = INT(2),
     .lo = INT(-4),
     .hi = INT(16)},
    {.id = "int.values",
     .type = DFOPT_CLIENT_INT,
     .default_value = INT(4),
     .lo = INT(0),
     .hi = INT(2), /* the list goes before it */
     .values = sizes,
     .n_values = 3},
    {.id = "float", .type = DFOPT_CLIENT_FLOAT, .default_value = REAL(1)},
    {.id = "float.range",
     .type = DFOPT_CLIENT_FLOAT,
     .default_value = REAL(1),
     .lo = INT(0),
     .hi = REAL(1.5)},
    {.id = "float.values",
     .type = DFOPT_CLIENT_FLOAT,
     .default_value = INT(2),
     .values = ratios,
     .n_values = 2},
    {.id = "str", .type = DFOPT_CLIENT_STR, .default_value = TEXT("a")},
    {.id = "str.values",
     .type = DFOPT_CLIENT_STR,
     .default_value = TEXT("posix"),
     .values = engines,
     .n_values = 2},
    {.id = "bool", .type = DFOPT_CLIENT_BOOL, .default_value = BOOL(false)},
    {.id = "bool.values",
     .type = DFOPT_CLIENT_BOOL,
     .default_value = BOOL(true),
     .values = on_only,
     .n_values = 1},
};

/* What is sent, and what the knob takes; NULL: nothing, the plan is rejected. */
static const struct {
    const char *knob, *sent;
    struct dfopt_client_value want;
    bool clamped;
} values[] = {
    {"int", "8", INT(8), false},
    {"int", "8.0", INT(8), false},
    {"int", "8.9", INT(8), true},
    {"int", "-8.9", INT(-8), true},
    {"int", "9223372036854775807", INT(INT64_MAX), false},
    {"int", "-9223372036854775808", INT(INT64_MIN), false},
    {"int", "9223372036854775808", {0}, false},
    {"int", "1e300", {0}, false},
    {"int", "NaN", {0}, false},
    {"int", "Infinity", {0}, false},
    {"int", "true", {0}, false},
    {"int", "\"8\"", {0}, false},
    {"int.range", "16", INT(16), false},
    {"int.range", "17", INT(16), true},
    {"int.range", "-4", INT(-4), false},
    {"int.range", "-4.5", INT(-4), true},
    {"int.range", "16.5", INT(16), true},
    {"int.range", "1e300", INT(16), true},
    {"int.range", "-99999999999999999999", INT(-4), true},
    {"int.range", "NaN", {0}, false},
    {"int.values", "8", INT(8), false},
    {"int.values", "8.0", INT(8), false},
    {"int.values", "8.5", INT(4), true},
    {"int.values", "2", INT(4), true},
    {"int.values", "\"8\"", {0}, false},
    {"float", "8.0", REAL(8.0), false},
    {"float", "8", REAL(8.0), false},
    {"float", "0.1", REAL(0.1), false},
    {"float", "-Infinity", {0}, false},
    {"float", "false", {0}, false},
    {"float.range", "-1", REAL(0), true},
    {"float.range", "1.5", REAL(1.5), false},
    {"float.range", "2", REAL(1.5), true},
    {"float.values", "0.5", REAL(0.5), false},
    {"float.values", "2", REAL(2), false},
    {"float.values", "3", REAL(2), true},
    {"str", "\"b\"", TEXT("b"), false},
    {"str", "\"\"", TEXT(""), false},
    {"str", "8", {0}, false},
    {"str", "true", {0}, false},
    {"str.values", "\"uring\"", TEXT("uring"), false},
    {"str.values", "\"mmap\"", TEXT("posix"), true},
    {"bool", "true", BOOL(true), false},
    {"bool", "false", BOOL(false), false},
    {"bool", "1", BOOL(true), false},
    {"bool", "0.0", BOOL(false), false},
    {"bool", "\"true\"", {0}, false},
    {"bool.values", "false", BOOL(true), true},
};

static bool is_same(const struct dfopt_client_value *a,
                    const struct dfopt_client_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case DFOPT_CLIENT_INT:
        return a->i == b->i;
    case DFOPT_CLIENT_FLOAT:
        return a->d == b->d;
    case DFOPT_CLIENT_STR:
        return strcmp(a->s, b->s) == 0;
    default:
        return a->b == b->b;
    }
}

static void what_a_knob_takes(void **state)
{
    struct optimizer *o = *state;
    struct dfopt_client_options options = optimizer_options(o);
    dfopt_client *c = make_client(&options);
    struct dfopt_client_plan p;
    uint64_t refused = 0;
    for (size_t i = 0; i < sizeof value_knobs / sizeof *value_knobs; i++)
        assert_int_equal(dfopt_client_knob_declare(c, &value_knobs[i], NULL),
                         DFOPT_OK);
    start(c);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char body[256];
        snprintf(body, sizeof body, PLAN("p", "%s", "%s", "now"), values[i].knob,
                 values[i].sent);
        deliver(o, c, body);
        size_t n = dfopt_client_at_boundary(c, NULL, NULL, &p, 1),
               want = values[i].want.kind ? 1 : 0;
        if (n != want || (n && (!is_same(&p.new_value, &values[i].want) ||
                                p.clamped != values[i].clamped)))
            fail_msg("%s told %s", values[i].knob, values[i].sent);
        refused += !want;
        if (!want)
            drop_message(o->acks);
    }
    assert_int_equal(stats_of(c).plans_unfit, refused);
    deliver(o, c, PLAN("p9", "int", "\"8\"", "now"));
    expect_ack(
        o->acks, "{\"type\":\"action_ack\",\"plan_id\":\"p9\"}",
        "{\"plan_id\":\"p9\",\"knob_id\":\"int\",\"status\":\"rejected\","
        "\"old_value\":2,\"new_value\":null,\"reason\":\"the value is not of "
        "the type of the knob\",\"target_nodes\":[]}");
    dfopt_client_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {with_optimizer(what_a_knob_takes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
