/* Frames: what one rank puts in, another takes out, numbers and texts alike;
 * and what is broken on the way is refused. DFOPT_FRAME_SEED in the environment
 * makes the random test another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codec/frame.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define N_OF(a) (sizeof(a) / sizeof *(a))

#define MUTATIONS 100000

/* ---- both ends ---- */

struct ends {
    struct dfopt_dict *authority, *replica;
    struct dfopt_frame_peer told;
    struct dfopt_frame_translation own; /* the replica's numbers, over there */
    struct dfopt_frame f;
    struct dfopt_buf bytes;
    struct dfopt_buf defined; /* texts of the definitions, as they came */
    unsigned lists;           /* definitions of lists that came */
    const char *name;         /* of the case */
};

static int setup(void **state)
{
    struct ends *t = calloc(1, sizeof *t);
    assert_non_null(t);
    assert_int_equal(dfopt_dict_create(&t->authority, false), DFOPT_OK);
    assert_int_equal(dfopt_dict_create(&t->replica, true), DFOPT_OK);
    dfopt_dict_intern_z(t->authority, "not for the peer");
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct ends *t = *state;
    dfopt_frame_peer_free(&t->told);
    dfopt_frame_translation_free(&t->own);
    dfopt_buf_free(&t->bytes);
    dfopt_buf_free(&t->defined);
    dfopt_dict_destroy(t->authority);
    dfopt_dict_destroy(t->replica);
    free(t);
    return 0;
}

static void must(const char *name, enum dfopt_err e)
{
    if (e)
        fail_msg("%s: %s", name, dfopt_err_text(e));
}

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

static dfopt_sym sym(struct dfopt_dict *d, const char *text)
{
    return dfopt_dict_intern_z(d, text);
}

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
                                          .knobs = room->knobs,
                                          .n_knobs = N_OF(room->knobs)};
}

struct policy_room {
    struct dfopt_override overrides[2];
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
                       .to = response_of(d, "")}}};
    dfopt_policy_preset(&room->p, DFOPT_PRESET_UPSTREAM);
    room->p.on.pending_timeout_windows = INT64_MAX;
    room->p.overrides = room->overrides;
    room->p.n_overrides = N_OF(room->overrides);
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
    dfopt_policy_clear(&p);
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

static const struct kind_case {
    const char *name;
    uint32_t kind;
    enum dfopt_err (*add)(struct ends *t);
    void (*check)(struct ends *t, const struct dfopt_item *item);
    const char *strings; /* that must be defined to a peer that knows nothing */
    unsigned lists;
} kinds[] = {
    {"finding", DFOPT_ITEM_FINDING, add_finding, check_finding,
     "type|node:n1|n1|motif|worsening|t1|t2|s1|", 2},
    {"finding, plain", DFOPT_ITEM_FINDING, add_plain_finding, check_plain_finding,
     "", 0},
    {"ack", DFOPT_ITEM_ACK, add_ack, check_ack, "k|n1|posix|mmap|", 0},
    {"global plan", DFOPT_ITEM_GLOBAL_PLAN, add_global_plan, check_global_plan,
     "g-1|k|f|next_window|why|type|n1|n2|mmap|", 1},
    {"registration", DFOPT_ITEM_REGISTRATION, add_registration, check_registration,
     "dlio|f|k|p|job|posix|mmap|t1|epoch_boundary|direct|t3|bare|", 0},
    {"registration, empty", DFOPT_ITEM_REGISTRATION, add_empty_registration,
     check_empty_registration, "", 0},
    {"config", DFOPT_ITEM_CONFIG, add_config, check_config,
     "head|t1|epoch_boundary|direct|", 0},
    {"config, plain", DFOPT_ITEM_CONFIG, add_plain_config, check_plain_config, "",
     0},
    {"text", DFOPT_ITEM_TEXT, add_text, check_text, "", 0},
    {"nothing", DFOPT_ITEM_CODE, add_nothing, check_nothing, "", 0},
};

static void must_begin(struct ends *t, const struct dfopt_dict *dict,
                       struct dfopt_frame_peer *told)
{
    must(t->name, dfopt_frame_begin(&t->f, &t->bytes, dict, told));
}

static void must_read(struct ends *t, struct dfopt_frame_reader *r)
{
    struct dfopt_error err = {0};
    if (dfopt_frame_open(r, t->bytes.data, t->bytes.len, &err))
        fail_msg("%s: %s", t->name, err.text);
}

/* Takes the next item that is no definition; definitions go to the replica. */
static void next_event(struct ends *t, struct dfopt_frame_reader *r,
                       struct dfopt_item *item)
{
    enum dfopt_err e;
    for (;;) {
        if (!dfopt_frame_next(r, item, &e))
            fail_msg("%s: no item (%s)", t->name, dfopt_err_text(e));
        if (item->kind != DFOPT_ITEM_STRING && item->kind != DFOPT_ITEM_LIST)
            return;
        must(t->name, dfopt_item_define(t->replica, item));
        t->lists += item->kind == DFOPT_ITEM_LIST;
        if (item->kind == DFOPT_ITEM_STRING)
            must(t->name,
                 dfopt_buf_printf(&t->defined, "%.*s|", (int)item->size - 4,
                                  (const char *)item->data + 4));
    }
}

static void must_end(struct ends *t, struct dfopt_frame_reader *r)
{
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    if (dfopt_frame_next(r, &item, &e) || e)
        fail_msg("%s: the frame does not end (%s)", t->name, dfopt_err_text(e));
}

/* Sends the case in a frame of its own, and takes it out. */
static void send_case(struct ends *t, const struct kind_case *c, uint64_t round)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    dfopt_buf_clear(&t->defined);
    must(t->name, dfopt_buf_printf(&t->defined, "%s", ""));
    t->lists = 0;
    must_begin(t, t->authority, &t->told);
    must(t->name, c->add(t));
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, round);
    must_read(t, &r);
    assert_int_equal(r.header.kind, DFOPT_FRAME_EVENTS);
    assert_int_equal(r.header.round, round);
    next_event(t, &r, &item);
    assert_int_equal(item.kind, c->kind);
    c->check(t, &item);
    must_end(t, &r);
}

static void expect_defined(const struct ends *t, const char *strings,
                           unsigned lists)
{
    if (strcmp(t->defined.data, strings) != 0)
        fail_msg("%s: defined \"%s\", not \"%s\"", t->name, t->defined.data,
                 strings);
    if (t->lists != lists)
        fail_msg("%s: defined %u lists, not %u", t->name, t->lists, lists);
}

/* Every kind to a peer that knows nothing, and to the same one again. */
static void every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(kinds); i++) {
        void *own;
        setup(&own);
        struct ends *t = own;
        t->name = kinds[i].name;
        send_case(t, &kinds[i], 0);
        expect_defined(t, kinds[i].strings, kinds[i].lists);
        send_case(t, &kinds[i], UINT64_MAX);
        expect_defined(t, "", 0);
        teardown(&own);
    }
}

/* All in one frame and a peer that learns as it goes: no string comes twice. */
static void defined_once(void **state)
{
    struct ends *t = *state;
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    t->name = "all kinds, twice";
    must_begin(t, t->authority, &t->told);
    for (size_t i = 0; i < 2 * N_OF(kinds); i++)
        must(t->name, kinds[i % N_OF(kinds)].add(t));
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 1);
    must_read(t, &r);
    for (size_t i = 0; i < 2 * N_OF(kinds); i++) {
        next_event(t, &r, &item);
        assert_int_equal(item.kind, kinds[i % N_OF(kinds)].kind);
        kinds[i % N_OF(kinds)].check(t, &item);
    }
    must_end(t, &r);
    expect_defined(
        t,
        "type|node:n1|n1|motif|worsening|t1|t2|s1|k|posix|mmap|g-1|f|"
        "next_window|why|n2|dlio|p|job|epoch_boundary|direct|t3|bare|head|",
        3);
    assert_string_equal(dfopt_dict_text(t->replica, 1, NULL),
                        ""); /* was not sent */
}

/* Without a peer nothing is defined; an empty frame is a frame. */
static void no_peer(void **state)
{
    struct ends *t = *state;
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    t->name = "no peer";
    must_begin(t, t->authority, NULL);
    must(t->name, add_registration(t));
    dfopt_frame_end(&t->f, DFOPT_FRAME_BULK, 1);
    must_read(t, &r);
    assert_int_equal(r.header.n_items, 1);
    next_event(t, &r, &item);
    must_end(t, &r);
    must_begin(t, t->authority, &t->told);
    dfopt_frame_end(&t->f, DFOPT_FRAME_STOP, 2);
    assert_int_equal(t->bytes.len, sizeof(struct dfopt_frame_header));
    must_read(t, &r);
    must_end(t, &r);
    dfopt_frame_peer_free(&(struct dfopt_frame_peer){{0}, {0}});
    dfopt_frame_translation_free(&(struct dfopt_frame_translation){0});
}

/* ---- rows from the replica ---- */

/* Rows of every kind; `new`, `newer`, `last` are values' texts. */
struct rows {
    struct dfopt_decisions d;
    struct dfopt_buf state, suppressions;
};

static void rows_free(struct rows *r)
{
    dfopt_decisions_free(&r->d);
    dfopt_buf_free(&r->state);
    dfopt_buf_free(&r->suppressions);
}

static void add_row(struct dfopt_buf *b, const void *row, size_t n)
{
    assert_int_equal(dfopt_buf_add(b, row, n), DFOPT_OK);
}

static void rows_of(struct rows *r, dfopt_sym known, dfopt_sym new, dfopt_sym newer,
                    dfopt_sym last)
{
    const struct dfopt_verdict_row v = {
        .seq = 1, .verdict = DFOPT_VERDICT_PLANNED, .tag = known, .value = 2};
    const struct dfopt_plan p[] = {{.seq = 1,
                                    .knob = known,
                                    .old_value = dfopt_value_str(known),
                                    .new_value = dfopt_value_str(new)},
                                   {.seq = 2,
                                    .old_value = dfopt_value_str(newer),
                                    .new_value = dfopt_value_int(8)}};
    const struct dfopt_suppression_row s = {
        .seq = 2, .tag = known, .severity = 0.5};
    const struct dfopt_ack_row a = {
        .seq = 3, .knob = known, .value = dfopt_value_str(newer)};
    const struct dfopt_relay_row l = {
        .seq = 4, .knob = known, .new_value = dfopt_value_str(known)};
    const struct dfopt_state_row st[] = {
        {.knob = known, .value = dfopt_value_str(last)},
        {.knob = known, .value = dfopt_value_null()}};
    const struct dfopt_suppression_state ss = {.tag = known, .window = 9};
    *r = (struct rows){0};
    add_row(&r->d.verdicts, &v, sizeof v);
    add_row(&r->d.plans, p, sizeof p);
    add_row(&r->d.suppressions, &s, sizeof s);
    add_row(&r->d.acks, &a, sizeof a);
    add_row(&r->d.relays, &l, sizeof l);
    add_row(&r->state, st, sizeof st);
    add_row(&r->suppressions, &ss, sizeof ss);
}

static void same_bytes(const char *name, const struct dfopt_buf *got,
                       const struct dfopt_buf *want)
{
    if (got->len != want->len || memcmp(got->data, want->data, got->len) != 0)
        fail_msg("%s: rows came as others (%zu bytes, not %zu)", name, got->len,
                 want->len);
}

/* What the replica sends of `sent` must come as `want`; returns how many strings
 * were defined. */
static unsigned send_rows(struct ends *t, const struct rows *sent,
                          const struct rows *want, struct dfopt_frame_peer *told)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    struct rows got = {0};
    unsigned strings = 0;
    enum dfopt_err e;
    must_begin(t, t->replica, told);
    must(t->name, dfopt_frame_decisions(&t->f, &sent->d));
    must(t->name, dfopt_frame_state(&t->f, &sent->state, &sent->suppressions));
    dfopt_frame_end(&t->f, DFOPT_FRAME_STATE, 3);
    must_read(t, &r);
    while (dfopt_frame_next(&r, &item, &e)) {
        strings += item.kind == DFOPT_ITEM_STRING;
        must(t->name, dfopt_item_rows(&item, t->authority, &t->own, &got.d,
                                      &got.state, &got.suppressions));
    }
    must(t->name, e);
    same_bytes("verdicts", &got.d.verdicts, &want->d.verdicts);
    same_bytes("plans", &got.d.plans, &want->d.plans);
    same_bytes("suppressions", &got.d.suppressions, &want->d.suppressions);
    same_bytes("acks", &got.d.acks, &want->d.acks);
    same_bytes("relays", &got.d.relays, &want->d.relays);
    same_bytes("state", &got.state, &want->state);
    same_bytes("suppression states", &got.suppressions, &want->suppressions);
    rows_free(&got);
    return strings;
}

/* Texts that the replica made are interned by the authority, whether it has
 * them already or not, and told once. */
static void rows_come_back(void **state)
{
    struct ends *t = *state;
    struct dfopt_frame_peer told = {0};
    struct rows sent, want;
    t->name = "rows";
    const dfopt_sym known = sym(t->authority, "known");
    must(t->name, dfopt_dict_define(t->replica, known, "known", 5));
    sym(t->replica, "of no concern");
    const dfopt_sym new = sym(t->replica, "new"), newer = sym(t->replica, "newer"),
                    last = sym(t->replica, "last");
    assert_true(dfopt_sym_is_local(new) && dfopt_sym_is_local(newer));
    const dfopt_sym has = sym(t->authority, "newer");
    const uint32_t strings = dfopt_dict_strings(t->authority);
    rows_of(&sent, known, new, newer, last);
    rows_of(&want, known, strings, has, strings + 1); /* the next numbers */
    assert_int_equal(send_rows(t, &sent, &want, &told), 3);
    assert_int_equal(dfopt_dict_strings(t->authority), strings + 2);
    assert_string_equal(dfopt_dict_text(t->authority, strings, NULL), "new");
    assert_int_equal(send_rows(t, &sent, &want, &told), 0);
    rows_free(&sent);
    rows_free(&want);
    dfopt_frame_peer_free(&told);
}

/* Items that are no rows, or not whole ones, leave everything as it was. */
static void rows_refused(void **state)
{
    struct ends *t = *state;
    static const uint32_t local[] = {0x80000000u, 0};
    static const uint32_t global[] = {3, 0};
    static const uint32_t far[] = {0xf0000000u, 0};
    struct dfopt_plan unknown[2] = {{.seq = 1}, {.seq = 2}};
    unknown[1].new_value = dfopt_value_str(dfopt_local_number(7));
    struct dfopt_ack_row ack = {.value = dfopt_value_str(dfopt_local_number(0))};
    struct dfopt_state_row row = {.value = dfopt_value_str(dfopt_local_number(1))};
    static const struct dfopt_verdict_row verdict;
    const struct {
        const char *name;
        struct dfopt_item item;
    } cases[] = {
        {"a plan's value that was not defined",
         {DFOPT_ITEM_PLANS, sizeof unknown, unknown}},
        {"an ack's value that was not defined",
         {DFOPT_ITEM_ACK_ROWS, sizeof ack, &ack}},
        {"a state's value that was not defined",
         {DFOPT_ITEM_STATE_ROWS, sizeof row, &row}},
        {"half a row", {DFOPT_ITEM_VERDICTS, sizeof verdict / 2, &verdict}},
        {"a byte less", {DFOPT_ITEM_PLANS, sizeof *unknown - 1, unknown}},
        {"a string without a number", {DFOPT_ITEM_STRING, 3, local}},
        {"a string of the authority's", {DFOPT_ITEM_STRING, 5, global}},
        {"a string with a number too large", {DFOPT_ITEM_STRING, 5, far}},
        {"a list", {DFOPT_ITEM_LIST, 8, local}},
        {"a finding", {DFOPT_ITEM_FINDING, 8, local}},
        {"text", {DFOPT_ITEM_TEXT, 8, local}},
        {"kind 0", {0, 8, local}},
        {"no kind", {UINT32_MAX, 0, local}},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct rows got = {0};
        const uint32_t strings = dfopt_dict_strings(t->authority);
        if (dfopt_item_rows(&cases[i].item, t->authority, &t->own, &got.d,
                            &got.state, &got.suppressions) != DFOPT_ERR_FORMAT)
            fail_msg("%s: taken", cases[i].name);
        if (got.d.plans.len || got.d.acks.len || got.d.verdicts.len ||
            got.state.len || dfopt_dict_strings(t->authority) != strings)
            fail_msg("%s: left something behind", cases[i].name);
        rows_free(&got);
    }
    /* where no state is expected, none is taken */
    struct dfopt_decisions d = {.verdicts = {0}};
    const struct dfopt_item none = {DFOPT_ITEM_STATE_ROWS, 0, local};
    assert_int_equal(dfopt_item_rows(&none, t->authority, &t->own, &d, NULL, NULL),
                     DFOPT_ERR_FORMAT);
}

/* ---- what is refused ---- */

/* A frame with everything in it, for a peer that knows nothing. */
static void whole_frame(struct ends *t)
{
    must_begin(t, t->authority, &t->told);
    for (size_t i = 0; i < N_OF(kinds); i++)
        must(t->name, kinds[i].add(t));
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 3);
}

static enum dfopt_err open_bytes(const char *bytes, size_t len,
                                 struct dfopt_error *err)
{
    struct dfopt_frame_reader r;
    return dfopt_frame_open(&r, bytes, len, err);
}

/* Makes the header fit the bytes behind it. */
static void mend(char *bytes, size_t len)
{
    struct dfopt_frame_header h;
    memcpy(&h, bytes, sizeof h);
    h.length = len - sizeof h;
    h.checksum = 0;
    h.checksum = XXH3_64bits_withSeed(bytes + sizeof h, len - sizeof h,
                                      XXH3_64bits(&h, sizeof h));
    memcpy(bytes, &h, sizeof h);
}

static void header_refused(void **state)
{
    struct ends *t = *state;
    t->name = "header";
    whole_frame(t);
    struct dfopt_frame_header good, h;
    memcpy(&good, t->bytes.data, sizeof good);
    const struct {
        const char *member;
        size_t at, size;
        uint64_t value;
        const char *words;
    } cases[] = {
        {"magic", offsetof(struct dfopt_frame_header, magic), 4, 0, "not a frame"},
        {"magic in another byte order", offsetof(struct dfopt_frame_header, magic),
         4, 0x44464f46u, "not a frame"},
        {"older version", offsetof(struct dfopt_frame_header, version), 4, 0,
         "version 0"},
        {"newer version", offsetof(struct dfopt_frame_header, version), 4,
         DFOPT_FRAME_VERSION + 1, "different programs"},
        {"length 0", offsetof(struct dfopt_frame_header, length), 8, 0,
         "says 0 bytes"},
        {"length less by one", offsetof(struct dfopt_frame_header, length), 8,
         good.length - 1, "bytes"},
        {"length that wraps", offsetof(struct dfopt_frame_header, length), 8,
         UINT64_MAX - sizeof h + 1, "bytes"},
        {"checksum", offsetof(struct dfopt_frame_header, checksum), 8,
         good.checksum + 1, "checksum"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_error err = {0};
        memcpy(t->bytes.data, &good, sizeof good);
        memcpy(t->bytes.data + cases[i].at, &cases[i].value, cases[i].size);
        if (open_bytes(t->bytes.data, t->bytes.len, &err) != DFOPT_ERR_FORMAT)
            fail_msg("%s: opened", cases[i].member);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: \"%s\"", cases[i].member, err.text);
    }
    memcpy(t->bytes.data, &good, sizeof good);
    assert_int_equal(open_bytes(t->bytes.data, t->bytes.len, NULL), DFOPT_OK);
}

/* Reads all items without looking into them. */
static enum dfopt_err walk(const char *bytes, size_t len)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    enum dfopt_err e = dfopt_frame_open(&r, bytes, len, NULL);
    while (!e && dfopt_frame_next(&r, &item, &e))
        ;
    return e;
}

/* Cut anywhere, with the header as it was or made to fit; in memory that ends
 * where the frame does. */
static void truncated(void **state)
{
    struct ends *t = *state;
    t->name = "truncated";
    whole_frame(t);
    for (size_t len = 0; len < t->bytes.len; len++) {
        char *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, t->bytes.data, len);
        if (open_bytes(cut, len, NULL) != DFOPT_ERR_FORMAT)
            fail_msg("opened when cut to %zu bytes", len);
        if (len >= sizeof(struct dfopt_frame_header)) {
            mend(cut, len);
            if (walk(cut, len) != DFOPT_ERR_FORMAT)
                fail_msg("read when cut to %zu bytes, and mended", len);
        }
        free(cut);
    }
    assert_int_equal(walk(t->bytes.data, t->bytes.len), DFOPT_OK);
    add_row(&t->bytes, "12345678", 8);
    assert_int_equal(open_bytes(t->bytes.data, t->bytes.len, NULL),
                     DFOPT_ERR_FORMAT);
    mend(t->bytes.data, t->bytes.len); /* one item more than the header says */
    assert_int_equal(walk(t->bytes.data, t->bytes.len), DFOPT_ERR_FORMAT);
}

/* Every bit of every byte. */
static void one_bit(void **state)
{
    struct ends *t = *state;
    t->name = "one bit";
    whole_frame(t);
    for (size_t i = 0; i < t->bytes.len * 8; i++) {
        const size_t at = i / 8;
        t->bytes.data[at] = (char)(t->bytes.data[at] ^ (1 << i % 8));
        if (walk(t->bytes.data, t->bytes.len) != DFOPT_ERR_FORMAT)
            fail_msg("read with bit %zu of byte %zu turned", i % 8, at);
        t->bytes.data[at] = (char)(t->bytes.data[at] ^ (1 << i % 8));
    }
    assert_int_equal(walk(t->bytes.data, t->bytes.len), DFOPT_OK);
}

/* Counts that ask for more than there is. ASan ends the test where one of them
 * becomes the size of an allocation. */
static void huge_counts(void **state)
{
    struct ends *t = *state;
    static const uint64_t counts[] = {
        4,          1000,           UINT32_MAX,       (uint64_t)UINT32_MAX + 1,
        SIZE_MAX,   SIZE_MAX / 2,   SIZE_MAX / 16,    SIZE_MAX / 16 + 1,
        1ull << 60, SIZE_MAX / 160, SIZE_MAX / 80 + 1};
    const size_t knob = 3 * sizeof(uint64_t);
    const struct {
        const char *name;
        size_t kind; /* in kinds */
        size_t at;   /* of the count in the item */
    } cases[] = {
        {"knobs", 4, 2 * sizeof(uint64_t)},
        {"values", 4, knob + offsetof(struct dfopt_knob, n_values)},
        {"responses", 4, knob + offsetof(struct dfopt_knob, n_responses)},
        {"overrides", 6, offsetof(struct dfopt_frame_config, n_overrides)},
    };
    for (size_t i = 0; i < N_OF(cases) * N_OF(counts); i++) {
        struct dfopt_frame_reader r;
        struct dfopt_item item;
        struct dfopt_registration reg;
        struct dfopt_policy policy;
        struct dfopt_frame_config config;
        uint64_t seq;
        t->name = cases[i / N_OF(counts)].name;
        const uint64_t count = counts[i % N_OF(counts)];
        must_begin(t, t->authority, NULL);
        must(t->name, kinds[cases[i / N_OF(counts)].kind].add(t));
        char *at = t->bytes.data + sizeof(struct dfopt_frame_header) + 8;
        memcpy(at + cases[i / N_OF(counts)].at, &count, sizeof count);
        dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 0);
        must_read(t, &r);
        next_event(t, &r, &item);
        const enum dfopt_err e = item.kind == DFOPT_ITEM_CONFIG
                                     ? dfopt_item_config(&item, &policy, &config)
                                     : dfopt_item_registration(&item, &seq, &reg);
        if (e != DFOPT_ERR_FORMAT)
            fail_msg("%llu %s: %s", (unsigned long long)count, t->name,
                     dfopt_err_text(e));
    }
}

/* Items of a size that is none of theirs. */
static void wrong_sizes(void **state)
{
    struct ends *t = *state;
    static const uint64_t room[64];
    const size_t ack = sizeof(uint64_t) + sizeof(struct dfopt_ack);
    const size_t plan = sizeof(uint64_t) + sizeof(struct dfopt_global_plan);
    const struct {
        const char *name;
        uint32_t kind;
        size_t size;
    } cases[] = {
        {"empty string", DFOPT_ITEM_STRING, 0},
        {"string without a whole number", DFOPT_ITEM_STRING, 3},
        {"empty list", DFOPT_ITEM_LIST, 0},
        {"list of one and a half", DFOPT_ITEM_LIST, 10},
        {"text as a definition", DFOPT_ITEM_TEXT, 8},
        {"empty finding", DFOPT_ITEM_FINDING, 0},
        {"finding, a byte less", DFOPT_ITEM_FINDING,
         sizeof(struct dfopt_finding_row) - 1},
        {"finding, a byte more", DFOPT_ITEM_FINDING,
         sizeof(struct dfopt_finding_row) + 1},
        {"ack, a byte less", DFOPT_ITEM_ACK, ack - 1},
        {"ack, a byte more", DFOPT_ITEM_ACK, ack + 1},
        {"global plan, a byte less", DFOPT_ITEM_GLOBAL_PLAN, plan - 1},
        {"global plan, a byte more", DFOPT_ITEM_GLOBAL_PLAN, plan + 1},
        {"empty registration", DFOPT_ITEM_REGISTRATION, 0},
        {"registration with bytes behind it", DFOPT_ITEM_REGISTRATION, 25},
        {"empty config", DFOPT_ITEM_CONFIG, 0},
        {"config, a byte less", DFOPT_ITEM_CONFIG,
         sizeof(struct dfopt_frame_config) - 1},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        const struct dfopt_item item = {cases[i].kind, cases[i].size, room};
        const struct dfopt_finding_row *row;
        struct dfopt_registration reg;
        struct dfopt_global_plan g;
        struct dfopt_policy policy;
        struct dfopt_frame_config config;
        struct dfopt_ack a;
        uint64_t seq;
        enum dfopt_err e;
        switch (item.kind) {
        case DFOPT_ITEM_FINDING:
            e = dfopt_item_finding(&item, &row);
            break;
        case DFOPT_ITEM_ACK:
            e = dfopt_item_ack(&item, &seq, &a);
            break;
        case DFOPT_ITEM_GLOBAL_PLAN:
            e = dfopt_item_global_plan(&item, &seq, &g);
            break;
        case DFOPT_ITEM_REGISTRATION:
            e = dfopt_item_registration(&item, &seq, &reg);
            break;
        case DFOPT_ITEM_CONFIG:
            e = dfopt_item_config(&item, &policy, &config);
            break;
        default:
            e = dfopt_item_define(t->replica, &item);
        }
        if (e != DFOPT_ERR_FORMAT)
            fail_msg("%s: %s", cases[i].name, dfopt_err_text(e));
    }
}

/* A definition that contradicts what the replica knows. */
static void contradictions(void **state)
{
    struct ends *t = *state;
    must("define", dfopt_dict_define(t->replica, 4, "four", 4));
    static const struct {
        const char *name;
        uint32_t kind, number;
        const char text[8];
        enum dfopt_err want;
    } cases[] = {
        {"the same again", DFOPT_ITEM_STRING, 4, "four", DFOPT_OK},
        {"another text", DFOPT_ITEM_STRING, 4, "five", DFOPT_ERR_FORMAT},
        {"another number", DFOPT_ITEM_STRING, 5, "four", DFOPT_ERR_FORMAT},
        {"number of the empty string", DFOPT_ITEM_STRING, 0, "four",
         DFOPT_ERR_FORMAT},
        {"a local number", DFOPT_ITEM_STRING, 0x80000000u, "loca",
         DFOPT_ERR_FORMAT},
        {"no number", DFOPT_ITEM_STRING, UINT32_MAX, "none", DFOPT_ERR_FORMAT},
        {"number of the empty list", DFOPT_ITEM_LIST, 0, "four", DFOPT_ERR_FORMAT},
        {"a list", DFOPT_ITEM_LIST, 1, "\4\0\0", DFOPT_OK},
        {"another list", DFOPT_ITEM_LIST, 1, "\5\0\0", DFOPT_ERR_FORMAT},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        uint32_t data[2] = {cases[i].number};
        memcpy(&data[1], cases[i].text, 4);
        const struct dfopt_item item = {cases[i].kind, sizeof data, data};
        if (dfopt_item_define(t->replica, &item) != cases[i].want)
            fail_msg("%s: not %s", cases[i].name, dfopt_err_text(cases[i].want));
    }
    assert_string_equal(dfopt_dict_text(t->replica, 4, NULL), "four");
    const struct dfopt_item item = {DFOPT_ITEM_STRING, 8,
                                    (const uint32_t[]){9, 0x65657266}};
    assert_int_equal(dfopt_item_define(t->authority, &item), DFOPT_ERR_FORMAT);
}

/* ---- at random ---- */

static uint64_t random_next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Looks at every byte of what an item became. */
static volatile uint64_t sink;

static void look(const void *bytes, size_t n)
{
    sink ^= XXH3_64bits(bytes, n);
}

static enum dfopt_err look_at_registration(const struct dfopt_item *item)
{
    struct dfopt_registration r;
    uint64_t seq;
    enum dfopt_err e = dfopt_item_registration(item, &seq, &r);
    if (e)
        return e;
    for (size_t i = 0; i < r.n_knobs; i++) {
        look(&r.knobs[i], sizeof *r.knobs);
        look(r.knobs[i].values, r.knobs[i].n_values * sizeof *r.knobs->values);
        look(r.knobs[i].responses,
             r.knobs[i].n_responses * sizeof *r.knobs->responses);
    }
    dfopt_registration_clear(&r);
    return DFOPT_OK;
}

static enum dfopt_err look_at_config(const struct dfopt_item *item)
{
    struct dfopt_policy p;
    struct dfopt_frame_config c;
    enum dfopt_err e = dfopt_item_config(item, &p, &c);
    if (e)
        return e;
    look(p.overrides, p.n_overrides * sizeof *p.overrides);
    dfopt_policy_clear(&p);
    return DFOPT_OK;
}

static enum dfopt_err look_at_finding(const struct dfopt_dict *d,
                                      const struct dfopt_item *item)
{
    const struct dfopt_finding_row *row;
    size_t n;
    enum dfopt_err e = dfopt_item_finding(item, &row);
    if (e)
        return e;
    look(row, sizeof *row);
    const char *text = dfopt_dict_text(d, row->f.type, &n);
    look(text, n);
    const dfopt_sym *items = dfopt_dict_items(d, row->f.tags, &n);
    for (size_t i = 0; i < n; i++)
        look(dfopt_dict_text(d, items[i], NULL), 1);
    return DFOPT_OK;
}

/* Takes an item at both ends, as whoever receives it may be made to. */
static enum dfopt_err take_item(struct ends *t, const struct dfopt_item *item,
                                struct rows *rows)
{
    struct dfopt_global_plan g;
    struct dfopt_ack a;
    uint64_t seq;
    uint32_t number;
    switch (item->kind) {
    case DFOPT_ITEM_STRING:
    case DFOPT_ITEM_LIST:
        if (item->size >= sizeof number) {
            memcpy(&number, item->data, sizeof number);
            if ((number & 0x7fffffffu) >> 16) /* a table as long as that */
                return DFOPT_OK;
            if (item->kind == DFOPT_ITEM_STRING && number >> 31)
                return dfopt_item_rows(item, t->authority, &t->own, &rows->d,
                                       &rows->state, &rows->suppressions);
        }
        return dfopt_item_define(t->replica, item);
    case DFOPT_ITEM_FINDING:
        return look_at_finding(t->replica, item);
    case DFOPT_ITEM_ACK:
        return dfopt_item_ack(item, &seq, &a);
    case DFOPT_ITEM_GLOBAL_PLAN:
        return dfopt_item_global_plan(item, &seq, &g);
    case DFOPT_ITEM_REGISTRATION:
        return look_at_registration(item);
    case DFOPT_ITEM_CONFIG:
        return look_at_config(item);
    default:
        return dfopt_item_rows(item, t->authority, &t->own, &rows->d, &rows->state,
                               &rows->suppressions);
    }
}

/* One mutated frame. Returns what it came to. */
static enum dfopt_err take_frame(struct ends *t, const char *bytes, size_t len)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    struct rows rows = {0};
    enum dfopt_err e;
    assert_int_equal(dfopt_frame_open(&r, bytes, len, NULL), DFOPT_OK);
    while (dfopt_frame_next(&r, &item, &e)) {
        enum dfopt_err taken = take_item(t, &item, &rows);
        if (taken && taken != DFOPT_ERR_FORMAT && taken != DFOPT_ERR_NOMEM)
            fail_msg("item of kind %u: %s", item.kind, dfopt_err_text(taken));
    }
    look(rows.d.plans.data, rows.d.plans.len);
    look(rows.state.data, rows.state.len);
    rows_free(&rows);
    return e;
}

/* Rows and everything else in one frame; what a replica sends is in it too. */
static void mixed_frame(struct ends *t, struct dfopt_frame_peer *told)
{
    struct rows sent;
    rows_of(&sent, sym(t->replica, "one"), sym(t->replica, "two"),
            sym(t->replica, "three"), sym(t->replica, "four"));
    must_begin(t, t->authority, &t->told);
    for (size_t i = 0; i < N_OF(kinds); i++)
        must(t->name, kinds[i].add(t));
    t->f.dict = t->replica;
    t->f.peer = told;
    must(t->name, dfopt_frame_decisions(&t->f, &sent.d));
    must(t->name, dfopt_frame_state(&t->f, &sent.state, &sent.suppressions));
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 3);
    rows_free(&sent);
}

static void mutate(char *bytes, size_t len, uint64_t *seed)
{
    static const unsigned char edges[] = {0, 1, 7, 8, 0x7f, 0x80, 0xff};
    for (uint64_t n = random_next(seed) % 6 + 1; n > 0; n--) {
        const size_t at = random_next(seed) % len;
        const uint64_t r = random_next(seed);
        bytes[at] = (char)(r & 256 ? edges[r % N_OF(edges)] : r & 255);
    }
}

/* With a header that fits, whatever the items' bytes are, reading them ends in
 * one of three ways, and never behind the frame. */
static void random_bytes(void **state)
{
    struct ends *t = *state;
    struct dfopt_frame_peer told = {0};
    const char *given = getenv("DFOPT_FRAME_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) | 1 : 0x9e3779b97f4a7c15u;
    const size_t skip = sizeof(struct dfopt_frame_header);
    size_t broken = 0;
    t->name = "random bytes";
    mixed_frame(t, &told);
    char *copy = malloc(t->bytes.len);
    assert_non_null(copy);
    for (size_t i = 0; i < MUTATIONS; i++) {
        if (i % 512 == 0) { /* what was learnt by mistake is forgotten */
            dfopt_dict_destroy(t->replica);
            must(t->name, dfopt_dict_create(&t->replica, true));
            dfopt_frame_translation_free(&t->own);
        }
        memcpy(copy, t->bytes.data, t->bytes.len);
        mutate(copy + skip, t->bytes.len - skip, &seed);
        mend(copy, t->bytes.len);
        broken += take_frame(t, copy, t->bytes.len) != DFOPT_OK;
    }
    assert_true(broken > 0 && broken < MUTATIONS);
    free(copy);
    dfopt_frame_peer_free(&told);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind),
                                       CASE(defined_once),
                                       CASE(no_peer),
                                       CASE(rows_come_back),
                                       CASE(rows_refused),
                                       CASE(header_refused),
                                       CASE(truncated),
                                       CASE(one_bit),
                                       CASE(huge_counts),
                                       CASE(wrong_sizes),
                                       CASE(contradictions),
                                       CASE(random_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
