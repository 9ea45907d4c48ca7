#include "cmd/mpi/descriptors.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOK_NS INT64_C(1000000000)

void dfopt_descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool is_one_free(void)
{
    const int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return errno != EMFILE && errno != ENFILE;
    close(fd);
    return true;
}

static void warn(struct dfopt_log *log)
{
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    dfopt_log_event(log, DFOPT_LOG_WARNING, "optimizer.descriptors",
                    DFOPT_F_INT("limit", limit.rlim_cur),
                    DFOPT_F_TEXT("note",
                                 "no file descriptor is free, so no further "
                                 "process can connect; raise ulimit -n"));
}

void dfopt_descriptors_look(struct dfopt_descriptors *d, struct dfopt_log *log,
                            struct dfopt_health *h)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    if (now - d->looked_ns >= LOOK_NS) {
        const bool before = d->used_up;
        d->looked_ns = now;
        d->used_up = !is_one_free();
        if (d->used_up && !before)
            warn(log);
    }
    if (d->used_up)
        dfopt_health_add(h, DFOPT_CHECK_INPUT, "no file descriptor is free");
}
