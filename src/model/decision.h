/* What the planner emits: verdicts, plans, suppression changes, outcomes of
 * acks and global plans. Rows are plain data without padding and travel between
 * ranks and into the decision log unchanged. */
#ifndef DFOPT_MODEL_DECISION_H
#define DFOPT_MODEL_DECISION_H

#include "base/buf.h"
#include "model/command.h"

/* Why the planner acted or did not: name, and meaning for people. The numbers
 * are part of the decision log's format: append only. `value` and
 * `threshold` of the row are NaN where nothing is compared; otherwise:
 * - suppressed: severity; severity of the suppression
 * - pending: windows since the plan in flight; pending_timeout_windows
 * - severity: severity; min_severity
 * - persistence: persistence; min_persistence
 * - cooldown_time: windows since the last action; cooldown_windows
 * - cooldown_ineffective: share by which severity fell since the last action;
 *   effectiveness_threshold
 * - unsupported, no_evidence: value before, if a number; -
 * - no_change: value computed; value before
 * - planned, trade, rollback, release: value planned; value before
 * - improved, worse: gain, or windows seen; threshold, or 3
 * - neutral: gain; threshold
 * - inconclusive: windows seen; 3
 * - guard: metric, if any; above
 * - shift: gain from the reference; threshold
 * - stale: window of the objective; newest window
 * - adopted: value acknowledged; value before
 * - would_plan, proposed, awaiting_approval, frozen: value held back; value before
 * - rate: current count; limit
 * - approved, set, restored: value planned; value before */
#define DFOPT_VERDICT_LIST(X)                                                      \
    X(INVALID, "invalid", "the record could not be used")                          \
    X(TREND, "trend", "the finding is improving already")                          \
    X(NO_KNOBS, "no_knobs", "no knob is registered")                               \
    X(SUPPRESSED, "suppressed", "a global finding suppresses the tag")             \
    X(NO_RESPONSE, "no_response", "no knob responds to the tag")                   \
    X(PENDING, "pending", "a plan is waiting for its acknowledgement")             \
    X(SEVERITY, "severity", "not severe enough")                                   \
    X(PERSISTENCE, "persistence", "not persistent enough")                         \
    X(COOLDOWN_TIME, "cooldown_time", "too soon after the last action")            \
    X(COOLDOWN_INEFFECTIVE, "cooldown_ineffective",                                \
      "the last action has not helped enough")                                     \
    X(UNSUPPORTED, "unsupported", "the step cannot be computed")                   \
    X(NO_EVIDENCE, "no_evidence", "the metrics for the step are missing")          \
    X(NO_CHANGE, "no_change", "the step changes nothing")                          \
    X(PLANNED, "planned", "a plan was made")                                       \
    X(UNREGISTERED, "unregistered", "the knob's owner has left")                   \
    X(TRIAL, "trial", "another change is on trial")                                \
    X(SUPERSEDED, "superseded", "findings about the whole job decide")             \
    X(BACKOFF, "backoff", "the move failed not long ago")                          \
    X(RELEASE_ONLY, "release_only", "nothing asks for more of the knob")           \
    X(BASELINE, "baseline", "too few objectives with the present settings")        \
    X(BUDGET, "budget", "no budget has room")                                      \
    X(TRADE, "trade", "a plan was made, with room from another knob")              \
    X(ROLLBACK, "rollback", "a plan was made to take a change back")               \
    X(RELEASE, "release", "a plan was made to release what is not needed")         \
    X(IMPROVED, "improved", "the change helped and is kept")                       \
    X(NEUTRAL, "neutral", "the change made no difference")                         \
    X(WORSE, "worse", "the change made it worse")                                  \
    X(INCONCLUSIVE, "inconclusive", "the effect cannot be seen; kept")             \
    X(VOID, "void", "the trial was disturbed or could not be judged")              \
    X(RESTART, "restart", "the application restarted during the trial")            \
    X(GUARD, "guard", "a guard took the change back")                              \
    X(SHIFT, "shift", "the objective shifted by itself")                           \
    X(STALE, "stale", "the objective is not newer than the last")                  \
    X(ADOPTED, "adopted", "the value of a late acknowledgement was adopted")       \
    X(CONFLICT, "conflict", "another function owns the knob")                      \
    X(WITHDRAWN, "withdrawn", "the plan's process is gone")                        \
    X(OFF, "off", "the operator keeps the planner off the knob")                   \
    X(FROZEN, "frozen", "the operator has stopped new plans")                      \
    X(RATE, "rate", "a limit on plans is reached")                                 \
    X(WOULD_PLAN, "would_plan", "a plan would have been made")                     \
    X(PROPOSED, "proposed", "a plan is proposed to the operator")                  \
    X(AWAITING_APPROVAL, "awaiting_approval",                                      \
      "a proposed plan waits for approval")                                        \
    X(APPROVED, "approved", "a plan was made: the operator approved it")           \
    X(SET, "set", "a plan was made by the operator")                               \
    X(RESTORED, "restored", "a plan was made back to the registered value")

enum dfopt_verdict {
#define DFOPT_VERDICT_ENUM(name, text, meaning) DFOPT_VERDICT_##name,
    DFOPT_VERDICT_LIST(DFOPT_VERDICT_ENUM)
#undef DFOPT_VERDICT_ENUM
        DFOPT_VERDICT_COUNT
};

struct dfopt_verdict_row {
    uint64_t seq;      /* number of the event, from 0 in ingest order */
    uint32_t position; /* of the verdict within the event: see below */
    uint32_t verdict;  /* enum dfopt_verdict */
    dfopt_sym tag;     /* DFOPT_SYM_NONE: the finding was stopped before its tags */
    dfopt_sym knob;    /* DFOPT_SYM_NONE: no knob was considered */
    dfopt_sym node;    /* DFOPT_SYM_EMPTY: the whole job */
    uint32_t reserved; /* zero */
    double value, threshold; /* the values compared; see the list above */
};

/* Positions within an event: rows that belong to no tag are numbered from JOB
 * for the job's site and from NODE for a node's; tags and their responses from
 * TAG in finding order, whichever site decides them. */
#define DFOPT_POSITION_JOB  0u
#define DFOPT_POSITION_NODE 16384u
#define DFOPT_POSITION_TAG  32768u
#define DFOPT_POSITION_END  65536u

/* Plan ids have no room for higher positions. */
#define DFOPT_PLANS_PER_EVENT 65536

/* The outcome of a plan. One for each verdict that ends a move, with the seq
 * and position of that verdict's row; and one for each withdrawn plan, which
 * also stands for its verdict: its position is DFOPT_POSITION_END, and those of
 * one event are in plan_id order. */
struct dfopt_outcome_row {
    uint64_t seq;
    uint64_t plan_id;     /* the move's; 0: of a guard, for a change kept before */
    uint32_t position;    /* of the verdict */
    uint32_t verdict;     /* enum dfopt_verdict */
    dfopt_sym knob, node; /* DFOPT_SYM_EMPTY: the whole job */
    uint32_t kept;        /* 1: the change stays; 0: it is reverted */
    uint32_t base_n, now_n;  /* windows; 0: not judged by the objective */
    uint32_t reserved;       /* zero */
    int64_t planned, window; /* windows of the plan and of the verdict */
    double base, now;        /* medians of the objective; NaN: not judged by it */
    double gain, threshold;  /* likewise */
    double noise;            /* of one window, relative; NaN: unknown */
};

/* How certain a gain is: its standard error, and whether it counts as an
 * effect. Reports of gains use it; control does not. */
struct dfopt_outcome_claim {
    double standard_error; /* NaN: noise unknown, or not judged by the objective */
    bool certain;
};

/* Whether a gain or loss between medians of n and m windows counts as an
 * effect: at least `min_effect` (from the policy) and 3 + 6 / (n + m) standard
 * errors. Three would do if the noise were known; it is estimated, and less
 * precisely from fewer windows. */
bool dfopt_gain_is_certain(double gain, double standard_error, uint32_t n,
                           uint32_t m, double min_effect);

struct dfopt_outcome_claim dfopt_outcome_claim(const struct dfopt_outcome_row *row,
                                               double min_effect);

/* The reason for a plan of our own; its rationale is composed from it. */
enum dfopt_why {
    DFOPT_WHY_FINDING,     /* requested by a finding */
    DFOPT_WHY_OBJECTIVE,   /* rollback: figures are now, base, gain, threshold */
    DFOPT_WHY_TREND,       /* rollback: findings of type `other` */
    DFOPT_WHY_GUARD,       /* rollback */
    DFOPT_WHY_RELEASE,     /* */
    DFOPT_WHY_TRADE_TAKES, /* `other` makes room for it */
    DFOPT_WHY_TRADE_GIVES, /* it makes room for `other` */
    DFOPT_WHY_APPROVED,    /* the operator `other` approved proposal other_old */
    DFOPT_WHY_SET,         /* the operator `other` set it */
    DFOPT_WHY_RESTORED     /* the operator `other` restored it */
};

/* An ActionPlan: our own, or a global optimizer's that is relayed. */
struct dfopt_plan {
    uint64_t seq;
    uint64_t plan_id;  /* own: seq * DFOPT_PLANS_PER_EVENT + position; relayed: 0 */
    uint32_t position; /* of its verdict; relayed: 0 */
    uint32_t number;   /* same as position */
    dfopt_sym relay_id; /* relayed: its plan_id; own: DFOPT_SYM_NONE */
    dfopt_sym knob, target_function, apply_when, finding_type, tag;
    dfopt_sym node;      /* own: its one target node, or DFOPT_SYM_EMPTY */
    dfopt_list targets;  /* relayed: target_nodes; own: DFOPT_LIST_EMPTY */
    dfopt_sym rationale; /* the text; DFOPT_SYM_NONE where composed from */
    dfopt_sym motif, trend, scope; /* these and the fields above and below */
    struct dfopt_value old_value, new_value;
    double severity;
    int64_t window;
    int64_t persistence;
    uint32_t why;               /* enum dfopt_why */
    uint32_t count;             /* OBJECTIVE: windows; TREND: windows seen */
    dfopt_sym other, other_tag; /* TREND: type; TRADE: knob and its tag */
    struct dfopt_value other_old, other_new; /* TRADE; APPROVED */
    double figures[4];                       /* OBJECTIVE */
};

#define DFOPT_SUPPRESSION_ACTION_LIST(X) X(SET, "set") X(CLEARED, "cleared")

enum dfopt_suppression_action {
#define DFOPT_SUPPRESSION_ENUM(name, text) DFOPT_SUPPRESSION_##name,
    DFOPT_SUPPRESSION_ACTION_LIST(DFOPT_SUPPRESSION_ENUM)
#undef DFOPT_SUPPRESSION_ENUM
};

/* A tag was suppressed (again, with new terms), or released. */
struct dfopt_suppression_row {
    uint64_t seq;
    dfopt_sym tag, finding_type;
    uint32_t action; /* enum dfopt_suppression_action */
    uint32_t reserved;
    int64_t window;
    double severity;
};

/* A finding with a later window than any before was considered for (knob,
 * node). Logged only where acks may start a cooldown at that window. */
struct dfopt_seen_row {
    uint64_t seq;
    dfopt_sym knob, node;
    int64_t window;
};

/* A plan in flight timed out after pending_timeout_windows. */
struct dfopt_timeout_row {
    uint64_t seq;
    uint64_t plan_id;
    dfopt_sym knob, node;
    int64_t window;           /* of the finding that arrived after the timeout */
    struct dfopt_value value; /* the knob's value for that node, afterwards */
};

#define DFOPT_ACK_OUTCOME_LIST(X)                                                  \
    X(UNMATCHED, "unmatched")                                                      \
    X(APPLIED, "applied")                                                          \
    X(REJECTED, "rejected") X(CLEARED, "cleared") X(ADOPTED, "adopted")

enum dfopt_ack_outcome {
#define DFOPT_ACK_OUTCOME_ENUM(name, text) DFOPT_ACK_OUTCOME_##name,
    DFOPT_ACK_OUTCOME_LIST(DFOPT_ACK_OUTCOME_ENUM)
#undef DFOPT_ACK_OUTCOME_ENUM
        DFOPT_ACK_OUTCOME_COUNT
};

/* How an ack compares with those of other processes for the same plan: see
 * state/tally.h. The numbers are part of the decision log's format. */
#define DFOPT_ACK_TALLY_LIST(X)                                                    \
    X(NONE, "none")               /* its plan has not been settled */              \
    X(FIRST, "first")             /* it settled the plan */                        \
    X(AGREES, "agrees")           /* from another process, not contradicting */    \
    X(CONTRADICTS, "contradicts") /* from another process, a different answer */   \
    X(REPEATS, "repeats")         /* from a process that had answered */

enum dfopt_ack_tally {
#define DFOPT_ACK_TALLY_ENUM(name, text) DFOPT_ACK_TALLY_##name,
    DFOPT_ACK_TALLY_LIST(DFOPT_ACK_TALLY_ENUM)
#undef DFOPT_ACK_TALLY_ENUM
};

/* The outcome of an ack. */
struct dfopt_ack_row {
    uint64_t seq;
    uint64_t plan_id;    /* the plan that it answers; 0 if unmatched */
    uint32_t outcome;    /* enum dfopt_ack_outcome */
    uint32_t other_plan; /* 1: matched by knob and node, but names another plan */
    dfopt_sym knob, node;
    int64_t window;           /* where the cooldown starts; -1: none started */
    struct dfopt_value value; /* the knob's value for that node, afterwards */
};

#define DFOPT_RELAY_OUTCOME_LIST(X)                                                \
    X(RELAYED, "relayed")                                                          \
    X(UNKNOWN_KNOB, "unknown_knob")                                                \
    X(WRONG_VALUE, "wrong_value")                                                  \
    X(SAME_VALUE, "same_value") X(NOT_TARGETED, "not_targeted")

enum dfopt_relay_outcome {
#define DFOPT_RELAY_ENUM(name, text) DFOPT_RELAY_##name,
    DFOPT_RELAY_OUTCOME_LIST(DFOPT_RELAY_ENUM)
#undef DFOPT_RELAY_ENUM
        DFOPT_RELAY_COUNT
};

/* The outcome of a global plan. */
struct dfopt_relay_row {
    uint64_t seq;
    uint32_t outcome; /* enum dfopt_relay_outcome */
    dfopt_sym plan_id, knob;
    dfopt_list targets;
    struct dfopt_value new_value; /* as received */
    double severity;
    int64_t window;
};

/* Rows that the planner appends to; arrays of the structs above, in order of
 * (seq, position). Zero-initialise; dfopt_decisions_free. */
struct dfopt_decisions {
    struct dfopt_buf verdicts, plans, suppressions, acks, relays, seen, timeouts;
    struct dfopt_buf outcomes, commands;
};

void dfopt_decisions_clear(struct dfopt_decisions *d); /* keeps the memory */
void dfopt_decisions_free(struct dfopt_decisions *d);

/* The verdict row that an outcome stands for: without a tag and figures. */
struct dfopt_verdict_row dfopt_outcome_verdict(const struct dfopt_outcome_row *o);

/* Adds the verdicts that the outcomes of withdrawn plans stand for, at their
 * positions. Call once, on complete decisions. OK or NOMEM (nothing is added). */
enum dfopt_err dfopt_decisions_add_withdrawn(struct dfopt_decisions *d);

/* Appends the rationale of a plan, in words, to *out. */
enum dfopt_err dfopt_plan_rationale(const struct dfopt_dict *dict,
                                    const struct dfopt_plan *p,
                                    struct dfopt_buf *out);

/* Size of a plan id text, NUL included. */
#define DFOPT_PLAN_ID_SIZE 22

/* Writes `plan_` and 16 hex digits. */
void dfopt_plan_id_text(uint64_t id, char text[DFOPT_PLAN_ID_SIZE]);

/* The same followed by the identity of a live run, plan_%016x_%08x, so that ids
 * of two runs never collide. run 0: no identity, as above. */
#define DFOPT_PLAN_ID_RUN_SIZE (DFOPT_PLAN_ID_SIZE + 9)
void dfopt_plan_id_run_text(uint64_t id, uint32_t run,
                            char text[DFOPT_PLAN_ID_RUN_SIZE]);

/* Parses a text of exactly that form. Returns whether it is one. */
bool dfopt_plan_id_parse(const char *text, size_t len, uint64_t *id);

/* The same for an id of this run; run 0: an id without identity. */
bool dfopt_plan_id_run_parse(const char *text, size_t len, uint32_t run,
                             uint64_t *id);

/* Cuts the run's identity (not 0) out of each such id in a text, as a replay has
 * none. Returns the new length. */
size_t dfopt_plan_id_cut_run(char *text, size_t len, uint32_t run);

const char *dfopt_verdict_name(uint32_t verdict);
const char *dfopt_verdict_meaning(uint32_t verdict);
const char *dfopt_suppression_action_name(uint32_t action);
const char *dfopt_ack_outcome_name(uint32_t outcome);
const char *dfopt_ack_tally_name(uint32_t tally);
const char *dfopt_relay_outcome_name(uint32_t outcome);

#endif
