/* Operator controls as the planner sees them: what it may do with a knob, whether
 * it may plan now, and which proposals are waiting. Private to the planner. */
#ifndef DFOPT_PLANNER_OPERATOR_OPERATOR_H
#define DFOPT_PLANNER_OPERATOR_OPERATOR_H

#include "planner/state/internal.h"

/* A plan waiting for approval. */
struct dfopt_proposal {
    uint64_t id; /* like a plan's id */
    struct dfopt_finding f;
    struct dfopt_value old, new;
    dfopt_sym tag, apply_when;
    uint32_t direction;
};

struct dfopt_mode_entry {
    uint32_t target, mode; /* enum dfopt_mode_target, enum dfopt_knob_mode */
    dfopt_sym name;
};

#define DFOPT_RATE_WINDOWS 8 /* windows in which plans are counted */

struct dfopt_operator {
    struct dfopt_buf modes; /* struct dfopt_mode_entry, one per target */
    bool frozen, bounded;
    int64_t until; /* bounded: frozen before this window */
    struct dfopt_proposal_ref *proposals;
    uint32_t n_counts;
    struct {
        int64_t window;
        uint64_t plans;
    } counts[DFOPT_RATE_WINDOWS]; /* in order of their first plans */
};

/* Returns owned: dfopt_operator_destroy. OK or NOMEM. */
enum dfopt_err dfopt_operator_create(struct dfopt_operator **out);
void dfopt_operator_destroy(struct dfopt_operator *o);

/* ---- modes and freezes ---- */

enum dfopt_knob_mode dfopt_operator_find_mode(const struct dfopt_operator *o,
                                              dfopt_sym knob, dfopt_sym tag);

/* The mode of a knob (ordinal) in its response to a tag. */
static inline enum dfopt_knob_mode
dfopt_operator_mode(const struct dfopt_planner *p, uint32_t knob, dfopt_sym tag)
{
    return p->operator->modes.len
               ? dfopt_operator_find_mode(p->operator, p->registry.knobs[knob].id,
                                          tag)
               : DFOPT_MODE_AUTO;
}

/* OK or NOMEM. */
enum dfopt_err dfopt_operator_set_mode(struct dfopt_operator *o,
                                       const struct dfopt_mode_entry *m);

static inline bool dfopt_operator_frozen(const struct dfopt_planner *p,
                                         int64_t window)
{
    const struct dfopt_operator *o = p->operator;
    return o->frozen && !(o->bounded && window >= o->until);
}

/* ---- limits ---- */

/* The current count and the limit. */
struct dfopt_rate {
    uint64_t is, most;
};

/* Whether the policy's limits leave no room for this many more plans in the
 * window, one of them for the key (its slot is ignored). *rate (or NULL): the
 * limit. */
bool dfopt_operator_full(const struct dfopt_planner *p, const struct dfopt_key *key,
                         int64_t window, uint32_t plans, struct dfopt_rate *rate);

/* Counts a plan that was made. */
void dfopt_operator_count(struct dfopt_planner *p, int64_t window);

/* ---- proposals ---- */

/* The valid proposal for a knob in a window; NULL: none. Drops a proposal that has
 * expired, whose knob has another value now, or whose mode is not advise. */
const struct dfopt_proposal *dfopt_operator_waits(struct dfopt_planner *p,
                                                  const struct dfopt_key *key,
                                                  enum dfopt_knob_mode mode,
                                                  int64_t window);

/* Adds a copy. OK or NOMEM. */
enum dfopt_err dfopt_operator_propose(struct dfopt_planner *p,
                                      const struct dfopt_key *key,
                                      const struct dfopt_proposal *x);

/* The proposal with an id, and its key with the slot set; NULL: none. */
const struct dfopt_proposal *dfopt_operator_find(const struct dfopt_planner *p,
                                                 uint64_t id,
                                                 struct dfopt_key *key);

bool dfopt_operator_expired(const struct dfopt_planner *p,
                            const struct dfopt_proposal *x, int64_t window);

/* Whether the knob still has the value the proposal would replace. */
bool dfopt_operator_stands(const struct dfopt_planner *p,
                           const struct dfopt_key *key,
                           const struct dfopt_proposal *x);

void dfopt_operator_drop(struct dfopt_planner *p, const struct dfopt_key *key);

/* Iterates over the proposals; *at is NULL before the first. NULL: no more. */
const struct dfopt_proposal *dfopt_operator_next(const struct dfopt_planner *p,
                                                 const void **at,
                                                 struct dfopt_key *key);

#endif
