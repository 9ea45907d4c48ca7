/* Status lines. Rates are averages since the previous line. */
#include "cmd/mpi/status.h"

static uint64_t findings(const struct dfopt_totals *t)
{
    return t->by_stream[DFOPT_STREAM_FINDING];
}

/* Unacknowledged plans. */
static uint64_t unacknowledged(const struct dfopt_totals *t)
{
    const uint64_t matched = t->by_stream[DFOPT_STREAM_ACK] - t->acks_unmatched;
    return t->plans > matched ? t->plans - matched : 0;
}

enum dfopt_zmq_connection dfopt_status_connection(const struct dfopt_status *s)
{
    return s->zmq ? dfopt_zmq_source_connection(s->zmq, DFOPT_ZMQ_FINDINGS)
                  : DFOPT_ZMQ_BOUND;
}

/* "" for a service that waits for its peers. */
static const char *connection(const struct dfopt_status *s)
{
    static const char *const names[] = {[DFOPT_ZMQ_BOUND] = "",
                                        [DFOPT_ZMQ_CONNECTING] = "connecting",
                                        [DFOPT_ZMQ_CONNECTED] = "connected"};
    return names[dfopt_status_connection(s)];
}

void dfopt_status_show(void *arg, const struct dfopt_run_progress *p)
{
    struct dfopt_status *s = arg;
    const struct dfopt_totals *t = p->totals;
    const int64_t now = dfopt_clock_monotonic_ns();
    if (s->every_ns == 0 || now - s->said_ns < s->every_ns)
        return;
    const double elapsed_s = (double)(now - s->said_ns) / 1e9;
    dfopt_log_event(
        s->log, DFOPT_LOG_INFO, "optimizer.status",
        DFOPT_F_INT("findings", findings(t)),
        DFOPT_F_REAL("findings_per_s",
                     (double)(findings(t) - findings(&s->then)) / elapsed_s),
        DFOPT_F_INT("plans", t->plans),
        DFOPT_F_REAL("plans_per_s", (double)(t->plans - s->then.plans) / elapsed_s),
        DFOPT_F_INT("acks", t->by_stream[DFOPT_STREAM_ACK]),
        DFOPT_F_INT("objectives", t->by_stream[DFOPT_STREAM_OBJECTIVE]),
        DFOPT_F_INT("unacknowledged", s->assumed_acks ? 0 : unacknowledged(t)),
        DFOPT_F_INT("undecided", p->undecided),
        DFOPT_F_INT("plans_kept_back", p->kept_back),
        DFOPT_F_INT("invalid", t->invalid),
        DFOPT_F_TEXT("diagnoser", connection(s)));
    s->said_ns = now;
    s->then = *t;
}
