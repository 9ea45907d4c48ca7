/* Start where descriptors, threads or memory run out: an error that names what is
 * missing, and never the end of the process, which libzmq would bring about. Each
 * case is a child with limits of its own. */
#include "client_fixture.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static const struct dfopt_client_options nowhere = {
    .app_namespace = "app",
    .function = "load",
    .hostname = HOST,
    .plans_endpoint = "tcp://127.0.0.1:1",
    .registry_endpoint = "tcp://127.0.0.1:1",
    .acks_endpoint = "tcp://127.0.0.1:1",
};

/* What a child came to: a code of ours, or that the text was not right. */
enum { BAD_TEXT = 100, CANNOT = 101 };

static int start_once(const char *const wanted[2])
{
    dfopt_client *c = NULL;
    struct dfopt_error err = {0};
    enum dfopt_err e = dfopt_client_create(&c, &nowhere, &err);
    if (!e)
        e = dfopt_client_start(c, &err);
    if (!e)
        e = dfopt_client_stop(c, 0);
    dfopt_client_destroy(c);
    if (e == DFOPT_ERR_LIMIT && !strstr(err.text, wanted[0]) &&
        !strstr(err.text, wanted[1])) {
        fprintf(stderr, "%s\n", err.text);
        return BAD_TEXT;
    }
    return (int)e;
}

/* Runs a case in a child. Returns its exit code; -1: it was killed. */
static int in_child(int (*run)(int), int n)
{
    int status;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        _exit(run(n));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Leaves n descriptors. */
static int few_descriptors(int n)
{
    static const char *const wanted[] = {"file descriptors", "file descriptors"};
    const struct rlimit limit = {256, 256};
    int fds[256], got = 0;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CANNOT;
    while (got < 256 && (fds[got] = open("/dev/null", O_RDONLY)) >= 0)
        got++;
    for (int i = 0; i < n; i++)
        close(fds[--got]);
    return start_once(wanted);
}

static void descriptors(void **state)
{
    (void)state;
    int least = -1;
    for (int n = 0; n <= 40; n++) {
        const int e = in_child(few_descriptors, n);
        if (e != DFOPT_OK && e != DFOPT_ERR_LIMIT)
            fail_msg("%d descriptors: %d", n, e);
        if (e == DFOPT_OK && least < 0)
            least = n;
        if (least >= 0 && e != DFOPT_OK)
            fail_msg("%d descriptors are enough, and %d are not", least, n);
    }
    assert_in_range(least, 10, 30);
}

/* Room for n more threads of a user who has no others. */
static int few_threads(int n)
{
    static const char *const wanted[] = {"threads", "threads"};
    const struct rlimit limit = {(rlim_t)n + 1, (rlim_t)n + 1};
    if (getuid() == 0 && setuid(NOBODY) != 0)
        return CANNOT;
    return setrlimit(RLIMIT_NPROC, &limit) != 0 ? CANNOT : start_once(wanted);
}

static void threads(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* how many the user has is not known */
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
    skip(); /* which have threads of their own */
#endif
    assert_int_equal(in_child(few_threads, 0), DFOPT_ERR_LIMIT);
    for (int n = 1; n <= 8; n++) {
        const int e = in_child(few_threads, n);
        if (e != DFOPT_OK && e != DFOPT_ERR_LIMIT)
            fail_msg("%d threads: %d", n, e);
    }
    assert_int_equal(in_child(few_threads, 1000), DFOPT_OK);
}

static long pages_now(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages;
}

/* n MiB of address space. */
static int little_memory(int n)
{
    static const char *const wanted[] = {"threads", "memory"};
    const rlim_t bytes =
        (rlim_t)pages_now() * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)n << 20);
    const struct rlimit limit = {bytes, bytes};
    return setrlimit(RLIMIT_AS, &limit) != 0 ? CANNOT : start_once(wanted);
}

static void memory(void **state)
{
    (void)state;
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
    skip(); /* which take the whole address space */
#endif
    for (int n = 0; n <= 64; n++) {
        const int e = in_child(little_memory, n);
        if (e != DFOPT_OK && e != DFOPT_ERR_LIMIT && e != DFOPT_ERR_NOMEM)
            fail_msg("%d MiB: %d", n, e);
    }
    assert_int_equal(in_child(little_memory, 0) != DFOPT_OK, 1);
    assert_int_equal(in_child(little_memory, 1024), DFOPT_OK);
}

static char wait_for(int fd)
{
    char c = 0;
    return read(fd, &c, 1) == 1 ? c : 0;
}

/* A client that runs, while its process has no descriptor left: it can neither
 * connect again nor replace a socket until there are some. */
static int run_out(const struct optimizer *o, int from_parent, int to_parent)
{
    const struct rlimit limit = {256, 256};
    int fds[256], got = 0;
    struct dfopt_client_options options = optimizer_options(o);
    dfopt_client *c = NULL;
    const struct dfopt_client_knob k = {
        .parameter = "a", .type = DFOPT_CLIENT_INT, .default_value = int_value(2)};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        dfopt_client_create(&c, &options, NULL) ||
        dfopt_client_knob_declare(c, &k, NULL) || dfopt_client_start(c, NULL) ||
        wait_for(from_parent) != 'r')
        return CANNOT;
    struct pollfd told = {.fd = from_parent, .events = POLLIN};
    bool full = false;
    while (poll(&told, 1, 0) == 0) { /* what a connection had goes, too */
        while (got < 256 && (fds[got] = open("/dev/null", O_RDONLY)) >= 0)
            got++;
        if (!full && write(to_parent, "f", 1) != 1)
            return CANNOT;
        full = true;
    }
    if (wait_for(from_parent) != 'c')
        return CANNOT;
    for (int i = 0; i < got; i++)
        close(fds[i]);
    if (wait_for(from_parent) != 'e')
        return CANNOT;
    dfopt_client_destroy(c);
    return 0;
}

static void descriptors_while_it_runs(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* which knows no threads after a fork with threads */
#endif
    struct optimizer o = {0};
    int down[2], up[2], status;
    optimizer_open(&o, ZMQ_PUSH, NULL); /* for three free ports */
    optimizer_close(&o);
    assert_true(pipe(down) == 0 && pipe(up) == 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(2 * DEADLINE_MS / 1000);
        close(down[1]);
        close(up[0]);
        _exit(run_out(&o, down[0], up[1]));
    }
    close(down[0]);
    close(up[1]);
    optimizer_open(&o, ZMQ_PUSH, NULL);
    drop_registration(&o);
    assert_int_equal(write(down[1], "r", 1), 1);
    assert_int_equal(wait_for(up[0]), 'f');
    optimizer_close(&o);
    optimizer_open(&o, ZMQ_PUSH, NULL);
    const bool silent = is_silent(o.registry, 1500); /* several attempts */
    assert_int_equal(write(down[1], "c", 1), 1);
    drop_registration(&o);
    print_message("%s while there were none\n", silent ? "silent" : "connected");
    assert_int_equal(write(down[1], "e", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(down[1]);
    close(up[0]);
    optimizer_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors),
        cmocka_unit_test(descriptors_while_it_runs),
        cmocka_unit_test(threads),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
