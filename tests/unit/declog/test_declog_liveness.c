/* Who writes a log: its process, whoever has the file open, or nobody. */
#include "test_declog.h"

#include "declog/liveness.h"
#include "declog/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

enum { OURS, PARENT, ENDED, NO_PID };

static pid_t ended_process(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

/* Whether the file system of the log grants leases. */
static bool has_leases(const char *path)
{
    const int fd = open(path, O_RDONLY);
    const bool ok = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
    close(fd);
    return ok;
}

static void table(void **state)
{
    static const struct {
        const char *name;
        int pid;
        bool here, started_before, held; /* held: open for writing */
        enum dfopt_writer with_leases, without;
    } cases[] = {
        {"runs", PARENT, true, false, false, DFOPT_WRITER_ALIVE,
         DFOPT_WRITER_ALIVE},
        {"its number again", PARENT, true, true, false, DFOPT_WRITER_NONE,
         DFOPT_WRITER_NONE},
        {"ended", ENDED, true, false, false, DFOPT_WRITER_NONE, DFOPT_WRITER_NONE},
        {"asks", OURS, true, false, false, DFOPT_WRITER_NONE, DFOPT_WRITER_NONE},
        {"ended, held", ENDED, true, false, true, DFOPT_WRITER_ALIVE,
         DFOPT_WRITER_NONE},
        {"elsewhere", PARENT, false, false, false, DFOPT_WRITER_NONE,
         DFOPT_WRITER_UNKNOWN},
        {"elsewhere, held", PARENT, false, false, true, DFOPT_WRITER_ALIVE,
         DFOPT_WRITER_UNKNOWN},
        {"no process named", NO_PID, true, false, false, DFOPT_WRITER_NONE,
         DFOPT_WRITER_UNKNOWN},
    };
    struct fixture *f = *state;
    const pid_t pids[] = {getpid(), getppid(), ended_process(), 0};
    struct utsname names;
    struct timespec now;
    assert_int_equal(uname(&names), 0);
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dfopt_declog_options o = log_options(f->path, 1);
        struct dfopt_declog *w = NULL;
        struct dfopt_error err = {.text = ""};
        unlink(f->path);
        o.pid = (uint64_t)pids[cases[i].pid];
        o.host = cases[i].here ? names.nodename : "another-host";
        o.created_ns = cases[i].started_before ? 1 : now.tv_sec * 1000000000;
        assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_OK);
        must_close(w, false);
        struct dfopt_declog_reader *r = must_open(f->path);
        const bool leases = has_leases(f->path);
        const int held = cases[i].held ? open(f->path, O_WRONLY) : -1;
        const enum dfopt_writer got = dfopt_declog_writer(r);
        if (got != (leases ? cases[i].with_leases : cases[i].without))
            fail_msg("%s: %d", cases[i].name, (int)got);
        if (held >= 0)
            close(held);
        dfopt_declog_reader_close(r);
    }
}

/* ---- the path of a log ---- */

/* A log that another process writes is not replaced. */
static void held(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1), *second = NULL;
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_options o = log_options(f->path, 1);
    struct dfopt_place place;
    if (!has_leases(f->path)) /* for it is open */
        assert_int_equal(dfopt_declog_create(&second, f->dict, &o, &err),
                         DFOPT_ERR_STATE);
    assert_null(second);
    must_close(w, true);
    assert_int_equal(dfopt_place_check(f->path, &place, &err), DFOPT_OK);
    assert_true(place.there);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_OK);
    must_close(w, true);
}

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool holds(const char *path, const char *text)
{
    char got[32] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(got, 1, sizeof got - 1, file) > 0);
    fclose(file);
    return strcmp(got, text) == 0;
}

/* Of several that want a path, the one gets it that finds there what it has seen.
 */
static void put_in_place(void **state)
{
    struct fixture *f = *state;
    const struct dfopt_place none = {.there = false};
    struct dfopt_place seen;
    char *first = dfopt_place_beside(f->path),
         *second = dfopt_place_beside(f->path);
    assert_string_not_equal(first, second);
    make_file(first, "first");
    make_file(second, "second");
    assert_int_equal(dfopt_place_put(first, f->path, &none), 0);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(dfopt_place_put(second, f->path, &none), EEXIST);
    assert_true(holds(f->path, "first"));
    assert_int_equal(dfopt_place_of(f->path, &seen), DFOPT_OK);
    assert_int_equal(dfopt_place_put(second, f->path, &seen), 0);
    assert_true(holds(f->path, "second"));
    make_file(first, "first");
    assert_int_equal(dfopt_place_put(first, f->path, &seen), EEXIST);
    assert_true(holds(f->path, "second"));
    unlink(f->path);
    assert_int_equal(dfopt_place_put(first, f->path, &seen), EEXIST);
    unlink(first);
    assert_int_equal(dfopt_place_put(first, f->path, &none), ENOENT);
    free(first);
    free(second);
}

/* What a killed writer left goes, what another has just made stays. */
static void left_over(void **state)
{
    struct fixture *f = *state;
    char old[200], young[200], held_open[200];
    const struct timespec then[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    snprintf(old, sizeof old, "%s.new", f->path);
    snprintf(young, sizeof young, "%s.new.00000001", f->path);
    snprintf(held_open, sizeof held_open, "%s.new.00000002", f->path);
    make_file(old, "x");
    make_file(young, "x");
    make_file(held_open, "x");
    const int fd = open(held_open, O_WRONLY);
    assert_int_equal(utimensat(AT_FDCWD, old, then, 0), 0);
    assert_int_equal(futimens(fd, then), 0);
    const bool leases = has_leases(young);
    free(dfopt_place_beside(f->path));
    assert_int_equal(access(old, F_OK), leases ? -1 : 0);
    assert_int_equal(access(young, F_OK), 0);
    assert_int_equal(access(held_open, F_OK), 0);
    close(fd);
    unlink(old);
    unlink(young);
    unlink(held_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(held, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(put_in_place, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(left_over, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
