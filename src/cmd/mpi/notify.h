/* Notifies systemd (or any parent that sets NOTIFY_SOCKET) of the service's state
 * by sd_notify(3): READY, STATUS, RELOADING, WATCHDOG and STOPPING. Without the
 * variable it does nothing. */
#ifndef DFOPT_CMD_MPI_NOTIFY_H
#define DFOPT_CMD_MPI_NOTIFY_H

#include "base/log.h"
#include "engine/batch/run.h"
#include "metrics/board.h"

/* Zero-initialise. */
struct dfopt_notify {
    bool wanted, ready, reloading, stopping;
    int reloads;                    /* told of so far */
    int64_t status_ns, watchdog_ns; /* of the last, monotonic */
    int64_t watchdog_every_ns;      /* 0: none is set */
};

/* Looks at the environment. Warns if it asks for what this program was built
 * without. */
void dfopt_notify_init(struct dfopt_notify *n, struct dfopt_log *log);

/* The run reports: READY the first time, STATUS every other second, RELOADING
 * when the policy is to be read again and READY when that is decided, and WATCHDOG
 * unless a rank does not answer. */
void dfopt_notify_report(struct dfopt_notify *n, const struct dfopt_run_progress *p,
                         const struct dfopt_health *h);

/* The service is about to end. */
void dfopt_notify_stopping(struct dfopt_notify *n);

#endif
