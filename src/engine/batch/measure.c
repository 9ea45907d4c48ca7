#include "engine/batch/measure.h"

#include "base/clock.h"

#define PROGRESS_EVERY_NS 250000000

void dfopt_measure_batch(const struct dfopt_run_config *config,
                         const struct dfopt_batch *r)
{
    struct dfopt_counts *c = config->counts;
    if (!c)
        return;
    const struct dfopt_declog_reject_row *reject =
        DFOPT_ROW(&r->rejects, const struct dfopt_declog_reject_row);
    const struct dfopt_plan *plan =
        DFOPT_ROW(&r->merged.plans, const struct dfopt_plan);
    const int64_t *received = DFOPT_ROW(&r->received, const int64_t);
    const size_t n = DFOPT_ROWS(&r->received, int64_t);
    for (size_t i = 0; i < DFOPT_ROWS(&r->rejects, struct dfopt_declog_reject_row);
         i++)
        dfopt_counts_reject(c, config->dict, reject[i].reason);
    dfopt_counts_decisions(c, config->dict, &r->merged);
    if (r->merged.plans.len == 0)
        return;
    const int64_t now = dfopt_clock_monotonic_ns();
    for (size_t i = 0; i < DFOPT_ROWS(&r->merged.plans, struct dfopt_plan); i++) {
        const uint64_t at = plan[i].seq - r->first_seq;
        if (at < n && plan[i].relay_id == DFOPT_SYM_NONE)
            dfopt_counts_latency(c, now - received[at]);
    }
}

/* How old the oldest row is that the decision log has not flushed; 0: there is
 * none. */
static int64_t lag_ns(const struct dfopt_output *o)
{
    return o->lagging_ns ? dfopt_clock_monotonic_ns() - o->lagging_ns : 0;
}

/* Fills in what is known of totals and files. */
static void measure_outputs(const struct dfopt_output *o)
{
    const struct dfopt_run_config *config = o->config;
    struct dfopt_counts *c = config->counts;
    if (!c)
        return;
    for (int i = 0; i < DFOPT_STREAM_COUNT; i++)
        c->events[i] = o->totals->by_stream[i];
    c->recognised = o->totals->recognised;
    c->has_journal = config->journal != NULL;
    if (c->has_journal) {
        c->journal_bytes = dfopt_journal_bytes(config->journal);
        c->journal_waiting_bytes = dfopt_journal_waiting(config->journal);
    }
    c->has_log = *config->declog != NULL;
    if (!c->has_log)
        return;
    c->log_bytes = dfopt_declog_bytes(*config->declog);
    c->log_lag_events = o->end.next_seq - o->flushed_seq;
    c->log_lag_s = (double)lag_ns(o) / 1e9;
}

bool dfopt_output_progress_due(const struct dfopt_output *o)
{
    return o->config->progress &&
           dfopt_clock_monotonic_ns() - o->progress_ns >= PROGRESS_EVERY_NS;
}

void dfopt_output_progress(struct dfopt_output *o,
                           const struct dfopt_run_progress *p, bool last)
{
    if (!o->config->progress || (!last && !dfopt_output_progress_due(o)))
        return;
    struct dfopt_run_progress whole = *p;
    whole.totals = o->totals;
    whole.faults = &o->faults;
    whole.log_lag_ns = lag_ns(o);
    measure_outputs(o);
    o->progress_ns = dfopt_clock_monotonic_ns();
    o->config->progress(o->config->progress_arg, &whole);
}
