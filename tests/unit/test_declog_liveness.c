/* Who writes a log: its process, whoever has the file open, or nobody. */
#include "test_declog.h"

#include "declog/liveness.h"

#include <fcntl.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
