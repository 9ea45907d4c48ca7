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

static void put_passed(struct log_print *p, const struct log_verdict *v)
{
    int passed = passed_by(v->row->verdict);
    if (!v->finding)
        return;
    if (passed > 1) {
        log_put(p, "severity ");
        log_put_real(p, v->finding->severity);
        log_put(p, " passed");
        if (v->response) {
            log_put(p, " ");
            log_put_real(p, v->response->min_severity);
        }
        log_put(p, "; ");
    }
    if (passed > 2 && v->finding->persistence != LOG_PERSISTENCE_UNKNOWN) {
        log_put(p, "persistence %" PRId64 " passed", v->finding->persistence);
        if (v->response) {
            log_put(p, " ");
            log_put_real(p, v->response->min_persistence);
        }
        log_put(p, "; ");
    }
}

/* "WHAT value RELATION threshold: SO" */
static void put_comparison(struct log_print *p, const char *what,
                           const char *relation, const struct dfopt_verdict_row *v)
{
    log_put(p, "%s ", what);
    log_put_real(p, v->value);
    log_put(p, " %s ", relation);
    log_put_real(p, v->threshold);
}

static void put_windows(struct log_print *p, double n)
{
    log_put_real(p, n);
    log_put(p, n == 1 ? " window" : " windows");
}

static void put_share(struct log_print *p, double share)
{
    if (isfinite(share))
        log_put(p, "%.3g%%", 100 * share);
    else
        log_put(p, "-");
}

static void put_pending(struct log_print *p, const struct dfopt_verdict_row *v)
{
    log_put(p, "a plan is in flight");
    if (isfinite(v->value)) {
        log_put(p, ", sent ");
        put_windows(p, v->value);
        log_put(p, " before");
    }
    if (v->threshold > 0) {
        log_put(p, " (given up after ");
        put_windows(p, v->threshold);
        log_put(p, ")");
    }
    log_put(p, ": its ack is waited for");
}

static void put_suppressed(struct log_print *p, const struct dfopt_verdict_row *v)
{
    log_put(p, "a global finding");
    if (isfinite(v->threshold)) {
        log_put(p, " of severity ");
        log_put_real(p, v->threshold);
    }
    log_put(p, " suppresses ");
    log_put_sym(p, v->tag);
    if (v->value <= v->threshold) {
        log_put(p, "; severity ");
        log_put_real(p, v->value);
        log_put(p, " is not above it");
    } else {
        log_put(p, "; only a node's own finding would go before it");
    }
}

static void put_cooldown(struct log_print *p, const struct dfopt_verdict_row *v)
{
    if (v->verdict == DFOPT_VERDICT_COOLDOWN_TIME) {
        put_windows(p, v->value);
        log_put(p, " since the last action, rest is ");
        put_windows(p, v->threshold);
        log_put(p, ": not yet");
        return;
    }
    if (v->value < 0) {
        log_put(p, "the severity has risen by ");
        put_share(p, -v->value);
        log_put(p, " since the last action; ");
    } else {
        put_share(p, v->value);
        log_put(p, " of the severity is gone since the last action; less than ");
    }
    put_share(p, v->threshold);
    log_put(p, v->value < 0 ? " less was asked for: it has not helped, so no more "
                              "of it"
                            : ": it has not helped, so no more of it");
}

static void put_planned(struct log_print *p, const struct log_verdict *v)
{
    char id[DFOPT_PLAN_ID_SIZE];
    log_color(p, LOG_GREEN);
    if (v->plan) {
        dfopt_plan_id_text(v->plan->p.plan_id, id);
        log_put_value(p, v->plan->p.old_value);
        log_put(p, " -> ");
        log_put_value(p, v->plan->p.new_value);
        log_put(p, ": planned, %s", id);
    } else {
        log_put_real(p, v->row->threshold);
        log_put(p, " -> ");
        log_put_real(p, v->row->value);
        log_put(p, ": planned");
    }
    log_color(p, LOG_PLAIN);
}

void log_put_verdict(struct log_print *p, const struct log_verdict *v)
{
    const struct dfopt_verdict_row *row = v->row;
    put_passed(p, v);
    switch (row->verdict) {
    case DFOPT_VERDICT_TREND:
        log_put(p, "it is improving already: nothing to do");
        break;
    case DFOPT_VERDICT_NO_KNOBS:
        log_put(p, "no knob was registered yet");
        break;
    case DFOPT_VERDICT_SUPPRESSED:
        put_suppressed(p, row);
        break;
    case DFOPT_VERDICT_PENDING:
        put_pending(p, row);
        break;
    case DFOPT_VERDICT_SEVERITY:
        put_comparison(p, "severity", "is below", row);
        log_put(p, ": not severe enough");
        break;
    case DFOPT_VERDICT_PERSISTENCE:
        put_comparison(p, "persistence", "is below", row);
        log_put(p, ": not yet");
        break;
    case DFOPT_VERDICT_COOLDOWN_TIME:
    case DFOPT_VERDICT_COOLDOWN_INEFFECTIVE:
        put_cooldown(p, row);
        break;
    case DFOPT_VERDICT_UNSUPPORTED:
        log_put(p, "the step cannot be computed from ");
        log_put_real(p, row->value);
        break;
    case DFOPT_VERDICT_NO_EVIDENCE:
        log_put(p, "the metrics that the step needs are missing");
        break;
    case DFOPT_VERDICT_NO_CHANGE:
        log_put_real(p, row->threshold);
        if (row->value != row->threshold && isfinite(row->value)) {
            log_put(p, " stays, as the step would lead to ");
            log_put_real(p, row->value);
            log_put(p, ", the other way");
        } else {
            log_put(p, " stays: the step changes nothing");
        }
        break;
    case DFOPT_VERDICT_PLANNED:
        put_planned(p, v);
        break;
    default:
        log_put(p, "%s", dfopt_verdict_name(row->verdict));
    }
}
