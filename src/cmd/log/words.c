/* Gates are listed in the order in which the planner checks them. */
#include "cmd/log/words.h"

#include <inttypes.h>
#include <math.h>

/* How many of the gates pending, severity, persistence, cooldown a finding passed
 * before this verdict. */
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
    case DFOPT_VERDICT_BUDGET:
    case DFOPT_VERDICT_TRADE:
    case DFOPT_VERDICT_FROZEN:
    case DFOPT_VERDICT_RATE:
    case DFOPT_VERDICT_WOULD_PLAN:
    case DFOPT_VERDICT_PROPOSED:
        return 4;
    default:
        return 0; /* stopped before the gates */
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
    dl_put(p, ": waiting for its acknowledgement");
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
        dl_put(p, " does not exceed it");
    } else {
        dl_put(p, "; only a finding of the node itself takes precedence");
    }
}

static void put_cooldown(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    if (v->verdict == DFOPT_VERDICT_COOLDOWN_TIME) {
        put_windows(p, v->value);
        dl_put(p, " since the last action, the cooldown is ");
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
        dl_put(p, " of the severity is gone since the last action, ");
    }
    put_share(p, v->threshold);
    dl_put(p, v->value < 0
                  ? " less was required: the last action did not help, so it "
                    "is not repeated"
                  : " required: the last action did not help enough, so it is "
                    "not repeated");
}

static const char *plan_words(uint32_t verdict)
{
    switch (verdict) {
    case DFOPT_VERDICT_TRADE:
        return "planned, one knob makes room for the other";
    case DFOPT_VERDICT_ROLLBACK:
        return "planned, to take the change back";
    case DFOPT_VERDICT_RELEASE:
        return "planned, to see whether less will do";
    case DFOPT_VERDICT_APPROVED:
        return "planned, as the operator approved it";
    case DFOPT_VERDICT_SET:
        return "planned, by the operator";
    case DFOPT_VERDICT_RESTORED:
        return "planned, by the operator: back to the registered value";
    default:
        return "planned";
    }
}

static void put_planned(struct dl_print *p, const struct dl_verdict *v)
{
    dl_color(p, v->row->verdict == DFOPT_VERDICT_ROLLBACK ? DL_YELLOW : DL_GREEN);
    if (v->plan) {
        dl_put_change(p, &v->plan->p);
    } else {
        dl_put_real(p, v->row->threshold);
        dl_put(p, " -> ");
        dl_put_real(p, v->row->value);
    }
    dl_put(p, ": %s", plan_words(v->row->verdict));
    if (v->plan) {
        dl_put(p, ", ");
        dl_put_plan_id(p, v->plan->p.plan_id);
    }
    dl_color(p, DL_PLAIN);
}

/* ---- the end of a trial ---- */

bool dl_verdict_ends(uint32_t verdict)
{
    switch (verdict) {
    case DFOPT_VERDICT_IMPROVED:
    case DFOPT_VERDICT_NEUTRAL:
    case DFOPT_VERDICT_WORSE:
    case DFOPT_VERDICT_INCONCLUSIVE:
    case DFOPT_VERDICT_VOID:
    case DFOPT_VERDICT_RESTART:
    case DFOPT_VERDICT_GUARD:
    case DFOPT_VERDICT_WITHDRAWN:
        return true;
    default:
        return false;
    }
}

/* For a trial that no objective judged. */
static void put_unmeasured(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    const bool windows = isfinite(v->value);
    switch (v->verdict) {
    case DFOPT_VERDICT_IMPROVED:
        dl_put(p, "the findings that asked for it are gone or improving");
        break;
    case DFOPT_VERDICT_WORSE:
        dl_put(p, "the findings got worse, or ask for the opposite");
        break;
    case DFOPT_VERDICT_INCONCLUSIVE:
        dl_put(p, "the findings cannot show its effect");
        break;
    case DFOPT_VERDICT_VOID:
        dl_put(p, "disturbed, or nothing to judge it by");
        return;
    case DFOPT_VERDICT_RESTART:
        dl_put(p, "the application restarted: not judged");
        return;
    case DFOPT_VERDICT_GUARD:
        dl_put(p, "a guard matched");
        if (windows) {
            dl_put(p, " (");
            dl_put_real(p, v->value);
            dl_put(p, " is above ");
            dl_put_real(p, v->threshold);
            dl_put(p, ")");
        }
        return;
    case DFOPT_VERDICT_WITHDRAWN:
        dl_put(p, "its process is gone");
        return;
    default:
        dl_put(p, "no objective was measured");
    }
    if (windows) {
        dl_put(p, " (seen in ");
        put_windows(p, v->value);
        dl_put(p, ")");
    }
}

static void put_measured(struct dl_print *p, const struct dl_trial *t)
{
    const struct dfopt_outcome_row *o = t->row;
    dl_put(p, "objective ");
    dl_put_level(p, o->base);
    dl_put(p, " before, ");
    dl_put_level(p, o->now);
    if (o->base_n == o->now_n)
        dl_put(p, " after (%" PRIu32 " window%s each", o->now_n,
               o->now_n == 1 ? "" : "s");
    else
        dl_put(p, " after (%" PRIu32 " and %" PRIu32 " windows", o->base_n,
               o->now_n);
    if (isfinite(o->noise))
        dl_put(p, ", noise %.2g %%", 100 * o->noise);
    else
        dl_put(p, ", noise not known");
    dl_put(p, "): ");
    dl_put_claim(p, &t->claim);
}

static void put_trial(struct dl_print *p, const struct dl_verdict *v)
{
    const struct dl_trial *t = v->trial;
    const bool kept = t->row->kept;
    if (t->was.kind != DFOPT_KIND_NULL || t->tried.kind != DFOPT_KIND_NULL) {
        dl_put_value(p, t->was);
        dl_put(p, " -> ");
        dl_put_value(p, t->tried);
        dl_put(p, " of window %" PRId64, t->row->planned);
    } else {
        dl_put(p, "a change that was kept");
    }
    if (t->moves > 1)
        dl_put(p, ", %" PRIu32 " knobs together", t->moves);
    dl_put(p, ": ");
    if (isfinite(t->row->gain))
        put_measured(p, t);
    else
        put_unmeasured(p, v->row);
    dl_color(p, kept ? DL_GREEN : DL_RED);
    if (v->row->verdict == DFOPT_VERDICT_WITHDRAWN)
        dl_put(p, "; withdrawn");
    else
        dl_put(p, "; %s, %s", dfopt_verdict_name(v->row->verdict),
               kept ? "kept" : "taken back");
    dl_color(p, DL_PLAIN);
}

/* ---- changes held back by control ---- */

/* Sentences of gates and rows that compare nothing; NULL: another verdict. */
static const char *sentence_of(uint32_t verdict)
{
    switch (verdict) {
    case DFOPT_VERDICT_UNREGISTERED:
        return "the process that owns the knob has left, so nobody would apply it";
    case DFOPT_VERDICT_OFF:
        return "the operator keeps the planner off the knob";
    case DFOPT_VERDICT_TRIAL:
        return "another change is on trial; waiting for its verdict";
    case DFOPT_VERDICT_SUPERSEDED:
        return "findings of this type about the whole job take precedence";
    case DFOPT_VERDICT_RELEASE_ONLY:
        return "nothing asks for more of the knob; only a release may lower it";
    case DFOPT_VERDICT_BASELINE:
        return "too few objectives with the present settings for a comparison";
    case DFOPT_VERDICT_BUDGET:
        return "no budget has room for it, and no other knob can give room";
    case DFOPT_VERDICT_CONFLICT:
        return "another function owns the knob; this registration is ignored";
    case DFOPT_VERDICT_VOID:
        return "the trial was disturbed or could not be judged";
    case DFOPT_VERDICT_RESTART:
        return "the application restarted during the trial";
    case DFOPT_VERDICT_WITHDRAWN:
        return "withdrawn: the process of the plan has left";
    default:
        return NULL;
    }
}

/* Lasts until a multiple of the rest, longer after each failure. */
static void put_backoff(struct dl_print *p, const struct dl_verdict *v)
{
    if (v->failed == INT64_MIN) {
        dl_put(p, "the move failed recently; it is paused");
        return;
    }
    dl_put(p, "the move failed in window %" PRId64 "; it is paused", v->failed);
    if (v->rest > 0)
        dl_put(p, " at least until window %.0f",
               v->rest * ceil(((double)v->failed + v->rest) / v->rest));
}

/* What the operator holds back: the change and the reason. */
static void put_held(struct dl_print *p, const struct dfopt_verdict_row *v)
{
    static const struct {
        uint32_t verdict;
        const char *why;
    } words[] = {
        {DFOPT_VERDICT_WOULD_PLAN,
         "would be planned, but the knob is in mode shadow"},
        {DFOPT_VERDICT_PROPOSED, "proposed to the operator"},
        {DFOPT_VERDICT_AWAITING_APPROVAL, "proposed earlier, not yet answered"},
        {DFOPT_VERDICT_FROZEN, "held back: the operator has frozen new plans"}};
    dl_put_real(p, v->threshold);
    dl_put(p, " -> ");
    dl_put_real(p, v->value);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].verdict == v->verdict)
            dl_put(p, ": %s", words[i].why);
}

void dl_put_verdict(struct dl_print *p, const struct dl_verdict *v)
{
    const struct dfopt_verdict_row *row = v->row;
    put_passed(p, v);
    if (v->trial) {
        put_trial(p, v);
        return;
    }
    switch (row->verdict) {
    case DFOPT_VERDICT_TREND:
        dl_put(p, "already improving; nothing to do");
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
            dl_put(p, " stays: the step would lead to ");
            dl_put_real(p, row->value);
            dl_put(p, ", against the direction");
        } else {
            dl_put(p, " stays: the step changes nothing");
        }
        break;
    case DFOPT_VERDICT_PLANNED:
    case DFOPT_VERDICT_TRADE:
    case DFOPT_VERDICT_ROLLBACK:
    case DFOPT_VERDICT_RELEASE:
    case DFOPT_VERDICT_APPROVED:
    case DFOPT_VERDICT_SET:
    case DFOPT_VERDICT_RESTORED:
        put_planned(p, v);
        break;
    case DFOPT_VERDICT_WOULD_PLAN:
    case DFOPT_VERDICT_PROPOSED:
    case DFOPT_VERDICT_AWAITING_APPROVAL:
    case DFOPT_VERDICT_FROZEN:
        put_held(p, row);
        break;
    case DFOPT_VERDICT_RATE:
        dl_put_real(p, row->value);
        dl_put(p, " plans or nodes; the limit of the policy is ");
        dl_put_real(p, row->threshold);
        break;
    case DFOPT_VERDICT_BACKOFF:
        put_backoff(p, v);
        break;
    case DFOPT_VERDICT_ADOPTED:
        dl_put(p, "the application has applied a plan that was given up: ");
        dl_put_real(p, row->threshold);
        dl_put(p, " -> ");
        dl_put_real(p, row->value);
        dl_put(p, " adopted");
        break;
    default:
        dl_put(p, "%s",
               sentence_of(row->verdict) ? sentence_of(row->verdict)
                                         : dfopt_verdict_name(row->verdict));
    }
}

/* ---- what else changes a value ---- */

void dl_put_ack(struct dl_print *p, const struct dfopt_declog_ack_row *a)
{
    dl_put(p, "ack of ");
    dl_put_plan_id(p, a->plan_id);
    dl_put(p, ": %s; the value is ", dfopt_ack_outcome_name(a->outcome));
    dl_put_value(p, a->value);
    if (a->cooldown_window >= 0)
        dl_put(p, ", the cooldown counts from window %" PRId64, a->cooldown_window);
}

void dl_put_timeout(struct dl_print *p, const struct dfopt_timeout_row *t)
{
    dl_put(p, "no ack of ");
    dl_put_plan_id(p, t->plan_id);
    dl_put(p, " in time: given up; the value is ");
    dl_put_value(p, t->value);
}

void dl_put_relay(struct dl_print *p, const struct dfopt_relay_row *r)
{
    dl_put(p, "the global optimizer's plan ");
    dl_put_sym(p, r->plan_id);
    dl_put(p, " for ");
    dl_put_value(p, r->new_value);
    dl_put(p, ": %s", dfopt_relay_outcome_name(r->outcome));
}
