/* Trials: moves of one site that are judged together; when they take effect, and
 * what disturbs them. For the planner's own files only. */
#ifndef DFOPT_PLANNER_CONTROL_TRIAL_H
#define DFOPT_PLANNER_CONTROL_TRIAL_H

#include "planner/control/site.h"

enum dfopt_trial_kind {
    DFOPT_TRIAL_DEMAND, /* a finding asked */
    DFOPT_TRIAL_TRADE,
    DFOPT_TRIAL_RELEASE,
    DFOPT_TRIAL_ROLLBACK
};

struct dfopt_move {
    struct dfopt_value old, new;
    dfopt_sym tag, apply_when;
    uint64_t plan_id; /* 0: none was made */
    uint32_t knob;    /* ordinal */
    uint8_t direction;
    bool answered;
    bool epoch; /* it is for the end of an epoch */
};

struct dfopt_trial {
    struct dfopt_trial *prev, *next; /* of all that are open */
    uint32_t node, kind;
    bool opening;    /* the event that opens it is not over */
    bool looked_at;  /* nothing has changed since it was judged at judged_clock */
    uint32_t base_n; /* windows of base; 0: judged by findings */
    uint32_t seen;   /* findings of its type and scope since it took effect */
    uint32_t n_moves, cap_moves, unanswered, unanswered_epoch;
    int64_t window;
    int64_t effect; /* in which the last move took effect, as far as is known */
    int64_t before; /* the site's `since` before */
    int64_t last;   /* of the findings that were seen; -1: none was */
    int64_t judged_clock;
    double base;              /* median of the objective before */
    double reference;         /* the site's before, of */
    uint32_t reference_n;     /* so many windows */
    struct dfopt_move *moves; /* owned; in order */
    struct dfopt_finding f; /* that it is for; of releases and rollbacks only type,
                             * scope and severity count */
};

void dfopt_trial_free(struct dfopt_trial *t);

/* Opens a trial at a site that has none. NULL: no memory, as *s says. */
struct dfopt_trial *dfopt_trial_open(struct dfopt_pass *s, uint32_t node,
                                     enum dfopt_trial_kind kind,
                                     const struct dfopt_finding *f, int64_t before);

/* Adds a move, and the knob's adjustment if it has none (then f is the finding
 * that it remembers). Returns whether it could. */
bool dfopt_trial_add(struct dfopt_pass *s, struct dfopt_trial *t,
                     const struct dfopt_finding *f, const struct dfopt_move *m);

/* Takes the site's trial from it; free it. */
struct dfopt_trial *dfopt_trial_detach(struct dfopt_planner *p,
                                       struct dfopt_site *site);

/* The event that made the moves is over. */
void dfopt_trial_opened(struct dfopt_planner *p, uint32_t node);

/* An ack of a plan at a site: whether it was rejected, the value that it tells
 * (or NULL), and the window in which the values changed. */
void dfopt_trial_answered(struct dfopt_planner *p, const struct dfopt_key *key,
                          bool rejected, const struct dfopt_value *value,
                          int64_t window);

/* The same for a plan that counts as applied as it is made. */
void dfopt_trial_assumed(struct dfopt_pass *s, const struct dfopt_key *key,
                         const struct dfopt_value *value);

/* Plans of the trial without an answer count as applied. */
void dfopt_trial_assume(struct dfopt_planner *p, struct dfopt_trial *t);

/* Of an outcome that no objective judged; what is not NaN is zero. */
extern const struct dfopt_outcome_row dfopt_not_judged;

/* A plan was made for the last move of its knob. */
void dfopt_trial_planned(struct dfopt_planner *p, const struct dfopt_key *key,
                         uint64_t plan_id);

/* One verdict row and, but for rollbacks, one outcome for each move. The draft has
 * the window, whether the moves are kept, and what the verdict rests on. */
void dfopt_trial_rows(struct dfopt_pass *s, const struct dfopt_trial *t,
                      enum dfopt_verdict verdict, struct dfopt_compared c,
                      const struct dfopt_outcome_row *draft);

/* Ends the open trial, if there is one, without a verdict. */
void dfopt_trial_drop(struct dfopt_pass *s, uint32_t node,
                      enum dfopt_verdict verdict, int64_t window);

/* An event of a window comes to a site: its clock, and what happened to it from
 * outside since the last one. Returns the site; NULL: no memory. */
struct dfopt_site *dfopt_site_advance(struct dfopt_pass *s, uint32_t node,
                                      int64_t window);

#endif
