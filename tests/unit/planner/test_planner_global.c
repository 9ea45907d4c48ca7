/* Registrations that come again, and plans of a global optimizer. */
#include "planner_fixture.h"

#define DEFAULT  DFOPT_PRESET_DEFAULT
#define UPSTREAM DFOPT_PRESET_UPSTREAM
#define BOTH(name)                                                                 \
    for (int preset = 0; preset < 2; preset++)                                     \
        for (bool once =                                                           \
                 (pf_open(&t, (enum dfopt_preset)preset,                           \
                          preset ? name " (upstream)" : name " (default)"),        \
                  true);                                                           \
             once; once = (pf_close(&t), false))

/* ---- registrations ---- */

static void register_again(void **state)
{
    (void)state;
    struct pf t;
    BOTH("the definition is replaced, the value survives")
    {
        REGISTER(&t, KNOB(RANGE(I(0), I(5)), RESPONSES(RESPONSE())));
        assert_int_equal(dfopt_planner_knobs(t.planner), 1);
        REGISTER(&t,
                 KNOB(.type = DFOPT_KNOB_FLOAT, .dflt = R(1), RANGE(I(0), I(99)),
                      RESPONSES(RESPONSE(.tag = "u", .step = I(10)))));
        assert_int_equal(dfopt_planner_knobs(t.planner), 1);
        FIND(&t, .tags = "u");
        pf_expect(&t, "planned u k 4->14.0");
    }
    BOTH("given values overwrite, also while a plan is pending")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t);
        FIND(&t, .scope = "node:a");
        REGISTER(&t, KNOB(CURRENT(R(9.5)), RESPONSES(RESPONSE())));
        pf_expect_state(&t, "k=9.5 k@a=6 pending=k#1.0 pending=k@a#2.0");
        ACK(&t, .plan = PLAN(1, 0), .window = 1);
        pf_expect(&t, "applied k=9.5 at 1");
    }
    pf_open(&t, DEFAULT, "replace: the old responses go");
    REGISTER(&t, KNOB(RESPONSES(RESPONSE(), RESPONSE(.tag = "u"))));
    REGISTER(&t, KNOB(RESPONSES(RESPONSE(.step = I(2)))));
    FIND(&t, .tags = "u,t");
    pf_expect(&t, "no_response u; planned t k 4->6");
    REGISTER(&t, KNOB());
    FIND(&t, .tags = "u,t");
    pf_expect(&t, "no_response u; no_response t");
    pf_close(&t);

    pf_open(&t, UPSTREAM, "append: the old responses stay, and stay first");
    REGISTER(&t,
             KNOB(RESPONSES(RESPONSE(.min_severity = 0.9), RESPONSE(.tag = "u"))));
    REGISTER(&t, KNOB(RESPONSES(RESPONSE(.step = I(2)))));
    FIND(&t, .severity = 0.8);
    pf_expect(&t, "severity t k; planned t k 4->5");
    ACK(&t, .plan = PLAN(2, 0));
    FIND(&t);
    pf_expect(&t, "planned t k 5->6; pending t k");
    ACK(&t, .plan = PLAN(4, 0));
    FIND(&t, .tags = "u");
    pf_expect(&t, "planned u k 6->7");
    pf_close(&t);

    pf_open(&t, DEFAULT, "replace: the order of the first registration");
    REGISTER(&t, KNOB(.id = "a", RESPONSES(RESPONSE())),
             KNOB(.id = "b", RESPONSES(RESPONSE())),
             KNOB(.id = "c", RESPONSES(RESPONSE(.tag = "u"))));
    REGISTER(&t, KNOB(.id = "a", RESPONSES(RESPONSE())));
    FIND(&t);
    pf_expect(&t, "planned t a 4->5; planned t b 4->5");
    REGISTER(&t, KNOB(.id = "c", RESPONSES(RESPONSE())),
             KNOB(.id = "b", RESPONSES(RESPONSE())));
    FIND(&t);
    pf_expect(&t, "pending t a; pending t b; planned t c 4->5");
    pf_close(&t);

    pf_open(&t, UPSTREAM, "append: the order of the responses' coming");
    REGISTER(&t, KNOB(.id = "a", RESPONSES(RESPONSE(.tag = "u"))),
             KNOB(.id = "b", RESPONSES(RESPONSE())));
    REGISTER(&t, KNOB(.id = "a", RESPONSES(RESPONSE())));
    FIND(&t);
    pf_expect(&t, "planned t b 4->5; planned t a 4->5");
    pf_close(&t);

    pf_open(&t, DEFAULT, "twice in one message: the last counts");
    REGISTER(&t, KNOB(.dflt = I(1), RESPONSES(RESPONSE())),
             KNOB(.dflt = I(2), RESPONSES(RESPONSE(.step = I(5)))));
    FIND(&t);
    pf_expect(&t, "planned t k 1->6");
    pf_close(&t);
}

static void state_survives_a_registration(void **state)
{
    (void)state;
    struct pf t;
    BOTH("pending, cooldown and suppression")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t);
        FIND(&t, .scope = "node:a");
        ACK(&t, .plan = PLAN(2, 0), .node = "a", .window = 1);
        FIND(&t, .scope = "global", .suppresses = "x", .tags = "");
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())), KNOB(.id = "l", .dflt = NUL));
        pf_expect_state(&t, "cool=k@a(1,1.0) k=5 k@a=6 l=null pending=k#1.0 "
                            "supp=x(1,1.0,slow)");
    }
}

static void many_knobs(void **state)
{
    (void)state;
    struct pf t;
    BOTH("fifty knobs on one tag")
    {
        char ids[50][16], want[80];
        for (int i = 0; i < 50; i++) {
            snprintf(ids[i], sizeof ids[i], "k%d", i);
            REGISTER(&t, KNOB(.id = ids[i], .dflt = I(i), RESPONSES(RESPONSE())));
        }
        FIND(&t, .scope = "node:n");
        assert_int_equal(DFOPT_ROWS(&t.out.plans, struct dfopt_plan), 50);
        for (uint32_t i = 0; i < 50; i++) {
            ACK(&t, .plan = PLAN(50, i), .knob = ids[i], .node = "n", .window = 1);
            snprintf(want, sizeof want, "applied k%u@n=%u at 1", i, i + 1);
            pf_expect(&t, want);
        }
    }
}

static void overrides_of_the_policy(void **state)
{
    (void)state;
    struct pf t;
    BOTH("a knob's over a tag's over all, when the knob registers")
    {
        t.policy.overrides = calloc(3, sizeof *t.policy.overrides);
        assert_non_null(t.policy.overrides);
        t.policy.n_overrides = 3;
        t.policy.overrides[0] =
            (struct dfopt_override){.target = DFOPT_OVERRIDE_KNOB,
                                    .name = pf_sym(&t, "b"),
                                    .fields = DFOPT_RF_STEP,
                                    .to = {.step = dfopt_value_int(30)}};
        t.policy.overrides[1] = (struct dfopt_override){
            .target = DFOPT_OVERRIDE_TAG,
            .name = pf_sym(&t, "t"),
            .fields = DFOPT_RF_STEP | DFOPT_RF_MIN_SEVERITY,
            .to = {.step = dfopt_value_int(20), .min_severity = 0.1}};
        t.policy.overrides[2] = (struct dfopt_override){
            .target = DFOPT_OVERRIDE_ALL,
            .fields = DFOPT_RF_STEP | DFOPT_RF_MIN_PERSISTENCE,
            .to = {.step = dfopt_value_int(10), .min_persistence = 0}};
        REGISTER(&t, KNOB(.id = "a", RESPONSES(RESPONSE(), RESPONSE(.tag = "u"))),
                 KNOB(.id = "b", RESPONSES(RESPONSE())));
        FIND(&t, .severity = 0.5, .persistence = 0, .tags = "u,t");
        pf_expect(&t, "planned u a 4->11; pending t a; planned t b 4->26");
    }
}

/* ---- global plans ---- */

struct global_case {
    const char *name;
    struct pf_knob knob;
    struct pf_value new;
    const char *want[2]; /* by preset; the second NULL: the same */
};

static void the_value_of_a_global_plan(void **state)
{
    (void)state;
    const struct global_case cases[] = {
        {"an int", KNOB(), I(9), {"relayed k 4->9"}},
        {"clamped", KNOB(RANGE(I(0), I(6))), I(9), {"relayed k 4->6"}},
        {"cut", KNOB(), R(9.9), {"relayed k 4->9"}},
        {"the value that the job has", KNOB(), R(4.9), {"same_value"}},
        {"no value", KNOB(), NUL, {"wrong_value"}},
        {"a boolean", KNOB(), B(true), {"wrong_value", "relayed k 4->1"}},
        {"a text", KNOB(), S("9"), {"wrong_value", "relayed k 4->9"}},
        {"a word", KNOB(), S("nine"), {"wrong_value"}},
        {"a float knob",
         KNOB(.type = DFOPT_KNOB_FLOAT),
         I(9),
         {"relayed k 4->9.0"}},
        {"an infinite value",
         KNOB(.type = DFOPT_KNOB_FLOAT),
         R(INFINITY),
         {"wrong_value"}},
        {"a text knob",
         KNOB(.type = DFOPT_KNOB_STR, .dflt = S("a")),
         S("b"),
         {"relayed k 'a'->'b'"}},
        {"a number for a text knob",
         KNOB(.type = DFOPT_KNOB_STR, .dflt = S("a")),
         I(1),
         {"wrong_value", "relayed k 'a'->'1'"}},
        {"nothing for a text knob",
         KNOB(.type = DFOPT_KNOB_STR, .dflt = S("a")),
         NUL,
         {"wrong_value", "relayed k 'a'->'None'"}},
        {"a boolean for a text knob",
         KNOB(.type = DFOPT_KNOB_STR, .dflt = S("a")),
         B(true),
         {"relayed k 'a'->'True'"}},
        {"a boolean knob",
         KNOB(.type = DFOPT_KNOB_BOOL, .dflt = B(false)),
         B(true),
         {"relayed k false->true"}},
        {"a text for a boolean knob",
         KNOB(.type = DFOPT_KNOB_BOOL, .dflt = B(false)),
         S("false"),
         {"relayed k false->true"}},
        {"a listed value", KNOB(VALUES(I(4), I(8))), I(8), {"relayed k 4->8"}},
        {"a listed value of another kind",
         KNOB(VALUES(I(4), R(8))),
         I(8),
         {"relayed k 4->8.0", "relayed k 4->8"}},
        {"a value that is not listed",
         KNOB(CURRENT(I(8)), VALUES(I(4), I(8))),
         I(9),
         {"wrong_value", "relayed k 8->4"}},
        {"true where 1 is listed",
         KNOB(VALUES(I(4), I(1))),
         B(true),
         {"wrong_value", "relayed k 4->true"}},
        {"bounds that are no numbers",
         KNOB(.range = DFOPT_RANGE_BAD),
         I(9),
         {"wrong_value"}},
        {"real bounds of an int knob",
         KNOB(RANGE(R(0.5), R(5.5))),
         I(-3),
         {"relayed k 4->1", "relayed k 4->0"}},
    };
    struct pf t;
    for (int preset = 0; preset < 2; preset++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const struct global_case *c = &cases[i];
            pf_open(&t, (enum dfopt_preset)preset, c->name);
            pf_register(&t, &c->knob, 1);
            GLOBAL(&t, .new = c->new);
            pf_expect(&t, c->want[preset] ? c->want[preset] : c->want[0]);
            pf_close(&t);
        }
}

static void a_global_plan_for_the_job(void **state)
{
    (void)state;
    struct pf t;
    BOTH("never pending, cools down, drops the overrides")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "node:a");
        GLOBAL(&t, .new = I(9), .severity = 0.8, .window = 2);
        pf_expect(&t, "relayed k 4->9");
        pf_expect_state(&t, preset ? "cool=k(2,0.8) k=9 k@a=5 pending=k@a#1.0"
                                   : "cool=k(2,0.8) k=9 pending=k@a#1.0");
        FIND(&t, .window = 4);
        pf_expect(&t, "cooldown_time t k");
        FIND(&t, .window = 5);
        pf_expect(&t, "cooldown_ineffective t k");
        FIND(&t, .window = 5, .severity = 0.6);
        pf_expect(&t, "planned t k 9->10");
        GLOBAL(&t, .new = I(10), .window = 8);
        pf_expect(&t, "same_value");
        GLOBAL(&t, .new = I(3), .window = 8, .severity = 0);
        pf_expect(&t, "relayed k 10->3");
        pf_expect_state(&t, preset ? "cool=k(8,0.0) k=3 k@a=5 pending=k#5.0 "
                                     "pending=k@a#1.0"
                                   : "cool=k(8,0.0) k=3 pending=k#5.0 "
                                     "pending=k@a#1.0");
    }
    BOTH("without a window the cooldown stands at -1")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        GLOBAL(&t, .new = I(9), .window = DFOPT_WINDOW_NONE);
        pf_expect_state(&t, "cool=k(-1,0.8) k=9");
    }
    BOTH("an unknown knob")
    {
        GLOBAL(&t, .new = I(9));
        pf_expect(&t, "unknown_knob");
        REGISTER(&t, KNOB());
        GLOBAL(&t, .knob = "l", .new = I(9));
        pf_expect(&t, "unknown_knob");
        pf_expect_state(&t, "k=4");
    }
}

static void a_global_plan_for_nodes(void **state)
{
    (void)state;
    struct pf t;
    pf_open(&t, DEFAULT, "each node gets the value, the job keeps its own");
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    GLOBAL(&t, .nodes = "a,b,a", .new = I(9));
    pf_expect(&t, "relayed k 4->9");
    const struct dfopt_plan *p = DFOPT_ROW(&t.out.plans, struct dfopt_plan);
    assert_int_equal(p->targets, pf_list(&t, "a,b,a"));
    assert_int_equal(p->node, DFOPT_SYM_EMPTY);
    pf_expect_state(&t, "cool=k@a(2,0.8) cool=k@b(2,0.8) k=4 k@a=9 k@b=9");
    FIND(&t, .scope = "node:a", .window = 9, .severity = 0.6);
    pf_expect(&t, "planned t k@a 9->10");
    GLOBAL(&t, .nodes = "a", .new = I(4));
    pf_expect(&t, "relayed k 4->4"); /* also the value that the job has */
    pf_expect_state(&t, "cool=k@a(2,0.8) cool=k@b(2,0.8) k=4 k@a=4 k@b=9 "
                        "pending=k@a#2.0");
    pf_close(&t);

    pf_open(&t, UPSTREAM, "upstream: the job gets the value");
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    GLOBAL(&t, .nodes = "a,b", .new = I(9));
    pf_expect(&t, "relayed k 4->9");
    pf_expect_state(&t, "cool=k(2,0.8) k=9");
    GLOBAL(&t, .nodes = "a", .new = I(9));
    pf_expect(&t, "same_value");
    pf_close(&t);
}

static void only_for_this_host(void **state)
{
    (void)state;
    struct pf t;
    BOTH("relay_hostname")
    {
        t.relay_hostname = "a";
        REGISTER(&t, KNOB());
        GLOBAL(&t, .nodes = "b,c", .new = I(9));
        pf_expect(&t, "not_targeted");
        GLOBAL(&t, .nodes = "b", .knob = "l", .new = I(9));
        pf_expect(&t, "not_targeted");
        pf_expect_state(&t, "k=4");
        GLOBAL(&t, .nodes = "b,a", .new = I(9));
        pf_expect(&t, "relayed k 4->9");
        GLOBAL(&t, .nodes = "", .new = I(8));
        pf_expect(&t, preset ? "relayed k 9->8" : "relayed k 4->8");
    }
}

/* By any of its names; DFOptimizer knows one. */
static void for_this_host_by_another_name(void **state)
{
    (void)state;
    struct pf t;
    BOTH("relay_hostname in another form")
    {
        t.relay_hostname = "n1.a.example";
        if (!preset)
            t.policy.on.registration = DFOPT_REGISTRATION_INTERPRET;
        REGISTER(&t, KNOB());
        GLOBAL(&t, .nodes = "n2,N1", .new = I(9));
        pf_expect(&t, preset ? "not_targeted" : "relayed k 4->9");
        GLOBAL(&t, .nodes = "n1.A.example.", .new = I(7));
        pf_expect(&t, preset ? "not_targeted" : "relayed k 4->7");
        GLOBAL(&t, .nodes = "n1.b.example", .new = I(8));
        pf_expect(&t, "not_targeted");
    }
}

static void fields_of_a_relayed_plan(void **state)
{
    (void)state;
    struct pf t;
    pf_open(&t, DEFAULT, "fields of a relayed plan");
    REGISTER(&t, KNOB());
    GLOBAL(&t, .id = "gplan_7", .new = I(9), .severity = 0.25, .window = 6);
    const struct dfopt_plan *p = DFOPT_ROW(&t.out.plans, struct dfopt_plan);
    assert_int_equal(p->seq, 1);
    assert_int_equal(p->relay_id, pf_sym(&t, "gplan_7"));
    assert_int_equal(p->knob, pf_sym(&t, "k"));
    assert_int_equal(p->target_function, pf_sym(&t, "gf"));
    assert_int_equal(p->apply_when, pf_sym(&t, "next_window"));
    assert_int_equal(p->finding_type, pf_sym(&t, "global"));
    assert_int_equal(p->rationale, pf_sym(&t, "global optimizer"));
    assert_true(p->severity == 0.25);
    assert_int_equal(p->window, 6);
    pf_close(&t);
}

static void fields_of_an_own_plan(void **state)
{
    (void)state;
    struct pf t;
    pf_open(&t, DEFAULT, "fields of an own plan");
    REGISTER(&t, KNOB(RESPONSES(RESPONSE(.apply_when = "next_window"))));
    FIND(&t, .scope = "node:a:x", .severity = 0.82574422, .window = 6, .motif = "m",
         .trend = "stable");
    const struct dfopt_plan *p = DFOPT_ROW(&t.out.plans, struct dfopt_plan);
    assert_int_equal(p->seq, 1);
    assert_int_equal(p->plan_id, PLAN(1, 0));
    assert_int_equal(p->relay_id, DFOPT_SYM_NONE);
    assert_int_equal(p->target_function, pf_sym(&t, "f"));
    assert_int_equal(p->apply_when, pf_sym(&t, "next_window"));
    assert_int_equal(p->finding_type, pf_sym(&t, "slow"));
    assert_int_equal(p->tag, pf_sym(&t, "t"));
    assert_int_equal(p->node, pf_sym(&t, "a"));
    assert_int_equal(p->targets, DFOPT_LIST_EMPTY);
    assert_true(p->severity == 0.82574422);
    assert_int_equal(p->window, 6);
    dfopt_buf_clear(&t.text);
    assert_int_equal(dfopt_plan_rationale(t.dict, p, &t.text), DFOPT_OK);
    pf_check(
        "rationale", &t.text,
        "slow: m (severity=0.826, persistence=5, trend=stable, scope=node:a:x) "
        "-> t");
    pf_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_again),
        cmocka_unit_test(state_survives_a_registration),
        cmocka_unit_test(many_knobs),
        cmocka_unit_test(overrides_of_the_policy),
        cmocka_unit_test(the_value_of_a_global_plan),
        cmocka_unit_test(a_global_plan_for_the_job),
        cmocka_unit_test(a_global_plan_for_nodes),
        cmocka_unit_test(only_for_this_host),
        cmocka_unit_test(for_this_host_by_another_name),
        cmocka_unit_test(fields_of_a_relayed_plan),
        cmocka_unit_test(fields_of_an_own_plan),
    };
    return cmocka_run_group_tests_name("planner_global", tests, NULL, NULL);
}
