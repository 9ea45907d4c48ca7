/* Plans for the whole job that nobody has answered yet, and when the planner stops
 * waiting for them: they then count as applied, which ends what nodes have of their
 * own. No row of the log says so. The rule is that of the ack timeout in
 * docs/planner.md, but for a job that has started again: its clock goes on here. */
#ifndef DFOPT_CMD_LOG_UNANSWERED_H
#define DFOPT_CMD_LOG_UNANSWERED_H

#include "cmd/log/common.h"

struct dl_unanswered {
    struct dfopt_buf plans; /* those that wait: the moves of the job's open trial */
    int64_t timeout;        /* windows; the policy's ack_timeout_windows */
    int64_t clock;          /* the job's; INT64_MIN: nothing yet */
    int64_t delay; /* the longest of an ack of a plan for an epoch; -1: none yet */
};

void dl_unanswered_init(struct dl_unanswered *u, int64_t timeout);
void dl_unanswered_free(struct dl_unanswered *u);

/* A plan for the whole job. OK or NOMEM. */
enum dfopt_err dl_unanswered_plan(struct dl_unanswered *u, struct dl_job *j,
                                  const struct dfopt_plan *p);

/* A plan was acknowledged, given up, or its trial ended. Sets *knob to its knob;
 * false: it was not waiting. */
bool dl_unanswered_end(struct dl_unanswered *u, uint64_t plan_id, bool ack,
                       dfopt_sym *knob);

/* The trial was dropped: true if a plan for the knob was waiting. */
bool dl_unanswered_drop(struct dl_unanswered *u, dfopt_sym knob);

static inline bool dl_unanswered_any(const struct dl_unanswered *u)
{
    return u->plans.len > 0;
}

/* A finding or objective that the job sees. Plans that have waited too long wait no
 * more: true if one of them is for the knob, and *window is that of its end. */
bool dl_unanswered_clock(struct dl_unanswered *u, int64_t now, dfopt_sym knob,
                         int64_t *window);

#endif
