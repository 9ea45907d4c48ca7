/* One knob's value over time, for the job and each node: the effect of
 * registrations, plans, acks and relayed plans. A plan's value counts from its
 * window on, until an ack contradicts it. */
#ifndef DFOPT_CMD_LOG_VALUES_H
#define DFOPT_CMD_LOG_VALUES_H

#include "cmd/log/common.h"

struct dl_change {
    uint64_t seq;
    int64_t window;
    uint32_t slot;
    bool own;                 /* false: the node follows the job from here on */
    const char *cause;        /* registered, planned, an ack's outcome, relayed,
                                 given_up, override (by the job) */
    struct dfopt_value value; /* from here on */
    uint64_t plan_id;         /* of a planned value; else 0 */
};

struct dl_slot {
    dfopt_sym node; /* DFOPT_SYM_EMPTY: the whole job */
    bool own;
    struct dfopt_value value;
};

struct dl_values {
    struct dfopt_buf slots;   /* struct dl_slot; the first is the whole job */
    struct dfopt_buf changes; /* struct dl_change, in the order of events */
    int64_t first, last; /* windows of findings and plans; first > last: none */
    /* private */
    uint32_t *index; /* by string number: 1 + slot; 0: none */
    struct dl_job *job;
    dfopt_sym knob;
    bool assumed, overrides;
};

/* Reads the log. *v must be zeroed; free it even after a failure. */
enum dfopt_err dl_values_read(struct dl_values *v, struct dl_job *j,
                              dfopt_sym knob);
void dl_values_free(struct dl_values *v);

#endif
