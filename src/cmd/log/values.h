/* One knob's value over time, for the job and each node: the effect of
 * registrations, plans, acks and relayed plans. A plan's value counts from its
 * window on, until an ack contradicts it. analysis/dfopt_analysis/timeline.py does
 * the same in Python; tests/analysis/test_timeline.py compares the two. */
#ifndef DFOPT_CMD_LOG_VALUES_H
#define DFOPT_CMD_LOG_VALUES_H

#include "cmd/log/common.h"
#include "cmd/log/nodes.h"
#include "cmd/log/registered.h"
#include "cmd/log/restarts.h"
#include "cmd/log/scopes.h"
#include "cmd/log/unanswered.h"

struct dl_change {
    uint64_t seq;
    int64_t window; /* INT64_MIN: before all windows */
    uint32_t slot;
    bool own;                 /* false: the node follows the job from here on */
    const char *cause;        /* registered, planned, an ack's outcome, relayed,
                                 given_up, withdrawn, override (by the job),
                                 restarted */
    struct dfopt_value value; /* from here on */
    uint64_t plan_id;         /* of a planned value; else 0 */
};

struct dl_slot {
    dfopt_sym node; /* DFOPT_SYM_EMPTY: the whole job */
    bool own;
    struct dfopt_value value;
    struct dfopt_value before; /* the last plan of this service, */
    bool had;                  /* a value of its own then; */
    uint64_t plan_id;          /* which may be withdrawn */
    uint64_t registered;       /* 1 + the last event that registered a value */
};

struct dl_values {
    struct dfopt_buf slots;   /* struct dl_slot; the first is the whole job */
    struct dfopt_buf changes; /* struct dl_change, in the order of events */
    int64_t first, last; /* windows of findings and plans; first > last: none */
    /* private */
    uint32_t *index; /* by string number: 1 + slot; 0: none */
    struct dl_job *job;
    dfopt_sym knob;
    bool assumed;      /* plans count as applied at once */
    bool overrides;    /* a change of the job ends what nodes have of their own */
    bool of_job;       /* the knob has one value, the job's */
    bool controls;     /* trials judge the plans */
    bool reject_ends;  /* a rejected plan ends what its node has of its own */
    bool waits;        /* a plan may count as applied without an ack */
    bool has_findings; /* the log does */
    int64_t reached;   /* the latest window that events have brought */
    struct dl_scopes scopes;
    struct dl_nodes nodes;
    struct dl_restarts restarts;
    struct dl_registrations registrations;
    struct dl_unanswered unanswered;
    struct dfopt_cursor verdicts;
};

/* Reads the log. *v must be zeroed; free it even after a failure. */
enum dfopt_err dl_values_read(struct dl_values *v, struct dl_job *j,
                              dfopt_sym knob);
void dl_values_free(struct dl_values *v);

/* The name that a node has in the slots, of any of its names. */
dfopt_sym dl_values_node(const struct dl_values *v, dfopt_sym name);

#endif
