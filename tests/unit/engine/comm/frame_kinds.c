/* An item of each kind: how it goes into a frame, and what must come out. */
#include "frame_ends.h"

#include <string.h>

static void differ(const struct ends *t, const char *what, const void *got,
                   const void *want, size_t n)
{
    if (memcmp(got, want, n) != 0)
        fail_msg("%s: %s came as another", t->name, what);
}

/* The same number has the same text at both ends. */
static void same_text(const struct ends *t, dfopt_sym s)
{
    size_t n, m;
    const char *sent = dfopt_dict_text(t->authority, s, &n);
    const char *came = dfopt_dict_text(t->replica, s, &m);
    if (n != m || memcmp(sent, came, n) != 0)
        fail_msg("%s: string %u is \"%s\" here and \"%s\" there", t->name, s, sent,
                 came);
}

static void same_list(const struct ends *t, dfopt_list l)
{
    size_t n, m;
    const dfopt_sym *sent = dfopt_dict_items(t->authority, l, &n);
    const dfopt_sym *came = dfopt_dict_items(t->replica, l, &m);
    if (n != m || (n && memcmp(sent, came, n * sizeof *sent) != 0))
        fail_msg("%s: list %u came as another", t->name, l);
    for (size_t i = 0; i < n; i++)
        same_text(t, sent[i]);
}

static void same_value(const struct ends *t, struct dfopt_value v)
{
    if (v.kind == DFOPT_KIND_STR)
        same_text(t, v.str);
}

/* ---- events from the authority ---- */

static dfopt_list list(struct dfopt_dict *d, const char *a, const char *b)
{
    const dfopt_sym items[] = {sym(d, a), sym(d, b)};
    return dfopt_dict_intern_list(d, items, 2);
}

static struct dfopt_finding finding_of(struct dfopt_dict *d)
{
    return (struct dfopt_finding){
        .type = sym(d, "type"),
        .scope = sym(d, "node:n1"),
        .node = sym(d, "n1"),
        .motif = sym(d, "motif"),
        .trend_text = sym(d, "worsening"),
        .tags = list(d, "t1", "t2"),
        .suppresses = list(d, "t2", "s1"),
        .metric_state = {DFOPT_METRIC_NUMBER, DFOPT_METRIC_BAD},
        .severity = 0.75,
        .confidence = __builtin_nan(""),
        .persistence = 3,
        .window = -7,
        .metric = {0.5},
    };
}

static struct dfopt_ack ack_of(struct dfopt_dict *d)
{
    return (struct dfopt_ack){
        .plan_id = UINT64_MAX,
        .known_form = 1,
        .status = DFOPT_ACK_DEFERRED,
        .knob = sym(d, "k"),
        .node = sym(d, "n1"),
        .window = DFOPT_WINDOW_NONE,
        .old_value = dfopt_value_str(sym(d, "posix")),
        .new_value = dfopt_value_str(sym(d, "mmap")),
    };
}

static struct dfopt_global_plan global_plan_of(struct dfopt_dict *d)
{
    return (struct dfopt_global_plan){
        .plan_id = sym(d, "g-1"),
        .knob = sym(d, "k"),
        .target_function = sym(d, "f"),
        .apply_when = sym(d, "next_window"),
        .rationale = sym(d, "why"),
        .finding_type = sym(d, "type"),
        .tag = DFOPT_SYM_EMPTY,
        .target_nodes = list(d, "n1", "n2"),
        .new_value = dfopt_value_str(sym(d, "mmap")),
        .severity = 1.0,
        .window = 2,
    };
}

static struct dfopt_response response_of(struct dfopt_dict *d, const char *tag)
{
    return (struct dfopt_response){
        .tag = sym(d, tag),
        .apply_when = sym(d, "epoch_boundary"),
        .direction = DFOPT_DIRECTION_SET,
        .step_mode = DFOPT_STEP_MULTIPLY,
        .step = dfopt_value_real(1.5),
        .set_to = dfopt_value_str(sym(d, "direct")),
        .min_severity = 0.25,
        .cooldown_windows = 4,
    };
}

/* Two knobs: one with all there is, one with nothing. */
struct registration_room {
    struct dfopt_value values[3];
    struct dfopt_response responses[2];
    struct dfopt_knob knobs[2];
    struct dfopt_registration r;
};

static void registration_of(struct dfopt_dict *d, struct registration_room *room)
{
    *room = (struct registration_room){
        .values = {dfopt_value_str(sym(d, "posix")),
                   dfopt_value_str(sym(d, "mmap")), dfopt_value_int(INT64_MIN)},
        .responses = {response_of(d, "t1"), response_of(d, "t3")},
    };
    room->knobs[0] = (struct dfopt_knob){
        .id = sym(d, "k"),
        .parameter = sym(d, "p"),
        .target_function = sym(d, "f"),
        .scope = sym(d, "job"),
        .type = DFOPT_KNOB_STR,
        .range_state = DFOPT_RANGE_OK,
        .has_values = 1,
        .has_current = 1,
        .lo = dfopt_value_bool(false),
        .hi = dfopt_value_real(9.5),
        .default_value = dfopt_value_str(sym(d, "posix")),
        .current = dfopt_value_str(sym(d, "mmap")),
        .values = room->values,
        .n_values = N_OF(room->values),
        .responses = room->responses,
        .n_responses = N_OF(room->responses),
    };
    room->knobs[1] = (struct dfopt_knob){.id = sym(d, "bare")};
    room->r = (struct dfopt_registration){.name_space = sym(d, "dlio"),
                                          .function = sym(d, "f"),
                                          .node = sym(d, "n1"),
                                          .instance = sym(d, "p1"),
                                          .unregister = 1,
                                          .flaw = DFOPT_FLAW_DUPLICATE,
                                          .knobs = room->knobs,
                                          .n_knobs = N_OF(room->knobs)};
}

struct policy_room {
    struct dfopt_override overrides[2];
    struct dfopt_budget budgets[1];
    struct dfopt_budget_term terms[2];
    struct dfopt_guard guards[1];
    dfopt_sym names[3];
    struct dfopt_policy p;
};

static void policy_of(struct dfopt_dict *d, struct policy_room *room)
{
    *room = (struct policy_room){
        .overrides = {{.target = DFOPT_OVERRIDE_ALL,
                       .fields = DFOPT_RF_MIN_SEVERITY,
                       .to = {.min_severity = 0.1}},
                      {.target = DFOPT_OVERRIDE_TAG,
                       .name = sym(d, "t1"),
                       .fields = DFOPT_RF_SET_TO | DFOPT_RF_APPLY_WHEN,
                       .to = response_of(d, "")}},
        .budgets = {{.capacity = 64, .name = sym(d, "memory"), .n_terms = 2}},
        .terms = {{.factor = dfopt_value_int(2), .knobs = {0, 2}},
                  {.factor = dfopt_value_real(0.5), .knobs = {1, 1}}},
        .guards = {{.above = 0.9,
                    .finding_type = sym(d, "oom"),
                    .metric = DFOPT_METRIC_KNOWN,
                    .some_knobs = 1,
                    .knobs = {1, 1}}},
        .names = {sym(d, "k"), sym(d, "k2"), sym(d, "slow")}};
    dfopt_policy_preset(&room->p, DFOPT_PRESET_UPSTREAM);
    room->p.on.pending_timeout_windows = INT64_MAX;
    room->p.overrides = room->overrides;
    room->p.n_overrides = N_OF(room->overrides);
    room->p.budgets = room->budgets;
    room->p.n_budgets = N_OF(room->budgets);
    room->p.terms = room->terms;
    room->p.n_terms = N_OF(room->terms);
    room->p.guards = room->guards;
    room->p.n_guards = N_OF(room->guards);
    room->p.names = room->names;
    room->p.n_names = N_OF(room->names);
    room->p.objective_metric = (struct dfopt_objective_metric){
        .metric = DFOPT_METRIC_KNOWN, .goal = -1, .some_types = 1, .types = {2, 1}};
    room->p.metrics.name[0] = sym(d, "mem_frac");
}

static enum dfopt_err add_finding(struct ends *t)
{
    struct dfopt_finding x = finding_of(t->authority);
    return dfopt_frame_finding(&t->f, 5, &x);
}

static void check_finding(struct ends *t, const struct dfopt_item *item)
{
    const struct dfopt_finding want = finding_of(t->authority);
    const struct dfopt_finding_row *row;
    must(t->name, dfopt_item_finding(item, &row));
    assert_int_equal((uintptr_t)row % 8, 0);
    assert_int_equal(row->seq, 5);
    differ(t, "the finding", &row->f, &want, sizeof want);
    const dfopt_sym s[] = {row->f.type, row->f.scope, row->f.node, row->f.motif,
                           row->f.trend_text};
    for (size_t i = 0; i < N_OF(s); i++)
        same_text(t, s[i]);
    same_list(t, row->f.tags);
    same_list(t, row->f.suppresses);
}

/* One that has nothing to define. */
static enum dfopt_err add_plain_finding(struct ends *t)
{
    const struct dfopt_finding x = {.severity = 1.0};
    return dfopt_frame_finding(&t->f, UINT64_MAX, &x);
}

static void check_plain_finding(struct ends *t, const struct dfopt_item *item)
{
    const struct dfopt_finding_row want = {UINT64_MAX, {.severity = 1.0}}, *row;
    must(t->name, dfopt_item_finding(item, &row));
    differ(t, "the finding", row, &want, sizeof want);
}

static enum dfopt_err add_ack(struct ends *t)
{
    struct dfopt_ack a = ack_of(t->authority);
    return dfopt_frame_ack(&t->f, 6, &a);
}

static void check_ack(struct ends *t, const struct dfopt_item *item)
{
    const struct dfopt_ack want = ack_of(t->authority);
    struct dfopt_ack a;
    uint64_t seq;
    must(t->name, dfopt_item_ack(item, &seq, &a));
    assert_int_equal(seq, 6);
    differ(t, "the ack", &a, &want, sizeof a);
    same_text(t, a.knob);
    same_text(t, a.node);
    same_value(t, a.old_value);
    same_value(t, a.new_value);
}

static enum dfopt_err add_global_plan(struct ends *t)
{
    struct dfopt_global_plan g = global_plan_of(t->authority);
    return dfopt_frame_global_plan(&t->f, 7, &g);
}

static void check_global_plan(struct ends *t, const struct dfopt_item *item)
{
    const struct dfopt_global_plan want = global_plan_of(t->authority);
    struct dfopt_global_plan g;
    uint64_t seq;
    must(t->name, dfopt_item_global_plan(item, &seq, &g));
    assert_int_equal(seq, 7);
    differ(t, "the plan", &g, &want, sizeof g);
    const dfopt_sym s[] = {g.plan_id,    g.knob,      g.target_function,
                           g.apply_when, g.rationale, g.finding_type,
                           g.tag};
    for (size_t i = 0; i < N_OF(s); i++)
        same_text(t, s[i]);
    same_list(t, g.target_nodes);
    same_value(t, g.new_value);
}

static enum dfopt_err add_registration(struct ends *t)
{
    struct registration_room room;
    registration_of(t->authority, &room);
    return dfopt_frame_registration(&t->f, 8, &room.r);
}

static void same_response(const struct ends *t, const struct dfopt_response *got,
                          const struct dfopt_response *want)
{
    differ(t, "a response", got, want, sizeof *got);
    same_text(t, got->tag);
    same_text(t, got->apply_when);
    same_value(t, got->step);
    same_value(t, got->set_to);
}

static void same_knob(const struct ends *t, const struct dfopt_knob *got,
                      const struct dfopt_knob *want)
{
    struct dfopt_knob a = *got, b = *want;
    a.values = b.values = NULL;
    a.responses = b.responses = NULL;
    differ(t, "a knob", &a, &b, sizeof a);
    const dfopt_sym s[] = {a.id, a.parameter, a.target_function, a.scope};
    for (size_t i = 0; i < N_OF(s); i++)
        same_text(t, s[i]);
    same_value(t, a.default_value);
    same_value(t, a.current);
    for (size_t i = 0; i < a.n_values; i++) {
        differ(t, "a value", &got->values[i], &want->values[i],
               sizeof *got->values);
        same_value(t, got->values[i]);
    }
    for (size_t i = 0; i < a.n_responses; i++)
        same_response(t, &got->responses[i], &want->responses[i]);
}

static void check_registration(struct ends *t, const struct dfopt_item *item)
{
    struct registration_room want;
    struct dfopt_registration r;
    uint64_t seq;
    registration_of(t->authority, &want);
    must(t->name, dfopt_item_registration(item, &seq, &r));
    assert_int_equal(seq, 8);
    assert_int_equal(r.name_space, want.r.name_space);
    assert_int_equal(r.function, want.r.function);
    assert_int_equal(r.n_knobs, want.r.n_knobs);
    same_text(t, r.name_space);
    assert_int_equal(r.node, want.r.node);
    assert_int_equal(r.instance, want.r.instance);
    assert_int_equal(r.unregister, want.r.unregister);
    assert_int_equal(r.flaw, want.r.flaw);
    same_text(t, r.node);
    same_text(t, r.instance);
    same_text(t, r.function);
    for (size_t i = 0; i < r.n_knobs; i++)
        same_knob(t, &r.knobs[i], &want.knobs[i]);
    dfopt_registration_clear(&r);
}

static enum dfopt_err add_empty_registration(struct ends *t)
{
    const struct dfopt_registration r = {.name_space = DFOPT_SYM_EMPTY};
    return dfopt_frame_registration(&t->f, 9, &r);
}

static void check_empty_registration(struct ends *t, const struct dfopt_item *item)
{
    struct dfopt_registration r;
    uint64_t seq;
    must(t->name, dfopt_item_registration(item, &seq, &r));
    assert_int_equal(r.n_knobs, 0);
    dfopt_registration_clear(&r);
}

static enum dfopt_err add_config(struct ends *t)
{
    struct policy_room room;
    policy_of(t->authority, &room);
    return dfopt_frame_config(&t->f, &room.p, true, sym(t->authority, "head"));
}

static void check_config(struct ends *t, const struct dfopt_item *item)
{
    struct policy_room want;
    struct dfopt_policy p;
    struct dfopt_frame_config c;
    policy_of(t->authority, &want);
    must(t->name, dfopt_item_config(item, &p, &c));
    assert_int_equal(c.assumed_acks, 1);
    same_text(t, c.relay_hostname);
    assert_string_equal(dfopt_dict_text(t->replica, c.relay_hostname, NULL),
                        "head");
    differ(t, "the switches", &p.on, &want.p.on, sizeof p.on);
    assert_int_equal(p.n_overrides, want.p.n_overrides);
    for (size_t i = 0; i < p.n_overrides; i++) {
        differ(t, "an override", &p.overrides[i], &want.overrides[i],
               sizeof *p.overrides);
        same_text(t, p.overrides[i].name);
        same_response(t, &p.overrides[i].to, &want.overrides[i].to);
    }
    assert_int_equal(p.n_budgets, N_OF(want.budgets));
    differ(t, "the budgets", p.budgets, want.budgets, sizeof want.budgets);
    assert_int_equal(p.n_terms, N_OF(want.terms));
    differ(t, "the terms", p.terms, want.terms, sizeof want.terms);
    assert_int_equal(p.n_guards, N_OF(want.guards));
    differ(t, "the guards", p.guards, want.guards, sizeof want.guards);
    assert_int_equal(p.n_names, N_OF(want.names));
    differ(t, "the names", p.names, want.names, sizeof want.names);
    differ(t, "the objective metric", &p.objective_metric, &want.p.objective_metric,
           sizeof p.objective_metric);
    differ(t, "the metrics", &p.metrics, &want.p.metrics, sizeof p.metrics);
    for (size_t i = 0; i < p.n_names; i++)
        same_text(t, p.names[i]);
    same_text(t, p.budgets[0].name);
    same_text(t, p.guards[0].finding_type);
    same_text(t, p.metrics.name[0]);
    dfopt_policy_clear(&p);
}

static enum dfopt_err add_objective(struct ends *t)
{
    const struct dfopt_objective o = {.node = sym(t->authority, "n1"),
                                      .goal = -1,
                                      .window = 12,
                                      .value = 813.5,
                                      .metric_state[2] = DFOPT_METRIC_NUMBER,
                                      .metric[2] = 0.5};
    return dfopt_frame_objective(&t->f, 9, &o);
}

static void check_objective(struct ends *t, const struct dfopt_item *item)
{
    const struct dfopt_objective want = {.node = sym(t->authority, "n1"),
                                         .goal = -1,
                                         .window = 12,
                                         .value = 813.5,
                                         .metric_state[2] = DFOPT_METRIC_NUMBER,
                                         .metric[2] = 0.5};
    struct dfopt_objective o;
    uint64_t seq;
    must(t->name, dfopt_item_objective(item, &seq, &o));
    assert_int_equal(seq, 9);
    differ(t, "the objective", &o, &want, sizeof o);
    same_text(t, o.node);
}

static enum dfopt_err add_plain_config(struct ends *t)
{
    struct dfopt_policy p;
    dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
    return dfopt_frame_config(&t->f, &p, false, DFOPT_SYM_EMPTY);
}

static void check_plain_config(struct ends *t, const struct dfopt_item *item)
{
    struct dfopt_policy p;
    struct dfopt_frame_config c;
    must(t->name, dfopt_item_config(item, &p, &c));
    assert_int_equal(c.assumed_acks, 0);
    assert_int_equal(p.n_overrides, 0);
    dfopt_policy_clear(&p);
}

static enum dfopt_err add_text(struct ends *t)
{
    return dfopt_frame_item(&t->f, DFOPT_ITEM_TEXT, "odd size", 7);
}

static void check_text(struct ends *t, const struct dfopt_item *item)
{
    assert_int_equal(item->size, 7);
    differ(t, "the text", item->data, "odd siz", 7);
}

static enum dfopt_err add_nothing(struct ends *t)
{
    return dfopt_frame_item(&t->f, DFOPT_ITEM_CODE, NULL, 0);
}

static void check_nothing(struct ends *t, const struct dfopt_item *item)
{
    (void)t;
    assert_int_equal(item->size, 0);
}

const struct kind_case kinds[N_KINDS] = {
    {"finding", DFOPT_ITEM_FINDING, add_finding, check_finding,
     "type|node:n1|n1|motif|worsening|t1|t2|s1|", 2},
    {"finding, plain", DFOPT_ITEM_FINDING, add_plain_finding, check_plain_finding,
     "", 0},
    {"ack", DFOPT_ITEM_ACK, add_ack, check_ack, "k|n1|posix|mmap|", 0},
    {"global plan", DFOPT_ITEM_GLOBAL_PLAN, add_global_plan, check_global_plan,
     "g-1|k|f|next_window|why|type|n1|n2|mmap|", 1},
    [KIND_REGISTRATION] =
        {"registration", DFOPT_ITEM_REGISTRATION, add_registration,
         check_registration,
         "dlio|f|n1|p1|k|p|job|posix|mmap|t1|epoch_boundary|direct|t3|bare|", 0},
    {"registration, empty", DFOPT_ITEM_REGISTRATION, add_empty_registration,
     check_empty_registration, "", 0},
    [KIND_CONFIG] = {"config", DFOPT_ITEM_CONFIG, add_config, check_config,
                     "head|k|k2|slow|mem_frac|t1|epoch_boundary|direct|memory|oom|",
                     0},
    {"objective", DFOPT_ITEM_OBJECTIVE, add_objective, check_objective, "n1|", 0},
    {"config, plain", DFOPT_ITEM_CONFIG, add_plain_config, check_plain_config, "",
     0},
    {"text", DFOPT_ITEM_TEXT, add_text, check_text, "", 0},
    {"nothing", DFOPT_ITEM_CODE, add_nothing, check_nothing, "", 0},
};
