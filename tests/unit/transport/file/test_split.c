/* Files in splits: however a file is cut, the records are those that the file
 * source gives. DFOPT_SPLITS_SEED in the environment makes the random documents
 * others. */
#include "split_text.h"

#include "support/random.h"

#include <zlib.h>

#define DOCUMENTS 250

static const uint64_t every_size[] = {
    1,  2,  3,  4,  5,  6,   7,   8,    9,    10,    11,    12, 13,
    16, 17, 31, 32, 64, 100, 333, 1000, 4096, 65536, WHOLE, 0};

/* ---- documents ---- */

static const struct {
    const char *name, *text;
} documents[] = {
    {"empty", ""},
    {"a newline", "\n"},
    {"white space", " \t\r\n\n   \r\n"},
    {"white space, no newline", "   "},
    {"one record", "{\"a\":1}\n"},
    {"no final newline", "{\"a\":1}\n{\"b\":2}"},
    {"CRLF", "1\r\n2\r\n\r\n3\r\n"},
    {"CRLF, cut", "1\r\n2\r"},
    {"CR alone", "1\r2\r\n\r3\r\r\n"},
    {"blank lines", "\n\n1\n\n\n2\n \n\t\n3\n\n"},
    {"white space around", "  {\"a\":1}  \n\t{\"b\":2}\t\r\n   "},
    {"byte order mark", "\xEF\xBB\xBF{\"a\":1}\n{\"b\":2}\n"},
    {"byte order mark alone", "\xEF\xBB\xBF"},
    {"byte order mark and a newline", "\xEF\xBB\xBF\n\n1\n"},
    {"half a byte order mark", "\xEF\xBB"},
    {"a byte order mark later", "1\n\xEF\xBB\xBF{\"a\":1}\n"},
    {"an array later", "1\n[1,\n2]\n"},
    {"half of gzip", "\x1f"},
    {"as long as the limit", "0123456789012345678901234567890\nx\n"},
    {"as long, CRLF", "0123456789012345678901234567890\r\nx\n"},
    {"longer by one", "01234567890123456789012345678901\nx\n"},
    {"longer by two", "012345678901234567890123456789012\nx\n"},
    {"longer by one, no newline", "x\n01234567890123456789012345678901"},
    {"longer by one, a CR at the end", "x\n0123456789012345678901234567890\r"},
    {"long, then blank", "0123456789012345678901234567890123456789\n\n \n\nx\n"},
    {"white space behind", "x                                        \ny\n"},
};

static void test_documents(void **state)
{
    (void)state;
    const char *path = "f";
    for (size_t i = 0; i < N_OF(documents); i++) {
        files_write_text(path, documents[i].text);
        expect_same(documents[i].name, &path, 1, 31, every_size);
    }
}

/* NULs are bytes like others. */
static void test_nul_bytes(void **state)
{
    (void)state;
    static const char text[] = "a\0b\n\0\n\0\0\n\nc";
    const char *path = files_write("f", "w", text, sizeof text - 1);
    expect_same("NUL bytes", &path, 1, 31, every_size);
}

static void add(struct dfopt_buf *b, const char *text)
{
    assert_int_equal(dfopt_buf_add(b, text, strlen(text)), DFOPT_OK);
}

static void add_fill(struct dfopt_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(dfopt_buf_add(b, &"abcdefghij"[i % 10], 1), DFOPT_OK);
}

/* Lines of all kinds, many of them about as long as the limit. */
static void random_document(struct dfopt_buf *b, size_t max, uint64_t *seed)
{
    static const char *const white[] = {"", "", "", " ", "\t ", "\r"};
    static const char *const ends[] = {"\n", "\n", "\n", "\r\n", " \n", "\n\n"};
    dfopt_buf_clear(b);
    if (random_next(seed) % 4 == 0)
        add(b, "\xEF\xBB\xBF");
    for (uint64_t n = random_next(seed) % 24; n > 0; n--) {
        add(b, white[random_next(seed) % N_OF(white)]);
        switch (random_next(seed) % 6) {
        case 0: /* a blank line */
            break;
        case 1: /* longer than a look ahead, now and then */
            add_fill(b, random_next(seed) % 16 ? max * 5 : 150000);
            break;
        case 2:
            add_fill(b, max - 2 + random_next(seed) % 6);
            break;
        default:
            add_fill(b, 1 + random_next(seed) % 12);
        }
        add(b, ends[random_next(seed) % N_OF(ends)]);
    }
    if (random_next(seed) % 2)
        add_fill(b, random_next(seed) % (max + 4));
}

static void test_random(void **state)
{
    (void)state;
    const char *given = getenv("DFOPT_SPLITS_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) | 1 : 0x9e3779b97f4a7c15u;
    const char *const paths[] = {"f0", "f1", "f2"};
    struct dfopt_buf doc = {0};
    char name[64];
    for (size_t i = 0; i < DOCUMENTS; i++) {
        const size_t max = 8 + random_next(&seed) % 300;
        const size_t n = 1 + random_next(&seed) % N_OF(paths);
        uint64_t least = 0;
        for (size_t f = 0; f < n; f++) {
            random_document(&doc, max, &seed);
            files_write(paths[f], "w", doc.len ? doc.data : "", doc.len);
            least = doc.len > least ? doc.len : least;
        }
        const uint64_t small = least < 4000 ? 1 : least / 50;
        const uint64_t sizes[] = {small,
                                  small + 1,
                                  small + 1 + random_next(&seed) % 8,
                                  small + 8 + random_next(&seed) % 100,
                                  max + 1 + small,
                                  65536,
                                  WHOLE,
                                  0};
        snprintf(name, sizeof name, "document %zu, records of %zu bytes", i, max);
        expect_same(name, paths, n, max, sizes);
    }
    dfopt_buf_free(&doc);
}

/* Records around the length that is read ahead of a split. */
static void test_look_ahead(void **state)
{
    (void)state;
    static const size_t lengths[] = {65533, 65534, 65535,  65536,
                                     65537, 65538, 131072, 200000};
    static const size_t limits[] = {100, 65535, 65536, 65537, 131073, 1 << 20};
    static const uint64_t sizes[] = {1000, 65535, 65536, 65537, WHOLE, 0};
    const char *path = "f";
    struct dfopt_buf doc = {0};
    char name[64];
    for (size_t i = 0; i < N_OF(lengths) * N_OF(limits); i++) {
        const size_t len = lengths[i / N_OF(limits)],
                     max = limits[i % N_OF(limits)];
        dfopt_buf_clear(&doc);
        add(&doc, "first\n");
        add_fill(&doc, len);
        add(&doc, "\r\n\nlast\n");
        add_fill(&doc, len);
        files_write(path, "w", doc.data, doc.len);
        snprintf(name, sizeof name, "%zu bytes, limit %zu", len, max);
        expect_same(name, &path, 1, max, sizes);
    }
    dfopt_buf_free(&doc);
}

/* White space that is longer than what is read ahead, on a line of its own and
 * before a record. */
static void test_much_white(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1000, 65535, 65536, 65537, 131072, WHOLE, 0};
    const char *path = "f";
    struct dfopt_buf doc = {0};
    add(&doc, "first\n");
    for (size_t i = 0; i < 3; i++) {
        memset(dfopt_buf_grow(&doc, 70000 + i * 65536), ' ', 70000 + i * 65536);
        add(&doc, i == 1 ? "\r\n" : "record\n");
    }
    add(&doc, "last\n");
    files_write(path, "w", doc.data, doc.len);
    expect_same("much white space", &path, 1, 31, sizes);
    dfopt_buf_free(&doc);
}

/* ---- several files ---- */

static void test_several(void **state)
{
    (void)state;
    const char *const paths[] = {files_write_text("a", "1\n2"),
                                 files_write_text("b", ""),
                                 files_write_text("c", "\n\n3\n"), "a",
                                 files_write_text("d", "\xEF\xBB\xBF"
                                                       "4\n\n5\n")};
    expect_same("several", paths, N_OF(paths), 31, every_size);
    struct dfopt_splits *p = must_open(paths, N_OF(paths), 31);
    static const uint64_t sizes[] = {3, 0, 4, 3, 8};
    for (uint32_t i = 0; i < N_OF(paths); i++) {
        assert_string_equal(dfopt_splits_name(p, i), paths[i]);
        assert_int_equal(dfopt_splits_size(p, i), sizes[i]);
    }
    dfopt_splits_close(p);
}

static void test_no_files(void **state)
{
    (void)state;
    const char *const none[] = {NULL};
    struct dfopt_split at = {0};
    struct dfopt_splits *p = must_open(none, 0, 31);
    assert_int_equal(dfopt_splits_files(p), 0);
    assert_int_equal(dfopt_splits_next(p, &at, 1).len, 0);
    dfopt_splits_close(p);
    dfopt_splits_close(NULL);
}

/* From the last split to the first: splits need no order. */
static void test_any_order(void **state)
{
    (void)state;
    const char *const paths[] = {files_write_text("a", "1\n22\n333\n"),
                                 files_write_text("b", "4444\n55\n6")};
    static const char *const want[] = {"1", "22", "333", "4444", "55", "6"};
    struct dfopt_splits *p = must_open(paths, 2, 31);
    struct dfopt_split all[32], at = {0};
    struct dfopt_split_reader r = {0};
    struct dfopt_record rec;
    size_t n = 0, found = N_OF(want);
    while (n < N_OF(all) && (all[n] = dfopt_splits_next(p, &at, 2)).len)
        n++;
    while (n-- > 0) {
        assert_int_equal(dfopt_split_load(p, &all[n], &r, NULL), DFOPT_OK);
        while (
            dfopt_split_next(&r, &rec)) { /* two lines never start in two bytes */
            assert_true(found-- > 0);
            if (rec.len != strlen(want[found]) ||
                memcmp(rec.data, want[found], rec.len))
                fail_msg("\"%.*s\" for \"%s\"", (int)rec.len, rec.data,
                         want[found]);
        }
    }
    assert_int_equal(found, 0);
    dfopt_buf_free(&r.bytes);
    dfopt_splits_close(p);
}

/* ---- what is not for splits ---- */

static void gzip_write(const char *path, const char *text)
{
    gzFile gz = gzopen(path, "wb");
    assert_non_null(gz);
    assert_int_equal(gzwrite(gz, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(gz), Z_OK);
}

static void test_not_lines(void **state)
{
    (void)state;
    struct dfopt_buf spaces = {0};
    memset(dfopt_buf_grow(&spaces, 100000), ' ', 100000);
    files_write_text("lines", "1\n");
    files_write_text("array", "[1]");
    files_write_text("array after white space", " \r\n\t[1]");
    files_write_text("array after a mark", "\xEF\xBB\xBF [1]");
    gzip_write("gzip", "1\n");
    files_write("too far to tell", "w", spaces.data, spaces.len);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(mkdir("directory", 0700), 0);
    static const char *const names[] = {"array",
                                        "array after white space",
                                        "array after a mark",
                                        "gzip",
                                        "too far to tell",
                                        "fifo",
                                        "directory",
                                        "-"};
    for (size_t i = 0; i < N_OF(names); i++) {
        const char *const alone[] = {names[i]};
        const char *const behind[] = {"lines", names[i], "lines"};
        struct dfopt_splits *p = (void *)1;
        struct dfopt_error err = {0};
        if (dfopt_splits_open(&p, alone, 1, 31, &err) || p)
            fail_msg("%s: opened (%s)", names[i], err.text);
        p = (void *)1;
        if (dfopt_splits_open(&p, behind, 3, 31, &err) || p)
            fail_msg("%s, behind lines: opened (%s)", names[i], err.text);
    }
    dfopt_buf_free(&spaces);
}

static void test_missing(void **state)
{
    (void)state;
    const char *const paths[] = {files_write_text("lines", "1\n"), "missing"};
    struct dfopt_splits *p = (void *)1;
    struct dfopt_error err = {0};
    assert_int_equal(dfopt_splits_open(&p, paths, 2, 31, &err), DFOPT_ERR_IO);
    assert_ptr_equal(p, (void *)1);
    assert_string_equal(err.text, "missing: No such file or directory");
    assert_int_equal(dfopt_splits_open(&p, paths + 1, 1, 31, NULL), DFOPT_ERR_IO);
}

/* ---- files that change ---- */

static const uint64_t some_sizes[] = {1, 2, 3, 5, 8, 100, 0};

/* What splits of an open file give, against text. */
static void expect_text(const char *name, struct dfopt_splits *p, const char *want)
{
    struct dfopt_buf got = {0};
    for (const uint64_t *size = some_sizes; *size; size++) {
        read_splits(p, *size, &got);
        if (got.len != strlen(want) || (got.len && memcmp(got.data, want, got.len)))
            fail_msg("%s, %" PRIu64 " bytes at a time:\ngot:\n%.*swant:\n%s", name,
                     *size, (int)got.len, got.data ? got.data : "", want);
    }
    dfopt_buf_free(&got);
}

/* A file that grew: what is new is seen when the size says so; a record that was
 * cut by the old size is whole. */
static void test_grown(void **state)
{
    (void)state;
    static const struct {
        const char *name, *before, *after, *old_size, *new_size;
    } cases[] = {
        {"whole lines", "1\n22\n", "333\n", "f:1@0 -1 1\nf:2@2 -1 22\n",
         "f:1@0 -1 1\nf:2@2 -1 22\nf:3@5 -1 333\n"},
        {"a line's rest", "1\n22", "22\n333\n", "f:1@0 -1 1\nf:2@2 -1 2222\n",
         "f:1@0 -1 1\nf:2@2 -1 2222\nf:3@7 -1 333\n"},
        {"from empty", "", "1\n", "", "f:1@0 -1 1\n"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        const char *path = files_write_text("f", cases[i].before);
        struct dfopt_splits *p = must_open(&path, 1, 31);
        const size_t n = strlen(cases[i].before), m = strlen(cases[i].after);
        files_write(path, "a", cases[i].after, m);
        assert_int_equal(dfopt_splits_size(p, 0), n);
        expect_text(cases[i].name, p, cases[i].old_size);
        dfopt_splits_set_size(p, 0, n + m);
        assert_int_equal(dfopt_splits_size(p, 0), n + m);
        expect_text(cases[i].name, p, cases[i].new_size);
        dfopt_splits_close(p);
    }
}

/* A file that shrank, or of another size than was asked for: the records are
 * those of what is there. */
static void test_shrunk(void **state)
{
    (void)state;
    const char *path = "f", *text = "1\n22\n\n333\n4444\n";
    for (size_t left = 0; left <= strlen(text); left++) {
        struct dfopt_buf want = {0};
        files_write_text(path, text);
        struct dfopt_splits *p = must_open(&path, 1, 31);
        assert_int_equal(truncate(path, (off_t)left), 0);
        read_whole(&path, 1, 31, &want);
        assert_int_equal(dfopt_buf_add(&want, "", 1), DFOPT_OK);
        expect_text("shrunk", p, want.data);
        dfopt_splits_set_size(p, 0, left);
        expect_text("shrunk, and reported", p, want.data);
        dfopt_splits_close(p);
        dfopt_buf_free(&want);
    }
}

static void test_gone(void **state)
{
    (void)state;
    const char *path = files_write_text("f", "1\n2\n");
    struct dfopt_splits *p = must_open(&path, 1, 31);
    struct dfopt_split at = {0}, split = dfopt_splits_next(p, &at, 2);
    struct dfopt_split_reader r = {0};
    struct dfopt_error err = {0};
    assert_int_equal(unlink(path), 0);
    assert_int_equal(dfopt_split_load(p, &split, &r, &err), DFOPT_ERR_IO);
    assert_string_equal(err.text, "f: No such file or directory");
    files_write_text(path, "1\n2\n");
    assert_int_equal(dfopt_split_load(p, &split, &r, &err), DFOPT_OK);
    dfopt_buf_free(&r.bytes);
    dfopt_splits_close(p);
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, files_setup, files_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_documents),  CASE(test_nul_bytes),  CASE(test_random),
        CASE(test_look_ahead), CASE(test_much_white), CASE(test_several),
        CASE(test_no_files),   CASE(test_any_order),  CASE(test_not_lines),
        CASE(test_missing),    CASE(test_grown),      CASE(test_shrunk),
        CASE(test_gone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
