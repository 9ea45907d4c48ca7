/* For tests in which something may not last longer than a fraction of a second:
 * each runs in a process of its own, whose clock is watched. One that fails while
 * the machine stood still for longer than that runs again. */
#ifndef DFOPT_TESTS_APART_H
#define DFOPT_TESTS_APART_H

#include "support/wait.h"

#include <pthread.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART_STOOD_STILL 77
#define APART_TICK_MS     5

extern char **environ;

/* In the process of one test. */
static int64_t apart_longest_ms;
static int64_t apart_seen_ms;

static inline void *apart_watch(void *arg)
{
    (void)arg;
    for (int64_t now, last = now_ms();; last = now) {
        pause_ms(APART_TICK_MS);
        now = now_ms();
        __atomic_store_n(&apart_seen_ms, now, __ATOMIC_RELEASE);
        if (now - last > __atomic_load_n(&apart_longest_ms, __ATOMIC_ACQUIRE))
            __atomic_store_n(&apart_longest_ms, now - last, __ATOMIC_RELEASE);
    }
    return NULL;
}

static inline bool apart_stood_still(int64_t allowed_ms)
{
    return __atomic_load_n(&apart_longest_ms, __ATOMIC_ACQUIRE) > allowed_ms ||
           now_ms() - __atomic_load_n(&apart_seen_ms, __ATOMIC_ACQUIRE) >
               allowed_ms;
}

/* A test that runs the one of that name, which *state is, in another process. */
static inline void apart(void **state)
{
    char *argv[] = {"/proc/self/exe", *state, NULL};
    int status = APART_STOOD_STILL << 8;
    const int64_t until = now_ms() + 4 * DEADLINE_MS;
    while (WIFEXITED(status) && WEXITSTATUS(status) == APART_STOOD_STILL) {
        pid_t pid;
        assert_true(now_ms() < until);
        assert_int_equal(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    }
    assert_int_equal(status, 0);
}

/* Runs the tests; argv names one of them if this is its process, in which the
 * machine may stand still for allowed_ms. Returns the exit code. */
static inline int apart_main(const char *name, const struct CMUnitTest *tests,
                             size_t n, int64_t allowed_ms)
{
    struct CMUnitTest chosen[32];
    size_t n_chosen = 0;
    assert_true(n <= sizeof chosen / sizeof *chosen);
    for (size_t i = 0; i < n; i++) {
        if (name && strcmp(tests[i].name, name) != 0)
            continue;
        chosen[n_chosen] = tests[i];
        if (!name)
            chosen[n_chosen] =
                (struct CMUnitTest){.name = tests[i].name,
                                    .test_func = apart,
                                    .initial_state = (void *)tests[i].name};
        n_chosen++;
    }
    if (name) {
        pthread_t watch;
        apart_seen_ms = now_ms();
        if (pthread_create(&watch, NULL, apart_watch, NULL) != 0)
            return 1;
    }
    const int failed =
        _cmocka_run_group_tests("tests", chosen, n_chosen, NULL, NULL);
    return failed && name && apart_stood_still(allowed_ms) ? APART_STOOD_STILL
                                                           : failed;
}

#endif
