/* Sends one request to a service and receives its answer. */
#ifndef DFOPT_CMD_CTL_ASK_H
#define DFOPT_CMD_CTL_ASK_H

#include "base/buf.h"
#include "net/zmq/keys.h"

struct ctl_line { /* to the service */
    const char *endpoint;
    int64_t timeout_ms;
    struct dfopt_zmq_curve curve;
    bool use_curve;
};

/* Sends `request` and waits for the answer, which replaces *answer. OK, ARG, IO
 * (also if no answer came in time) or NOMEM; the text names the endpoint. */
enum dfopt_err ctl_ask(const struct ctl_line *line, const char *request, size_t len,
                       struct dfopt_buf *answer, struct dfopt_error *err);

#endif
