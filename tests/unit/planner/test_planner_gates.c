/* What stops a finding before a value is computed: the trend, missing knobs,
 * suppressions, and the gates of a response in their order. */
#include "planner_fixture.h"

#define BOTH(name)                                                                 \
    for (int preset = 0; preset < 2; preset++)                                     \
        for (bool once =                                                           \
                 (pf_open(&t, (enum dfopt_preset)preset,                           \
                          preset ? name " (upstream)" : name " (default)"),        \
                  true);                                                           \
             once; once = (pf_close(&t), false))

static void trend(void **state)
{
    (void)state;
    struct pf t;
    BOTH("improving stops everything")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .trend = "improving");
        pf_expect(&t, "trend");
        FIND(&t, .trend = "improving", .scope = "global", .suppresses = "t");
        pf_expect(&t, "trend");
        FIND(&t, .trend = "Improving");
        pf_expect(&t, "planned t k 4->5");
        pf_expect_state(&t, "k=5 pending=k#3.0");
    }
    BOTH("improving does not clear a suppression either")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "t", .tags = "");
        FIND(&t, .scope = "global", .trend = "improving", .tags = "");
        pf_expect(&t, "trend");
        pf_expect_state(&t, "k=4 supp=t(1,1.0,slow)");
    }
}

static void no_knobs(void **state)
{
    (void)state;
    struct pf t;
    pf_open(&t, DFOPT_PRESET_DEFAULT, "no knobs, default: suppressions are kept");
    FIND(&t);
    pf_expect(&t, "no_knobs");
    FIND(&t, .trend = "improving");
    pf_expect(&t, "trend");
    FIND(&t, .scope = "global", .suppresses = "t");
    pf_expect(&t, "set t; no_knobs");
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    FIND(&t);
    pf_expect(&t, "suppressed t");
    pf_close(&t);

    pf_open(&t, DFOPT_PRESET_UPSTREAM, "no knobs, upstream: nothing is looked at");
    FIND(&t, .trend = "improving");
    pf_expect(&t, "no_knobs");
    FIND(&t, .scope = "global", .suppresses = "t");
    pf_expect(&t, "no_knobs");
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    FIND(&t);
    pf_expect(&t, "planned t k 4->5");
    pf_close(&t);
}

static void tags(void **state)
{
    (void)state;
    struct pf t;
    BOTH("tags in order, duplicates included")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(.tag = "a"), RESPONSE(.tag = "b"))));
        FIND(&t, .tags = "x,b,b,a");
        pf_expect(&t, "no_response x; planned b k 4->5; pending b k; pending a k");
        FIND(&t, .tags = "");
        pf_expect(&t, "");
    }
    BOTH("a tag by an empty name is a tag")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(.tag = ""))));
        dfopt_sym none = DFOPT_SYM_EMPTY;
        struct dfopt_finding f = pf_finding(&t, &FINDING());
        f.tags = dfopt_dict_intern_list(t.dict, &none, 1);
        dfopt_decisions_clear(&t.out);
        assert_int_equal(dfopt_planner_finding(t.planner, t.seq++, &f, &t.out),
                         DFOPT_OK);
        pf_expect(&t, "planned  k 4->5");
    }
    BOTH("responses of a tag in the order of registration")
    {
        REGISTER(&t, KNOB(.id = "z", RESPONSES(RESPONSE())),
                 KNOB(.id = "a", RESPONSES(RESPONSE())));
        FIND(&t);
        pf_expect(&t, "planned t z 4->5; planned t a 4->5");
    }
}

static void nodes(void **state)
{
    (void)state;
    struct pf t;
    BOTH("the job and each node are apart")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "node:a:window");
        pf_expect(&t, "planned t k@a 4->5");
        FIND(&t, .scope = "node:b");
        pf_expect(&t, "planned t k@b 4->5");
        FIND(&t, .scope = "node:a:reader_posix:epoch");
        pf_expect(&t, "pending t k@a");
        FIND(&t, .scope = "epoch");
        pf_expect(&t, "planned t k 4->5");
        FIND(&t, .scope = "node::x");
        pf_expect(&t, "pending t k");
        pf_expect_state(
            &t, "k=5 k@a=5 k@b=5 pending=k#4.0 pending=k@a#1.0 pending=k@b#2.0");
    }
    BOTH("a node falls back to the job's value")
    {
        REGISTER(&t, KNOB(CURRENT(I(7)), RESPONSES(RESPONSE())));
        FIND(&t, .scope = "node:a");
        pf_expect(&t, "planned t k@a 7->8");
    }
}

struct gate_case {
    const char *name;
    double severity;
    int64_t persistence, window;
    const char *want;
    double value, threshold; /* of the verdict's row */
};

/* The knob has been acted upon at window 10 with severity .8. */
static void gates_in_order(void **state)
{
    (void)state;
    const struct gate_case cases[] = {
        {"severity before the others", 0.49, 1, 11, "severity t k", 0.49, 0.5},
        {"severity at the least", 0.5, 1, 11, "persistence t k", 1, 2},
        {"persistence at the least", 0.5, 2, 11, "cooldown_time t k", 1, 3},
        {"the last window of the cooldown", 0.5, 2, 12, "cooldown_time t k", 2, 3},
        {"earlier than the action", 0.5, 2, 9, "cooldown_time t k", -1, 3},
        {"cooldown over, effective", 0.5, 2, 13, "planned t k 5->6", 6, 5},
        {"cooldown over, not quite a tenth gone", 0.7201, 2, 13,
         "cooldown_ineffective t k", (0.8 - 0.7201) / 0.8, 0.1},
        {"cooldown over, a tenth gone", 0.72, 2, 13, "planned t k 5->6", 6, 5},
        {"cooldown over, worse", 1, 2, 13, "cooldown_ineffective t k",
         (0.8 - 1) / 0.8, 0.1},
        {"long after, still ineffective", 0.8, 2, 1000, "cooldown_ineffective t k",
         0, 0.1},
    };
    struct pf t;
    for (int preset = 0; preset < 2; preset++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const struct gate_case *c = &cases[i];
            pf_open(&t, (enum dfopt_preset)preset, c->name);
            REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
            FIND(&t, .severity = 0.8, .window = 10);
            ACK(&t, .plan = PLAN(1, 0), .window = 10);
            pf_expect(&t, "applied k=5 at 10");
            FIND(&t, .severity = c->severity, .persistence = c->persistence,
                 .window = c->window);
            pf_expect(&t, c->want);
            const struct dfopt_verdict_row *v =
                DFOPT_ROW(&t.out.verdicts, struct dfopt_verdict_row);
            if (v->value != c->value || v->threshold != c->threshold)
                fail_msg("%s: compared %g with %g, want %g with %g", c->name,
                         v->value, v->threshold, c->value, c->threshold);
            pf_close(&t);
        }
}

static void effective_at_the_threshold(void **state)
{
    (void)state;
    struct pf t;
    BOTH("half of the severity gone, half asked for")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(.effectiveness = 0.5))));
        FIND(&t);
        ACK(&t, .plan = PLAN(1, 0), .window = 1);
        FIND(&t, .severity = 0.501, .window = 9);
        pf_expect(&t, "cooldown_ineffective t k");
        FIND(&t, .severity = 0.5, .window = 9);
        pf_expect(&t, "planned t k 5->6");
    }
}

static void pending_comes_first(void **state)
{
    (void)state;
    struct pf t;
    BOTH("pending before severity")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .window = 3);
        FIND(&t, .window = 900, .severity = 0, .persistence = 0);
        pf_expect(&t, "pending t k");
        const struct dfopt_verdict_row *v =
            DFOPT_ROW(&t.out.verdicts, struct dfopt_verdict_row);
        assert_true(v->value == 897 && v->threshold == 0);
    }
}

static void a_cooldown_of_severity_0_is_of_time_only(void **state)
{
    (void)state;
    struct pf t;
    BOTH("severity 0 and less")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(.min_severity = -1))));
        for (int i = 0; i < 2; i++) {
            FIND(&t, .severity = -0.5 * i, .window = 10 * i + 1);
            assert_int_equal(DFOPT_ROWS(&t.out.plans, struct dfopt_plan), 1);
            ACK(&t, .plan = PLAN(t.seq - 1, 0), .window = 10 * i + 1);
        }
        FIND(&t, .severity = 1, .window = 21);
        pf_expect(&t, "planned t k 6->7");
    }
}

static void each_key_cools_down_alone(void **state)
{
    (void)state;
    struct pf t;
    BOTH("cooldowns of two nodes and of two knobs")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())),
                 KNOB(.id = "l", RESPONSES(RESPONSE())));
        FIND(&t, .scope = "node:a");
        pf_expect(&t, "planned t k@a 4->5; planned t l@a 4->5");
        ACK(&t, .plan = PLAN(1, 0), .node = "a", .window = 1);
        FIND(&t, .scope = "node:a", .window = 2);
        pf_expect(&t, "cooldown_time t k@a; pending t l@a");
        FIND(&t, .scope = "node:b", .window = 2);
        pf_expect(&t, "planned t k@b 4->5; planned t l@b 4->5");
        FIND(&t, .window = 2);
        pf_expect(&t, "planned t k 4->5; planned t l 4->5");
    }
}

/* ---- suppressions ---- */

static void suppression(void **state)
{
    (void)state;
    struct pf t;
    BOTH("set, met, exempted, cleared")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(), RESPONSE(.tag = "u"))));
        FIND(&t, .scope = "global:global", .suppresses = "t,v,t", .severity = 0.6,
             .tags = "", .type = "g");
        pf_expect(&t, "set t; set v; set t");
        pf_expect_state(&t, "k=4 supp=t(1,0.6,g) supp=v(1,0.6,g)");
        FIND(&t, .severity = 0.9);
        pf_expect(&t, "suppressed t");
        FIND(&t, .scope = "node:a", .severity = 0.6);
        pf_expect(&t, "suppressed t@a");
        FIND(&t, .scope = "node:a", .severity = 0.61, .tags = "t,u");
        pf_expect(&t, "planned t k@a 4->5; pending u k@a");
        FIND(&t, .scope = "node:", .severity = 0.9);
        pf_expect(&t, "suppressed t");
        FIND(&t, .scope = "globally", .tags = "", .type = "g");
        pf_expect(&t, "");
        FIND(&t, .scope = "global", .tags = "", .type = "other");
        pf_expect(&t, "");
        FIND(&t, .scope = "global", .tags = "", .type = "g");
        pf_expect(&t, "cleared t; cleared v");
        FIND(&t);
        pf_expect(&t, "planned t k 4->5");
    }
    BOTH("a suppressed tag that nothing responds to is suppressed")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "x", .tags = "");
        FIND(&t, .tags = "x,y");
        pf_expect(&t, "suppressed x; no_response y");
    }
    BOTH("a later global finding takes a suppression over")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "t", .tags = "", .type = "g1");
        FIND(&t, .scope = "global", .suppresses = "t", .tags = "", .type = "g2",
             .severity = 0.4, .window = 7);
        pf_expect_state(&t, "k=4 supp=t(7,0.4,g2)");
        FIND(&t, .scope = "global", .tags = "", .type = "g1");
        pf_expect(&t, "");
        FIND(&t, .scope = "global", .tags = "", .type = "g2");
        pf_expect(&t, "cleared t");
    }
    BOTH("a finding of a node or of the job sets and clears nothing")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "node:global", .suppresses = "t", .tags = "");
        FIND(&t, .scope = "", .suppresses = "t", .tags = "");
        pf_expect_state(&t, "k=4");
    }
    BOTH("clearing keeps the others in order")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "a,b", .tags = "", .type = "g1");
        FIND(&t, .scope = "global", .suppresses = "c", .tags = "", .type = "g2");
        FIND(&t, .scope = "global", .suppresses = "a", .tags = "", .type = "g2");
        FIND(&t, .scope = "global", .tags = "", .type = "g1");
        pf_expect(&t, "cleared b");
        FIND(&t, .scope = "global", .tags = "", .type = "g2");
        pf_expect(&t, "cleared a; cleared c");
        pf_expect_state(&t, "k=4");
    }
}

static void global_findings_and_suppression(void **state)
{
    (void)state;
    struct pf t;
    BOTH("a global finding meets a suppression")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "t", .type = "g1");
        pf_expect(&t, preset ? "set t; suppressed t" : "set t; planned t k 4->5");
        FIND(&t, .scope = "global", .severity = 5, .type = "g2");
        pf_expect(&t, preset ? "suppressed t" : "pending t k");
    }
    BOTH("the finding that clears a suppression is not held back by it")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "t", .tags = "");
        FIND(&t, .scope = "global");
        pf_expect(&t, "cleared t; planned t k 4->5");
    }
}

static void suppression_ttl(void **state)
{
    (void)state;
    struct pf t;
    BOTH("suppression_ttl_windows")
    {
        t.policy.on.suppression_ttl_windows = 3;
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "t", .tags = "", .window = 5);
        FIND(&t, .window = 7);
        pf_expect(&t, "suppressed t");
        FIND(&t, .window = 8);
        pf_expect(&t, "planned t k 4->5");
        FIND(&t, .window = 1);
        pf_expect(&t, "suppressed t");
        pf_expect_state(&t, "k=5 pending=k#3.0 supp=t(5,1.0,slow)");
    }
    BOTH("never by default")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .scope = "global", .suppresses = "t", .tags = "");
        FIND(&t, .window = 1000000);
        pf_expect(&t, "suppressed t");
    }
}

/* ---- plans that nobody answers ---- */

static void pending_timeout(void **state)
{
    (void)state;
    struct pf t;
    BOTH("pending_timeout_windows: the job")
    {
        t.policy.on.pending_timeout_windows = 3;
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(.step = I(4)))));
        FIND(&t, .window = 5);
        FIND(&t, .window = 7);
        pf_expect(&t, "pending t k");
        const struct dfopt_verdict_row *v =
            DFOPT_ROW(&t.out.verdicts, struct dfopt_verdict_row);
        assert_true(v->value == 2 && v->threshold == 3);
        FIND(&t, .window = 8, .severity = 0.6);
        pf_expect(&t, "planned t k 4->7");
        pf_expect_state(&t, "k=7 pending=k#3.0");
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, preset ? "applied k=7 other" : "unmatched");
    }
    BOTH("pending_timeout_windows: forgotten though a later gate holds")
    {
        t.policy.on.pending_timeout_windows = 1;
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .window = 5, .scope = "node:a");
        pf_expect_state(&t, "k=4 k@a=5 pending=k@a#1.0");
        FIND(&t, .window = 6, .scope = "node:a", .severity = 0.1);
        pf_expect(&t, "severity t k@a");
        pf_expect_state(&t, "k=4");
    }
    BOTH("pending_timeout_windows: an older override of the node comes back")
    {
        t.policy.on.pending_timeout_windows = 4;
        REGISTER(&t, KNOB(RESPONSES(RESPONSE(.effectiveness = -1))));
        FIND(&t, .window = 1, .scope = "node:a");
        ACK(&t, .plan = PLAN(1, 0), .node = "a", .window = 1, .new = I(6));
        FIND(&t, .window = 5, .scope = "node:a");
        pf_expect(&t, "planned t k@a 6->7");
        FIND(&t, .window = 9, .scope = "node:a", .persistence = 0);
        pf_expect_state(&t, "cool=k@a(1,1.0) k=4 k@a=6");
    }
    BOTH("never by default")
    {
        REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
        FIND(&t, .window = 1);
        FIND(&t, .window = 9007199254740992);
        pf_expect(&t, "pending t k");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trend),
        cmocka_unit_test(no_knobs),
        cmocka_unit_test(tags),
        cmocka_unit_test(nodes),
        cmocka_unit_test(gates_in_order),
        cmocka_unit_test(effective_at_the_threshold),
        cmocka_unit_test(pending_comes_first),
        cmocka_unit_test(a_cooldown_of_severity_0_is_of_time_only),
        cmocka_unit_test(each_key_cools_down_alone),
        cmocka_unit_test(suppression),
        cmocka_unit_test(global_findings_and_suppression),
        cmocka_unit_test(suppression_ttl),
        cmocka_unit_test(pending_timeout),
    };
    return cmocka_run_group_tests_name("planner_gates", tests, NULL, NULL);
}
