/* Gathers the facts for dfopt-log summary in one pass over each table. */
#ifndef DFOPT_CMD_LOG_GATHER_H
#define DFOPT_CMD_LOG_GATHER_H

#include "cmd/log/common.h"

/* Number of enumerators in a list. */
#define DL_ONE(...) +1
enum {
    DL_ACK_OUTCOMES = DFOPT_ACK_OUTCOME_LIST(DL_ONE),
    DL_RELAY_OUTCOMES = DFOPT_RELAY_OUTCOME_LIST(DL_ONE),
    DL_SUPPRESSION_ACTIONS = DFOPT_SUPPRESSION_ACTION_LIST(DL_ONE)
};

struct dl_knob { /* by first mention */
    dfopt_sym knob;
    struct dfopt_value first, last; /* of the whole job; NULL kind: unknown */
    double low, high;               /* numbers seen on any node; low > high: none */
    uint64_t own_nodes;             /* whose final value is their own */
    double own_low, own_high;       /* of those; low > high: no numbers */
    uint64_t up, down, other;       /* plans */
    uint64_t verdicts[DFOPT_VERDICT_COUNT];
};

struct dl_type { /* of findings */
    dfopt_sym type;
    uint64_t n;
};

struct dl_facts {
    int64_t first_window, last_window; /* of findings; first > last: none */
    uint32_t nodes;                    /* named by findings */
    struct dl_type *types;             /* owned; most frequent first */
    size_t n_types;
    uint64_t suppressions[DL_SUPPRESSION_ACTIONS];
    uint64_t verdicts[DFOPT_VERDICT_COUNT];
    uint64_t acks[DL_ACK_OUTCOMES], relays[DL_RELAY_OUTCOMES];
    uint64_t actions[DFOPT_COMMAND_ACTION_COUNT]; /* executed commands */
    uint64_t refused;                             /* commands */
    struct dl_knob *knobs;                        /* owned */
    size_t n_knobs;
    struct dfopt_error no_end; /* why final values are unknown; else OK */
};

/* Fills *f, which must be zeroed. Free it even after a failure. */
enum dfopt_err dl_gather(struct dl_job *j, struct dl_facts *f);
void dl_facts_free(struct dl_facts *f);

#endif
