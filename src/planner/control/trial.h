/* Trials: moves of one site that are judged together; when they take effect, and
 * what disturbs them. Private to the planner. */
#ifndef DFOPT_PLANNER_CONTROL_TRIAL_H
#define DFOPT_PLANNER_CONTROL_TRIAL_H

#include "planner/control/site.h"

enum dfopt_trial_kind {
    DFOPT_TRIAL_DEMAND, /* a finding asked for it */
    DFOPT_TRIAL_TRADE,
    DFOPT_TRIAL_RELEASE,
    DFOPT_TRIAL_ROLLBACK
};

struct dfopt_move {
    struct dfopt_value old, new;
    dfopt_sym tag, apply_when;
    uint64_t plan_id; /* 0: no plan */
    uint32_t knob;    /* ordinal */
    uint8_t direction;
    bool answered;
    bool epoch; /* applies at the end of an epoch */
};

struct dfopt_trial {
    struct dfopt_trial *prev, *next; /* of all open trials */
    uint32_t node, kind;
    bool opening;    /* its opening event is not over */
    bool looked_at;  /* unchanged since it was judged at judged_clock */
    uint32_t base_n; /* windows of base; 0: judged by findings */
    uint32_t seen;   /* findings of its type and scope since it took effect */
    uint32_t n_moves, cap_moves, unanswered, unanswered_epoch;
    int64_t window;
    int64_t effect; /* window of the last move's effect, as far as known */
    int64_t before; /* the site's earlier `since` */
    int64_t last;   /* window of the last finding seen; -1: none */
    int64_t judged_clock;
    double base;              /* median objective before the trial */
    double reference;         /* the site's earlier reference, over */
    uint32_t reference_n;     /* this many windows */
    struct dfopt_move *moves; /* owned; in order */
    struct dfopt_finding f;   /* the finding it serves; for releases and rollbacks
                               * only type, scope and severity matter */
};

void dfopt_trial_free(struct dfopt_trial *t);

/* Opens a trial at a site without one. NULL: out of memory, as *s says. */
struct dfopt_trial *dfopt_trial_open(struct dfopt_pass *s, uint32_t node,
                                     enum dfopt_trial_kind kind,
                                     const struct dfopt_finding *f, int64_t before);

/* Adds a move, and the knob's adjustment if it has none (which then remembers
 * finding f). Returns whether it succeeded. */
bool dfopt_trial_add(struct dfopt_pass *s, struct dfopt_trial *t,
                     const struct dfopt_finding *f, const struct dfopt_move *m);

/* Detaches the site's trial and returns it; the caller frees it. */
struct dfopt_trial *dfopt_trial_detach(struct dfopt_planner *p,
                                       struct dfopt_site *site);

void dfopt_trial_settle_opened(struct dfopt_planner *p, struct dfopt_site *site);

/* The event that made the moves is over. */
static inline void dfopt_trial_opened(struct dfopt_planner *p, uint32_t node)
{
    struct dfopt_site *site = p->slots.nodes[node].site;
    if (site && site->trial && site->trial->opening)
        dfopt_trial_settle_opened(p, site);
}

/* A plan at a site was acked: whether it was rejected, the value reported (or
 * NULL), and the window in which the values changed. */
void dfopt_trial_answered(struct dfopt_planner *p, const struct dfopt_key *key,
                          bool rejected, const struct dfopt_value *value,
                          int64_t window);

/* The same for a plan that counts as applied when it is made. */
void dfopt_trial_assumed(struct dfopt_pass *s, const struct dfopt_key *key,
                         const struct dfopt_value *value);

/* Counts the trial's unanswered plans as applied. */
void dfopt_trial_assume(struct dfopt_planner *p, struct dfopt_trial *t);

/* An outcome that no objective judged; what is not NaN is zero. */
extern const struct dfopt_outcome_row dfopt_not_judged;

/* A plan was made for the last move of its knob. */
void dfopt_trial_planned(struct dfopt_planner *p, const struct dfopt_key *key,
                         uint64_t plan_id);

/* Adds one verdict row and, except for rollbacks, one outcome per move. The draft
 * has the window, whether the moves are kept, and the basis of the verdict. */
void dfopt_trial_rows(struct dfopt_pass *s, const struct dfopt_trial *t,
                      enum dfopt_verdict verdict, struct dfopt_compared c,
                      const struct dfopt_outcome_row *draft);

/* Ends the open trial, if any, without a verdict. */
void dfopt_trial_drop(struct dfopt_pass *s, uint32_t node,
                      enum dfopt_verdict verdict, int64_t window);

struct dfopt_site *dfopt_site_catch_up(struct dfopt_pass *s, uint32_t node,
                                       int64_t window);

/* Advances a site to an event's window: its clock, and outside changes since the
 * last event. Returns the site; NULL: out of memory. */
static inline struct dfopt_site *dfopt_site_advance(struct dfopt_pass *s,
                                                    uint32_t node, int64_t window)
{
    const struct dfopt_planner *p = s->p;
    struct dfopt_site *site = p->slots.nodes[node].site;
    if (!site || site->recheck || site->disturbed ||
        site->generation != p->generation ||
        (node != DFOPT_JOB_NODE && site->job_changes != p->job_changes) ||
        (site->trial && site->trial->unanswered))
        return dfopt_site_catch_up(s, node, window);
    site->clock = window > site->clock ? window : site->clock;
    return site;
}

#endif
