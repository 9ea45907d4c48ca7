/* dfopt-mpi: rank 0, the leader, reads the command line; the others are workers. */
#include "base/fault.h"
#include "base/standard.h"
#include "cmd/mpi/launch.h"
#include "cmd/mpi/policy_check.h"
#include "cmd/mpi/session.h"

#include "engine/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dfopt_signals asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    asked.stop = 1;
}

static void ask_reload(int signal_number)
{
    (void)signal_number;
    asked.reload++;
}

/* A service re-reads its policy file on SIGHUP, and on SIGUSR2, which mpirun
 * forwards. */
static void reload_when_asked(const struct dfopt_options *o)
{
    struct sigaction a = {.sa_handler = ask_reload};
    sigemptyset(&a.sa_mask);
    if (!o->policy_file || o->transport == DFOPT_TRANSPORT_FILE)
        return;
    sigaction(SIGHUP, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
}

/* The leader stops cleanly on request; workers leave when it dismisses them.
 * SIGUSR1 is for users who can only reach mpirun: mpirun forwards it and keeps
 * running, whereas on SIGTERM it kills what has not exited within a second and
 * returns 1. SIGHUP also stops, unless nohup ignores it or there is a policy to
 * re-read; so does SIGXCPU, which leaves the time between the soft and the hard
 * limit. A broken pipe and a file at its size limit are write errors and do not end
 * the process. */
static void set_signals(bool leader)
{
    static const int stop[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGXCPU};
    static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGUSR2};
    struct sigaction a = {.sa_handler = leader ? ask_stop : SIG_IGN}, was;
    sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < sizeof stop / sizeof *stop; i++)
        if (stop[i] != SIGHUP || sigaction(SIGHUP, NULL, &was) != 0 ||
            was.sa_handler != SIG_IGN)
            sigaction(stop[i], &a, NULL);
    a.sa_handler = SIG_IGN;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        sigaction(ignored[i], &a, NULL);
}

static int make_keys(const char *name)
{
    struct dfopt_error err = {0};
    if (dfopt_zmq_keygen(name, &err)) {
        fprintf(stderr, "dfopt-mpi: %s\n", err.text);
        return DFOPT_EXIT_FAILED;
    }
    printf("%s.key: public key, for peers\n%s.key_secret: secret key, keep it "
           "private\n",
           name, name);
    return DFOPT_EXIT_OK;
}

/* Returns whether there is something to run; if not, everything is done (help,
 * version, keys, an error message), with the exit code in *code. */
static bool wants_run(int argc, char **argv, struct dfopt_options *o, int *code)
{
    *code = DFOPT_EXIT_USAGE;
    if (dfopt_options_parse(argc, argv, o))
        return false;
    if (o->action == DFOPT_ACTION_RUN)
        return true;
    *code = o->action == DFOPT_ACTION_KEYGEN         ? make_keys(o->live.keygen)
            : o->action == DFOPT_ACTION_POLICY_CHECK ? dfopt_policy_check(o)
                                                     : DFOPT_EXIT_OK;
    return false;
}

/* Collective. Every rank logs with rank 0's options; o is NULL on the others. */
static void open_log(struct dfopt_comm *comm, const struct dfopt_options *o,
                     struct dfopt_log *log)
{
    const uint32_t how = dfopt_comm_share(
        comm, o ? (uint32_t)o->log_level << 1 | (o->log_text ? 1 : 0) : 0);
    *log = (struct dfopt_log){.out = stderr,
                              .level = how >> 1,
                              .format = how & 1 ? dfopt_log_format_text
                                                : dfopt_log_format_json,
                              .clock = dfopt_clock_wall_ns};
    dfopt_comm_set_log(comm, log);
}

static int serve(struct dfopt_comm *comm)
{
    struct dfopt_log log;
    open_log(comm, NULL, &log);
    const int code = dfopt_worker_serve(comm);
    dfopt_buf_free(&log.line);
    return code;
}

static int run_leader(struct dfopt_comm *comm, int argc, char **argv)
{
    struct dfopt_options o;
    struct dfopt_log log;
    int code;
    const bool run = wants_run(argc, argv, &o, &code);
    open_log(comm, &o, &log);
    if (run)
        (void)dfopt_launch_check(dfopt_comm_size(comm), &log);
    if (run) {
        reload_when_asked(&o);
        code = dfopt_session_run(comm, &o, argc, argv, &log, &asked);
    }
    dfopt_options_free(&o);
    code = dfopt_standard_flush(code);
    dfopt_worker_dismiss(comm, code);
    dfopt_buf_free(&log.line);
    return code;
}

/* As a single process, handles what needs no run without starting MPI, which takes
 * a third of a second. Returns whether that was all. */
static bool is_done_without_mpi(int argc, char **argv, int *code)
{
    struct dfopt_options o;
    if (dfopt_launch_is_by_launcher())
        return false;
    const bool run = wants_run(argc, argv, &o, code);
    dfopt_options_free(&o);
    if (!run)
        *code = dfopt_standard_flush(*code);
    return !run;
}

/* With --fault-trace, a crashing rank leaves a trace, even while MPI starts. So the
 * command line is searched before anything else. */
static void trace_faults(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--fault-trace") == 0) {
            /* a library of Mofka's network installs its own handlers */
            setenv("IPATH_NO_BACKTRACE", "1", 0);
            dfopt_fault_trace("dfopt-mpi");
            return;
        }
}

int main(int argc, char **argv)
{
    struct dfopt_comm *comm;
    struct dfopt_error err = {0};
    int code;
    dfopt_standard_open();
    trace_faults(argc, argv);
    signal(SIGXFSZ, SIG_IGN); /* MPI writes files, too */
    if (is_done_without_mpi(argc, argv, &code))
        return code;
    if (dfopt_comm_start(&comm, &argc, &argv, &err)) {
        fprintf(stderr, "dfopt-mpi: %s\n", err.text);
        return DFOPT_EXIT_FAILED;
    }
    const bool leader = dfopt_comm_rank(comm) == 0;
    set_signals(leader);
    code = leader ? run_leader(comm, argc, argv) : serve(comm);
    dfopt_comm_finish(comm);
    return code;
}
