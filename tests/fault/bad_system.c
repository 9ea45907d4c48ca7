/* To be preloaded: a system that behaves badly, within its rights.
 *
 *   BAD_FILE=TEXT    files with the text in their path ...
 *   BAD_SHORT=N      ... take at most N bytes a write, and are interrupted every
 *                    other time
 *   BAD_AFTER=N      ... take N bytes in all, then fail with
 *   BAD_ERRNO=NUMBER this error
 *   BAD_CLOCK=S      the wall clock jumps by so many seconds, back and forth, every
 *                    time it is asked
 *   BAD_RANK=R       MPI rank R ...
 *   BAD_RECEIVES=N   ... receives N messages, then every receive fails
 *   BAD_START=1      ... dies of a fault as MPI starts */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long setting(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static bool is_bad(int fd)
{
    char link[64], path[4096];
    const char *text = getenv("BAD_FILE");
    if (!text)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, text) != NULL;
}

/* How many of n bytes may be written; negative: errno says why none. */
static ssize_t allowed(int fd, size_t n)
{
    static long taken, calls;
    if (!is_bad(fd))
        return (ssize_t)n;
    const long most = setting("BAD_SHORT"), after = setting("BAD_AFTER");
    if (most && ++calls % 2) {
        errno = EINTR;
        return -1;
    }
    if (most && n > (size_t)most)
        n = (size_t)most;
    if (after && taken >= after) {
        errno = (int)setting("BAD_ERRNO");
        return -1;
    }
    if (after && n > (size_t)(after - taken))
        n = (size_t)(after - taken);
    taken += (long)n;
    return (ssize_t)n;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    static ssize_t (*next)(int, const void *, size_t);
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    const ssize_t some = allowed(fd, n);
    return some < 0 ? some : next(fd, bytes, (size_t)some);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (!next)
        next = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT,
                                                                   "pwrite");
    const ssize_t some = allowed(fd, n);
    return some < 0 ? some : next(fd, bytes, (size_t)some, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite(fd, bytes, n, at);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static int (*next)(clockid_t, struct timespec *);
    static long turn;
    if (!next)
        next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
                                                            "clock_gettime");
    const int rc = next(clock, t);
    if (rc == 0 && clock == CLOCK_REALTIME)
        t->tv_sec += ++turn % 2 ? setting("BAD_CLOCK") : -setting("BAD_CLOCK");
    return rc;
}

static bool is_bad_rank(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK"), *bad = getenv("BAD_RANK");
    if (!rank)
        rank = getenv("PMI_RANK");
    return bad && strcmp(rank ? rank : "0", bad) == 0;
}

int MPI_Init_thread(int *argc, char ***argv, int wanted, int *given)
{
    volatile int *volatile nowhere = NULL;
    if (is_bad_rank() && setting("BAD_START"))
        *nowhere = 1;
    return PMPI_Init_thread(argc, argv, wanted, given);
}

int MPI_Mrecv(void *to, int n, MPI_Datatype type, MPI_Message *message,
              MPI_Status *status)
{
    static long received;
    if (is_bad_rank() && getenv("BAD_RECEIVES") &&
        received++ >= setting("BAD_RECEIVES"))
        return MPI_ERR_OTHER;
    return PMPI_Mrecv(to, n, type, message, status);
}
