/* Start where descriptors, threads or memory run out: an error that names what is
 * missing, and never the end of the process, which libzmq would bring about. Each
 * case is a child with limits of its own. */
#include "client_fixture.h"

#include <errno.h>
#include <fcntl.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors),
        cmocka_unit_test(threads),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
