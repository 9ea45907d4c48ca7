/* Samples the counts once a second in a ring; rates start at its oldest sample. */
#include "engine/online/recent.h"

#define SECOND_NS INT64_C(1000000000)

static struct dfopt_recent_sample sample(const struct dfopt_totals *t, int64_t now)
{
    return (struct dfopt_recent_sample){
        .at_ns = now,
        .findings = t->by_stream[DFOPT_STREAM_FINDING],
        .plans = t->plans,
        .acks = t->by_stream[DFOPT_STREAM_ACK],
        .objectives = t->by_stream[DFOPT_STREAM_OBJECTIVE]};
}

void dfopt_recent_count(struct dfopt_recent *r, const struct dfopt_totals *t,
                        int64_t now)
{
    if (r->start.at_ns == 0) {
        r->start = r->samples[0] = sample(t, now);
        return;
    }
    if (now - r->samples[r->newest].at_ns < SECOND_NS)
        return;
    r->newest = (r->newest + 1) % DFOPT_RECENT_SECONDS;
    r->samples[r->newest] = sample(t, now);
}

void dfopt_recent_outcomes(struct dfopt_recent *r, const struct dfopt_batch *b)
{
    const struct dfopt_outcome_row *row =
        DFOPT_ROW(&b->merged.outcomes, const struct dfopt_outcome_row);
    const size_t n = DFOPT_ROWS(&b->merged.outcomes, struct dfopt_outcome_row);
    for (size_t i = 0; i < n; i++)
        r->outcomes[r->n_outcomes++ % DFOPT_RECENT_OUTCOMES] = row[i];
}

/* ---- for the operator ---- */

static const struct dfopt_recent_sample *oldest(const struct dfopt_recent *r)
{
    const struct dfopt_recent_sample *s =
        &r->samples[(r->newest + 1) % DFOPT_RECENT_SECONDS];
    return s->at_ns ? s : &r->start;
}

void dfopt_recent_put_rates(const struct dfopt_recent *r,
                            const struct dfopt_totals *t, int64_t now,
                            struct dfopt_put *p)
{
    const struct dfopt_recent_sample *then = oldest(r);
    const struct dfopt_recent_sample at = sample(t, now);
    const double s =
        now > then->at_ns ? (double)(now - then->at_ns) / (double)SECOND_NS : 1;
    dfopt_member_real(p, "uptime_s",
                      (double)(now - r->start.at_ns) / (double)SECOND_NS);
    dfopt_put_key(p, "rates");
    dfopt_put_raw(p, "{");
    dfopt_member_real(p, "findings_per_s",
                      (double)(at.findings - then->findings) / s);
    dfopt_member_real(p, "plans_per_s", (double)(at.plans - then->plans) / s);
    dfopt_member_real(p, "acks_per_s", (double)(at.acks - then->acks) / s);
    dfopt_member_real(p, "objectives_per_s",
                      (double)(at.objectives - then->objectives) / s);
    dfopt_put_raw(p, "}");
}

static void put_outcome(const struct dfopt_outcome_row *o, uint32_t run,
                        struct dfopt_put *p)
{
    char id[DFOPT_PLAN_ID_RUN_SIZE];
    dfopt_put_next(p);
    dfopt_put_raw(p, "{");
    dfopt_member_uint(p, "event", o->seq);
    if (o->plan_id) {
        dfopt_plan_id_run_text(o->plan_id, run, id);
        dfopt_member_text(p, "plan_id", id);
    }
    dfopt_member_sym(p, "knob_id", o->knob);
    dfopt_member_sym(p, "node", o->node);
    dfopt_member_text(p, "verdict", dfopt_verdict_name(o->verdict));
    dfopt_member_bool(p, "kept", o->kept != 0);
    dfopt_member_int(p, "window_index", o->window);
    dfopt_put_key(p, "gain");
    dfopt_put_finite(p, o->gain);
    dfopt_put_raw(p, "}");
}

void dfopt_recent_put_outcomes(const struct dfopt_recent *r, uint32_t run,
                               struct dfopt_put *p)
{
    const uint64_t first = r->n_outcomes > DFOPT_RECENT_OUTCOMES
                               ? r->n_outcomes - DFOPT_RECENT_OUTCOMES
                               : 0;
    dfopt_put_key(p, "outcomes");
    dfopt_put_raw(p, "[");
    for (uint64_t i = first; i < r->n_outcomes; i++)
        put_outcome(&r->outcomes[i % DFOPT_RECENT_OUTCOMES], run, p);
    dfopt_put_raw(p, "]");
}
