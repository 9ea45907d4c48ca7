/* dfopt-mpi: rank 0 reads the command line and leads; the others serve it. */
#include "cli/session.h"

#include "runtime/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* Rank 0 ends in good order when asked to; workers leave when rank 0 says so.
 * SIGUSR1 is for those who can reach mpirun only: that passes it on and goes on,
 * where SIGTERM makes it kill what has not ended within a second and return 1.
 * A broken pipe is an error of a write, not the end of the process. */
static void set_signals(bool leads)
{
    struct sigaction a = {.sa_handler = leads ? ask_stop : SIG_IGN};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGUSR1, &a, NULL);
    a.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &a, NULL);
}

static int make_keys(const char *name)
{
    struct dfopt_error err = {0};
    if (dfopt_zmq_keygen(name, &err)) {
        fprintf(stderr, "dfopt-mpi: %s\n", err.text);
        return DFOPT_EXIT_FAILED;
    }
    printf("%s.key: the public key, for peers\n%s.key_secret: the secret key, keep "
           "it\n",
           name, name);
    return DFOPT_EXIT_OK;
}

static int lead(struct dfopt_comm *comm, int argc, char **argv)
{
    struct dfopt_options o;
    int code = DFOPT_EXIT_USAGE;
    if (dfopt_options_parse(argc, argv, &o) == DFOPT_OK)
        code = o.action == DFOPT_ACTION_RUN
                   ? dfopt_session_run(comm, &o, argc, argv, &stop_asked)
               : o.action == DFOPT_ACTION_KEYGEN ? make_keys(o.live.keygen)
                                                 : DFOPT_EXIT_OK;
    dfopt_options_free(&o);
    if ((fflush(stdout) || ferror(stdout)) && code == DFOPT_EXIT_OK) {
        fprintf(stderr, "dfopt-mpi: standard output: %s\n", strerror(errno));
        code = DFOPT_EXIT_FAILED;
    }
    dfopt_lead_dismiss(comm, code);
    return code;
}

int main(int argc, char **argv)
{
    struct dfopt_comm *comm;
    struct dfopt_error err = {0};
    if (dfopt_comm_start(&comm, &argc, &argv, &err)) {
        fprintf(stderr, "dfopt-mpi: %s\n", err.text);
        return DFOPT_EXIT_FAILED;
    }
    const bool leads = dfopt_comm_rank(comm) == 0;
    set_signals(leads);
    int code = leads ? lead(comm, argc, argv) : dfopt_worker_serve(comm);
    dfopt_comm_finish(comm);
    return code;
}
