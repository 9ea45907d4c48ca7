/* The facts of dfopt-log summary, for its text and JSON forms. */
#ifndef DFOPT_CMD_LOG_SUMMARY_H
#define DFOPT_CMD_LOG_SUMMARY_H

#include "cmd/log/brought.h"
#include "cmd/log/gather.h"

#define DL_LAST_PLANS 5

struct dl_summary {
    struct dl_job *job;
    struct dl_print *print; /* of the job */
    const struct dfopt_declog_run *run;
    struct dl_facts facts;
    struct dl_outcomes outcomes;
    struct dl_tally tally;
    struct dl_brought_facts brought;
    struct dfopt_declog_plan_row plans[DL_LAST_PLANS]; /* the last ones */
    size_t n_plans;
};

/* The first part of the text form: the gain of the plans. */
void dl_summary_brought(struct dl_summary *s);

/* Appends it as one JSON object. Errors: of reading texts. */
enum dfopt_err dl_summary_json(struct dl_summary *s);

uint64_t dl_summary_rows(const struct dl_summary *s, enum dfopt_declog_table t);

/* A plan's id: its own, written to `text`, or that of the plan it relays. */
const char *dl_summary_plan_id(const struct dl_summary *s,
                               const struct dfopt_plan *p,
                               char text[DFOPT_PLAN_ID_SIZE]);

/* The rationale of s->plans[i]; borrowed until the next call. */
enum dfopt_err dl_summary_rationale(struct dl_summary *s, size_t i,
                                    const char **text, size_t *len);

#endif
