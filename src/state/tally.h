/* Tallies the acks of several processes for one plan. Over a PUB socket each
 * process acknowledges a plan, but only the first ack counts; the others are
 * tallied here, so that an application whose processes disagree gets a warning. */
#ifndef DFOPT_STATE_TALLY_H
#define DFOPT_STATE_TALLY_H

#include "declog/reader.h"
#include "model/decision.h"

struct dfopt_tally;

/* Processes by what they have said last. One that names no instance counts with
 * each of its acks. */
struct dfopt_tally_count {
    uint32_t applied, rejected, other; /* other: deferred, or none of them */
    uint32_t differ; /* acks that contradict that of the first process */
};

/* One ack. */
struct dfopt_tally_ack {
    uint64_t plan_id; /* that it names, or was for; 0: none known */
    bool first;       /* it settled the plan, or was adopted */
    dfopt_sym instance;
    uint32_t status; /* enum dfopt_ack_status */
    struct dfopt_value
        value; /* that it gives (first: that the knob has); or NULL */
};

/* Remembers at most so many plans (0: 4096) and then forgets the oldest. Returns
 * owned: destroy. `dict` is borrowed. OK or NOMEM. */
enum dfopt_err dfopt_tally_create(struct dfopt_tally **out,
                                  const struct dfopt_dict *dict, size_t plans);
void dfopt_tally_destroy(struct dfopt_tally *t);

/* Counts an ack. *kind: enum dfopt_ack_tally. OK or NOMEM. */
enum dfopt_err dfopt_tally_add(struct dfopt_tally *t,
                               const struct dfopt_tally_ack *ack, uint32_t *kind);

/* An ack of a decision log as an ack to count. */
struct dfopt_tally_ack dfopt_tally_logged(const struct dfopt_declog_ack_row *row);

/* Counts the acks of a log, whose strings are those of the dictionary. Errors: of
 * reading. */
enum dfopt_err dfopt_tally_read(struct dfopt_tally *t,
                                struct dfopt_declog_reader *r,
                                struct dfopt_error *err);

/* NULL: it is not known, or was forgotten. Borrowed until the next ack. */
const struct dfopt_tally_count *dfopt_tally_of(const struct dfopt_tally *t,
                                               uint64_t plan_id);

/* Of how many processes there is an ack. */
static inline uint32_t dfopt_tally_processes(const struct dfopt_tally_count *c)
{
    return c->applied + c->rejected + c->other;
}

#endif
