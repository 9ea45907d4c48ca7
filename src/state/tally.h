/* Tallies the acks of several processes for one plan. Over a PUB socket every
 * process acknowledges a plan, but only the first ack counts; the others are
 * tallied here, to warn about an application whose processes disagree. */
#ifndef DFOPT_STATE_TALLY_H
#define DFOPT_STATE_TALLY_H

#include "declog/reader.h"
#include "model/decision.h"

struct dfopt_tally;

/* Processes by their latest answer. One without an instance counts once per
 * ack. */
struct dfopt_tally_count {
    uint32_t applied, rejected, other; /* other: deferred or unknown */
    uint32_t differ;                   /* acks that contradict the first process */
};

/* One ack. */
struct dfopt_tally_ack {
    uint64_t plan_id; /* named in the ack or matched; 0: none known */
    bool first;       /* it settled the plan, or was adopted */
    dfopt_sym instance;
    uint32_t status; /* enum dfopt_ack_status */
    struct dfopt_value
        value; /* given in the ack (first: the knob's value); or NULL */
};

/* Remembers at most `plans` plans (0: 4096), then forgets the oldest. Returns
 * owned: destroy. `dict` is borrowed. OK or NOMEM. */
enum dfopt_err dfopt_tally_create(struct dfopt_tally **out,
                                  const struct dfopt_dict *dict, size_t plans);
void dfopt_tally_destroy(struct dfopt_tally *t);

/* Counts an ack. *kind: enum dfopt_ack_tally. OK or NOMEM. */
enum dfopt_err dfopt_tally_add(struct dfopt_tally *t,
                               const struct dfopt_tally_ack *ack, uint32_t *kind);

/* Counts the acks of a log; its strings must be in the dictionary. Errors:
 * those of reading. */
enum dfopt_err dfopt_tally_read(struct dfopt_tally *t,
                                struct dfopt_declog_reader *r,
                                struct dfopt_error *err);

/* NULL: unknown or forgotten. Borrowed until the next ack. */
const struct dfopt_tally_count *dfopt_tally_of(const struct dfopt_tally *t,
                                               uint64_t plan_id);

/* The number of processes that have answered. */
static inline uint32_t dfopt_tally_processes(const struct dfopt_tally_count *c)
{
    return c->applied + c->rejected + c->other;
}

#endif
