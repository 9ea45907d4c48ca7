/* The run reports its progress several times a second, even while it waits for
 * input or a rank. Everything here is driven by these reports. */
#include "cmd/mpi/supervise.h"

#include "cmd/mpi/descriptors.h"
#include "cmd/mpi/notify.h"
#include "metrics/server.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#define RANK_SILENT_NS INT64_C(800000000)   /* then a rank does not answer */
#define LOG_LATE_NS    INT64_C(10000000000) /* beyond its flush interval */

struct dfopt_supervision {
    const struct dfopt_options *options;
    const struct dfopt_live *live;
    struct dfopt_log *log;
    struct dfopt_status status;
    struct dfopt_counts counts;
    struct dfopt_board *board; /* owned; NULL: metrics are not served */
    struct dfopt_metrics_server *server;
    struct dfopt_notify notify;
    struct dfopt_descriptors descriptors;
    const volatile sig_atomic_t *stop; /* of the run */
};

enum dfopt_err dfopt_supervise_create(struct dfopt_supervision **out,
                                      const struct dfopt_options *o,
                                      const struct dfopt_live *live,
                                      struct dfopt_log *log,
                                      struct dfopt_error *err)
{
    struct dfopt_supervision *s = calloc(1, sizeof *s);
    if (!s)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    s->options = o;
    s->live = live;
    s->log = log;
    dfopt_counts_init(&s->counts);
    dfopt_notify_init(&s->notify, log);
    *out = s;
    if (!o->live.metrics_address)
        return DFOPT_OK;
    if (dfopt_board_create(&s->board, DFOPT_VERSION, o->transport_name))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    return dfopt_metrics_server_start(&s->server, o->live.metrics_address, s->board,
                                      err);
}

void dfopt_supervise_destroy(struct dfopt_supervision *s)
{
    if (!s)
        return;
    dfopt_metrics_server_stop(s->server);
    dfopt_board_destroy(s->board);
    dfopt_counts_free(&s->counts);
    free(s);
}

/* ---- health ---- */

static void add_fault(struct dfopt_health *h, enum dfopt_check check,
                      const char *what, const struct dfopt_error *fault)
{
    if (fault->code)
        dfopt_health_add(h, check, "%s: %s", what, fault->text);
}

static void look(const struct dfopt_supervision *s,
                 const struct dfopt_run_progress *p, struct dfopt_health *h)
{
    const int64_t late_ns =
        s->options->log_flush_ms * INT64_C(1000000) + LOG_LATE_NS;
    if (dfopt_status_connection(&s->status) == DFOPT_ZMQ_CONNECTING)
        dfopt_health_add(h, DFOPT_CHECK_INPUT, "%s: no diagnoser connected",
                         s->options->live.address);
    if (p->faults) {
        add_fault(h, DFOPT_CHECK_OUTPUTS, "plans", &p->faults->plans);
        add_fault(h, DFOPT_CHECK_OUTPUTS, "recording", &p->faults->recording);
        add_fault(h, DFOPT_CHECK_OUTPUTS, "journal", &p->faults->journal);
        add_fault(h, DFOPT_CHECK_LOG, "given up", &p->faults->log);
    }
    if (p->log_lag_ns > late_ns)
        dfopt_health_add(h, DFOPT_CHECK_LOG, "not flushed for %.1f s",
                         (double)p->log_lag_ns / 1e9);
    if (p->silent_rank >= 0 && p->silent_ns > RANK_SILENT_NS)
        dfopt_health_add(h, DFOPT_CHECK_RANKS,
                         "rank %d has not answered for %.1f s", p->silent_rank,
                         (double)p->silent_ns / 1e9);
}

/* ---- reports ---- */

static uint64_t free_bytes(const char *path)
{
    struct statvfs v;
    return path && statvfs(path, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

static void post(struct dfopt_supervision *s, const struct dfopt_run_progress *p,
                 const struct dfopt_health *h)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    struct dfopt_counts *c = &s->counts;
    c->undecided = p->undecided;
    c->kept_back = p->kept_back;
    c->batches = p->batches;
    if (dfopt_board_due(s->board, now))
        c->log_free_bytes = free_bytes(s->options->decision_log);
    dfopt_board_post(s->board, c, h, now);
}

static void report(void *arg, const struct dfopt_run_progress *p)
{
    struct dfopt_supervision *s = arg;
    struct dfopt_health health = {0};
    dfopt_status_show(&s->status, p);
    look(s, p, &health);
    dfopt_descriptors_look(&s->descriptors, s->log, &health);
    if (s->board)
        post(s, p, &health);
    if (s->stop && *s->stop)
        dfopt_notify_stopping(&s->notify);
    dfopt_notify_report(&s->notify, p, &health);
}

void dfopt_supervise_start(struct dfopt_supervision *s,
                           struct dfopt_run_config *config, bool assumed_acks)
{
    const struct dfopt_options *o = s->options;
    s->status = (struct dfopt_status){
        .log = s->log,
        .every_ns = o->live.status_interval_ms * 1000000,
        .zmq = o->transport == DFOPT_TRANSPORT_ZMQ ? s->live->source : NULL,
        .assumed_acks = assumed_acks,
        .said_ns = dfopt_clock_monotonic_ns(),
    };
    config->progress = report;
    config->progress_arg = s;
    config->counts = s->board ? &s->counts : NULL;
    config->pulse = s->board != NULL || s->notify.wanted;
    s->stop = config->stop;
    if (s->server)
        dfopt_log_event(
            s->log, DFOPT_LOG_INFO, "optimizer.metrics.listening",
            DFOPT_F_TEXT("address", dfopt_metrics_server_address(s->server)));
}

void dfopt_supervise_stop(struct dfopt_supervision *s)
{
    dfopt_notify_stopping(&s->notify);
}
