/* Checks resources by allocating them: this catches the limits of the user, the
 * process and its control group alike. */
#include "net/zmq/room.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 64
#define MAX_THREADS     8
/* That libzmq opens: per context for its reaper and input threads, and one of the
 * caller's; per socket for its watch and connection. */
#define BASE_DESCRIPTORS   6
#define SOCKET_DESCRIPTORS 4
#define SPARE_DESCRIPTORS  4 /* to resolve a name, and for the application */
#define CONTEXT_THREADS    2
#define MEMORY_BYTES                                                               \
    ((size_t)2 << 20) /* initial use of a context and its sockets */

static enum dfopt_err check_descriptors(int n, struct dfopt_error *err)
{
    int fds[MAX_DESCRIPTORS], got = 0, why = 0;
    while (got < n && (fds[got] = eventfd(0, EFD_CLOEXEC)) >= 0)
        got++;
    if (got < n)
        why = errno;
    for (int i = 0; i < got; i++)
        close(fds[i]);
    if (got == n)
        return DFOPT_OK;
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return dfopt_error_set(
        err, DFOPT_ERR_LIMIT,
        "needs %d file descriptors, but only %d are free (%s; ulimit -n is %llu)",
        n, got, why == EMFILE ? "process limit" : strerror(why),
        (unsigned long long)limit.rlim_cur);
}

/* Holds the test threads until all are created. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

static void *wait_at(void *arg)
{
    struct gate *g = arg;
    pthread_mutex_lock(&g->lock);
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

static enum dfopt_err check_memory(struct dfopt_error *err)
{
    void *room = malloc(MEMORY_BYTES);
    if (!room)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    free(room);
    return DFOPT_OK;
}

/* Checks memory while the threads run, because their stacks use it, too. */
static enum dfopt_err check_threads(int n, struct dfopt_error *err)
{
    pthread_t threads[MAX_THREADS];
    struct gate g = {.open = false};
    int got = 0, why = 0;
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.opened, NULL);
    while (got < n && (why = pthread_create(&threads[got], NULL, wait_at, &g)) == 0)
        got++;
    enum dfopt_err e = got == n ? check_memory(err) : DFOPT_ERR_LIMIT;
    pthread_mutex_lock(&g.lock);
    g.open = true;
    pthread_cond_broadcast(&g.opened);
    pthread_mutex_unlock(&g.lock);
    for (int i = 0; i < got; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&g.opened);
    pthread_mutex_destroy(&g.lock);
    if (got == n)
        return e;
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NPROC, &limit);
    return dfopt_error_set(
        err, e,
        "needs %d threads, but cannot start thread %d: %s (ulimit -u is %llu)", n,
        got + 1, strerror(why), (unsigned long long)limit.rlim_cur);
}

enum dfopt_err dfopt_zmq_room(int sockets, int threads, struct dfopt_error *err)
{
    int n = BASE_DESCRIPTORS + SOCKET_DESCRIPTORS * sockets + SPARE_DESCRIPTORS;
    const enum dfopt_err e =
        check_descriptors(n < MAX_DESCRIPTORS ? n : MAX_DESCRIPTORS, err);
    n = CONTEXT_THREADS + threads;
    return e ? e : check_threads(n < MAX_THREADS ? n : MAX_THREADS, err);
}
