/* Two sources: /proc, if the log's last run was on this host, and the kernel, which
 * grants a read lease only on a file that nobody has open for writing. The lease is
 * returned at once; a writer that opens the file meanwhile waits that long. */
#include "declog/liveness.h"
#include "declog/reader_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CLOCK_SLACK_S 2

/* ---- the process ---- */

/* When a process started, in clock ticks since boot. False: it does not exist,
 * or is a zombie. */
static bool start_of_process(uint64_t pid, uint64_t *ticks)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    const size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *at = strrchr(text, ')'); /* its name may hold anything */
    char state;
    return at &&
           sscanf(at + 1,
                  " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                  "%*s %*s %*s %" SCNu64,
                  &state, ticks) == 2 &&
           state != 'Z' && state != 'X';
}

/* Boot time in seconds since 1970; 0: unknown. */
static uint64_t start_of_machine(void)
{
    char line[256];
    uint64_t at = 0;
    FILE *f = fopen("/proc/stat", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "btime %" SCNu64, &at) == 1)
            break;
    if (f)
        fclose(f);
    return at;
}

static bool ran_here(struct dfopt_declog_reader *r, uint64_t run)
{
    struct dfopt_declog_run_text_row row;
    struct utsname names;
    const char *host;
    if (uname(&names) != 0 ||
        dfopt_declog_reader_read(r, DFOPT_TABLE_RUN_TEXTS,
                                 run * DFOPT_RUN_TEXT_COUNT + DFOPT_RUN_host, 1,
                                 &row, NULL) ||
        row.run != run || row.name != DFOPT_RUN_host ||
        dfopt_declog_reader_text(r, DFOPT_POOL_RUN_TEXT, row.text, &host, NULL))
        return false;
    const size_t len = strlen(names.nodename);
    return row.text.end - row.text.start == len &&
           memcmp(host, names.nodename, len) == 0;
}

/* Asks /proc. A process that started after the run merely reuses its id. */
static enum dfopt_writer ask_process(struct dfopt_declog_reader *r)
{
    const uint64_t runs = dfopt_declog_reader_rows(r, DFOPT_TABLE_RUNS);
    const long hz = sysconf(_SC_CLK_TCK);
    struct dfopt_declog_run_row run;
    uint64_t ticks;
    if (runs == 0 || hz <= 0 ||
        dfopt_declog_reader_read(r, DFOPT_TABLE_RUNS, runs - 1, 1, &run, NULL) ||
        run.pid == 0 || !ran_here(r, runs - 1))
        return DFOPT_WRITER_UNKNOWN;
    if (run.pid == (uint64_t)getpid() || !start_of_process(run.pid, &ticks))
        return DFOPT_WRITER_NONE;
    const uint64_t started_s = start_of_machine() + ticks / (uint64_t)hz;
    return (int64_t)started_s <= run.started_ns / 1000000000 + CLOCK_SLACK_S
               ? DFOPT_WRITER_ALIVE
               : DFOPT_WRITER_NONE;
}

/* ---- the file ---- */

/* Tries to get a lease. NFS also refuses it without a delegation. */
static enum dfopt_writer ask_kernel(const char *path)
{
    enum dfopt_writer who = DFOPT_WRITER_UNKNOWN;
    struct statfs fs;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return who;
    /* such a writer makes the kernel send SIGIO, which would kill us */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGIO, &ignore, &before);
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        who = DFOPT_WRITER_NONE;
        fcntl(fd, F_SETLEASE, F_UNLCK);
    } else if (errno == EAGAIN && fstatfs(fd, &fs) == 0 &&
               fs.f_type != NFS_SUPER_MAGIC) {
        who = DFOPT_WRITER_ALIVE;
    }
    close(fd);
    sigaction(SIGIO, &before, NULL);
    return who;
}

enum dfopt_writer dfopt_declog_file_writer(const char *path)
{
    return ask_kernel(path);
}

enum dfopt_writer dfopt_declog_writer(struct dfopt_declog_reader *r)
{
    const enum dfopt_writer process = ask_process(r);
    if (process == DFOPT_WRITER_ALIVE)
        return process;
    const enum dfopt_writer file = ask_kernel(r->path);
    return file == DFOPT_WRITER_UNKNOWN ? process : file;
}

/* ---- may it be replaced? ---- */

enum dfopt_err dfopt_declog_reader_is_free(struct dfopt_declog_reader *r,
                                           struct dfopt_error *err)
{
    struct dfopt_declog_run_row run = {.pid = 0};
    const uint64_t runs = dfopt_declog_reader_rows(r, DFOPT_TABLE_RUNS);
    if (dfopt_declog_reader_run(r)->complete ||
        dfopt_declog_writer(r) != DFOPT_WRITER_ALIVE)
        return DFOPT_OK;
    if (runs &&
        !dfopt_declog_reader_read(r, DFOPT_TABLE_RUNS, runs - 1, 1, &run, NULL) &&
        run.pid && ran_here(r, runs - 1))
        return dfopt_error_set(err, DFOPT_ERR_STATE,
                               "%s: is being written by process %" PRIu64
                               " of this host",
                               r->path, run.pid);
    return dfopt_error_set(err, DFOPT_ERR_STATE,
                           "%s: is being written by another process", r->path);
}

enum dfopt_err dfopt_declog_is_free(const char *path, struct dfopt_error *err)
{
    struct dfopt_declog_reader *r;
    enum dfopt_err e = DFOPT_OK;
    if (dfopt_declog_reader_open(&r, path, NULL) == DFOPT_OK) {
        e = dfopt_declog_reader_is_free(r, err);
        dfopt_declog_reader_close(r);
    }
    return e;
}
