/* The gates stand in the order in which the planner looks at them. */
#include "cmd/log/words.h"

#include <inttypes.h>
#include <math.h>

/* How many of the gates pending, severity, persistence, cooldown a finding has
 * passed with this verdict. */
static int passed_by(uint32_t verdict)
{
    switch (verdict) {
    case DFOPT_VERDICT_PENDING:
        return 0;
    case DFOPT_VERDICT_SEVERITY:
        return 1;
    case DFOPT_VERDICT_PERSISTENCE:
        return 2;
    case DFOPT_VERDICT_COOLDOWN_TIME:
    case DFOPT_VERDICT_COOLDOWN_INEFFECTIVE:
        return 3;
    case DFOPT_VERDICT_UNSUPPORTED:
    case DFOPT_VERDICT_NO_EVIDENCE:
    case DFOPT_VERDICT_NO_CHANGE:
    case DFOPT_VERDICT_PLANNED:
        return 4;
    default:
        return 0; /* it stopped before the gates */
    }
}

static void put_passed(struct dl_print *p, const struct dl_verdict *v)
{
    int passed = passed_by(v->row->verdict);
    if (!v->finding)
        return;
    if (passed > 1) {
        dl_put(p, "severity ");
        dl_put_real(p, v->finding->severity);
        dl_put(p, " passed");
        if (v->response) {
            dl_put(p, " ");
            dl_put_real(p, v->response->min_severity);
        }
        dl_put(p, "; ");
    }
    if (passed > 2 && v->finding->persistence != DL_PERSISTENCE_UNKNOWN) {
        dl_put(p, "persistence %" PRId64 " passed", v->finding->persistence);
        if (v->response) {
            dl_put(p, " ");
            dl_put_real(p, v->response->min_persistence);
        }
        dl_put(p, "; ");
    }
}

/* "WHAT value RELATION threshold: SO" */
static void put_comparison(struct dl_print *p, const char *what,
                           const char *relation, const struct dfopt_verdict_row *v)
{
    dl_put(p, "%s ", what);
    dl_put_real(p, v->value);
    dl_put(p, " %s ", relation);
    dl_put_real(p, v->threshold);
}

static void put_windows(struct dl_print *p, double n)
{
    dl_put_real(p, n);
    dl_put(p, n == 1 ? " window" : " windows");
}

static void put_share(struct dl_print *p, double share)
{
    if (isfinite(share))
        dl_put(p, "%.3g%%", 100 * share);
    else
        dl_put(p, "-");
}

static void put_pending(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    dl_put(p, "a plan is in flight");
    if (isfinite(v->value)) {
        dl_put(p, ", sent ");
        put_windows(p, v->value);
        dl_put(p, " before");
    }
    if (v->threshold > 0) {
        dl_put(p, " (given up after ");
        put_windows(p, v->threshold);
        dl_put(p, ")");
    }
    dl_put(p, ": its ack is waited for");
}

static void put_suppressed(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    dl_put(p, "a global finding");
    if (isfinite(v->threshold)) {
        dl_put(p, " of severity ");
        dl_put_real(p, v->threshold);
    }
    dl_put(p, " suppresses ");
    dl_put_sym(p, v->tag);
    if (v->value <= v->threshold) {
        dl_put(p, "; severity ");
        dl_put_real(p, v->value);
        dl_put(p, " is not above it");
    } else {
        dl_put(p, "; only a node's own finding would go before it");
    }
}

static void put_cooldown(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    if (v->verdict == DFOPT_VERDICT_COOLDOWN_TIME) {
        put_windows(p, v->value);
        dl_put(p, " since the last action, rest is ");
        put_windows(p, v->threshold);
        dl_put(p, ": not yet");
        return;
    }
    if (v->value < 0) {
        dl_put(p, "the severity has risen by ");
        put_share(p, -v->value);
        dl_put(p, " since the last action; ");
    } else {
        put_share(p, v->value);
        dl_put(p, " of the severity is gone since the last action; less than ");
    }
    put_share(p, v->threshold);
    dl_put(p, v->value < 0 ? " less was asked for: it has not helped, so no more "
                             "of it"
                           : ": it has not helped, so no more of it");
}

static void put_planned(struct dl_print *p, const struct dl_verdict *v)
{
    dl_color(p, DL_GREEN);
    if (v->plan) {
        dl_put_change(p, &v->plan->p);
        dl_put(p, ": planned, ");
        dl_put_plan_id(p, v->plan->p.plan_id);
    } else {
        dl_put_real(p, v->row->threshold);
        dl_put(p, " -> ");
        dl_put_real(p, v->row->value);
        dl_put(p, ": planned");
    }
    dl_color(p, DL_PLAIN);
}

void dl_put_verdict(struct dl_print *p, const struct dl_verdict *v)
{
    const struct dfopt_verdict_row *row = v->row;
    put_passed(p, v);
    switch (row->verdict) {
    case DFOPT_VERDICT_TREND:
        dl_put(p, "it is improving already: nothing to do");
        break;
    case DFOPT_VERDICT_NO_KNOBS:
        dl_put(p, "no knob was registered yet");
        break;
    case DFOPT_VERDICT_SUPPRESSED:
        put_suppressed(p, row);
        break;
    case DFOPT_VERDICT_PENDING:
        put_pending(p, row);
        break;
    case DFOPT_VERDICT_SEVERITY:
        put_comparison(p, "severity", "is below", row);
        dl_put(p, ": not severe enough");
        break;
    case DFOPT_VERDICT_PERSISTENCE:
        put_comparison(p, "persistence", "is below", row);
        dl_put(p, ": not yet");
        break;
    case DFOPT_VERDICT_COOLDOWN_TIME:
    case DFOPT_VERDICT_COOLDOWN_INEFFECTIVE:
        put_cooldown(p, row);
        break;
    case DFOPT_VERDICT_UNSUPPORTED:
        dl_put(p, "the step cannot be computed from ");
        dl_put_real(p, row->value);
        break;
    case DFOPT_VERDICT_NO_EVIDENCE:
        dl_put(p, "the metrics that the step needs are missing");
        break;
    case DFOPT_VERDICT_NO_CHANGE:
        dl_put_real(p, row->threshold);
        if (row->value != row->threshold && isfinite(row->value)) {
            dl_put(p, " stays, as the step would lead to ");
            dl_put_real(p, row->value);
            dl_put(p, ", the other way");
        } else {
            dl_put(p, " stays: the step changes nothing");
        }
        break;
    case DFOPT_VERDICT_PLANNED:
        put_planned(p, v);
        break;
    default:
        dl_put(p, "%s", dfopt_verdict_name(row->verdict));
    }
}
