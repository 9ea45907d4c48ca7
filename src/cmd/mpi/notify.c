/* The loop that decides feeds the watchdog, and only while all ranks answer:
 * otherwise a restart with --resume helps. A full disk or an absent peer is only
 * reported as a status, because a restart would not help. */
#include "cmd/mpi/notify.h"

#include <stdlib.h>

#ifdef DFOPT_HAVE_SYSTEMD

#include "base/clock.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#define STATUS_EVERY_NS INT64_C(2000000000)

void dfopt_notify_init(struct dfopt_notify *n, struct dfopt_log *log)
{
    uint64_t usec = 0;
    const char *socket = getenv("NOTIFY_SOCKET");
    (void)log;
    *n = (struct dfopt_notify){.wanted = socket && socket[0] != '\0'};
    if (n->wanted && sd_watchdog_enabled(0, &usec) > 0)
        n->watchdog_every_ns = (int64_t)(usec / 4) * 1000;
}

/* Why the service is not ready. */
static const char *problem(const struct dfopt_health *h, const char **check)
{
    for (uint32_t i = 0; i < DFOPT_CHECK_COUNT; i++)
        if (h->problem[i][0] != '\0') {
            *check = dfopt_check_name(i);
            return h->problem[i];
        }
    return NULL;
}

static void tell_status(const struct dfopt_run_progress *p,
                        const struct dfopt_health *h)
{
    const char *check = "", *why = problem(h, &check);
    (void)sd_notifyf(0,
                     "STATUS=%s%s%s%s%" PRIu64 " findings, %" PRIu64
                     " plans, %" PRIu64 " undecided",
                     why ? check : "", why ? ": " : "", why ? why : "",
                     why ? "; " : "", p->totals->by_stream[DFOPT_STREAM_FINDING],
                     p->totals->plans, p->undecided);
}

/* One report may announce both, in this order. */
static void tell_reload(struct dfopt_notify *n, const struct dfopt_run_progress *p)
{
    if (p->reloads != n->reloads)
        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                         dfopt_clock_monotonic_ns() / 1000);
    n->reloading |= p->reloads != n->reloads;
    n->reloads = p->reloads;
    if (!n->reloading || p->reloading)
        return;
    (void)sd_notify(0, "READY=1");
    n->reloading = false;
}

void dfopt_notify_report(struct dfopt_notify *n, const struct dfopt_run_progress *p,
                         const struct dfopt_health *h)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    if (!n->wanted)
        return;
    if (!n->ready)
        (void)sd_notify(0, "READY=1");
    if (!n->ready || now - n->status_ns >= STATUS_EVERY_NS) {
        tell_status(p, h);
        n->status_ns = now;
    }
    n->ready = true;
    tell_reload(n, p);
    if (n->watchdog_every_ns && h->problem[DFOPT_CHECK_RANKS][0] == '\0' &&
        now - n->watchdog_ns >= n->watchdog_every_ns) {
        (void)sd_notify(0, "WATCHDOG=1");
        n->watchdog_ns = now;
    }
}

void dfopt_notify_stopping(struct dfopt_notify *n)
{
    if (n->wanted && !n->stopping)
        (void)sd_notify(0, "STOPPING=1\nSTATUS=closing the outputs");
    n->stopping = true;
}

#else

void dfopt_notify_init(struct dfopt_notify *n, struct dfopt_log *log)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    *n = (struct dfopt_notify){.wanted = false};
    if (socket && socket[0] != '\0')
        dfopt_log_event(log, DFOPT_LOG_WARNING, "optimizer.notify.missing",
                        DFOPT_F_TEXT("note", "NOTIFY_SOCKET is set, and this "
                                             "dfopt-mpi was built without "
                                             "libsystemd: use Type=exec"));
}

void dfopt_notify_report(struct dfopt_notify *n, const struct dfopt_run_progress *p,
                         const struct dfopt_health *h)
{
    (void)n;
    (void)p;
    (void)h;
}

void dfopt_notify_stopping(struct dfopt_notify *n)
{
    n->stopping = true;
}

#endif
