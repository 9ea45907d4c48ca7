/* Threads and deadlines for the Mofka files. */
#include "net/mofka/thread.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

static struct timespec at(int64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
                             .tv_nsec = (long)(ns % NS_PER_S)};
}

int64_t dfopt_mofka_in_ms(int64_t ms)
{
    return dfopt_clock_monotonic_ns() + ms * NS_PER_MS;
}

enum dfopt_err dfopt_mofka_thread_start(pthread_t *out, void *(*body)(void *),
                                        void *arg, struct dfopt_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(out, NULL, body, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? dfopt_error_set(err, DFOPT_ERR_NOMEM, "cannot start a thread")
              : DFOPT_OK;
}

bool dfopt_mofka_thread_join(pthread_t thread, int64_t deadline_ns)
{
    const struct timespec until = at(deadline_ns);
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        return true;
    pthread_detach(thread);
    return false;
}

void dfopt_mofka_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool dfopt_mofka_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock,
                           int64_t deadline_ns)
{
    const struct timespec until = at(deadline_ns);
    return pthread_cond_timedwait(c, lock, &until) != ETIMEDOUT;
}
