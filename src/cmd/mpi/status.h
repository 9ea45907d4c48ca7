/* Logs periodic status lines of a live service: rates, backlog, plans. */
#ifndef DFOPT_CMD_MPI_STATUS_H
#define DFOPT_CMD_MPI_STATUS_H

#include "engine/batch/run.h"
#include "transport/zmq/zmq.h"

struct dfopt_status {
    struct dfopt_log *log;          /* borrowed */
    int64_t every_ns;               /* 0: never */
    const struct dfopt_source *zmq; /* borrowed; NULL: not over ZMQ */
    bool assumed_acks;
    int64_t said_ns;          /* of the last line, monotonic; at first, the start */
    struct dfopt_totals then; /* at that time */
};

/* Whether the diagnoser is connected; BOUND where it need not be. */
enum dfopt_zmq_connection dfopt_status_connection(const struct dfopt_status *s);

/* A dfopt_run_progress_fn; arg is a struct dfopt_status. */
void dfopt_status_show(void *arg, const struct dfopt_run_progress *p);

#endif
