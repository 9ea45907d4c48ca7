/* The processes' acks of each plan, if several acknowledged it, from the columns
 * `tally` and `instance` of /acks. */
#ifndef DFOPT_CMD_LOG_PROCESSES_H
#define DFOPT_CMD_LOG_PROCESSES_H

#include "cmd/log/common.h"

struct dl_processes {
    uint64_t plan_id;
    uint32_t applied, rejected, other; /* processes, by their last ack */
    uint32_t differ;                   /* acks that contradict the first one */
    struct dfopt_declog_text reason;   /* of the first of those */
};

/* Zero-initialise; dl_all_processes_free. */
struct dl_all_processes {
    struct dfopt_declog_reader *reader;
    struct dfopt_buf said;  /* only while reading */
    struct dfopt_buf plans; /* struct dl_processes, by plan */
};

/* Pass rows of /acks in order, then call the end. OK or NOMEM. */
enum dfopt_err dl_processes_ack(struct dl_all_processes *x,
                                const struct dfopt_declog_ack_row *a);
enum dfopt_err dl_processes_end(struct dl_all_processes *x);
void dl_processes_free(struct dl_all_processes *x);

/* NULL: at most one has acknowledged it. Borrowed. */
const struct dl_processes *dl_processes_of(const struct dl_all_processes *x,
                                           uint64_t plan_id);

/* Prints "; applied by 3 of 4 processes, rejected by 1: out of memory", or nothing.
 * Errors: reading the reason. */
enum dfopt_err dl_put_plan_processes(struct dl_print *p,
                                     const struct dl_all_processes *x,
                                     uint64_t plan_id, struct dfopt_error *err);

/* Writes the member `processes`: an object, or null for NULL. Errors: as above. */
enum dfopt_err dl_processes_json(struct dfopt_put *put,
                                 const struct dl_all_processes *x,
                                 const struct dl_processes *of,
                                 struct dfopt_error *err);

#endif
