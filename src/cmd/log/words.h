/* A verdict in words: which gates the finding passed, and which held it back. */
#ifndef DFOPT_CMD_LOG_WORDS_H
#define DFOPT_CMD_LOG_WORDS_H

#include "cmd/log/common.h"
#include "declog/format.h"

/* Of a finding that is made up from its plan. */
#define DL_PERSISTENCE_UNKNOWN INT64_MIN

struct dl_verdict {
    const struct dfopt_verdict_row *row;
    const struct dfopt_declog_finding_row *finding; /* NULL: not kept */
    const struct dfopt_response *response;          /* NULL: not known */
    const struct dfopt_declog_plan_row *plan;       /* PLANNED, else NULL */
};

/* "severity 0.61 passed 0.5; persistence 1 is below 2: not yet" */
void dl_put_verdict(struct dl_print *p, const struct dl_verdict *v);

#endif
