/* A planner under test, and builders of its inputs from plain constants, so
 * that a case is an input and the text of its outcome (planner_text.h). */
#ifndef DFOPT_TESTS_PLANNER_FIXTURE_H
#define DFOPT_TESTS_PLANNER_FIXTURE_H

#include "planner_text.h"

/* The builders below give a field its default and let the case name it again. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif

/* ---- values as constants ---- */

struct pf_value {
    uint32_t kind;
    int64_t i;
    double d;
    const char *s;
};

#define NUL                                                                        \
    {                                                                              \
        .kind = DFOPT_KIND_NULL                                                    \
    }
#define B(v)                                                                       \
    {                                                                              \
        .kind = DFOPT_KIND_BOOL, .i = (v)                                          \
    }
#define I(v)                                                                       \
    {                                                                              \
        .kind = DFOPT_KIND_INT, .i = (v)                                           \
    }
#define R(v)                                                                       \
    {                                                                              \
        .kind = DFOPT_KIND_REAL, .d = (v)                                          \
    }
#define S(v)                                                                       \
    {                                                                              \
        .kind = DFOPT_KIND_STR, .s = (v)                                           \
    }

static inline struct dfopt_value pf_value(struct dfopt_dict *dict,
                                          struct pf_value v)
{
    switch (v.kind) {
    case DFOPT_KIND_BOOL:
        return dfopt_value_bool(v.i != 0);
    case DFOPT_KIND_INT:
        return dfopt_value_int(v.i);
    case DFOPT_KIND_REAL:
        return dfopt_value_real(v.d);
    case DFOPT_KIND_STR:
        return dfopt_value_str(dfopt_dict_intern_z(dict, v.s));
    default:
        return dfopt_value_null();
    }
}

/* ---- the planner under test ---- */

struct pf {
    struct dfopt_dict *dict;
    struct dfopt_policy policy;
    struct dfopt_planner *planner;
    struct dfopt_decisions out; /* of the last event */
    uint64_t seq;               /* of the next event */
    const char *name;           /* of the case */
    struct dfopt_buf text;      /* scratch */
    bool assumed;
    const char *relay_hostname; /* NULL: none */
};

/* An empty one with a preset, which decides by severity and is told of no scopes,
 * owners or plans that it has forgotten; change `policy.on`, `assumed` or
 * `relay_hostname`, then give it its first input. pf_close at the end. */
static inline void pf_open(struct pf *t, enum dfopt_preset preset, const char *name)
{
    *t = (struct pf){.name = name};
    assert_int_equal(dfopt_dict_create(&t->dict, false), DFOPT_OK);
    dfopt_policy_preset(&t->policy, preset);
    t->policy.on.effect = DFOPT_EFFECT_SEVERITY;
    t->policy.on.scope = DFOPT_SCOPE_CARRY;
    t->policy.on.registration = DFOPT_REGISTRATION_CARRY;
    t->policy.on.unmatched_ack = DFOPT_UNMATCHED_ACK_IGNORE;
}

static inline void pf_close(struct pf *t)
{
    dfopt_planner_destroy(t->planner);
    dfopt_policy_clear(&t->policy);
    dfopt_decisions_free(&t->out);
    dfopt_buf_free(&t->text);
    dfopt_dict_destroy(t->dict);
    *t = (struct pf){0};
}

static inline dfopt_sym pf_sym(struct pf *t, const char *text)
{
    return dfopt_dict_intern_z(t->dict, text ? text : "");
}

/* The list of the names in a text that commas separate. */
static inline dfopt_list pf_list(struct pf *t, const char *names)
{
    dfopt_sym items[16];
    size_t n = 0;
    while (names && *names) {
        size_t len = strcspn(names, ",");
        assert_true(n < sizeof items / sizeof *items);
        items[n++] = dfopt_dict_intern(t->dict, names, len);
        names += len + (names[len] == ',');
    }
    return dfopt_dict_intern_list(t->dict, items, n);
}

static inline struct dfopt_planner *pf_planner(struct pf *t)
{
    struct dfopt_planner_config config = {.policy = &t->policy,
                                          .assumed_acks = t->assumed,
                                          .relay_hostname =
                                              pf_sym(t, t->relay_hostname)};
    if (!t->planner)
        assert_int_equal(dfopt_planner_create(&t->planner, t->dict, &config),
                         DFOPT_OK);
    return t->planner;
}

/* ---- registrations ---- */

struct pf_response {
    const char *tag, *apply_when;
    uint32_t direction, mode;
    struct pf_value step, set_to;
    double min_severity, min_persistence, cooldown, effectiveness;
};

/* The defaults of the wire format, with a step of 1. */
#define RESPONSE(...)                                                              \
    ((struct pf_response){.tag = "t",                                              \
                          .apply_when = "epoch_boundary",                          \
                          .direction = DFOPT_DIRECTION_INCREASE,                   \
                          .mode = DFOPT_STEP_ADD,                                  \
                          .step = I(1),                                            \
                          .min_severity = 0.5,                                     \
                          .min_persistence = 2,                                    \
                          .cooldown = 3,                                           \
                          .effectiveness = 0.1,                                    \
                          __VA_ARGS__})

struct pf_knob {
    const char *id;
    uint32_t type, range; /* enum dfopt_knob_type, enum dfopt_range_state */
    struct pf_value dflt, lo, hi, current;
    bool has_values, has_current;
    struct pf_value values[6];
    size_t n_values;
    struct pf_response responses[4];
    size_t n_responses;
};

/* An int knob `k` of default 4 without bounds. */
#define KNOB(...)        ((struct pf_knob){.id = "k", .dflt = I(4), __VA_ARGS__})
#define RANGE(l, h)      .range = DFOPT_RANGE_OK, .lo = l, .hi = h
#define COUNT(type, ...) (sizeof((const type[]){__VA_ARGS__}) / sizeof(type))
#define VALUES(...)                                                                \
    .has_values = true, .values = {__VA_ARGS__},                                   \
    .n_values = COUNT(struct pf_value, __VA_ARGS__)
#define CURRENT(v) .has_current = true, .current = v
#define RESPONSES(...)                                                             \
    .responses = {__VA_ARGS__},                                                    \
    .n_responses = COUNT(struct pf_response, __VA_ARGS__)

static inline struct dfopt_response pf_response(struct pf *t,
                                                const struct pf_response *r)
{
    return (struct dfopt_response){
        .tag = pf_sym(t, r->tag),
        .apply_when = pf_sym(t, r->apply_when),
        .direction = r->direction,
        .step_mode = r->mode,
        .step = pf_value(t->dict, r->step),
        .set_to = pf_value(t->dict, r->set_to),
        .min_severity = r->min_severity,
        .min_persistence = r->min_persistence,
        .cooldown_windows = r->cooldown,
        .effectiveness_threshold = r->effectiveness,
    };
}

/* The knob with arrays that live as long as *room does. */
struct pf_knob_room {
    struct dfopt_value values[6];
    struct dfopt_response responses[4];
};

static inline struct dfopt_knob pf_knob(struct pf *t, const struct pf_knob *k,
                                        struct pf_knob_room *room)
{
    for (size_t i = 0; i < k->n_values; i++)
        room->values[i] = pf_value(t->dict, k->values[i]);
    for (size_t i = 0; i < k->n_responses; i++)
        room->responses[i] = pf_response(t, &k->responses[i]);
    return (struct dfopt_knob){
        .id = pf_sym(t, k->id),
        .parameter = pf_sym(t, k->id),
        .target_function = pf_sym(t, "f"),
        .scope = pf_sym(t, "job"),
        .type = k->type,
        .range_state = k->range,
        .has_values = k->has_values,
        .has_current = k->has_current,
        .lo = pf_value(t->dict, k->lo),
        .hi = pf_value(t->dict, k->hi),
        .default_value = pf_value(t->dict, k->dflt),
        .current = pf_value(t->dict, k->current),
        .values = room->values,
        .n_values = k->n_values,
        .responses = room->responses,
        .n_responses = k->n_responses,
    };
}

/* Registers n knobs in one message; an event of its own. */
static inline void pf_register(struct pf *t, const struct pf_knob *knobs, size_t n)
{
    struct dfopt_knob own[8];
    struct pf_knob_room rooms[8];
    assert_true(n <= sizeof own / sizeof *own);
    for (size_t i = 0; i < n; i++)
        own[i] = pf_knob(t, &knobs[i], &rooms[i]);
    struct dfopt_registration r = {.knobs = own, .n_knobs = n};
    dfopt_decisions_clear(&t->out);
    assert_int_equal(dfopt_planner_register(pf_planner(t), t->seq++, &r, &t->out),
                     DFOPT_OK);
}

#define REGISTER(t, ...)                                                           \
    pf_register((t), (const struct pf_knob[]){__VA_ARGS__},                        \
                COUNT(struct pf_knob, __VA_ARGS__))

/* ---- the other inputs ---- */

enum { ABSENT = 1000, BAD = 1001 }; /* for a metric: not there; not a number */

struct pf_finding {
    const char *scope, *tags, *suppresses, *type, *trend, *motif;
    double severity;
    int64_t persistence, window;
    double fetch, fetch_parent, compute, compute_parent;
};

/* A finding of the whole job that passes the gates of RESPONSE(). */
#define FINDING(...)                                                               \
    ((struct pf_finding){.scope = "window",                                        \
                         .tags = "t",                                              \
                         .type = "slow",                                           \
                         .trend = "worsening",                                     \
                         .motif = "unclassified",                                  \
                         .severity = 1.0,                                          \
                         .persistence = 5,                                         \
                         .window = 1,                                              \
                         .fetch = ABSENT,                                          \
                         .fetch_parent = ABSENT,                                   \
                         .compute = ABSENT,                                        \
                         .compute_parent = ABSENT,                                 \
                         __VA_ARGS__})

static inline struct dfopt_finding pf_finding(struct pf *t,
                                              const struct pf_finding *s)
{
    const double metric[DFOPT_METRIC_COUNT] = {
        s->fetch, s->fetch_parent, s->compute, s->compute_parent,
        ABSENT,   ABSENT,          ABSENT,     ABSENT};
    struct dfopt_finding f = {
        .type = pf_sym(t, s->type),
        .scope = pf_sym(t, s->scope),
        .motif = pf_sym(t, s->motif),
        .trend_text = pf_sym(t, s->trend),
        .tags = pf_list(t, s->tags),
        .suppresses = pf_list(t, s->suppresses),
        .severity = s->severity,
        .persistence = s->persistence,
        .window = s->window,
    };
    for (size_t i = 0; i < DFOPT_METRIC_COUNT; i++) {
        f.metric_state[i] = metric[i] == ABSENT ? DFOPT_METRIC_ABSENT
                            : metric[i] == BAD  ? DFOPT_METRIC_BAD
                                                : DFOPT_METRIC_NUMBER;
        if (f.metric_state[i] == DFOPT_METRIC_NUMBER)
            f.metric[i] = metric[i];
    }
    assert_int_equal(dfopt_finding_derive(t->dict, &f), DFOPT_OK);
    return f;
}

static inline void pf_find(struct pf *t, const struct pf_finding *s)
{
    struct dfopt_finding f = pf_finding(t, s);
    dfopt_decisions_clear(&t->out);
    assert_int_equal(dfopt_planner_finding(pf_planner(t), t->seq++, &f, &t->out),
                     DFOPT_OK);
}

#define FIND(t, ...) pf_find((t), &FINDING(__VA_ARGS__))

struct pf_ack {
    uint64_t plan; /* its id; see PLAN */
    bool odd_id;   /* plan_id is of another form */
    uint32_t status;
    const char *knob, *node;
    int64_t window; /* negative: none */
    struct pf_value old, new;
};

#define ACK_SPEC(...)                                                              \
    ((struct pf_ack){.status = DFOPT_ACK_APPLIED,                                  \
                     .knob = "k",                                                  \
                     .window = DFOPT_WINDOW_NONE,                                  \
                     __VA_ARGS__})

static inline struct dfopt_ack pf_ack(struct pf *t, const struct pf_ack *a)
{
    return (struct dfopt_ack){
        .plan_id = a->odd_id ? 0 : a->plan,
        .known_form = !a->odd_id,
        .status = a->status,
        .knob = pf_sym(t, a->knob),
        .node = pf_sym(t, a->node),
        .window = a->window,
        .old_value = pf_value(t->dict, a->old),
        .new_value = pf_value(t->dict, a->new),
    };
}

static inline void pf_acknowledge(struct pf *t, const struct pf_ack *s)
{
    struct dfopt_ack a = pf_ack(t, s);
    dfopt_decisions_clear(&t->out);
    assert_int_equal(dfopt_planner_ack(pf_planner(t), t->seq++, &a, &t->out),
                     DFOPT_OK);
}

#define ACK(t, ...) pf_acknowledge((t), &ACK_SPEC(__VA_ARGS__))

struct pf_global {
    const char *id, *knob, *nodes;
    struct pf_value new;
    double severity;
    int64_t window;
};

#define GLOBAL_SPEC(...)                                                           \
    ((struct pf_global){                                                           \
        .id = "g1", .knob = "k", .severity = 0.8, .window = 2, __VA_ARGS__})

static inline struct dfopt_global_plan pf_global_plan(struct pf *t,
                                                      const struct pf_global *g)
{
    return (struct dfopt_global_plan){
        .plan_id = pf_sym(t, g->id),
        .knob = pf_sym(t, g->knob),
        .target_function = pf_sym(t, "gf"),
        .apply_when = pf_sym(t, "next_window"),
        .rationale = pf_sym(t, "global optimizer"),
        .finding_type = pf_sym(t, "global"),
        .tag = pf_sym(t, ""),
        .target_nodes = pf_list(t, g->nodes),
        .new_value = pf_value(t->dict, g->new),
        .severity = g->severity,
        .window = g->window,
    };
}

static inline void pf_relay(struct pf *t, const struct pf_global *s)
{
    struct dfopt_global_plan g = pf_global_plan(t, s);
    dfopt_decisions_clear(&t->out);
    assert_int_equal(
        dfopt_planner_global_plan(pf_planner(t), t->seq++, &g, &t->out), DFOPT_OK);
}

#define GLOBAL(t, ...) pf_relay((t), &GLOBAL_SPEC(__VA_ARGS__))

/* ---- outcomes ---- */

/* What the last event led to: suppressions, then verdicts, acks or relays. */
static inline void pf_expect(struct pf *t, const char *want)
{
    dfopt_buf_clear(&t->text);
    pf_put_suppressions(t->dict, &t->out, &t->text);
    pf_put_verdicts(t->dict, &t->out, &t->text);
    pf_put_acks(t->dict, &t->out, &t->text);
    pf_put_relays(t->dict, &t->out, &t->text);
    pf_check(t->name, &t->text, want);
}

static inline void pf_expect_state(struct pf *t, const char *want)
{
    struct dfopt_buf lines = {0};
    pf_state_lines(t->dict, pf_planner(t), true, &lines);
    dfopt_buf_clear(&t->text);
    pf_join_lines(&lines, &t->text);
    pf_check(t->name, &t->text, want);
}

#endif
