#include "engine/emit/measure.h"

#include "base/clock.h"

enum dfopt_err dfopt_measure_received(const struct dfopt_run_config *config,
                                      struct dfopt_batch *r)
{
    if (!config->counts)
        return DFOPT_OK;
    const int64_t now = dfopt_clock_monotonic_ns();
    return dfopt_buf_add(&r->received, &now, sizeof now);
}

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

void dfopt_measure_outputs(const struct dfopt_output *o)
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
    c->log_lag_s = (double)dfopt_output_lag_ns(o) / 1e9;
}
