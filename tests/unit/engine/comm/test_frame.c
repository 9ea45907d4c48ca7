/* Frames: what one rank puts in, another takes out, numbers and texts alike. */
#include "frame_ends.h"

#include <string.h>

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
    assert_int_equal(r.header.batch, round);
    must_next(t, &r, &item);
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
    for (size_t i = 0; i < N_KINDS; i++) {
        void *own;
        ends_setup(&own);
        struct ends *t = own;
        t->name = kinds[i].name;
        send_case(t, &kinds[i], 0);
        expect_defined(t, kinds[i].strings, kinds[i].lists);
        send_case(t, &kinds[i], UINT64_MAX);
        expect_defined(t, "", 0);
        ends_teardown(&own);
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
    add_kinds(t);
    add_kinds(t);
    dfopt_frame_end(&t->f, DFOPT_FRAME_EVENTS, 1);
    must_read(t, &r);
    for (size_t i = 0; i < 2 * N_KINDS; i++) {
        must_next(t, &r, &item);
        assert_int_equal(item.kind, kinds[i % N_KINDS].kind);
        kinds[i % N_KINDS].check(t, &item);
    }
    must_end(t, &r);
    expect_defined(t,
                   "type|node:n1|n1|motif|worsening|t1|t2|s1|k|posix|mmap|g-1|f|"
                   "next_window|why|n2|dlio|p1|p|job|epoch_boundary|direct|t3|bare|"
                   "head|k2|slow|mem_frac|memory|oom|",
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
    must(t->name, kinds[KIND_REGISTRATION].add(t));
    dfopt_frame_end(&t->f, DFOPT_FRAME_REPLAY, 1);
    must_read(t, &r);
    assert_int_equal(r.header.n_items, 1);
    must_next(t, &r, &item);
    must_end(t, &r);
    must_begin(t, t->authority, &t->told);
    dfopt_frame_end(&t->f, DFOPT_FRAME_STOP, 2);
    assert_int_equal(t->bytes.len, sizeof(struct dfopt_frame_header));
    must_read(t, &r);
    must_end(t, &r);
    dfopt_frame_known_free(&(struct dfopt_frame_known){{0}, {0}});
    dfopt_frame_translation_free(&(struct dfopt_frame_translation){0});
}

/* ---- rows from the replica ---- */

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
                          const struct rows *want, struct dfopt_frame_known *told)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item;
    struct rows got = {0};
    unsigned strings = 0;
    enum dfopt_err e;
    must_begin(t, t->replica, told);
    must(t->name, dfopt_frame_decisions(&t->f, &sent->d));
    must(t->name, dfopt_frame_state(&t->f, &sent->state, &sent->suppressions,
                                    &sent->commanded));
    dfopt_frame_end(&t->f, DFOPT_FRAME_STATE, 3);
    must_read(t, &r);
    while (dfopt_frame_next(&r, &item, &e)) {
        strings += item.kind == DFOPT_ITEM_STRING;
        must(t->name,
             dfopt_item_rows(&item, t->authority, &t->own, &got.d, &got.state,
                             &got.suppressions, &got.commanded));
    }
    must(t->name, e);
    same_bytes("verdicts", &got.d.verdicts, &want->d.verdicts);
    same_bytes("plans", &got.d.plans, &want->d.plans);
    same_bytes("suppressions", &got.d.suppressions, &want->d.suppressions);
    same_bytes("acks", &got.d.acks, &want->d.acks);
    same_bytes("relays", &got.d.relays, &want->d.relays);
    same_bytes("state", &got.state, &want->state);
    same_bytes("suppression states", &got.suppressions, &want->suppressions);
    same_bytes("commanded", &got.commanded, &want->commanded);
    rows_free(&got);
    return strings;
}

/* Texts that the replica made are interned by the authority, whether it has
 * them already or not, and told once. */
static void rows_come_back(void **state)
{
    struct ends *t = *state;
    struct dfopt_frame_known told = {0};
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
    dfopt_frame_known_free(&told);
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
                            &got.state, &got.suppressions,
                            &got.commanded) != DFOPT_ERR_FORMAT)
            fail_msg("%s: taken", cases[i].name);
        if (got.d.plans.len || got.d.acks.len || got.d.verdicts.len ||
            got.state.len || dfopt_dict_strings(t->authority) != strings)
            fail_msg("%s: left something behind", cases[i].name);
        rows_free(&got);
    }
    /* where no state is expected, none is taken */
    struct dfopt_decisions d = {.verdicts = {0}};
    const struct dfopt_item none = {DFOPT_ITEM_STATE_ROWS, 0, local};
    assert_int_equal(
        dfopt_item_rows(&none, t->authority, &t->own, &d, NULL, NULL, NULL),
        DFOPT_ERR_FORMAT);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, ends_setup, ends_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind), CASE(defined_once), CASE(no_peer),
        CASE(rows_come_back),         CASE(rows_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
