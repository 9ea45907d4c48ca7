/* Frames that are broken on the way are refused. */
#include "frame_ends.h"

#include <stdlib.h>
#include <string.h>

static enum dfopt_err open_bytes(const char *bytes, size_t len,
                                 struct dfopt_error *err)
{
    struct dfopt_frame_reader r;
    return dfopt_frame_open(&r, bytes, len, err);
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
         DFOPT_FRAME_VERSION + 1, "the same dfopt-mpi"},
        {"length 0", offsetof(struct dfopt_frame_header, length), 8, 0,
         "of 0 bytes"},
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
    must(t->name, dfopt_buf_add(&t->bytes, "12345678", 8));
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
    const size_t knob = 5 * sizeof(uint64_t);
    const struct {
        const char *name;
        size_t kind; /* in kinds */
        size_t at;   /* of the count in the item */
    } cases[] = {
        {"knobs", KIND_REGISTRATION, 4 * sizeof(uint64_t)},
        {"values", KIND_REGISTRATION, knob + offsetof(struct dfopt_knob, n_values)},
        {"responses", KIND_REGISTRATION,
         knob + offsetof(struct dfopt_knob, n_responses)},
        {"overrides", KIND_CONFIG,
         offsetof(struct dfopt_frame_config, n_overrides)},
        {"budgets", KIND_CONFIG, offsetof(struct dfopt_frame_config, n_budgets)},
        {"terms", KIND_CONFIG, offsetof(struct dfopt_frame_config, n_terms)},
        {"guards", KIND_CONFIG, offsetof(struct dfopt_frame_config, n_guards)},
        {"names", KIND_CONFIG, offsetof(struct dfopt_frame_config, n_names)},
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
        must_next(t, &r, &item);
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

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, ends_setup, ends_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(header_refused), CASE(truncated),   CASE(one_bit),
        CASE(huge_counts),    CASE(wrong_sizes), CASE(contradictions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
