/* Knobs that have one value, the job's, and the tags that they respond to: a node's
 * finding with such a tag concerns the job. */
#ifndef DFOPT_CMD_LOG_SCOPES_H
#define DFOPT_CMD_LOG_SCOPES_H

#include "cmd/log/common.h"

struct dl_scopes {
    const struct dfopt_dict *dict;
    bool *knob, *tag; /* by string number; the last: DFOPT_SYM_NONE */
};

/* As registered last. interpret: of a run whose policy interprets scopes; else all
 * knobs are of nodes. *s must be zeroed; free it even after a failure. */
enum dfopt_err dl_scopes_read(struct dl_scopes *s, struct dl_job *j,
                              bool interpret);
void dl_scopes_free(struct dl_scopes *s);

bool dl_is_job_knob(const struct dl_scopes *s, dfopt_sym knob);

/* Whether a finding or objective is an event of the job. */
bool dl_concerns_job(const struct dl_scopes *s, dfopt_sym node, dfopt_list tags);

#endif
