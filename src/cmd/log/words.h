/* Describes a verdict: the gates that the finding passed, and the one that stopped
 * it. */
#ifndef DFOPT_CMD_LOG_WORDS_H
#define DFOPT_CMD_LOG_WORDS_H

#include "cmd/log/outcomes.h"
#include "declog/format.h"

/* For a finding reconstructed from its plan. */
#define DL_PERSISTENCE_UNKNOWN INT64_MIN

/* The end of a trial, as far as it concerns one knob. */
struct dl_trial {
    const struct dfopt_outcome_row *row;
    struct dl_claim claim;
    uint32_t moves;                /* of the trial; 0: unknown */
    struct dfopt_value was, tried; /* NULL kind: unknown */
};

struct dl_verdict {
    const struct dfopt_verdict_row *row;
    const struct dfopt_declog_finding_row *finding; /* NULL: not kept */
    const struct dfopt_response *response;          /* NULL: unknown */
    const struct dfopt_declog_plan_row *plan; /* for verdicts that plan, or NULL */
    const struct dl_trial *trial;             /* the trial it ended, or NULL */
    int64_t
        failed;  /* BACKOFF: window in which the move failed; INT64_MIN: unknown */
    double rest; /* BACKOFF: the policy's backoff_windows */
};

/* Whether the verdict comes with a plan. */
static inline bool dl_verdict_plans(uint32_t verdict)
{
    return verdict == DFOPT_VERDICT_PLANNED || verdict == DFOPT_VERDICT_TRADE ||
           verdict == DFOPT_VERDICT_ROLLBACK || verdict == DFOPT_VERDICT_RELEASE ||
           verdict == DFOPT_VERDICT_APPROVED || verdict == DFOPT_VERDICT_SET ||
           verdict == DFOPT_VERDICT_RESTORED;
}

/* Whether the verdict ends a trial and so has a row in /outcomes. */
bool dl_verdict_ends(uint32_t verdict);

/* "severity 0.61 passed 0.5; persistence 1 is below 2: not yet"; "4 -> 8 on trial
 * since window 9: objective 811 before, 1124 after (6 and 6 windows, noise 3 %):
 * +39 % +- 6 %, certain; improved, kept" */
void dl_put_verdict(struct dl_print *p, const struct dl_verdict *v);

/* Describes other changes of a value, done or refused. */
void dl_put_ack(struct dl_print *p, const struct dfopt_declog_ack_row *a);
void dl_put_timeout(struct dl_print *p, const struct dfopt_timeout_row *t);
void dl_put_relay(struct dl_print *p, const struct dfopt_relay_row *r);

#endif
