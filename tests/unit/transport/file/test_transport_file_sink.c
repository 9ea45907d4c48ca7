/* The file sink: whole lines, and errors that are told and stay. */
#include "support/transport_files.h"

#include "base/buf.h"
#include "transport/file/file.h"
#include "transport/file/lock.h"

#include <signal.h>
#include <sys/resource.h>

static struct dfopt_sink *open_sink(const char *path)
{
    struct dfopt_sink *s = NULL;
    struct dfopt_error err = {0};
    if (dfopt_file_sink_create(&s, path, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return s;
}

static enum dfopt_err publish(struct dfopt_sink *s, const char *body, size_t n,
                              struct dfopt_error *err)
{
    struct dfopt_plan_message m = {.body = body, .body_len = n};
    return s->ops->publish(s, &m, err);
}

static void test_lines(void **state)
{
    (void)state;
    char data[64];
    struct dfopt_sink *s =
        open_sink(files_write_text("out", "what was there before"));
    files_read("out", data, sizeof data);
    assert_string_equal(data, "");
    assert_int_equal(publish(s, "{\"a\":1}", 7, NULL), DFOPT_OK);
    assert_int_equal(publish(s, "{}", 2, NULL), DFOPT_OK);
    assert_int_equal(s->ops->flush(s, NULL), DFOPT_OK);
    assert_int_equal(s->ops->flush(s, NULL), DFOPT_OK);
    files_read("out", data, sizeof data);
    assert_string_equal(data, "{\"a\":1}\n{}\n");
    assert_int_equal(publish(s, "3", 1, NULL), DFOPT_OK);
    const struct dfopt_sink_ops *ops = s->ops;
    assert_int_equal(ops->destroy(s, NULL), DFOPT_OK);
    assert_int_equal(ops->destroy(NULL, NULL), DFOPT_OK);
    files_read("out", data, sizeof data);
    assert_string_equal(data, "{\"a\":1}\n{}\n3\n");
}

/* A file has one writer, also within a process; and is where its path says. */
static void test_one_writer(void **state)
{
    (void)state;
    char data[64];
    struct dfopt_error err = {0};
    struct dfopt_sink *s = open_sink("out"), *second = NULL;
    struct dfopt_buf last = {0};
    struct dfopt_file_lines lines = {.last = &last};
    assert_int_equal(publish(s, "{}", 2, NULL), DFOPT_OK);
    assert_int_equal(s->ops->flush(s, NULL), DFOPT_OK);
    assert_int_equal(dfopt_file_sink_create(&second, "out", &err), DFOPT_ERR_STATE);
    assert_string_equal(err.text, "out: is being written by a running dfopt-mpi");
    assert_int_equal(dfopt_file_sink_reopen(&second, "out", &lines, &err),
                     DFOPT_ERR_STATE);
    assert_int_equal(dfopt_file_is_free("out", &err), DFOPT_ERR_STATE);
    assert_int_equal(dfopt_file_is_free("none", &err), DFOPT_OK);
    files_read("out", data, sizeof data);
    assert_string_equal(data, "{}\n");
    assert_int_equal(rename("out", "moved"), 0);
    assert_int_equal(dfopt_file_is_free("out", &err), DFOPT_OK);
    assert_int_equal(s->ops->destroy(s, &err), DFOPT_ERR_IO);
    assert_non_null(strstr(err.text, "out: moved, removed or replaced"));
    files_read("moved", data, sizeof data);
    assert_string_equal(data, "{}\n");
    s = open_sink("moved");
    assert_int_equal(s->ops->destroy(s, &err), DFOPT_OK);
}

/* Bodies around the size of the buffer, after an empty and a used one. */
static void test_sizes(void **state)
{
    (void)state;
    const size_t buffer = (size_t)256 << 10;
    struct dfopt_buf body = {0}, want = {0};
    char *got = malloc(16 * buffer);
    assert_non_null(got);
    memset(dfopt_buf_grow(&body, 2 * buffer), 'x', 2 * buffer);
    struct dfopt_sink *s = open_sink("out");
    for (size_t n = buffer - 3; n <= buffer + 1; n++) {
        for (size_t before = 1; before <= 3; before += 2) {
            assert_int_equal(publish(s, "...", before, NULL), DFOPT_OK);
            assert_int_equal(publish(s, body.data, n, NULL), DFOPT_OK);
            dfopt_buf_printf(&want, "%.*s\n", (int)before, "...");
            dfopt_buf_add(&want, body.data, n);
            dfopt_buf_add(&want, "\n", 1);
        }
    }
    assert_int_equal(s->ops->destroy(s, NULL), DFOPT_OK);
    assert_int_equal(files_read("out", got, 16 * buffer), want.len);
    assert_memory_equal(got, want.data, want.len);
    dfopt_buf_free(&body);
    dfopt_buf_free(&want);
    free(got);
}

static void test_bad_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path, *want;
    } cases[] = {
        {".", ".: Is a directory"},
        {"sub/", "sub/: Is a directory"},
        {"none/out", "none/out: its directory does not exist"},
        {"file/out", "file/out: Not a directory"},
        {"dangling", "dangling: No such file or directory"},
        {"", "an empty file name"},
    };
    files_write_text("file", "");
    assert_int_equal(mkdir("sub", 0755), 0);
    assert_int_equal(symlink("none/out", "dangling"), 0);
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct dfopt_sink *s = NULL;
        struct dfopt_error err = {0};
        enum dfopt_err e = dfopt_file_sink_create(&s, cases[i].path, &err);
        if (e == DFOPT_OK || e != err.code ||
            strcmp(err.text, cases[i].want) != 0 || s)
            fail_msg("%s: %d %s", cases[i].path, (int)e, err.text);
    }
}

/* Every call after the first error, in whichever it shows, repeats it. */
static void expect_failed(struct dfopt_sink *s, const char *want)
{
    struct dfopt_error errs[3] = {{0}};
    assert_int_equal(publish(s, "{}", 2, &errs[0]), DFOPT_ERR_IO);
    assert_int_equal(s->ops->flush(s, &errs[1]), DFOPT_ERR_IO);
    assert_int_equal(s->ops->flush(s, NULL), DFOPT_ERR_IO);
    assert_int_equal(s->ops->destroy(s, &errs[2]), DFOPT_ERR_IO);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(errs[i].text, want);
}

static void test_no_space(void **state)
{
    (void)state;
    struct dfopt_error err = {0};
    struct dfopt_sink *s = open_sink("/dev/full");
    assert_int_equal(publish(s, "{}", 2, &err), DFOPT_OK);
    assert_int_equal(s->ops->flush(s, &err), DFOPT_ERR_IO);
    expect_failed(s, "/dev/full: No space left on device");
    s = open_sink("/dev/full");
    assert_int_equal(publish(s, "{}", 2, &err), DFOPT_OK);
    err = (struct dfopt_error){0};
    assert_int_equal(s->ops->destroy(s, &err), DFOPT_ERR_IO);
    assert_string_equal(err.text, "/dev/full: No space left on device");
}

/* A write that goes half through leaves the lines before it. */
static void test_partial_write(void **state)
{
    (void)state;
    struct rlimit before, small;
    char data[4096];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 20;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct dfopt_sink *s = open_sink("out");
    assert_int_equal(publish(s, "first", 5, NULL), DFOPT_OK);
    assert_int_equal(s->ops->flush(s, NULL), DFOPT_OK);
    assert_int_equal(publish(s, "second", 6, NULL), DFOPT_OK);
    assert_int_equal(publish(s, "third, which is cut", 19, NULL), DFOPT_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum dfopt_err e = s->ops->flush(s, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(e, DFOPT_ERR_IO);
    expect_failed(s, "out: File too large");
    files_read("out", data, sizeof data);
    assert_string_equal(data, "first\nsecond\n");
}

static void test_closed_pipe(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
    fflush(stdout);
    int saved = files_replace_fd(STDOUT_FILENO, fds[1]);
    close(fds[0]);
    struct dfopt_sink *s = open_sink("-");
    enum dfopt_err published = publish(s, "{}", 2, NULL);
    enum dfopt_err flushed = s->ops->flush(s, NULL);
    files_restore_fd(STDOUT_FILENO, saved);
    signal(SIGPIPE, handler);
    assert_int_equal(published, DFOPT_OK);
    assert_int_equal(flushed, DFOPT_ERR_IO);
    expect_failed(s, "standard output: Broken pipe");
}

/* Appended to, and left open. */
static void test_standard_output(void **state)
{
    (void)state;
    char data[64];
    files_write_text("out", "before\n");
    fflush(stdout);
    int saved = files_replace_fd(STDOUT_FILENO, open("out", O_WRONLY | O_APPEND));
    struct dfopt_sink *s = open_sink("-");
    enum dfopt_err published = publish(s, "{}", 2, NULL);
    enum dfopt_err destroyed = s->ops->destroy(s, NULL);
    ssize_t more = write(STDOUT_FILENO, "after\n", 6);
    files_restore_fd(STDOUT_FILENO, saved);
    assert_int_equal(published, DFOPT_OK);
    assert_int_equal(destroyed, DFOPT_OK);
    assert_int_equal(more, 6);
    files_read("out", data, sizeof data);
    assert_string_equal(data, "before\n{}\nafter\n");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, files_setup, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_writer),  TEST(test_lines),
        TEST(test_sizes),       TEST(test_bad_paths),
        TEST(test_no_space),    TEST(test_partial_write),
        TEST(test_closed_pipe), TEST(test_standard_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
