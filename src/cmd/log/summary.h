/* What dfopt-log summary says, for its two forms. */
#ifndef DFOPT_CMD_LOG_SUMMARY_H
#define DFOPT_CMD_LOG_SUMMARY_H

#include "cmd/log/gather.h"

#define LOG_LAST_PLANS 5

struct log_summary {
    struct log_job *job;
    struct log_print *print; /* of the job */
    const struct dfopt_declog_run *run;
    struct log_facts facts;
    struct dfopt_declog_plan_row plans[LOG_LAST_PLANS]; /* the last ones */
    size_t n_plans;
};

/* Appends it as one JSON object. Errors: of reading texts. */
enum dfopt_err log_summary_json(struct log_summary *s);

uint64_t log_summary_rows(const struct log_summary *s, enum dfopt_declog_table t);

/* A plan's id: its own, put in `text`, or that of the plan that it relays. */
const char *log_summary_plan_id(const struct log_summary *s,
                                const struct dfopt_plan *p,
                                char text[DFOPT_PLAN_ID_SIZE]);

/* The rationale of s->plans[i]; borrowed until the next one is asked for. */
enum dfopt_err log_summary_rationale(struct log_summary *s, size_t i,
                                     const char **text, size_t *len);

#endif
