/* Where events go, by stream and node, and that a frame brings them there as they
 * are. */

#include "engine/batch/shard.h"
#include "support/unit.h"

#include <string.h>

#define NODE     "nid0002" /* of 7 planners 6 owns it */
#define PLANNERS 7u
#define OWNER    6u
#define SEQ      41

struct fixture {
    struct dfopt_dict *dict;
    dfopt_sym node;
};

static int setup(void **state)
{
    static struct fixture f;
    f.dict = NULL;
    if (dfopt_dict_create(&f.dict, false))
        return -1;
    f.node = dfopt_dict_intern_z(f.dict, NODE);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dfopt_dict_destroy(f->dict);
    return 0;
}

static const struct {
    uint32_t stream;
    bool node;
    struct dfopt_route of_7, of_1;
} routes[] = {
    {DFOPT_STREAM_FINDING, true, {OWNER, OWNER, OWNER}, {0, 0, 0}},
    {DFOPT_STREAM_FINDING, false, {0, 6, 0}, {0, 0, 0}},
    {DFOPT_STREAM_OBJECTIVE, true, {OWNER, OWNER, OWNER}, {0, 0, 0}},
    {DFOPT_STREAM_OBJECTIVE, false, {0, 6, 0}, {0, 0, 0}},
    {DFOPT_STREAM_REGISTRATION,
     false,
     {0, 6, DFOPT_REPORTER_ALL},
     {0, 0, DFOPT_REPORTER_ALL}},
    {DFOPT_STREAM_ACK,
     true,
     {0, 6, DFOPT_REPORTER_ALL},
     {0, 0, DFOPT_REPORTER_ALL}},
    {DFOPT_STREAM_GLOBAL_PLAN, false, {0, 6, 0}, {0, 0, 0}},
};

static struct dfopt_event event_of(const struct fixture *f, size_t i)
{
    struct dfopt_event e = {.stream = routes[i].stream};
    const dfopt_sym node = routes[i].node ? f->node : DFOPT_SYM_EMPTY;
    if (e.stream == DFOPT_STREAM_FINDING)
        e.finding = (struct dfopt_finding){.node = node, .window = 3};
    else if (e.stream == DFOPT_STREAM_OBJECTIVE)
        e.objective = (struct dfopt_objective){.node = node, .goal = -1};
    else if (e.stream == DFOPT_STREAM_ACK)
        e.ack = (struct dfopt_ack){.node = node, .window = 5};
    else if (e.stream == DFOPT_STREAM_GLOBAL_PLAN)
        e.global_plan = (struct dfopt_global_plan){.knob = f->node, .window = 7};
    else
        e.registration = (struct dfopt_registration){.name_space = f->node};
    return e;
}

static void check_route(size_t i, struct dfopt_router *r,
                        const struct dfopt_event *event,
                        const struct dfopt_route *want)
{
    for (int turn = 0; turn < 2; turn++) { /* computed, then remembered */
        struct dfopt_route to;
        assert_int_equal(dfopt_route_event(r, event, &to), DFOPT_OK);
        if (memcmp(&to, want, sizeof to) != 0)
            fail_msg("case %zu of %u planners: %u..%u, reported by %u", i,
                     r->planners, to.first, to.last, to.reporter);
        for (uint32_t p = 0; p < r->planners; p++)
            assert_int_equal(dfopt_route_has(&to, p),
                             p >= want->first && p <= want->last);
    }
}

static void test_routes(void **state)
{
    const struct fixture *f = *state;
    for (size_t i = 0; i < N_OF(routes); i++) {
        const struct dfopt_event event = event_of(f, i);
        struct dfopt_policy policy;
        dfopt_policy_preset(&policy, DFOPT_PRESET_DEFAULT);
        struct dfopt_router alone = {.dict = f->dict,
                                     .policy = &policy,
                                     .planners = 1},
                            seven = {.dict = f->dict,
                                     .policy = &policy,
                                     .planners = PLANNERS};
        check_route(i, &alone, &event, &routes[i].of_1);
        check_route(i, &seven, &event, &routes[i].of_7);
        dfopt_router_free(&alone);
        dfopt_router_free(&seven);
    }
}

/* A finding about a node whose tag a knob of the job responds to is for all, once
 * the knob is known. */
static void test_findings_of_the_job(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *scope, *tag;
        enum dfopt_preset preset;
        uint32_t reporter;
    } cases[] = {
        {"job", "more", DFOPT_PRESET_DEFAULT, DFOPT_REPORTER_ALL},
        {"", "more", DFOPT_PRESET_DEFAULT, DFOPT_REPORTER_ALL},
        {"node", "more", DFOPT_PRESET_DEFAULT, OWNER},
        {"rank_local", "more", DFOPT_PRESET_DEFAULT, OWNER},
        {"job", "less", DFOPT_PRESET_DEFAULT, OWNER},
        {"job", "more", DFOPT_PRESET_UPSTREAM, OWNER},
    };
    const dfopt_sym more = dfopt_dict_intern_z(f->dict, "more");
    const dfopt_list tags = dfopt_dict_intern_list(f->dict, &more, 1);
    const struct dfopt_finding finding = {.node = f->node, .tags = tags};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_policy policy;
        dfopt_policy_preset(&policy, cases[i].preset);
        struct dfopt_router r = {
            .dict = f->dict, .policy = &policy, .planners = PLANNERS};
        struct dfopt_response response = {
            .tag = dfopt_dict_intern_z(f->dict, cases[i].tag)};
        struct dfopt_knob knob = {.scope =
                                      dfopt_dict_intern_z(f->dict, cases[i].scope),
                                  .responses = &response,
                                  .n_responses = 1};
        const struct dfopt_registration g = {.knobs = &knob, .n_knobs = 1};
        struct dfopt_route before, after;
        assert_int_equal(dfopt_route_finding(&r, &finding, &before), DFOPT_OK);
        const bool news = dfopt_router_is_news(&r, &g);
        assert_int_equal(dfopt_router_learn(&r, &g), DFOPT_OK);
        assert_false(dfopt_router_is_news(&r, &g));
        assert_int_equal(dfopt_route_finding(&r, &finding, &after), DFOPT_OK);
        if (before.reporter != OWNER || after.reporter != cases[i].reporter)
            fail_msg("case %zu: reported by %u, then %u", i, before.reporter,
                     after.reporter);
        if (after.reporter == DFOPT_REPORTER_ALL)
            assert_true(news && after.first == 0 && after.last == PLANNERS - 1);
        dfopt_router_free(&r);
    }
}

static bool same(const struct dfopt_event *a, const struct dfopt_event *b)
{
    if (a->stream != b->stream)
        return false;
    switch (a->stream) {
    case DFOPT_STREAM_FINDING:
        return memcmp(&a->finding, &b->finding, sizeof a->finding) == 0;
    case DFOPT_STREAM_OBJECTIVE:
        return memcmp(&a->objective, &b->objective, sizeof a->objective) == 0;
    case DFOPT_STREAM_ACK:
        return memcmp(&a->ack, &b->ack, sizeof a->ack) == 0;
    case DFOPT_STREAM_GLOBAL_PLAN:
        return memcmp(&a->global_plan, &b->global_plan, sizeof a->global_plan) == 0;
    default:
        return a->registration.name_space == b->registration.name_space &&
               b->registration.n_knobs == 0;
    }
}

static void test_frames(void **state)
{
    const struct fixture *f = *state;
    struct dfopt_buf bytes = {0};
    for (size_t i = 0; i < N_OF(routes); i++) {
        const struct dfopt_event event = event_of(f, i);
        struct dfopt_event got;
        struct dfopt_frame out;
        struct dfopt_frame_reader in;
        struct dfopt_item item;
        uint64_t seq = 0;
        enum dfopt_err e;
        assert_int_equal(dfopt_frame_begin(&out, &bytes, f->dict, NULL), DFOPT_OK);
        assert_int_equal(dfopt_frame_event(&out, SEQ, &event), DFOPT_OK);
        dfopt_frame_end(&out, DFOPT_FRAME_EVENTS, 0);
        assert_int_equal(dfopt_frame_open(&in, bytes.data, bytes.len, NULL),
                         DFOPT_OK);
        assert_true(dfopt_frame_next(&in, &item, &e));
        assert_int_equal(dfopt_item_event(&item, &seq, &got), DFOPT_OK);
        if (seq != SEQ || !same(&event, &got))
            fail_msg("case %zu: not the same event", i);
        if (got.stream == DFOPT_STREAM_REGISTRATION)
            dfopt_registration_clear(&got.registration);
        item.kind = DFOPT_ITEM_VERDICTS;
        assert_int_equal(dfopt_item_event(&item, &seq, &got), DFOPT_ERR_FORMAT);
    }
    dfopt_buf_free(&bytes);
}

/* Every planner decides, one reports: the owner, or for the job the speaker. */
static void test_reports(void **state)
{
    const struct fixture *f = *state;
    struct dfopt_policy policy = {0};
    dfopt_policy_preset(&policy, DFOPT_PRESET_DEFAULT);
    for (size_t i = 0; i < N_OF(routes); i++)
        for (uint32_t p = 0; p < PLANNERS; p++) {
            const struct dfopt_event event = event_of(f, i);
            const struct dfopt_route *to = &routes[i].of_7;
            struct dfopt_shard shard = {0};
            struct dfopt_decisions d = {.verdicts = {0}};
            if (!dfopt_route_has(to, p))
                continue;
            assert_int_equal(dfopt_shard_start(&shard, f->dict, &policy, true,
                                               DFOPT_SYM_EMPTY, p, PLANNERS),
                             DFOPT_OK);
            assert_int_equal(dfopt_shard_event(&shard, SEQ, &event, &d), DFOPT_OK);
            const bool rows = d.verdicts.len + d.acks.len + d.relays.len > 0;
            const bool speaks = to->reporter == DFOPT_REPORTER_ALL
                                    ? p == DFOPT_PARTITION_SPEAKER
                                    : p == to->reporter;
            const bool silent = event.stream == DFOPT_STREAM_REGISTRATION ||
                                event.stream == DFOPT_STREAM_OBJECTIVE;
            if (rows != (speaks && !silent))
                fail_msg("case %zu, planner %u: %s", i, p,
                         rows ? "reports" : "is silent");
            dfopt_decisions_free(&d);
            dfopt_shard_end(&shard);
        }
    dfopt_policy_clear(&policy);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_routes),
                                       CASE(test_findings_of_the_job),
                                       CASE(test_frames), CASE(test_reports)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
