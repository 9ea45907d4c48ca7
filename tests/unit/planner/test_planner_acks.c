/* What comes back: acks and what they do to values, overrides and cooldowns;
 * assumed acks. */
#include "planner_fixture.h"

/* A default or upstream planner with the knob k (4, step 1), at work. */
static void open_with_knob(struct pf *t, enum dfopt_preset preset, const char *name)
{
    pf_open(t, preset, name);
    REGISTER(t, KNOB(RESPONSES(RESPONSE())));
}

#define WITH_KNOB(preset, name)                                                    \
    for (bool once = (open_with_knob(&t, preset, name), true); once;               \
         once = (pf_close(&t), false))
#define DEFAULT  DFOPT_PRESET_DEFAULT
#define UPSTREAM DFOPT_PRESET_UPSTREAM

static void matched_by_plan_id(void **state)
{
    (void)state;
    struct pf t;
    WITH_KNOB(DEFAULT, "the id alone counts")
    {
        FIND(&t, .scope = "node:a");
        ACK(&t, .plan = PLAN(1, 0), .knob = "no such", .node = "b", .window = 2);
        pf_expect(&t, "applied k@a=5 at 2");
        ACK(&t, .plan = PLAN(1, 0), .window = 2);
        pf_expect(&t, "unmatched"); /* a second rank of the application */
    }
    WITH_KNOB(DEFAULT, "no such plan")
    {
        FIND(&t);
        ACK(&t, .plan = PLAN(1, 1));
        pf_expect(&t, "unmatched");
        ACK(&t, .plan = PLAN(0, 0));
        pf_expect(&t, "unmatched");
        ACK(&t, .odd_id = true);
        pf_expect(&t, "unmatched");
        pf_expect_state(&t, "k=5 pending=k#1.0");
    }
    WITH_KNOB(DEFAULT, "an id of another form")
    {
        t.seq = 0; /* the registration came by another way */
        FIND(&t);
        ACK(&t, .odd_id = true);
        pf_expect(&t, "unmatched");
        ACK(&t, .plan = PLAN(0, 0), .window = 1);
        pf_expect(&t, "applied k=5 at 1");
    }
    WITH_KNOB(DEFAULT, "before any plan")
    {
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, "unmatched");
    }
    WITH_KNOB(DEFAULT, "two plans in flight for one knob")
    {
        FIND(&t, .scope = "node:a");
        FIND(&t, .scope = "node:b");
        ACK(&t, .plan = PLAN(2, 0), .window = 1);
        pf_expect(&t, "applied k@b=5 at 1");
        pf_expect_state(&t, "cool=k@b(1,1.0) k=4 k@a=5 k@b=5 pending=k@a#1.0");
    }
    pf_open(&t, DEFAULT, "two plans of one finding");
    REGISTER(&t, KNOB(.id = "a", RESPONSES(RESPONSE())),
             KNOB(.id = "b", RESPONSES(RESPONSE())));
    FIND(&t);
    ACK(&t, .plan = PLAN(1, 1), .window = 1);
    pf_expect(&t, "applied b=5 at 1");
    ACK(&t, .plan = PLAN(1, 0), .window = 1);
    pf_expect(&t, "applied a=5 at 1");
    pf_close(&t);
}

static void matched_by_knob_and_node(void **state)
{
    (void)state;
    struct pf t;
    WITH_KNOB(UPSTREAM, "its own id")
    {
        FIND(&t, .scope = "node:a");
        ACK(&t, .plan = PLAN(1, 0), .node = "a", .window = 2);
        pf_expect(&t, "applied k@a=5 at 2");
        ACK(&t, .plan = PLAN(1, 0), .node = "a", .window = 2);
        pf_expect(&t, "unmatched");
    }
    WITH_KNOB(UPSTREAM, "another id still applies")
    {
        FIND(&t);
        ACK(&t, .odd_id = true, .window = 2);
        pf_expect(&t, "applied k=5 at 2 other");
        FIND(&t, .window = 6, .severity = 0.5);
        ACK(&t, .plan = PLAN(77, 0), .window = 6);
        pf_expect(&t, "applied k=6 at 6 other");
    }
    WITH_KNOB(UPSTREAM, "another node, another knob")
    {
        FIND(&t, .scope = "node:a");
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, "unmatched");
        ACK(&t, .plan = PLAN(1, 0), .node = "b");
        pf_expect(&t, "unmatched");
        ACK(&t, .plan = PLAN(1, 0), .knob = "l", .node = "a");
        pf_expect(&t, "unmatched");
        pf_expect_state(&t, "k=4 k@a=5 pending=k@a#1.0");
    }
}

static void window_of_the_cooldown(void **state)
{
    (void)state;
    struct pf t;
    WITH_KNOB(DEFAULT, "the ack's window")
    {
        FIND(&t, .window = 5, .severity = 0.75);
        ACK(&t, .plan = PLAN(1, 0), .window = 0);
        pf_expect_state(&t, "cool=k(0,0.75) k=5");
    }
    WITH_KNOB(DEFAULT, "none given: the plan's window")
    {
        FIND(&t, .window = 5);
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, "applied k=5 at 5");
    }
    WITH_KNOB(DEFAULT, "none given: the last window looked at")
    {
        FIND(&t, .window = 5);
        FIND(&t, .window = 9);
        FIND(&t, .window = 7);
        FIND(&t, .window = 30, .scope = "node:a");
        FIND(&t, .window = 40, .trend = "improving");
        FIND(&t, .window = 50, .tags = "u");
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, "applied k=5 at 9");
    }
    WITH_KNOB(DEFAULT, "none given: looked at before the plan")
    {
        FIND(&t, .window = 9, .severity = 0);
        FIND(&t, .window = 5);
        ACK(&t, .plan = PLAN(2, 0), .window = -7);
        pf_expect(&t, "applied k=5 at 9");
    }
    WITH_KNOB(DEFAULT, "windows below 0 start no cooldown")
    {
        FIND(&t, .window = -3);
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, "applied k=5");
        pf_expect_state(&t, "k=5");
    }
    WITH_KNOB(UPSTREAM, "none given: no cooldown")
    {
        FIND(&t, .window = 5);
        ACK(&t, .plan = PLAN(1, 0));
        pf_expect(&t, "applied k=5");
        pf_expect_state(&t, "k=5");
        FIND(&t, .window = 5);
        pf_expect(&t, "planned t k 5->6");
    }
}

static void applied(void **state)
{
    (void)state;
    struct pf t;
    for (int preset = 0; preset < 2; preset++) {
        WITH_KNOB((enum dfopt_preset)preset,
                  "the acknowledged value becomes the value")
        {
            FIND(&t);
            ACK(&t, .plan = PLAN(1, 0), .window = 1, .old = I(4), .new = R(4.5));
            pf_expect(&t, "applied k=4.5 at 1");
            FIND(&t, .scope = "node:a");
            ACK(&t, .plan = PLAN(3, 0), .node = "a", .window = 1, .new = S("odd"));
            pf_expect(&t, "applied k@a='odd' at 1");
            pf_expect_state(&t, "cool=k(1,1.0) cool=k@a(1,1.0) k=4.5 k@a='odd'");
        }
    }
    WITH_KNOB(DEFAULT, "a plan of the job drops the overrides of its knob")
    {
        REGISTER(&t, KNOB(.id = "l", RESPONSES(RESPONSE())));
        FIND(&t, .scope = "node:a");
        FIND(&t);
        ACK(&t, .plan = PLAN(3, 0), .window = 1);
        pf_expect_state(&t, "cool=k(1,1.0) k=5 l=5 l@a=5 pending=k@a#2.0 "
                            "pending=l#3.1 pending=l@a#2.1");
        ACK(&t, .plan = PLAN(2, 0), .window = 1);
        pf_expect(&t, "applied k@a=5 at 1"); /* the override is gone: the job's */
        FIND(&t, .scope = "node:a", .window = 9, .severity = 0.5, .tags = "t");
        pf_expect(&t, "planned t k@a 5->6; pending t l@a");
    }
    WITH_KNOB(UPSTREAM, "upstream keeps the overrides")
    {
        FIND(&t, .scope = "node:a");
        FIND(&t);
        ACK(&t, .plan = PLAN(2, 0), .window = 1, .new = I(9));
        pf_expect_state(&t, "cool=k(1,1.0) k=9 k@a=5 pending=k@a#1.0");
    }
    WITH_KNOB(DEFAULT, "an ack brings back a dropped override by its value")
    {
        FIND(&t, .scope = "node:a");
        FIND(&t);
        ACK(&t, .plan = PLAN(2, 0), .window = 1);
        ACK(&t, .plan = PLAN(1, 0), .window = 1, .new = I(8));
        pf_expect_state(&t, "cool=k(1,1.0) cool=k@a(1,1.0) k=5 k@a=8");
    }
}

static void rejected(void **state)
{
    (void)state;
    struct pf t;
    WITH_KNOB(DEFAULT, "the value before the plan comes back")
    {
        FIND(&t, .window = 5);
        ACK(&t, .plan = PLAN(1, 0), .status = DFOPT_ACK_REJECTED, .old = I(99),
            .new = I(98));
        pf_expect(&t, "rejected k=4 at 5");
        pf_expect_state(&t, "cool=k(5,0.0) k=4");
        FIND(&t, .window = 7);
        pf_expect(&t, "cooldown_time t k");
        FIND(&t, .window = 8);
        pf_expect(&t, "planned t k 4->5");
    }
    WITH_KNOB(DEFAULT, "the override of a node goes")
    {
        FIND(&t, .scope = "node:a");
        ACK(&t, .plan = PLAN(1, 0), .status = DFOPT_ACK_REJECTED, .window = 3);
        pf_expect(&t, "rejected k@a=4 at 3");
        pf_expect_state(&t, "cool=k@a(3,0.0) k=4");
    }
    WITH_KNOB(DEFAULT, "the override before the plan comes back")
    {
        FIND(&t, .scope = "node:a", .severity = 0.9);
        ACK(&t, .plan = PLAN(1, 0), .window = 1, .new = I(7));
        FIND(&t, .scope = "node:a", .window = 9, .severity = 0.5);
        pf_expect(&t, "planned t k@a 7->8");
        ACK(&t, .plan = PLAN(3, 0), .status = DFOPT_ACK_REJECTED, .window = 9);
        pf_expect_state(&t, "cool=k@a(9,0.0) k=4 k@a=7");
    }
    WITH_KNOB(DEFAULT,
              "an override that was dropped meanwhile comes back all the same")
    {
        FIND(&t, .scope = "node:a", .severity = 0.9);
        ACK(&t, .plan = PLAN(1, 0), .window = 1, .new = I(7));
        FIND(&t, .scope = "node:a", .window = 9, .severity = 0.5);
        FIND(&t, .window = 9);
        ACK(&t, .plan = PLAN(4, 0), .window = 9);
        pf_expect_state(&t, "cool=k(9,1.0) cool=k@a(1,0.9) k=5 pending=k@a#3.0");
        ACK(&t, .plan = PLAN(3, 0), .status = DFOPT_ACK_REJECTED, .window = 9);
        pf_expect_state(&t, "cool=k(9,1.0) cool=k@a(9,0.0) k=5 k@a=7");
    }
    WITH_KNOB(DEFAULT, "an older cooldown is replaced")
    {
        FIND(&t, .severity = 0.9);
        ACK(&t, .plan = PLAN(1, 0), .window = 1);
        FIND(&t, .window = 9, .severity = 0.5);
        ACK(&t, .plan = PLAN(3, 0), .status = DFOPT_ACK_REJECTED);
        pf_expect_state(&t, "cool=k(9,0.0) k=5");
    }
    WITH_KNOB(UPSTREAM, "upstream: the ack's old value")
    {
        FIND(&t, .window = 5);
        ACK(&t, .status = DFOPT_ACK_REJECTED, .old = I(99), .window = 5);
        pf_expect(&t, "rejected k=99 other");
        pf_expect_state(&t, "k=99");
        FIND(&t, .window = 5);
        pf_expect(&t, "planned t k 99->100");
    }
    WITH_KNOB(UPSTREAM, "upstream: else the default")
    {
        REGISTER(&t, KNOB(CURRENT(I(7)), RESPONSES(RESPONSE())));
        FIND(&t);
        ACK(&t, .plan = PLAN(2, 0), .status = DFOPT_ACK_REJECTED);
        pf_expect(&t, "rejected k=4");
    }
    WITH_KNOB(UPSTREAM, "upstream: the override of a node goes, even an older one")
    {
        FIND(&t, .scope = "node:a", .window = 1);
        ACK(&t, .plan = PLAN(1, 0), .node = "a", .new = I(7));
        FIND(&t, .scope = "node:a", .window = 1);
        pf_expect(&t, "planned t k@a 7->8");
        ACK(&t, .plan = PLAN(3, 0), .node = "a", .status = DFOPT_ACK_REJECTED,
            .old = I(7));
        pf_expect(&t, "rejected k@a=4");
        pf_expect_state(&t, "k=4");
    }
    pf_open(&t, DEFAULT, "reject_cooldown false");
    t.policy.on.reject_cooldown = 0;
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    FIND(&t);
    ACK(&t, .plan = PLAN(1, 0), .status = DFOPT_ACK_REJECTED, .window = 1);
    pf_expect(&t, "rejected k=4");
    pf_expect_state(&t, "k=4");
    pf_close(&t);
    pf_open(&t, UPSTREAM, "reject_cooldown true without a window");
    t.policy.on.reject_cooldown = 1;
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    FIND(&t);
    ACK(&t, .plan = PLAN(1, 0), .status = DFOPT_ACK_REJECTED);
    pf_expect_state(&t, "cool=k(-1,0.0) k=4");
    pf_close(&t);
}

static void deferred_or_anything_else(void **state)
{
    (void)state;
    const uint32_t statuses[] = {DFOPT_ACK_DEFERRED, DFOPT_ACK_OTHER};
    struct pf t;
    for (int preset = 0; preset < 2; preset++)
        for (int i = 0; i < 2; i++)
            WITH_KNOB((enum dfopt_preset)preset, dfopt_ack_status_name(statuses[i]))
            {
                FIND(&t, .scope = "node:a");
                ACK(&t, .plan = PLAN(1, 0), .node = "a", .status = statuses[i],
                    .window = 3, .old = I(8), .new = I(9));
                pf_expect(&t, "cleared k@a=5");
                pf_expect_state(&t, "k=4 k@a=5");
                FIND(&t, .scope = "node:a");
                pf_expect(&t, "planned t k@a 5->6");
            }
}

static void assumed(void **state)
{
    (void)state;
    struct pf t;
    pf_open(&t, DEFAULT, "assumed: applied in its own window");
    t.assumed = true;
    REGISTER(&t, KNOB(RESPONSES(RESPONSE(), RESPONSE(.tag = "u"))));
    FIND(&t, .window = 4, .severity = 0.9, .tags = "t,u");
    pf_expect(&t, "planned t k 4->5; cooldown_time u k");
    pf_expect_state(&t, "cool=k(4,0.9) k=5");
    ACK(&t, .plan = PLAN(1, 0), .window = 9);
    pf_expect(&t, "unmatched");
    FIND(&t, .window = 8, .severity = 0.5, .scope = "node:a");
    pf_expect(&t, "planned t k@a 5->6");
    FIND(&t, .window = 8, .severity = 0.5);
    pf_expect(&t, "planned t k 5->6");
    pf_expect_state(&t, "cool=k(8,0.5) cool=k@a(8,0.5) k=6");
    pf_close(&t);

    pf_open(&t, DEFAULT, "assumed: a window below 0 starts no cooldown");
    t.assumed = true;
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    FIND(&t, .window = -1);
    FIND(&t, .window = -1);
    pf_expect(&t, "planned t k 5->6");
    pf_close(&t);

    pf_open(&t, UPSTREAM, "assumed, upstream's switches: overrides stay");
    t.assumed = true;
    REGISTER(&t, KNOB(RESPONSES(RESPONSE())));
    FIND(&t, .scope = "node:a");
    FIND(&t);
    pf_expect_state(&t, "cool=k(1,1.0) cool=k@a(1,1.0) k=5 k@a=5");
    pf_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matched_by_plan_id),
        cmocka_unit_test(matched_by_knob_and_node),
        cmocka_unit_test(window_of_the_cooldown),
        cmocka_unit_test(applied),
        cmocka_unit_test(rejected),
        cmocka_unit_test(deferred_or_anything_else),
        cmocka_unit_test(assumed),
    };
    return cmocka_run_group_tests_name("planner_acks", tests, NULL, NULL);
}
