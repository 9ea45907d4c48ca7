/* Summarizes the verdicts on a knob: the conclusion of `dfopt-log why`. */
#ifndef DFOPT_CMD_LOG_CONCLUDE_H
#define DFOPT_CMD_LOG_CONCLUDE_H

#include "cmd/log/trials.h"

struct dl_conclusion {
    uint64_t counts[DFOPT_VERDICT_COUNT];
    const struct dl_trials *trials;
};

/* The sum of the counts. */
uint64_t dl_conclusion_verdicts(const struct dl_conclusion *c);

/* Prints ": 30 verdicts: persistence 5, planned 3 ...; trials kept 2 ..." and a
 * newline. */
void dl_conclude_line(struct dl_print *p, const struct dl_conclusion *c);

/* Prints the same as a table: what changed the knob, the results of its trials, and
 * what held it back, most frequent first. */
void dl_conclude_table(struct dl_print *p, const struct dl_conclusion *c);

#endif
