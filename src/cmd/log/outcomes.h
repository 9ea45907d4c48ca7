/* The outcome and gain of each plan, from /outcomes and /acks. */
#ifndef DFOPT_CMD_LOG_OUTCOMES_H
#define DFOPT_CMD_LOG_OUTCOMES_H

#include "cmd/log/common.h"
#include "cmd/log/processes.h"

/* Name in JSON; in text, where it differs, `_` is a blank. */
#define DL_END_LIST(X)                                                             \
    X(KEPT, "kept")             /* its trial is over, the change stays */          \
    X(TAKEN_BACK, "taken_back") /* its trial is over, the change does not */       \
    X(OPEN, "open")             /* on trial when the log ends */                   \
    X(UNANSWERED, "unanswered") /* likewise, without an ack */                     \
    X(REJECTED, "rejected")     /* by the application */                           \
    X(WITHDRAWN, "withdrawn")   /* its process left */                             \
    X(ROLLBACK, "rollback")     /* reverts another plan; no trial */               \
    X(OPERATOR, "operator")     /* set or restored by a person; no trial */        \
    X(NONE, "none")             /* not judged: relayed, or the run judges none */

enum dl_end_of {
#define DL_END_ENUM(name, text) DL_END_##name,
    DL_END_LIST(DL_END_ENUM) DL_ENDS
#undef DL_END_ENUM
};

const char *dl_end_name(uint32_t end);

/* A gain and its certainty. */
struct dl_claim {
    double gain;  /* fraction, above 0 is better; NaN: objective not used */
    double error; /* standard error; NaN: unknown */
    bool certain;
};

struct dl_answer { /* to a plan: an ack, or a timeout */
    uint64_t plan_id;
    uint32_t fate; /* enum dfopt_ack_outcome, or DL_GIVEN_UP */
    uint32_t row;  /* the first of several answers counts */
};
#define DL_GIVEN_UP UINT32_MAX

struct dl_outcome { /* the essentials of a row of /outcomes */
    uint64_t plan_id;
    int64_t window;
    uint32_t verdict;
    uint32_t row;
    uint32_t moves; /* plans in its trial, which share the gain; withdrawn: 1 */
    bool kept;
    struct dl_claim claim;
};

/* Zero-initialise; dl_outcomes_free. */
struct dl_outcomes {
    struct dfopt_declog_reader *reader;
    bool judged;              /* the run judges its plans and logs the results */
    bool assumed;             /* it takes plans as applied, without acks */
    struct dfopt_buf answers; /* struct dl_answer, by plan */
    struct dfopt_buf rows;    /* struct dl_outcome, by plan; each plan has one */
    struct dl_all_processes processes;
};

enum dfopt_err dl_outcomes_read(struct dl_outcomes *o,
                                struct dfopt_declog_reader *r,
                                struct dfopt_error *err);
void dl_outcomes_free(struct dl_outcomes *o);

/* Borrowed; NULL: there is none. */
const struct dl_outcome *dl_outcome_of(const struct dl_outcomes *o,
                                       uint64_t plan_id);
const struct dl_answer *dl_answer_of(const struct dl_outcomes *o, uint64_t plan_id);

/* A plan's outcome. Errors: reading its rationale, which identifies rollbacks. */
enum dfopt_err dl_plan_end(const struct dl_outcomes *o,
                           const struct dfopt_declog_plan_row *plan,
                           enum dl_end_of *end, struct dfopt_error *err);

/* For a plan of this service without an outcome: ROLLBACK or OPERATOR, which no
 * trial judges, or else `otherwise`. Errors: of reading. */
enum dfopt_err dl_end_by_rationale(struct dfopt_declog_reader *r,
                                   struct dfopt_declog_text rationale,
                                   enum dl_end_of otherwise, enum dl_end_of *end,
                                   struct dfopt_error *err);

/* The number of plans per outcome, and of kept ones with a certain gain or loss. */
struct dl_tally {
    uint64_t plans, ends[DL_ENDS], gains, losses;
};
enum dfopt_err dl_tally_read(struct dl_tally *t, const struct dl_outcomes *o,
                             struct dfopt_error *err);
void dl_tally_json(struct dfopt_put *put, const struct dl_tally *t);

/* "+39 % +- 6 %, certain"; "-0.6 % +- 1.4 %, effect not certain"; without an
 * error "+12 %, effect not certain". The interval is two standard errors. */
void dl_put_claim(struct dl_print *p, const struct dl_claim *c);

/* Prints "kept +39 % +- 6 %, certain", "taken back, not judged", "open". o may be
 * NULL. */
void dl_put_end(struct dl_print *p, enum dl_end_of end, const struct dl_outcome *o);

/* A value of the objective: four digits, or all before the point. */
void dl_put_level(struct dl_print *p, double level);

/* Green if it helped, yellow if open, red if not. */
enum dl_color dl_end_color(enum dl_end_of end);

#endif
