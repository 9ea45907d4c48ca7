/* Blocks of a decision log: made ready elsewhere, appended here, they give the
 * file that writing the rows gives. DFOPT_BLOCK_SEED in the environment makes
 * the random tests others. */
#include "test_declog.h"
#include "support/random.h"

#include "declog/block.h"

#include <sys/stat.h>

#define CHUNK ((size_t)8192) /* rows; checked below */

static uint64_t seed_of(void)
{
    const char *given = getenv("DFOPT_BLOCK_SEED");
    return given ? strtoull(given, NULL, 0) | 1 : 0x9e3779b97f4a7c15u;
}

/* ---- rows ---- */

static struct dfopt_finding_row finding_number(const struct fixture *f, uint64_t i)
{
    return (struct dfopt_finding_row){
        .seq = i * 3,
        .f = {.type = f->tag,
              .scope = f->knob,
              .node = i % 3 ? f->node : DFOPT_SYM_EMPTY,
              .metric_state = {(uint8_t)(i % 3), DFOPT_METRIC_NUMBER},
              .severity = (double)(i % 1000) / 1000,
              .confidence = i % 5 ? 0.5 : __builtin_nan(""),
              .persistence = (int64_t)(i % 17),
              .window = (int64_t)(i * i),
              .metric = {i % 3 == DFOPT_METRIC_NUMBER ? 0.25 : 0, (double)i}}};
}

/* Rows first .. first + n - 1 of a table. */
static struct dfopt_buf rows_of(const struct fixture *f,
                                enum dfopt_declog_table table, uint64_t first,
                                size_t n)
{
    struct dfopt_buf rows = {0};
    for (uint64_t i = first; i < first + n; i++) {
        const struct dfopt_finding_row x = finding_number(f, i);
        const struct dfopt_verdict_row v = verdict_number(f, i);
        const bool finding = table == DFOPT_TABLE_FINDINGS;
        assert_int_equal(dfopt_buf_add(&rows, finding ? (const void *)&x : &v,
                                       finding ? sizeof x : sizeof v),
                         DFOPT_OK);
    }
    return rows;
}

/* Writes rows as they are. */
static enum dfopt_err add_plain(struct dfopt_declog *w, const struct fixture *f,
                                enum dfopt_declog_table table, uint64_t first,
                                size_t n)
{
    if (table == DFOPT_TABLE_VERDICTS)
        return add_verdicts(w, f, first, n);
    struct dfopt_buf rows = rows_of(f, table, first, n);
    enum dfopt_err e =
        dfopt_declog_findings(w, DFOPT_ROW(&rows, struct dfopt_finding_row), n);
    dfopt_buf_free(&rows);
    return e;
}

/* Appends a block of rows to `out`. */
static void pack(struct dfopt_block_packer *p, const struct fixture *f,
                 enum dfopt_declog_table table, uint64_t first, size_t n,
                 struct dfopt_buf *out)
{
    struct dfopt_buf rows = rows_of(f, table, first, n);
    assert_int_equal(dfopt_block_add(p, table, rows.data, n, first, out), DFOPT_OK);
    dfopt_buf_free(&rows);
}

static void must_init(struct dfopt_block_packer *p, int level)
{
    *p = (struct dfopt_block_packer){.packer = {0}};
    assert_int_equal(dfopt_block_packer_init(p, level), DFOPT_OK);
}

/* All rows of a table of a log that holds them from 0 on. */
static void expect_rows(const char *name, struct dfopt_declog_reader *r,
                        const struct fixture *f, enum dfopt_declog_table table,
                        size_t n)
{
    static struct dfopt_declog_finding_row findings[CHUNK];
    static struct dfopt_verdict_row verdicts[CHUNK];
    struct dfopt_error err = {.text = ""};
    const bool finding = table == DFOPT_TABLE_FINDINGS;
    if (dfopt_declog_reader_rows(r, table) != n)
        fail_msg("%s: %zu rows wanted, %llu there", name, n,
                 (unsigned long long)dfopt_declog_reader_rows(r, table));
    for (uint64_t at = 0; at < n; at += CHUNK) {
        const size_t m = n - at < CHUNK ? n - at : CHUNK;
        if (dfopt_declog_reader_read(r, table, at, m,
                                     finding ? (void *)findings : verdicts, &err))
            fail_msg("%s: %s", name, err.text);
        for (size_t i = 0; i < m; i++) {
            const struct dfopt_finding_row x = finding_number(f, at + i);
            const struct dfopt_declog_finding_row xw = dfopt_declog_finding_row(&x);
            const struct dfopt_verdict_row vw = verdict_number(f, at + i);
            if (finding ? memcmp(&findings[i], &xw, sizeof xw)
                        : memcmp(&verdicts[i], &vw, sizeof vw))
                fail_msg("%s: row %llu", name, (unsigned long long)(at + i));
        }
    }
}

/* ---- the same rows, however they are split ---- */

enum way { BLOCKS, PLAIN, EITHER }; /* how the rows between two splits go in */

static const struct {
    const char *name;
    int level;
    size_t rows;
    size_t splits[8]; /* rows; the rest in one */
    size_t n_splits;
    enum way way;
    bool commits; /* a flush between */
} splits[] = {
    {"nothing", 1, 0, {0}, 1, BLOCKS, false},
    {"one row", 1, 1, {1}, 1, BLOCKS, false},
    {"less than a chunk", 1, 100, {30, 0, 30}, 3, BLOCKS, false},
    {"a chunk", 1, CHUNK, {CHUNK}, 1, BLOCKS, false},
    {"a chunk, plain", 0, CHUNK, {CHUNK}, 1, BLOCKS, false},
    {"a row less", 1, CHUNK - 1, {0}, 0, BLOCKS, false},
    {"a row more", 1, CHUNK + 1, {0}, 0, BLOCKS, false},
    {"up to the border", 1, CHUNK + 5, {10, CHUNK - 10}, 2, BLOCKS, false},
    {"up to before the border", 1, CHUNK + 5, {10, CHUNK - 11}, 2, BLOCKS, false},
    {"over the border", 1, CHUNK + 5, {10, CHUNK - 9}, 2, BLOCKS, false},
    {"head, chunks, tail", 1, 3 * CHUNK + 20, {10}, 1, BLOCKS, false},
    {"head, chunks, tail; best", 9, 2 * CHUNK + 20, {10}, 1, BLOCKS, false},
    {"chunks behind chunks", 6, 3 * CHUNK, {CHUNK, CHUNK}, 2, BLOCKS, false},
    {"behind rows", 1, 2 * CHUNK + 20, {10, 500}, 2, EITHER, false},
    {"flushed between", 1, 2 * CHUNK + 20, {10, 500, 1, 1, 1}, 5, EITHER, true},
    {"flushed between, plain", 0, 2 * CHUNK + 20, {10, 500, 1, 1}, 4, EITHER, true},
    {"flushed at the border", 1, 2 * CHUNK + 1, {CHUNK, 1}, 2, BLOCKS, true},
};

/* Appends rows first .. first + n - 1 of both tables. */
static void append(struct dfopt_declog *w, const struct fixture *f,
                   struct dfopt_block_packer *p, uint64_t first, size_t n,
                   bool blocks)
{
    static const enum dfopt_declog_table tables[] = {DFOPT_TABLE_FINDINGS,
                                                     DFOPT_TABLE_VERDICTS};
    struct dfopt_buf bytes = {0};
    for (size_t i = 0; i < N_OF(tables); i++)
        if (blocks)
            pack(p, f, tables[i], first, n, &bytes);
        else
            assert_int_equal(add_plain(w, f, tables[i], first, n), DFOPT_OK);
    assert_int_equal(bytes.len % 8, 0);
    assert_int_equal(dfopt_declog_blocks(w, bytes.data, bytes.len), DFOPT_OK);
    dfopt_buf_free(&bytes);
}

static void every_split(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(dfopt_layout_of(DFOPT_TABLE_VERDICTS)->chunk_rows, CHUNK);
    assert_int_equal(dfopt_layout_of(DFOPT_TABLE_FINDINGS)->chunk_rows, CHUNK);
    for (size_t i = 0; i < N_OF(splits); i++) {
        struct dfopt_block_packer p;
        struct dfopt_declog *w = must_create(f, splits[i].level);
        must_init(&p, splits[i].level);
        uint64_t first = 0;
        for (size_t j = 0; j <= splits[i].n_splits; j++) {
            const size_t n = j < splits[i].n_splits
                                 ? splits[i].splits[j]
                                 : splits[i].rows - (size_t)first;
            append(w, f, &p, first, n, splits[i].way == BLOCKS || j % 2);
            first += n;
            if (splits[i].commits)
                must_commit(w, first);
        }
        must_close(w, true);
        dfopt_block_packer_free(&p);
        struct dfopt_declog_reader *r = must_open(f->path);
        expect_rows(splits[i].name, r, f, DFOPT_TABLE_FINDINGS, splits[i].rows);
        expect_rows(splits[i].name, r, f, DFOPT_TABLE_VERDICTS, splits[i].rows);
        dfopt_declog_reader_close(r);
    }
}

/* Many blocks in one go, of tables that grow at different speeds. */
static void random_splits(void **state)
{
    struct fixture *f = *state;
    static const size_t most[] = {7, 300, CHUNK, 3 * CHUNK};
    uint64_t seed = seed_of();
    for (size_t i = 0; i < N_OF(most); i++) {
        const int level = (int)(random_next(&seed) % 3);
        uint64_t n[2] = {0};
        struct dfopt_buf bytes = {0};
        struct dfopt_block_packer p;
        struct dfopt_declog *w = must_create(f, level);
        must_init(&p, level);
        for (size_t j = 0; j < 12; j++) {
            const size_t table = random_next(&seed) % 2;
            const size_t rows = random_next(&seed) % most[i];
            pack(&p, f, table ? DFOPT_TABLE_VERDICTS : DFOPT_TABLE_FINDINGS,
                 n[table], rows, &bytes);
            n[table] += rows;
            if (random_next(&seed) % 3)
                continue;
            assert_int_equal(dfopt_declog_blocks(w, bytes.data, bytes.len),
                             DFOPT_OK);
            dfopt_buf_clear(&bytes);
            if (random_next(&seed) % 2)
                must_commit(w, j);
        }
        assert_int_equal(dfopt_declog_blocks(w, bytes.data, bytes.len), DFOPT_OK);
        must_close(w, true);
        struct dfopt_declog_reader *r = must_open(f->path);
        expect_rows("findings at random", r, f, DFOPT_TABLE_FINDINGS, n[0]);
        expect_rows("verdicts at random", r, f, DFOPT_TABLE_VERDICTS, n[1]);
        dfopt_declog_reader_close(r);
        dfopt_block_packer_free(&p);
        dfopt_buf_free(&bytes);
    }
}

/* The log's file is as large as the one that plain rows make. (Not at level 1,
 * where what a packer has met before decides what it deflates.) */
static void same_size(void **state)
{
    struct fixture *f = *state;
    struct stat st[2];
    for (int blocks = 0; blocks < 2; blocks++) {
        struct dfopt_block_packer p;
        struct dfopt_declog *w = must_create(f, 6);
        must_init(&p, 6);
        append(w, f, &p, 0, 700, blocks != 0);
        append(w, f, &p, 700, 2 * CHUNK, blocks != 0);
        must_commit(w, 1);
        must_close(w, true);
        dfopt_block_packer_free(&p);
        assert_int_equal(stat(f->path, &st[blocks]), 0);
    }
    if (st[0].st_size != st[1].st_size)
        fail_msg("%lld bytes of rows, %lld of blocks", (long long)st[0].st_size,
                 (long long)st[1].st_size);
}

/* ---- what is refused ---- */

/* Appends bytes to a log that has `before` verdicts already; returns what the
 * writer said. A failure must stay. */
static enum dfopt_err append_bytes(const struct fixture *f, size_t before,
                                   const char *bytes, size_t len)
{
    struct dfopt_declog *w = must_create(f, 1);
    assert_int_equal(add_verdicts(w, f, 0, before), DFOPT_OK);
    const enum dfopt_err e = dfopt_declog_blocks(w, bytes, len);
    if (dfopt_declog_error(w)->code != e || dfopt_declog_blocks(w, NULL, 0) != e)
        fail_msg("the failure of %zu bytes is forgotten", len);
    assert_int_equal(dfopt_declog_close(&w, true, NULL), e);
    assert_null(w);
    return e;
}

static void wrong_first(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        size_t before;
        uint64_t first;
        size_t rows;
        enum dfopt_err want;
    } cases[] = {
        {"right, empty log", 0, 0, 3, DFOPT_OK},
        {"right", 5, 5, 3, DFOPT_OK},
        {"a row is missing", 5, 6, 3, DFOPT_ERR_FORMAT},
        {"a row again", 5, 4, 3, DFOPT_ERR_FORMAT},
        {"from the start again", 5, 0, 3, DFOPT_ERR_FORMAT},
        {"a chunk on", 5, 5 + CHUNK, 3, DFOPT_ERR_FORMAT},
        {"no rows at the wrong place", 5, 6, 0, DFOPT_ERR_FORMAT},
        {"chunks at the wrong place", 5, 6, 2 * CHUNK, DFOPT_ERR_FORMAT},
        {"far", 5, UINT64_MAX - 10, 3, DFOPT_ERR_FORMAT},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_buf rows = rows_of(f, DFOPT_TABLE_VERDICTS, 0, cases[i].rows);
        struct dfopt_buf bytes = {0};
        struct dfopt_block_packer p;
        must_init(&p, 1);
        assert_int_equal(dfopt_block_add(&p, DFOPT_TABLE_VERDICTS, rows.data,
                                         cases[i].rows, cases[i].first, &bytes),
                         DFOPT_OK);
        if (append_bytes(f, cases[i].before, bytes.data, bytes.len) !=
            cases[i].want)
            fail_msg("%s: not \"%s\"", cases[i].name,
                     dfopt_err_text(cases[i].want));
        dfopt_block_packer_free(&p);
        dfopt_buf_free(&rows);
        dfopt_buf_free(&bytes);
    }
}

/* Appends the first len bytes, in memory that ends there. */
static void must_refuse_cut(const struct fixture *f, size_t before,
                            const struct dfopt_buf *bytes, size_t len)
{
    char *cut = malloc(len);
    assert_non_null(cut);
    memcpy(cut, bytes->data, len);
    const enum dfopt_err e = append_bytes(f, before, cut, len);
    if (e != DFOPT_ERR_FORMAT)
        fail_msg("cut to %zu of %zu bytes: %s", len, bytes->len, dfopt_err_text(e));
    free(cut);
}

static void truncated(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = seed_of();
    struct dfopt_buf small = {0}, large = {0};
    struct dfopt_block_packer p;
    must_init(&p, 1);
    pack(&p, f, DFOPT_TABLE_VERDICTS, 5, 1, &small);
    for (size_t len = 1; len < small.len; len++)
        must_refuse_cut(f, 5, &small, len);
    pack(&p, f, DFOPT_TABLE_VERDICTS, CHUNK - 1, CHUNK + 2, &large);
    for (size_t i = 0; i < 25; i++)
        must_refuse_cut(f, CHUNK - 1, &large,
                        1 + random_next(&seed) % (large.len - 1));
    for (size_t i = 1; i < 20; i++)
        must_refuse_cut(f, CHUNK - 1, &large, large.len - i);
    assert_int_equal(append_bytes(f, 5, small.data, small.len), DFOPT_OK);
    assert_int_equal(append_bytes(f, CHUNK - 1, large.data, large.len), DFOPT_OK);
    assert_int_equal(append_bytes(f, 0, NULL, 0), DFOPT_OK);
    dfopt_block_packer_free(&p);
    dfopt_buf_free(&small);
    dfopt_buf_free(&large);
}

/* Where the last column of the first chunk starts, behind a header and a row:
 * each has 16 bytes before it, its u64 length the first of them. */
static size_t last_column(const struct dfopt_buf *bytes)
{
    size_t at = 40 + 48;
    for (size_t i = 1; i < dfopt_layout_of(DFOPT_TABLE_VERDICTS)->n_columns; i++) {
        uint64_t len;
        memcpy(&len, bytes->data + at, sizeof len);
        at += 16 + ((len + 7) & ~(uint64_t)7);
    }
    assert_true(at + 16 < bytes->len);
    return at;
}

#define LAST_COLUMN SIZE_MAX

/* Numbers of the header that cannot be: its fields are u32 table, u32, u64
 * first, head, chunks, tail; and lengths of columns. */
static void impossible(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        size_t at, size;
        uint64_t value;
    } cases[] = {
        {"no such table", 0, 4, DFOPT_TABLE_COUNT},
        {"a pool for a table", 0, 4, DFOPT_TABLE_COUNT + 1},
        {"table -1", 0, 4, UINT32_MAX},
        {"another table", 0, 4, DFOPT_TABLE_FINDINGS},
        {"no head", 16, 8, 0},
        {"two rows of head", 16, 8, 2},
        {"all rows of head", 16, 8, UINT64_MAX},
        {"a head that wraps", 16, 8, UINT64_MAX / 48 + 2},
        {"no chunk", 24, 8, 0},
        {"two chunks", 24, 8, 2},
        {"all chunks", 24, 8, UINT64_MAX},
        {"another tail", 32, 8, 2},
        {"all tail", 32, 8, UINT64_MAX},
        {"a tail that wraps", 32, 8, UINT64_MAX / 48 + 2},
        {"no tail", 32, 8, 0},
        {"a column of everything", 40 + 48, 8, UINT64_MAX},
        {"a column that wraps", 40 + 48, 8, UINT64_MAX - 6},
        {"a column of the rest and a byte", 40 + 48, 8, 1 << 20},
        {"a last column of everything", LAST_COLUMN, 8, UINT64_MAX},
        {"a last column that wraps", LAST_COLUMN, 8, UINT64_MAX - 6},
    };
    struct dfopt_buf bytes = {0};
    struct dfopt_block_packer p;
    assert_int_equal(sizeof(struct dfopt_verdict_row), 48);
    must_init(&p, 1);
    pack(&p, f, DFOPT_TABLE_VERDICTS, CHUNK - 1, CHUNK + 2, &bytes);
    char *copy = malloc(bytes.len);
    assert_non_null(copy);
    for (size_t i = 0; i < N_OF(cases); i++) {
        memcpy(copy, bytes.data, bytes.len);
        const size_t at =
            cases[i].at == LAST_COLUMN ? last_column(&bytes) : cases[i].at;
        memcpy(copy + at, &cases[i].value, cases[i].size);
        const enum dfopt_err e = append_bytes(f, CHUNK - 1, copy, bytes.len);
        if (e != DFOPT_ERR_FORMAT)
            fail_msg("%s: %s", cases[i].name, dfopt_err_text(e));
    }
    free(copy);
    dfopt_block_packer_free(&p);
    dfopt_buf_free(&bytes);
}

/* Any bytes end in one of the ways that are promised. What got in is for the
 * reader to refuse: a frame's checksum keeps such bytes away. */
static void random_bytes(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = seed_of();
    struct dfopt_buf bytes = {0};
    struct dfopt_block_packer p;
    must_init(&p, 1);
    pack(&p, f, DFOPT_TABLE_VERDICTS, CHUNK - 1, CHUNK + 2, &bytes);
    char *copy = malloc(bytes.len);
    assert_non_null(copy);
    for (size_t i = 0; i < 100; i++) {
        memcpy(copy, bytes.data, bytes.len);
        for (uint64_t n = random_next(&seed) % 4 + 1; n > 0; n--) {
            /* headers more often than the rest */
            const size_t among = random_next(&seed) % 2 ? 104 : bytes.len;
            copy[random_next(&seed) % among] = (char)random_next(&seed);
        }
        const enum dfopt_err e = append_bytes(f, CHUNK - 1, copy, bytes.len);
        if (e && e != DFOPT_ERR_FORMAT && e != DFOPT_ERR_IO && e != DFOPT_ERR_NOMEM)
            fail_msg("mutation %zu: %s", i, dfopt_err_text(e));
    }
    free(copy);
    dfopt_block_packer_free(&p);
    dfopt_buf_free(&bytes);
}

/* A packer that was never made, or made and not used. */
static void nothing_packed(void **state)
{
    struct fixture *f = *state;
    struct dfopt_block_packer p = {.packer = {0}};
    struct dfopt_buf bytes = {0};
    dfopt_block_packer_free(&p);
    must_init(&p, 0);
    assert_int_equal(dfopt_block_add(&p, DFOPT_TABLE_FINDINGS, NULL, 0, 7, &bytes),
                     DFOPT_OK);
    assert_int_equal(dfopt_block_add(&p, DFOPT_TABLE_VERDICTS, NULL, 0, 7, &bytes),
                     DFOPT_OK);
    assert_true(bytes.len > 0); /* they say where they belong */
    assert_int_equal(append_bytes(f, 0, bytes.data, bytes.len), DFOPT_ERR_FORMAT);
    dfopt_block_packer_free(&p);
    dfopt_block_packer_free(&p);
    dfopt_buf_free(&bytes);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(every_split),  CASE(random_splits),
                                       CASE(same_size),    CASE(wrong_first),
                                       CASE(truncated),    CASE(impossible),
                                       CASE(random_bytes), CASE(nothing_packed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
