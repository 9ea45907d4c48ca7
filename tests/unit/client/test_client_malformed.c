/* Messages that are no plans, or hardly: each is counted and dropped, and what
 * comes after it arrives. */
#include "client_fixture.h"

#define BODY(members) "{\"plan_id\":\"p\",\"knob_id\":\"app.a\"" members "}"
#define T128                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxx"                                                                         \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *const bodies[] = {
    "",
    "{",
    "[]",
    "7",
    "null",
    "\xff\xfe",
    "{}",
    "{'plan_id':'p'}",
    BODY(""), /* no new_value */
    BODY(",\"new_value\":null"),
    BODY(",\"new_value\":[1]"),
    BODY(",\"new_value\":{}"),
    BODY(",\"new_value\":1,\"old_value\":[]"),
    BODY(",\"new_value\":1,\"apply_when\":3"),
    BODY(",\"new_value\":1,\"apply_when\":\"" T128 "\""),
    BODY(",\"new_value\":1,\"target_nodes\":\"node1\""),
    BODY(",\"new_value\":1,\"target_nodes\":[1]"),
    BODY(",\"new_value\":1,\"severity\":\"high\""),
    BODY(",\"new_value\":1,\"severity\":NaN"),
    BODY(",\"new_value\":1,\"window_index\":1.5"),
    BODY(",\"new_value\":1,\"target_function\":[]"),
    BODY(",\"new_value\":1,\"rationale\":{}"),
    BODY(",\"new_value\":\"a\\u0000b\""),
    "{\"plan_id\":7,\"knob_id\":\"app.a\",\"new_value\":1}",
    "{\"plan_id\":\"\",\"knob_id\":\"app.a\",\"new_value\":1}",
    "{\"plan_id\":\"" T128 "\",\"knob_id\":\"app.a\",\"new_value\":1}",
    "{\"plan_id\":\"p\",\"knob_id\":\"\",\"new_value\":1}",
    "{\"plan_id\":\"p\",\"new_value\":1}",
};

/* Each is counted as malformed and dropped; the one after it arrives. */
static void malformed(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    const size_t n = sizeof bodies / sizeof *bodies;
    for (size_t i = 0; i < n; i++) {
        send_plan(o, bodies[i]);
        wait_until(stats_of(c).plans_received == i + 1);
        if (stats_of(c).plans_malformed != i + 1)
            fail_msg("taken: %s", bodies[i]);
    }
    send_plan(o, PLAN("p", "app.a", "3", "now"));
    wait_until(stats_of(c).plans_pending == 1);
    assert_int_equal(stats_of(c).plans_malformed, n);
    assert_true(is_silent(o->acks, 20));
    dfopt_client_destroy(c);
}

static void send_two(struct optimizer *o, const char *meta, size_t meta_len,
                     const char *body, size_t body_len)
{
    send_parts(o->plans, 2, (const char *[]){meta, body},
               (size_t[]){meta_len, body_len});
}

/* One part, three, ten; metadata that is no object. */
static void wrong_parts(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    const char *good = PLAN("p", "app.a", "3", "now");
    static const char *const metas[] = {"", "7", "[]", "\"x\"", "{", "null"};
    static const int counts[] = {1, 3, 10};
    const char *parts[10] = {PLAN_META};
    size_t lens[10] = {strlen(PLAN_META)};
    for (int i = 1; i < 10; i++) {
        parts[i] = good;
        lens[i] = strlen(good);
    }
    for (size_t i = 0; i < 3; i++)
        send_parts(o->plans, counts[i], parts, lens);
    for (size_t i = 0; i < 6; i++)
        send_two(o, metas[i], strlen(metas[i]), good, strlen(good));
    wait_until(stats_of(c).plans_received == 9);
    assert_int_equal(stats_of(c).plans_malformed, 9);
    send_plan(o, good);
    wait_until(stats_of(c).plans_pending == 1);
    dfopt_client_destroy(c);
}

/* 20 MB as a body and as metadata; and deep instead of long. */
static void too_much(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    const char *good = PLAN("p", "app.a", "3", "now");
    const size_t big = 20u << 20;
    char *text = malloc(big);
    assert_non_null(text);
    memset(text, '[', big);
    send_two(o, PLAN_META, strlen(PLAN_META), text, big);
    send_two(o, text, big, good, strlen(good));
    send_two(o, PLAN_META, strlen(PLAN_META), text, 1 << 20);
    wait_until(stats_of(c).plans_received == 3);
    assert_int_equal(stats_of(c).plans_malformed, 3);
    send_plan(o, good);
    wait_until(stats_of(c).plans_pending == 1);
    free(text);
    dfopt_client_destroy(c);
}

/* Texts for people are cut between two characters. */
static void long_notes(void **state)
{
    struct optimizer *o = *state;
    dfopt_client *c = running_client(o, ZMQ_PUSH);
    struct dfopt_client_plan p;
    char body[4096] = "{\"plan_id\":\"p\",\"knob_id\":\"app.a\",\"new_value\":1,"
                      "\"rationale\":\"x";
    for (int i = 0; i < 400; i++)
        strcat(body, "\xc3\xa9");
    strcat(body, "\",\"finding_type\":\"f\",\"opportunity_tag\":\"o\","
                 "\"severity\":0.75,\"window_index\":12,\"new\":{\"unknown\":[]}}");
    send_plan(o, body);
    wait_until(dfopt_client_at_boundary(c, NULL, NULL, &p, 1) == 1);
    assert_int_equal(strlen(p.rationale), 511);
    assert_true(strcmp(p.rationale + 509, "\xc3\xa9") == 0);
    assert_string_equal(p.finding_type, "f");
    assert_string_equal(p.opportunity_tag, "o");
    assert_string_equal(p.apply_when, "epoch_boundary");
    assert_true(p.severity == 0.75);
    assert_int_equal(p.window_index, 12);
    assert_int_equal(p.old_value.kind, DFOPT_CLIENT_NULL);
    dfopt_client_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_optimizer(malformed),
        with_optimizer(wrong_parts),
        with_optimizer(too_much),
        with_optimizer(long_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
