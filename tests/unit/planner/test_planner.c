/* The planner as a whole: its life, plan ids, and the rule that planners which
 * share out the nodes decide together what one decides alone. */
#include "planner_fixture.h"

static void an_empty_planner(void **state)
{
    (void)state;
    struct pf t;
    dfopt_planner_destroy(NULL);
    pf_open(&t, DFOPT_PRESET_DEFAULT, "empty");
    assert_int_equal(dfopt_planner_knobs(pf_planner(&t)), 0);
    pf_expect_state(&t, "");
    pf_register(&t, NULL, 0);
    assert_int_equal(dfopt_planner_knobs(t.planner), 0);
    ACK(&t, .plan = 0);
    pf_expect(&t, "unmatched");
    pf_close(&t);
}

static void plan_ids(void **state)
{
    (void)state;
    const struct {
        uint64_t id;
        const char *text;
    } good[] = {
        {0, "plan_0000000000000000"},
        {(uint64_t)26 << 16, "plan_00000000001a0000"},
        {(uint64_t)26 << 16 | 65535, "plan_00000000001affff"},
        {UINT64_MAX, "plan_ffffffffffffffff"},
    };
    const char *bad[] = {
        "",
        "plan_",
        "plan_1a",
        "plan_00000000001A0000",
        "plan_00000000001a000",
        "plan_00000000001a00000",
        "plan_0x000000001a0000",
        "gplan_000000001a00000",
        "plan_ 0000000001a0000",
        "plan_00000000001a000g",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[DFOPT_PLAN_ID_SIZE];
        uint64_t id = 1;
        dfopt_plan_id_text(good[i].id, text);
        assert_string_equal(text, good[i].text);
        assert_true(dfopt_plan_id_parse(text, strlen(text), &id));
        assert_int_equal(id, good[i].id);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t id = 77;
        if (dfopt_plan_id_parse(bad[i], strlen(bad[i]), &id) || id != 77)
            fail_msg("taken for a plan id: %s", bad[i]);
    }
}

static void a_rationale_may_hold_any_byte(void **state)
{
    (void)state;
    struct pf t;
    pf_open(&t, DFOPT_PRESET_DEFAULT, "NUL in a rationale");
    struct dfopt_plan p = {.relay_id = DFOPT_SYM_NONE,
                           .rationale = DFOPT_SYM_NONE,
                           .finding_type = dfopt_dict_intern(t.dict, "a\0b", 3),
                           .severity = -0.0004,
                           .persistence = -1};
    static const char want[] = "a\0b:  (severity=-0.000, persistence=-1, trend=, "
                               "scope=) -> ";
    pf_put(&t.text, "x");
    assert_int_equal(dfopt_plan_rationale(t.dict, &p, &t.text), DFOPT_OK);
    assert_int_equal(t.text.len, sizeof want);
    assert_memory_equal(t.text.data + 1, want, sizeof want - 1);
    dfopt_buf_clear(&t.text);
    p.relay_id = DFOPT_SYM_EMPTY;
    p.rationale = p.finding_type;
    assert_int_equal(dfopt_plan_rationale(t.dict, &p, &t.text), DFOPT_OK);
    assert_int_equal(t.text.len, 3);
    pf_close(&t);
}

/* ---- one planner and several ---- */

#define MOST_PARTS 7

struct part {
    uint32_t rank, ranks;
};

static bool owns(void *arg, dfopt_sym node)
{
    const struct part *part = arg;
    return node % part->ranks == part->rank;
}

/* The planners under test, and the one that they are held against. */
struct parts {
    struct pf t; /* dictionary, policy and the one planner */
    struct part part[MOST_PARTS];
    struct dfopt_planner *planner[MOST_PARTS];
    uint32_t n, random;
    struct dfopt_buf text;
    size_t plans, acks_matched;
};

static uint32_t draw(struct parts *s, uint32_t below)
{
    s->random = s->random * 1664525u + 1013904223u;
    return (s->random >> 8) % below;
}

static void open_parts(struct parts *s, uint32_t n, enum dfopt_preset preset,
                       bool assumed, uint32_t seed)
{
    *s = (struct parts){.n = n, .random = seed};
    pf_open(&s->t, preset, "");
    s->t.assumed = assumed;
    s->t.policy.on.pending_timeout_windows = seed % 3 ? 0 : 9;
    s->t.policy.on.suppression_ttl_windows = seed % 2 ? 0 : 12;
    pf_planner(&s->t);
    for (uint32_t i = 0; i < n; i++) {
        s->part[i] = (struct part){i, n};
        struct dfopt_planner_config config = {.policy = &s->t.policy,
                                              .assumed_acks = assumed,
                                              .owns = owns,
                                              .owns_arg = &s->part[i]};
        assert_int_equal(dfopt_planner_create(&s->planner[i], s->t.dict, &config),
                         DFOPT_OK);
    }
}

static void close_parts(struct parts *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        dfopt_planner_destroy(s->planner[i]);
    dfopt_buf_free(&s->text);
    pf_close(&s->t);
}

/* What one planner decided, suppressions left out where another speaks. */
static void put_decisions(struct parts *s, const struct dfopt_decisions *d)
{
    dfopt_buf_clear(&s->text);
    pf_put_suppressions(s->t.dict, d, &s->text);
    pf_put_verdicts(s->t.dict, d, &s->text);
    pf_put_acks(s->t.dict, d, &s->text);
    pf_put_relays(s->t.dict, d, &s->text);
}

static void check_part(struct parts *s, uint32_t rank,
                       const struct dfopt_decisions *d, const char *want)
{
    char name[120];
    snprintf(name, sizeof name, "event %" PRIu64 ", planner %u of %u", s->t.seq - 1,
             rank, s->n);
    put_decisions(s, d);
    pf_check(name, &s->text, want);
}

/* Holds what the one planner decided as text; free it. */
static char *what_one_decided(struct parts *s)
{
    put_decisions(s, &s->t.out);
    assert_int_equal(dfopt_buf_add(&s->text, "", 1), DFOPT_OK);
    s->plans += DFOPT_ROWS(&s->t.out.plans, struct dfopt_plan);
    char *text = strdup(s->text.data);
    assert_non_null(text);
    return text;
}

static void play_finding(struct parts *s, const struct pf_finding *spec)
{
    struct dfopt_finding f = pf_finding(&s->t, spec);
    struct dfopt_decisions d = {0};
    uint64_t seq = s->t.seq;
    pf_find(&s->t, spec);
    char *want = what_one_decided(s);
    for (uint32_t i = 0; i < s->n; i++) {
        if (f.node != DFOPT_SYM_EMPTY && !owns(&s->part[i], f.node))
            continue;
        dfopt_decisions_clear(&d);
        assert_int_equal(dfopt_planner_finding(s->planner[i], seq, &f, &d),
                         DFOPT_OK);
        check_part(s, i, &d, want);
        assert_int_equal(d.plans.len, s->t.out.plans.len);
        if (d.plans.len)
            assert_memory_equal(d.plans.data, s->t.out.plans.data, d.plans.len);
    }
    dfopt_decisions_free(&d);
    free(want);
}

/* An ack goes to all; it is unmatched only if none knows the plan. */
static void play_ack(struct parts *s, const struct pf_ack *spec)
{
    struct dfopt_ack a = pf_ack(&s->t, spec);
    struct dfopt_decisions d = {0};
    uint64_t seq = s->t.seq;
    pf_acknowledge(&s->t, spec);
    char *want = what_one_decided(s);
    bool known = false;
    for (uint32_t i = 0; i < s->n; i++) {
        dfopt_decisions_clear(&d);
        assert_int_equal(dfopt_planner_ack(s->planner[i], seq, &a, &d), DFOPT_OK);
        if (DFOPT_ROW(&d.acks, struct dfopt_ack_row)->outcome ==
            DFOPT_ACK_OUTCOME_UNMATCHED)
            continue;
        known = true;
        check_part(s, i, &d, want);
    }
    if (!known)
        assert_string_equal(want, "unmatched");
    s->acks_matched += known;
    dfopt_decisions_free(&d);
    free(want);
}

static void play_global_plan(struct parts *s, const struct pf_global *spec)
{
    struct dfopt_global_plan g = pf_global_plan(&s->t, spec);
    struct dfopt_decisions d = {0};
    uint64_t seq = s->t.seq;
    pf_relay(&s->t, spec);
    char *want = what_one_decided(s);
    for (uint32_t i = 0; i < s->n; i++) {
        dfopt_decisions_clear(&d);
        assert_int_equal(dfopt_planner_global_plan(s->planner[i], seq, &g, &d),
                         DFOPT_OK);
        check_part(s, i, &d, want);
    }
    dfopt_decisions_free(&d);
    free(want);
}

static void play_registration(struct parts *s, const struct pf_knob *k)
{
    struct pf_knob_room room;
    struct dfopt_knob own = pf_knob(&s->t, k, &room);
    struct dfopt_registration r = {.knobs = &own, .n_knobs = 1};
    struct dfopt_decisions d = {0};
    for (uint32_t i = 0; i < s->n; i++)
        assert_int_equal(dfopt_planner_register(s->planner[i], s->t.seq, &r, &d),
                         DFOPT_OK);
    dfopt_decisions_free(&d);
    pf_register(&s->t, k, 1);
}

static void check_state(struct parts *s)
{
    struct dfopt_buf lines = {0}, want = {0};
    char name[60];
    snprintf(name, sizeof name, "state after event %" PRIu64 " of %u planners",
             s->t.seq - 1, s->n);
    pf_state_lines(s->t.dict, s->t.planner, true, &lines);
    pf_join_lines(&lines, &want);
    assert_int_equal(dfopt_buf_add(&want, "", 1), DFOPT_OK);
    for (uint32_t i = 0; i < s->n; i++)
        pf_state_lines(s->t.dict, s->planner[i], i == 0, &lines);
    dfopt_buf_clear(&s->text);
    pf_join_lines(&lines, &s->text);
    pf_check(name, &s->text, want.data);
    dfopt_buf_free(&want);
}

static void play_some_registration(struct parts *s)
{
    static const char *const ids[] = {"a", "b", "c"};
    const struct pf_value values[] = {I(8), R(2.5), I(1)};
    struct pf_knob k =
        KNOB(RANGE(I(0), I(64)),
             RESPONSES(RESPONSE(.tag = "t", .cooldown = 1, .effectiveness = -9),
                       RESPONSE(.tag = "u", .direction = DFOPT_DIRECTION_DECREASE,
                                .cooldown = 2),
                       RESPONSE(.tag = "v", .mode = DFOPT_STEP_EVIDENCE)));
    k.id = ids[draw(s, 3)];
    k.n_responses = 1 + draw(s, 3);
    k.has_current = draw(s, 4) == 0;
    k.current = values[draw(s, 3)];
    play_registration(s, &k);
}

static void play_some_finding(struct parts *s, int64_t window)
{
    static const char *const scopes[] = {
        "window",  "global",  "node:n1", "node:n2:x", "node:n3:",
        "node:n4", "node:n5", "node:n6", "node:n7:",  "node:n8:y"};
    static const char *const tags[] = {"t", "u", "v", "t,u", "v,t,t", "u,w,v"};
    static const char *const types[] = {"g1", "g2"};
    static const char *const trends[] = {"worsening", "stable", "improving"};
    struct pf_finding f = FINDING();
    f.scope = scopes[draw(s, 10)];
    f.tags = tags[draw(s, 6)];
    f.type = types[draw(s, 2)];
    f.suppresses = draw(s, 3) ? "" : tags[draw(s, 6)];
    f.trend = trends[draw(s, 12) ? draw(s, 2) : 2];
    f.severity = 0.3 + 0.1 * (double)draw(s, 8);
    f.persistence = 1 + draw(s, 6);
    f.window = window + draw(s, 3) - 1;
    if (draw(s, 2))
        f.fetch = 0.1 * (double)draw(s, 10);
    play_finding(s, &f);
}

/* An ack for a plan of one of the last events, most often one that exists. */
static void play_some_ack(struct parts *s)
{
    static const char *const knobs[] = {"a", "b", "c"};
    static const char *const nodes[] = {"",   "n1", "n2", "n3",
                                        "n4", "n5", "n6", "n7"};
    const struct pf_value values[] = {NUL, I(7), R(3.5)};
    struct pf_ack a = ACK_SPEC();
    a.plan = PLAN(s->t.seq - 1 - draw(s, 12), draw(s, 2));
    a.status = draw(s, 4);
    a.knob = knobs[draw(s, 3)];
    a.node = nodes[draw(s, 8)];
    a.window = draw(s, 2) ? DFOPT_WINDOW_NONE : (int64_t)(s->t.seq / 20);
    a.new = values[draw(s, 3)];
    play_ack(s, &a);
}

static void play_some_global_plan(struct parts *s, int64_t window)
{
    static const char *const nodes[] = {"", "n1", "n2,n9", "n3,n4,n5"};
    struct pf_global g = GLOBAL_SPEC();
    g.knob = draw(s, 8) ? "b" : "d";
    g.nodes = nodes[draw(s, 4)];
    g.new = (struct pf_value)I(draw(s, 70));
    g.window = window;
    play_global_plan(s, &g);
}

static void shared_out(uint32_t n, enum dfopt_preset preset, bool assumed,
                       uint32_t seed, size_t *plans, size_t *acks)
{
    struct parts s;
    open_parts(&s, n, preset, assumed, seed);
    for (uint32_t i = 0; i < 1500; i++) {
        const int64_t window = i / 20;
        const uint32_t what = draw(&s, 40);
        if (i > 5 && what < 25)
            play_some_finding(&s, window);
        else if (i > 5 && what < 37)
            play_some_ack(&s);
        else if (i > 5 && what < 39)
            play_some_global_plan(&s, window);
        else if (i <= 5 || draw(&s, 3) == 0)
            play_some_registration(&s);
        if (i % 100 == 99)
            check_state(&s);
    }
    *plans += s.plans;
    *acks += s.acks_matched;
    close_parts(&s);
}

/* What would be one plan more than ids have room for is not made, and the next
 * event's ids are its own. */
static void as_many_plans_as_there_are_ids(void **state)
{
    (void)state;
    static dfopt_sym tags[DFOPT_PLANS_PER_EVENT + 2];
    const size_t n = sizeof tags / sizeof *tags;
    struct pf t;
    pf_open(&t, DFOPT_PRESET_DEFAULT, "as many plans as there are ids");
    t.assumed = true;
    REGISTER(&t, KNOB(RESPONSES(RESPONSE(.cooldown = 0, .effectiveness = 0))));
    for (size_t i = 0; i < n; i++)
        tags[i] = pf_sym(&t, "t");
    struct dfopt_finding f = pf_finding(&t, &FINDING());
    f.tags = dfopt_dict_intern_list(t.dict, tags, n);
    assert_int_equal(dfopt_planner_finding(t.planner, t.seq, &f, &t.out), DFOPT_OK);
    const struct dfopt_plan *plans = DFOPT_ROW(&t.out.plans, struct dfopt_plan);
    const size_t made = DFOPT_ROWS(&t.out.plans, struct dfopt_plan);
    assert_int_equal(made, DFOPT_POSITION_END - DFOPT_POSITION_TAG);
    for (size_t i = 0; i < made; i++)
        assert_int_equal(plans[i].plan_id, PLAN(t.seq, 0) + i);
    assert_true(plans[made - 1].plan_id < PLAN(t.seq + 1, 0));
    const struct dfopt_verdict_row *verdicts =
        DFOPT_ROW(&t.out.verdicts, struct dfopt_verdict_row);
    assert_int_equal(DFOPT_ROWS(&t.out.verdicts, struct dfopt_verdict_row), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(verdicts[i].verdict, i < made ? DFOPT_VERDICT_PLANNED
                                                       : DFOPT_VERDICT_UNSUPPORTED);
    t.seq++;
    FIND(&t);
    pf_expect(&t, "planned t k 32772->32773");
    pf_close(&t);
}

static void several_decide_as_one(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 3, 7};
    size_t plans = 0, acks = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint32_t seed = 1; seed <= 6; seed++)
            for (int preset = 0; preset < 2; preset++)
                shared_out(counts[i], (enum dfopt_preset)preset, seed % 3 == 2,
                           seed, &plans, &acks);
    print_message("%zu plans, %zu acks matched\n", plans, acks);
    assert_true(plans > 3000 && acks > 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_planner),
        cmocka_unit_test(plan_ids),
        cmocka_unit_test(a_rationale_may_hold_any_byte),
        cmocka_unit_test(as_many_plans_as_there_are_ids),
        cmocka_unit_test(several_decide_as_one),
    };
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
