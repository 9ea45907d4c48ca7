/* The file source on what is no file: standard input, pipes, and waiting for them.
 */
#include "source_text.h"

#include "base/clock.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_next(struct dfopt_source *s, int timeout_ms, const char *want)
{
    struct dfopt_record r;
    assert_int_equal(s->ops->next(s, timeout_ms, &r, NULL), DFOPT_SOURCE_RECORD);
    assert_int_equal(r.len, strlen(want));
    assert_memory_equal(r.data, want, r.len);
}

static void expect_status(struct dfopt_source *s, int timeout_ms,
                          enum dfopt_source_status want)
{
    struct dfopt_record r;
    assert_int_equal(s->ops->next(s, timeout_ms, &r, NULL), want);
}

static void test_standard_input(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    int saved = files_replace_fd(STDIN_FILENO, fds[0]);
    struct dfopt_source *s = open_one("-", 0, 0);
    struct dfopt_record r;
    expect_status(s, 0, DFOPT_SOURCE_WAIT);
    put(fds[1], "{\"a\"");
    expect_status(s, 0, DFOPT_SOURCE_WAIT);
    assert_int_equal(dfopt_file_source_peek(s, 0, &r, NULL), DFOPT_SOURCE_WAIT);
    put(fds[1], ":1}\n2\n\n3");
    assert_int_equal(dfopt_file_source_peek(s, 0, &r, NULL), DFOPT_SOURCE_RECORD);
    assert_string_equal(r.origin, "standard input");
    expect_next(s, 0, "{\"a\":1}");
    expect_next(s, -1, "2");
    int64_t start = dfopt_clock_monotonic_ns();
    expect_status(s, 20, DFOPT_SOURCE_WAIT);
    assert_true(dfopt_clock_monotonic_ns() - start >= 20 * 1000000);
    struct dfopt_source_progress p;
    s->ops->progress(s, &p);
    assert_int_equal(p.bytes_total, 0);
    assert_int_equal(p.bytes_done, 12);
    close(fds[1]);
    expect_next(s, 0, "3");
    expect_status(s, -1, DFOPT_SOURCE_END);
    s->ops->destroy(s);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* still open */
    files_restore_fd(STDIN_FILENO, saved);
}

/* gzip through a pipe, byte by byte; then a plain array, which is handed over
 * element by element without a wait for its end. */
static void test_pipe_bytewise(void **state)
{
    (void)state;
    const char *path = "f.gz";
    char packed[256];
    gzip_add(path, "wb", "{\"a\":1}\n", 8);
    size_t n = files_read(path, packed, sizeof packed);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    int saved = files_replace_fd(STDIN_FILENO, fds[0]);
    struct dfopt_source *s = open_one("-", 0, 0);
    size_t i = 0, waits = 0;
    struct dfopt_record r;
    enum dfopt_source_status status;
    while ((status = s->ops->next(s, 0, &r, NULL)) == DFOPT_SOURCE_WAIT && i < n) {
        assert_int_equal(write(fds[1], packed + i++, 1), 1);
        waits++;
    }
    assert_int_equal(status, DFOPT_SOURCE_RECORD);
    assert_true(waits > 8);
    assert_int_equal(write(fds[1], packed + i, n - i), (ssize_t)(n - i));
    close(fds[1]);
    expect_status(s, 0, DFOPT_SOURCE_END);
    s->ops->destroy(s);
    assert_int_equal(pipe(fds), 0);
    close(files_replace_fd(STDIN_FILENO, fds[0]));
    s = open_one("-", 0, 0);
    put(fds[1], "[{\"a\":[]}");
    expect_next(s, 0, "{\"a\":[]}");
    put(fds[1], ",\"x\"");
    expect_next(s, 0, "\"x\"");
    put(fds[1], "]");
    close(fds[1]);
    expect_status(s, 0, DFOPT_SOURCE_END);
    s->ops->destroy(s);
    files_restore_fd(STDIN_FILENO, saved);
}

static void test_fifo(void **state)
{
    (void)state;
    const char *path = "fifo";
    assert_int_equal(mkfifo(path, 0644), 0);
    struct dfopt_source *s = open_one(path, 0, 0);
    expect_status(s, 0, DFOPT_SOURCE_WAIT); /* no writer yet: not the end */
    expect_status(s, 1, DFOPT_SOURCE_WAIT);
    int fd = open(path, O_WRONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    expect_status(s, 0, DFOPT_SOURCE_WAIT);
    put(fd, "1\n2");
    expect_next(s, 0, "1");
    expect_status(s, 0, DFOPT_SOURCE_WAIT);
    close(fd);
    expect_next(s, 0, "2");
    expect_status(s, 0, DFOPT_SOURCE_END);
    s->ops->destroy(s);
}

/* A writer that comes later, in a process of its own. */
static void test_wait_for_ever(void **state)
{
    (void)state;
    const char *path = "late";
    assert_int_equal(mkfifo(path, 0644), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY); /* waits for the source to open it */
        _exit(fd >= 0 && write(fd, "{}\n", 3) == 3 ? 0 : 1);
    }
    struct dfopt_source *s = open_one(path, 0, 0);
    expect_next(s, -1, "{}");
    expect_status(s, -1, DFOPT_SOURCE_END);
    s->ops->destroy(s);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void on_alarm(int sig)
{
    (void)sig;
}

static void test_signal(void **state)
{
    (void)state;
    const char *path = "signal";
    assert_int_equal(mkfifo(path, 0644), 0);
    struct dfopt_source *s = open_one(path, 0, 0);
    struct sigaction action = {.sa_handler = on_alarm}, before;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    struct itimerval every = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    expect_status(s, -1, DFOPT_SOURCE_WAIT);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    s->ops->destroy(s);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, files_setup, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_standard_input), TEST(test_pipe_bytewise), TEST(test_fifo),
        TEST(test_wait_for_ever),  TEST(test_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
