/* Slices of a replay: a rank that numbers new strings itself, and is told
 * their numbers afterwards, gets what the rank that gives the numbers would. */
#include "slice_text.h"

#include "support/transport_files.h"

/* ---- numbers for what is new ---- */

/* The authority numbers what the replica has made since the last time, and tells
 * the replica all that is new. Returns whether there was any. */
struct told {
    uint32_t strings, lists;             /* of the replica's own */
    uint32_t known_strings, known_lists; /* of the authority's, by the replica */
};

static dfopt_sym authority_sym(struct dfopt_dict *authority,
                               struct dfopt_dict *replica, dfopt_sym s)
{
    size_t n;
    const char *text = dfopt_dict_text(replica, s, &n);
    return dfopt_sym_is_local(s) ? dfopt_dict_intern(authority, text, n) : s;
}

static void tell(struct dfopt_dict *authority, struct dfopt_dict *replica,
                 struct told *t)
{
    for (; t->known_strings < dfopt_dict_strings(authority); t->known_strings++) {
        size_t n;
        const char *text = dfopt_dict_text(authority, t->known_strings, &n);
        assert_int_equal(dfopt_dict_define(replica, t->known_strings, text, n),
                         DFOPT_OK);
    }
    for (; t->known_lists < dfopt_dict_lists(authority); t->known_lists++) {
        size_t n;
        const dfopt_sym *items = dfopt_dict_items(authority, t->known_lists, &n);
        assert_int_equal(dfopt_dict_define_list(replica, t->known_lists, items, n),
                         DFOPT_OK);
    }
}

static bool number_new(struct dfopt_dict *authority, struct dfopt_dict *replica,
                       struct told *t)
{
    const bool any = t->strings < dfopt_dict_local_strings(replica) ||
                     t->lists < dfopt_dict_local_lists(replica);
    for (; t->strings < dfopt_dict_local_strings(replica); t->strings++)
        authority_sym(authority, replica, dfopt_local_number(t->strings));
    for (; t->lists < dfopt_dict_local_lists(replica); t->lists++) {
        dfopt_sym items[16];
        size_t n;
        const dfopt_sym *own =
            dfopt_dict_items(replica, dfopt_local_number(t->lists), &n);
        assert_true(n <= N_OF(items));
        for (size_t i = 0; i < n; i++)
            items[i] = authority_sym(authority, replica, own[i]);
        dfopt_dict_intern_list(authority, items, n);
    }
    tell(authority, replica, t);
    return any;
}

/* ---- the input ---- */

#define FINDING(type, scope, tags, suppresses)                                     \
    "{\"finding_type\":\"" type "\",\"scope\":\"" scope                            \
    "\",\"severity_score\":0.75,\"persistence\":3,\"motif\":\"m\","                \
    "\"trend_direction\":\"stable\",\"opportunity_tags\":[" tags                   \
    "],\"suppresses_tags\":[" suppresses "],\"key_metrics\":{\"fetch_frac\":0.5}," \
    "\"window_index\":4}\n"
#define REGISTRATION(id, tag)                                                      \
    "{\"stream\":\"registration\",\"body\":{\"namespace\":\"dlio\",\"knobs\":{"    \
    "\"p\""                                                                        \
    ":{\"id\":\"" id "\",\"default\":\"posix\",\"type\":\"str\",\"values\":["      \
    "\"posix\",\"mmap\"],\"responds_to\":{\"" tag                                  \
    "\":{\"direction\":\"set\",\"set_to\":\"mmap\",\"min_severity\":0.5,"          \
    "\"min_persistence\":2}}}},\"current_values\":{\"p\":\"posix\"}}}\n"
#define ACK(id, node)                                                              \
    "{\"stream\":\"ack\",\"body\":{\"plan_id\":\"" id                              \
    "\",\"knob_id\":\"k\",\"status\":\"applied\",\"new_value\":\"mmap\","          \
    "\"old_value\":\"posix\",\"window_index\":3,\"target_nodes\":[\"" node         \
    "\"],\"reason\":\"because\"}}\n"
#define GLOBAL_PLAN(id)                                                            \
    "{\"stream\":\"global_plan\",\"body\":{\"plan_id\":\"" id                      \
    "\",\"knob_id\":\"k\",\"new_value\":\"direct\",\"severity\":0.5,"              \
    "\"target_nodes\":[\"n1\",\"n2\"]}}\n"
#define OBJECTIVE(node, value)                                                     \
    "{\"stream\":\"objective\",\"body\":{\"node\":\"" node                         \
    "\",\"window_index\":4,\"value\":" value "}}\n"
#define X100                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxx"                                                                         \
    "xxxxxxxxxxxxxxxxxxxx"

/* Records of all kinds, usable or not, strings that come once and again. */
static const char input[] = REGISTRATION("k", "t1") FINDING(
    "a", "node:n1:window", "\"t1\",\"t2\"",
    "") FINDING("a", "window", "\"t1\"", "\"t2\"") "\n\n" FINDING("b", "global", "",
                                                                  "")
    FINDING("a", "node:n1:window", "\"t1\",\"t2\"",
            "") "{ not JSON\n" ACK("plan_0000000000010000", "n1")
        FINDING("c", "node:n2", "\"t2\",\"t3\"", "\"t1\",\"t2\"") GLOBAL_PLAN(
            "g1") "{\"finding_type\":7}\n"
                  "{\"stream\":\"registration\",\"body\":{\"knobs\":7}}\n"
                  "{\"stream\":\"ack\",\"body\":7}\r\n" ACK("of another form", "n3")
                      FINDING("d\\u0000e", "node:n4", "\"t4\"",
                              "\"t4\"") REGISTRATION("k2", "t4") "\"" X100 X100 X100
                          X100 X100 X100 X100 X100 "\"\n" FINDING(
                              "a", "node:n2", "\"t1\",\"t2\"", "") GLOBAL_PLAN("g1")
                              FINDING("a", "node:n1:window", "\"t1\",\"t2\"", "")
                                  REGISTRATION("k", "t5") "[1]\n" FINDING(
                                      "e", "node:n5", "\"t5\"", "")
                                      OBJECTIVE("n6", "1.5") OBJECTIVE("n1", "2")
                                          OBJECTIVE("n7", "[]") OBJECTIVE("", "3");

#define RECORDS 26
#define LINES   28

static struct dfopt_splits *open_input(void)
{
    const char *path = files_write("f", "w", input, sizeof input - 1);
    struct dfopt_splits *p = NULL;
    assert_int_equal(dfopt_splits_open(&p, &path, 1, MAX_RECORD, NULL), DFOPT_OK);
    assert_non_null(p);
    return p;
}

static void must_decode(struct rank *r, struct dfopt_splits *p,
                        const struct dfopt_split *split)
{
    struct dfopt_error err = {0};
    if (dfopt_slice_decode(&r->slice, p, split, &err))
        fail_msg("%s", err.text);
}

/* ---- tests ---- */

/* Cut into splits of every size; the replica goes from split to split and knows
 * more each time. */
static void test_replica(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t most;
        bool known; /* the replica is told everything beforehand */
    } cases[] = {{"whole", WHOLE, false},     {"halves", sizeof input / 2, false},
                 {"1000 bytes", 1000, false}, {"300 bytes", 300, false},
                 {"50 bytes", 50, false},     {"nothing new", 300, true}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct rank direct, authority, replica;
        struct told told = {0};
        struct dfopt_splits *p = open_input();
        struct dfopt_split at = {0}, split;
        uint64_t seq = FIRST_SEQ, lines = 0, rejects = 0;
        rank_open(&direct, false);
        rank_open(&authority, false);
        rank_open(&replica, true);
        if (cases[i].known) { /* by decoding it all once */
            split = (struct dfopt_split){.len = sizeof input - 1};
            must_decode(&authority, p, &split);
            tell(authority.dict, replica.dict, &told);
        }
        while ((split = dfopt_splits_next(p, &at, cases[i].most)).len) {
            must_decode(&direct, p, &split);
            must_decode(&replica, p, &split);
            const uint64_t n = dfopt_slice_records(&direct.slice);
            const uint64_t first = dfopt_slice_first_reject(&replica.slice);
            assert_int_equal(dfopt_slice_records(&replica.slice), n);
            assert_int_equal(dfopt_slice_first_reject(&direct.slice), first);
            assert_true(first < n || first == UINT64_MAX);
            const bool new = number_new(authority.dict, replica.dict, &told);
            if (new &&cases[i].known)
                fail_msg("%s: something is new", cases[i].name);
            assert_int_equal(dfopt_slice_place(&direct.slice, n, seq, lines, false),
                             DFOPT_OK);
            assert_int_equal(dfopt_slice_place(&replica.slice, n, seq, lines, new),
                             DFOPT_OK);
            expect_same(cases[i].name, &replica, &direct);
            if (n > 0) /* a record begins with what is not white space */
                assert_null(strchr(" \t\r\n", input[direct.slice.first_offset]));
            assert_int_equal(replica.slice.first_offset, direct.slice.first_offset);
            seq += n;
            lines += direct.slice.lines;
            rejects += DFOPT_ROWS(&replica.slice.batch.rejects,
                                  struct dfopt_declog_reject_row);
        }
        assert_int_equal(seq - FIRST_SEQ, RECORDS);
        assert_int_equal(lines, LINES);
        assert_int_equal(rejects, 7);
        rank_close(&direct);
        rank_close(&authority);
        rank_close(&replica);
        dfopt_splits_close(p);
    }
}

/* Numbers and lines of what was refused, in the whole input. */
static void test_rejects(void **state)
{
    (void)state;
    static const struct {
        uint64_t index, line;
        uint32_t stream;
        const char *words;
    } want[] = {
        {5, 8, DFOPT_STREAM_FINDING, ""},
        {9, 12, DFOPT_STREAM_FINDING, "finding_type"},
        {10, 13, DFOPT_STREAM_REGISTRATION, "knobs"},
        {11, 14, DFOPT_STREAM_ACK, "body"},
        {15, 18, DFOPT_STREAM_FINDING, "longer than the record limit"},
        {20, 23, DFOPT_STREAM_FINDING, ""},
        {24, 27, DFOPT_STREAM_OBJECTIVE, "value"},
    };
    struct rank r;
    struct dfopt_splits *p = open_input();
    const struct dfopt_split all = {.len = sizeof input - 1};
    rank_open(&r, false);
    must_decode(&r, p, &all);
    assert_int_equal(dfopt_slice_first_reject(&r.slice), want[0].index);
    assert_int_equal(dfopt_slice_place(&r.slice, RECORDS, FIRST_SEQ, 500, false),
                     DFOPT_OK);
    const struct dfopt_declog_reject_row *row =
        DFOPT_ROW(&r.slice.batch.rejects, const struct dfopt_declog_reject_row);
    assert_int_equal(
        DFOPT_ROWS(&r.slice.batch.rejects, struct dfopt_declog_reject_row),
        N_OF(want));
    for (size_t i = 0; i < N_OF(want); i++) {
        const char *reason = dfopt_dict_text(r.dict, row[i].reason, NULL);
        if (row[i].seq != FIRST_SEQ + want[i].index ||
            row[i].line != 500 + want[i].line || row[i].stream != want[i].stream)
            fail_msg("reject %zu: %" PRIu64 " at line %" PRIu64 ", stream %u", i,
                     row[i].seq, row[i].line, row[i].stream);
        if (!strstr(reason, want[i].words) || !*reason)
            fail_msg("reject %zu: \"%s\" does not say \"%s\"", i, reason,
                     want[i].words);
        assert_string_equal(dfopt_dict_text(r.dict, row[i].origin, NULL), "f");
    }
    rank_close(&r);
    dfopt_splits_close(p);
}

/* The events of a text that are numbered below `end`: of each line that begins
 * with such a number. */
static void keep_events(const struct dfopt_buf *text, uint64_t end,
                        struct dfopt_buf *out)
{
    for (size_t at = 0; at < text->len;) {
        const char *line = text->data + at;
        const char *newline = memchr(line, '\n', text->len - at);
        assert_non_null(newline);
        const size_t n = (size_t)(newline - line) + 1;
        if (line[0] >= '0' && line[0] <= '9' && strtoull(line, NULL, 10) < end)
            assert_int_equal(dfopt_buf_add(out, line, n), DFOPT_OK);
        at += n;
    }
}

static uint64_t events_of(const struct rank *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < DFOPT_STREAM_COUNT; i++)
        n += r->slice.by_stream[i];
    return n + DFOPT_ROWS(&r->slice.batch.rejects, struct dfopt_declog_reject_row);
}

/* Cut to any number of records: the first of them, on either rank. */
static void test_keep(void **state)
{
    (void)state;
    struct rank whole, cut, authority;
    struct dfopt_buf all = {0}, got = {0}, want = {0}, kept = {0};
    struct dfopt_splits *p = open_input();
    const struct dfopt_split split = {.len = sizeof input - 1};
    rank_open(&whole, false);
    must_decode(&whole, p, &split);
    assert_int_equal(dfopt_slice_place(&whole.slice, WHOLE, FIRST_SEQ, 9, false),
                     DFOPT_OK);
    put_slice(&whole, &all);
    for (uint64_t keep = 0; keep <= RECORDS + 1; keep++) {
        struct told told = {0};
        rank_open(&authority, false);
        rank_open(&cut, true);
        must_decode(&cut, p, &split);
        number_new(authority.dict, cut.dict, &told);
        assert_int_equal(dfopt_slice_place(&cut.slice, keep, FIRST_SEQ, 9, true),
                         DFOPT_OK);
        dfopt_buf_clear(&got);
        dfopt_buf_clear(&want);
        dfopt_buf_clear(&kept);
        put_slice(&cut, &got);
        keep_events(&got, UINT64_MAX, &kept);
        keep_events(&all, FIRST_SEQ + keep, &want);
        if (kept.len != want.len ||
            (kept.len && memcmp(kept.data, want.data, kept.len)))
            fail_msg("keep %" PRIu64 ":\ngot:\n%.*swant:\n%.*s", keep,
                     (int)kept.len, kept.data, (int)want.len, want.data);
        const uint64_t events = keep < RECORDS ? keep : RECORDS;
        assert_int_equal(dfopt_slice_records(&cut.slice), events);
        assert_int_equal(events_of(&cut), events);
        rank_close(&cut);
        rank_close(&authority);
    }
    rank_close(&whole);
    dfopt_splits_close(p);
    dfopt_buf_free(&all);
    dfopt_buf_free(&got);
    dfopt_buf_free(&want);
    dfopt_buf_free(&kept);
}

static void same_rows(const char *name, uint32_t planner, const struct dfopt_buf *a,
                      const struct dfopt_buf *b)
{
    if (a->len != b->len || (a->len && memcmp(a->data, b->data, a->len)))
        fail_msg("planner %u: %s: %zu bytes here, %zu there", planner, name, a->len,
                 b->len);
}

/* A planner's share decided where it was read, and sent to be decided. */
static void test_send(void **state)
{
    (void)state;
    struct rank r;
    struct dfopt_splits *p = open_input();
    const struct dfopt_split split = {.len = sizeof input - 1};
    size_t verdicts = 0;
    rank_open(&r, false);
    must_decode(&r, p, &split);
    assert_int_equal(dfopt_slice_place(&r.slice, RECORDS, FIRST_SEQ, 0, false),
                     DFOPT_OK);
    for (uint32_t planner = 0; planner < PLANNERS; planner++) {
        struct dfopt_shard here = {0}, there = {0};
        struct dfopt_decisions a = {.verdicts = {0}}, b = {.verdicts = {0}};
        struct dfopt_frame f;
        struct dfopt_frame_reader in;
        struct dfopt_item item;
        struct dfopt_buf bytes = {0};
        enum dfopt_err e;
        assert_int_equal(dfopt_shard_start(&here, r.dict, &r.policy, true,
                                           DFOPT_SYM_EMPTY, planner, PLANNERS),
                         DFOPT_OK);
        assert_int_equal(dfopt_shard_start(&there, r.dict, &r.policy, true,
                                           DFOPT_SYM_EMPTY, planner, PLANNERS),
                         DFOPT_OK);
        assert_int_equal(dfopt_slice_decide(&r.slice, &here, &a), DFOPT_OK);
        assert_int_equal(dfopt_frame_begin(&f, &bytes, r.dict, NULL), DFOPT_OK);
        assert_int_equal(dfopt_slice_send(&r.slice, planner, &f), DFOPT_OK);
        dfopt_frame_end(&f, DFOPT_FRAME_EVENTS, 0);
        assert_int_equal(dfopt_frame_open(&in, bytes.data, bytes.len, NULL),
                         DFOPT_OK);
        while (dfopt_frame_next(&in, &item, &e))
            assert_int_equal(dfopt_shard_item(&there, &item, &b), DFOPT_OK);
        assert_int_equal(e, DFOPT_OK);
        same_rows("verdicts", planner, &a.verdicts, &b.verdicts);
        same_rows("plans", planner, &a.plans, &b.plans);
        same_rows("suppressions", planner, &a.suppressions, &b.suppressions);
        same_rows("acks", planner, &a.acks, &b.acks);
        same_rows("relays", planner, &a.relays, &b.relays);
        verdicts += a.verdicts.len;
        item = (struct dfopt_item){.kind = DFOPT_ITEM_TEXT};
        assert_int_equal(dfopt_shard_item(&there, &item, &b), DFOPT_ERR_FORMAT);
        r.slice.batch.shares[planner].results = a; /* for the merge; owned now */
        dfopt_shard_end(&here);
        dfopt_shard_end(&there);
        dfopt_decisions_free(&b);
        dfopt_buf_free(&bytes);
    }
    assert_true(verdicts > 0);
    assert_int_equal(dfopt_batch_merge(&r.slice.batch), DFOPT_OK);
    rank_close(&r);
    dfopt_splits_close(p);
}

static void test_empty(void **state)
{
    (void)state;
    struct rank r;
    struct dfopt_splits *p = open_input();
    const struct dfopt_split none = {0}, within = {.start = 3, .len = 2},
                             all = {.len = sizeof input - 1};
    const struct dfopt_split *const splits[] = {&none, &within, &all, &none};
    static const uint64_t records[] = {0, 0, RECORDS, 0};
    rank_open(&r, true);
    for (size_t i = 0; i < N_OF(splits); i++) {
        must_decode(&r, p, splits[i]);
        assert_int_equal(dfopt_slice_records(&r.slice), records[i]);
        if (records[i])
            continue;
        assert_int_equal(dfopt_slice_first_reject(&r.slice), UINT64_MAX);
        assert_int_equal(r.slice.lines, 0);
        assert_int_equal(dfopt_slice_place(&r.slice, 0, FIRST_SEQ, 0, false),
                         DFOPT_OK);
        assert_int_equal(dfopt_slice_place(&r.slice, 5, FIRST_SEQ, 0, true),
                         DFOPT_OK);
    }
    rank_close(&r);
    dfopt_splits_close(p);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct rank r;
    struct dfopt_error err = {0};
    struct dfopt_splits *p = open_input();
    const struct dfopt_split all = {.len = sizeof input - 1};
    rank_open(&r, true);
    assert_int_equal(unlink("f"), 0);
    assert_int_equal(dfopt_slice_decode(&r.slice, p, &all, &err), DFOPT_ERR_IO);
    assert_string_equal(err.text, "f: No such file or directory");
    assert_int_equal(dfopt_slice_records(&r.slice), 0);
    rank_close(&r);
    dfopt_splits_close(p);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, files_setup, files_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_replica), CASE(test_rejects),
                                       CASE(test_keep),    CASE(test_send),
                                       CASE(test_empty),   CASE(test_unreadable)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
