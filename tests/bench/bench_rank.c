/* bench_rank PREFIX PROGRAM [ARGUMENT...]: runs one rank's program, started by
 * mpirun in its place, and writes what it took to PREFIX.RANK as JSON. Ends with
 * the program's exit code. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static const char *rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                                        "PMI_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]))
            return getenv(names[i]);
    return "0";
}

int main(int argc, char **argv)
{
    char path[4096];
    struct rusage used;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: bench_rank PREFIX PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* if mpirun is killed, all go */
    const double start = now();
    const pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        fprintf(stderr, "bench_rank: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (pid < 0) {
        perror("bench_rank: fork");
        return 1;
    }
    pid_t got;
    do
        got = wait4(pid, &status, 0, &used);
    while (got < 0 && errno == EINTR);
    const double wall = now() - start;
    snprintf(path, sizeof path, "%s.%s", argv[1], rank());
    FILE *f = fopen(path, "w");
    if (got != pid || !f) {
        perror("bench_rank");
        return 1;
    }
    fprintf(f,
            "{\"rank\": %s, \"wall\": %.6f, \"user\": %.6f, \"system\": %.6f, "
            "\"peak_kib\": %ld}\n",
            rank(), wall, seconds(used.ru_utime), seconds(used.ru_stime),
            used.ru_maxrss);
    if (fclose(f) != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
