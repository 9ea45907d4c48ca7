/* Whose values the knobs of a registration are. */
#ifndef DFOPT_CMD_LOG_REGISTERED_H
#define DFOPT_CMD_LOG_REGISTERED_H

#include "cmd/log/common.h"
#include "declog/cursor.h"

struct dl_registered {
    dfopt_sym node; /* DFOPT_SYM_EMPTY: none is named */
    bool process;   /* a process registered: values not given are the default */
    bool refused;   /* the knob is another function's */
};

struct dl_registrations {
    struct dl_job *job;
    bool heeded; /* by the run; false: it ignores node and process */
    struct dfopt_cursor rows, verdicts;
    uint64_t last; /* 1 + the row of /registrations that was read last */
    struct dl_registered said;
};

/* Borrows the job; dl_registrations_free. */
void dl_registrations_init(struct dl_registrations *r, struct dl_job *j,
                           bool heeded);
void dl_registrations_free(struct dl_registrations *r);

/* What the registration of a row of /knobs says; fast for rows in order. Only a
 * log that keeps verdicts tells which knobs were refused. Errors: of reading, and
 * FORMAT (the log lacks the name of the node). */
enum dfopt_err dl_registered_by(struct dl_registrations *r,
                                const struct dfopt_declog_knob_row *k,
                                struct dl_registered *out);

#endif
