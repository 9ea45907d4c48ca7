/* What the processes of an application said of each plan, where several
 * acknowledged it: by the columns `tally` and `instance` of /acks. */
#ifndef DFOPT_CMD_LOG_PROCESSES_H
#define DFOPT_CMD_LOG_PROCESSES_H

#include "cmd/log/common.h"

struct dl_processes {
    uint64_t plan_id;
    uint32_t applied, rejected, other; /* processes, by what they said last */
    uint32_t differ;                   /* acks that contradict the first one */
    struct dfopt_declog_text reason;   /* of the first of them */
};

/* Zero-initialise; dl_all_processes_free. */
struct dl_all_processes {
    struct dfopt_declog_reader *reader;
    struct dfopt_buf said;  /* while it is read */
    struct dfopt_buf plans; /* struct dl_processes, by plan */
};

/* Rows of /acks in order, then the end. OK or NOMEM. */
enum dfopt_err dl_processes_ack(struct dl_all_processes *x,
                                const struct dfopt_declog_ack_row *a);
enum dfopt_err dl_processes_end(struct dl_all_processes *x);
void dl_processes_free(struct dl_all_processes *x);

/* NULL: not more than one has acknowledged it. Borrowed. */
const struct dl_processes *dl_processes_of(const struct dl_all_processes *x,
                                           uint64_t plan_id);

/* "; applied by 3 of 4 processes, rejected by 1: out of memory", or nothing.
 * Errors: of reading the reason. */
enum dfopt_err dl_put_plan_processes(struct dl_print *p,
                                     const struct dl_all_processes *x,
                                     uint64_t plan_id, struct dfopt_error *err);

/* The member `processes`: an object, or null for NULL. Errors: as above. */
enum dfopt_err dl_processes_json(struct dfopt_put *put,
                                 const struct dl_all_processes *x,
                                 const struct dl_processes *of,
                                 struct dfopt_error *err);

#endif
