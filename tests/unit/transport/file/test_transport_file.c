/* The file source: files of all kinds, refills, gzip, errors. */
#include "source_text.h"

#include <sys/wait.h>
#include <zlib.h>

static const struct {
    const char *name, *text, *want;
} content_cases[] = {
    {"empty", "", ""},
    {"white space", " \n\r\n", ""},
    {"lines", "{\"a\":1}\r\n\n2", "f:1@0 {\"a\":1}\nf:3@10 2\n"},
    {"array", "\xEF\xBB\xBF [\n1,\n {\"b\": \",]\"} ]\n",
     "f:1@6 1\nf:2@10 {\"b\": \",]\"}\n"},
    {"cut array", "[1,{\"b\":", "f:1@1 1\nf:2@3 {\"b\": !the array is truncated\n"},
    {"long first line", "{\"a\":\"0123456789012345678901234567890123456789\"}\n2\n",
     "f:1@0 {\"a\":\"0123456789012345678901234 !longer than the record limit\n"
     "f:2@49 2\n"},
    {"one byte", "\x1f", "f:1@0 \x1f\n"},
};

static void test_contents(void **state)
{
    (void)state;
    static const size_t buffers[] = {0, 1, 17, 64};
    for (size_t i = 0; i < N_OF(content_cases); i++) {
        const char *text = content_cases[i].text;
        for (size_t j = 0; j < N_OF(buffers); j++) {
            const char *path = files_write_text("f", text);
            expect(content_cases[i].name, open_one(path, 31, buffers[j]),
                   content_cases[i].want);
            gzip_add(path, "wb", text, strlen(text));
            expect(content_cases[i].name, open_one(path, 31, buffers[j]),
                   content_cases[i].want);
        }
    }
}

/* A line of n bytes: a JSON string. */
static void add_line(struct dfopt_buf *b, size_t n)
{
    char *line = dfopt_buf_grow(b, n + 1);
    assert_non_null(line);
    memset(line, 'x', n);
    line[0] = line[n - 1] = '"';
    line[n] = '\n';
}

/* Lines of every length around the buffer's and the limit. */
static void test_buffer_edges(void **state)
{
    (void)state;
    const size_t buffer = 64, max = 130;
    for (size_t n = 2; n <= 140; n++) {
        struct dfopt_buf doc = {0}, want = {0};
        for (size_t i = 0; i < 5; i++) {
            size_t at = doc.len;
            add_line(&doc, i == 2 ? 7 : n);
            size_t len = doc.len - at - 1;
            dfopt_buf_printf(&want, "f:%zu@%zu %.*s%s\n", i + 1, at,
                             (int)(len > max ? max : len), doc.data + at,
                             len > max ? " !longer than the record limit" : "");
        }
        const char *path = files_write("f", "w", doc.data, doc.len);
        expect("edge", open_one(path, max, buffer), want.data);
        dfopt_buf_free(&doc);
        dfopt_buf_free(&want);
    }
}

static void test_very_long_line(void **state)
{
    (void)state;
    struct dfopt_buf doc = {0};
    dfopt_buf_printf(&doc, "1\n");
    add_line(&doc, (size_t)10 << 20);
    dfopt_buf_printf(&doc, "3\n");
    struct dfopt_source *s =
        open_one(files_write("f", "w", doc.data, doc.len), 0, 0);
    struct dfopt_record r;
    struct dfopt_error err = {0};
    assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_RECORD);
    assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_RECORD);
    assert_string_equal(r.problem, "longer than the record limit");
    assert_int_equal(r.len, DFOPT_FILE_PROBLEM_BYTES);
    assert_memory_equal(r.data, doc.data + 2, r.len);
    assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_RECORD);
    assert_null(r.problem);
    assert_int_equal(r.line, 3);
    assert_int_equal(r.offset, doc.len - 2);
    assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_END);
    assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_END);
    s->ops->destroy(s);
    dfopt_buf_free(&doc);
}

static void test_gzip_members(void **state)
{
    (void)state;
    const char *path = "f.gz";
    gzip_add(path, "wb", "1\n2", 3);
    gzip_add(path, "ab", "3\n", 2);
    gzip_add(path, "ab", "", 0);
    expect("members", open_one(path, 0, 0), "f.gz:1@0 1\nf.gz:2@2 23\n");
    files_write(path, "a", "\0\0\0\0", 4);
    expect("zero bytes", open_one(path, 0, 0), "f.gz:1@0 1\nf.gz:2@2 23\n");
    files_write(path, "a", "x", 1);
    expect("other bytes", open_one(path, 0, 0),
           "f.gz:1@0 1\nf.gz:2@2 23\n"
           "error: f.gz: the gzip data is damaged: bytes after its end\n");
}

/* Cut at every byte: what comes out is the start of the whole, then one error;
 * and the next file is read all the same. */
static void test_gzip_cut(void **state)
{
    (void)state;
    struct dfopt_buf doc = {0};
    for (int i = 0; i < 50; i++)
        dfopt_buf_printf(&doc, "{\"n\":%d}\n", i * i * 7919);
    const char *path = "f.gz";
    gzip_add(path, "wb", doc.data, doc.len);
    struct dfopt_buf whole = drain(open_one(path, 0, 0));
    char packed[4096];
    size_t n = files_read(path, packed, sizeof packed);
    files_write_text("g", "1\n");
    for (size_t cut = 2; cut < n; cut++) {
        files_write(path, "w", packed, cut);
        const char *const patterns[] = {path, "g"};
        struct dfopt_source *s = NULL;
        assert_int_equal(create(&s, patterns, 2, 0, 64, NULL), DFOPT_OK);
        struct dfopt_buf got = drain(s);
        char *error = strstr(got.data, "error: ");
        if (!error ||
            strncmp(got.data, whole.data, (size_t)(error - got.data)) != 0 ||
            strcmp(error, "error: f.gz: the gzip data is truncated\ng:1@0 1\n") !=
                0)
            fail_msg("cut at %zu:\n%s", cut, got.data);
        dfopt_buf_free(&got);
    }
    dfopt_buf_free(&whole);
    dfopt_buf_free(&doc);
}

/* Any byte wrong: never a crash, and an error unless the data are right all the
 * same (padding). Bytes 4..9 of the header are the time, flags and system. */
static void test_gzip_damaged(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    char packed[4096];
    const char *path = "f.gz";
    gzip_add(path, "wb", text, sizeof text - 1);
    size_t n = files_read(path, packed, sizeof packed);
    struct dfopt_buf whole = drain(open_one(path, 0, 0));
    for (size_t i = 2; i < n; i++) {
        if (i >= 4 && i <= 9)
            continue;
        packed[i] ^= 0x20;
        struct dfopt_buf got =
            drain(open_one(files_write("f.gz", "w", packed, n), 0, 0));
        if (!strstr(got.data, "error: f.gz: the gzip data is ") &&
            strcmp(got.data, whole.data) != 0)
            fail_msg("byte %zu: %s", i, got.data);
        dfopt_buf_free(&got);
        packed[i] ^= 0x20;
    }
    dfopt_buf_free(&whole);
}

static void test_several_files(void **state)
{
    (void)state;
    files_write_text("b1.jsonl", "1\n2\n");
    files_write_text("b2.jsonl", "[3]");
    files_write_text("b10.jsonl", "4");
    files_write_text("a", "\n");
    files_write_text("x[1]", "5");
    static const char *const patterns[] = {"b?*.jsonl", "a", "x[1]", "a"};
    struct dfopt_source *s = NULL;
    assert_int_equal(create(&s, patterns, 4, 0, 0, NULL), DFOPT_OK);
    struct dfopt_source_progress p;
    s->ops->progress(s, &p);
    assert_int_equal(p.bytes_done, 0);
    assert_int_equal(p.bytes_total, 4 + 3 + 1 + 1 + 1 + 1);
    struct dfopt_record r;
    uint64_t before = 0;
    for (const char *want = "12435"; *want; want++) {
        assert_int_equal(s->ops->next(s, 0, &r, NULL), DFOPT_SOURCE_RECORD);
        assert_int_equal(*r.data, *want);
        s->ops->progress(s, &p);
        assert_true(p.bytes_done >= before && p.bytes_done <= p.bytes_total);
        before = p.bytes_done;
    }
    assert_int_equal(s->ops->next(s, 0, &r, NULL), DFOPT_SOURCE_END);
    s->ops->progress(s, &p);
    assert_int_equal(p.bytes_done, p.bytes_total);
    const struct dfopt_source_ops *ops = s->ops;
    ops->destroy(s);
    ops->destroy(NULL);
}

static void test_bad_options(void **state)
{
    (void)state;
    static const struct {
        const char *name, *want;
        enum dfopt_err code;
    } cases[] = {
        {"missing", "missing: No such file or directory", DFOPT_ERR_IO},
        {"no*match", "no*match: no file matches", DFOPT_ERR_IO},
        {"sub", "sub: is a directory", DFOPT_ERR_IO},
        {"s*b", "sub: is a directory", DFOPT_ERR_IO},
        {"good/x", "good/x: Not a directory", DFOPT_ERR_IO},
    };
    files_write_text("good", "1\n");
    assert_int_equal(mkdir("sub", 0755), 0);
    for (size_t i = 0; i < N_OF(cases); i++) {
        const char *const patterns[] = {"good", cases[i].name};
        struct dfopt_source *s = NULL;
        struct dfopt_error err = {0};
        enum dfopt_err e = create(&s, patterns, 2, 0, 0, &err);
        if (e != cases[i].code || strcmp(err.text, cases[i].want) != 0 || s)
            fail_msg("%s: %d %s", cases[i].name, (int)e, err.text);
    }
    const char *const twice[] = {"-", "-"}, *const empty[] = {""};
    struct dfopt_source *s = NULL;
    assert_int_equal(create(&s, twice, 2, 0, 0, NULL), DFOPT_ERR_ARG);
    assert_int_equal(create(&s, empty, 1, 0, 0, NULL), DFOPT_ERR_ARG);
    assert_int_equal(create(&s, NULL, 0, 0, 0, NULL), DFOPT_ERR_ARG);
    assert_null(s);
}

/* In a process of its own, which gives root's rights away: root may read all. */
static void test_unreadable(void **state)
{
    (void)state;
    assert_int_equal(chmod(files_write_text("secret", "1\n"), 0), 0);
    pid_t child = fork();
    if (child == 0) {
        static const char *const patterns[] = {"secret"};
        struct dfopt_source *s = NULL;
        struct dfopt_error err = {0};
        if (geteuid() == 0 && seteuid(65534) != 0)
            _exit(1);
        bool right = create(&s, patterns, 1, 0, 0, &err) == DFOPT_ERR_IO &&
                     strcmp(err.text, "secret: Permission denied") == 0;
        _exit(right ? 0 : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Files that change between create and their turn. */
static void test_files_that_change(void **state)
{
    (void)state;
    static const char *const patterns[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        files_write_text(patterns[i], "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    struct dfopt_source *s = NULL;
    assert_int_equal(create(&s, patterns, 5, 0, 16, NULL), DFOPT_OK);
    assert_int_equal(unlink("a"), 0);
    assert_int_equal(unlink("b"), 0);
    assert_int_equal(mkdir("b", 0755), 0);
    assert_int_equal(truncate("c", 4), 0);
    files_write_text("d", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    files_write_text("e", "");
    expect("changed", s,
           "error: a: No such file or directory\nerror: b: Is a directory\n"
           "c:1@0 1\nc:2@2 2\nd:1@0 1\nd:2@2 2\nd:3@4 3\nd:4@6 4\nd:5@8 5\n"
           "d:6@10 6\nd:7@12 7\nd:8@14 8\nd:9@16 9\nd:10@18 10\n");
}

/* The same, for a file that is cut while it is being read. */
static void test_file_cut_while_read(void **state)
{
    (void)state;
    const char *path =
        files_write_text("f", "11\n22\n33\n44\n55\n66\n77\n88\n99\n");
    struct dfopt_source *s = open_one(path, 0, 16);
    struct dfopt_record r;
    assert_int_equal(s->ops->next(s, 0, &r, NULL), DFOPT_SOURCE_RECORD);
    assert_int_equal(truncate(path, 1), 0);
    while (s->ops->next(s, 0, &r, NULL) == DFOPT_SOURCE_RECORD)
        assert_null(r.problem);
    struct dfopt_source_progress p;
    s->ops->progress(s, &p);
    assert_int_equal(p.bytes_done, p.bytes_total);
    s->ops->destroy(s);
}

static void test_peek(void **state)
{
    (void)state;
    static const char *const patterns[] = {"b", "a", "b", "c"};
    files_write_text("a", "1\n2\n");
    files_write_text("b", "");
    files_write_text("c", "3\n");
    struct dfopt_source *s = NULL;
    struct dfopt_record peeked, r;
    struct dfopt_error err = {0};
    assert_int_equal(create(&s, patterns, 4, 0, 0, NULL), DFOPT_OK);
    for (const char *want = "12"; *want; want++) {
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(dfopt_file_source_peek(s, 0, &peeked, &err),
                             DFOPT_SOURCE_RECORD);
            assert_int_equal(*peeked.data, *want);
        }
        assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_RECORD);
        assert_ptr_equal(r.data, peeked.data);
        assert_int_equal(*r.data, *want);
    }
    assert_int_equal(unlink("c"), 0);
    assert_int_equal(dfopt_file_source_peek(s, 0, &r, &err), DFOPT_SOURCE_ERROR);
    assert_non_null(strstr(err.text, "c: No such file"));
    assert_int_equal(s->ops->next(s, 0, &r, &err), DFOPT_SOURCE_END);
    assert_int_equal(dfopt_file_source_peek(s, 0, &r, &err), DFOPT_SOURCE_END);
    s->ops->destroy(s);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, files_setup, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_contents),
        TEST(test_buffer_edges),
        TEST(test_very_long_line),
        TEST(test_gzip_members),
        TEST(test_gzip_cut),
        TEST(test_gzip_damaged),
        TEST(test_several_files),
        TEST(test_bad_options),
        TEST(test_unreadable),
        TEST(test_files_that_change),
        TEST(test_file_cut_while_read),
        TEST(test_peek),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
