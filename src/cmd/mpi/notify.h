/* Reports the service's state to systemd (or any parent that sets NOTIFY_SOCKET) by
 * sd_notify(3): READY, STATUS, RELOADING, WATCHDOG and STOPPING. Does nothing if
 * the variable is not set. */
#ifndef DFOPT_CMD_MPI_NOTIFY_H
#define DFOPT_CMD_MPI_NOTIFY_H

#include "base/log.h"
#include "engine/batch/run.h"
#include "metrics/board.h"

/* Zero-initialise. */
struct dfopt_notify {
    bool wanted, ready, reloading, stopping;
    int reloads;                    /* reported so far */
    int64_t status_ns, watchdog_ns; /* of the last one, monotonic */
    int64_t watchdog_every_ns;      /* 0: no watchdog */
};

/* Reads the environment. Warns if it asks for something that this build lacks. */
void dfopt_notify_init(struct dfopt_notify *n, struct dfopt_log *log);

/* Called on each progress report. Sends READY the first time, STATUS every other
 * second, RELOADING when the policy must be re-read and READY when that is decided,
 * and WATCHDOG unless a rank does not answer. */
void dfopt_notify_report(struct dfopt_notify *n, const struct dfopt_run_progress *p,
                         const struct dfopt_health *h);

/* The service is about to end. */
void dfopt_notify_stopping(struct dfopt_notify *n);

#endif
