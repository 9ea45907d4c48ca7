/* Modes, freezes, limits and proposals. */
#include "planner/operator/operator.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct dfopt_proposal_ref {
    UT_hash_handle hh;
    struct pair {
        uint32_t knob, node;
    } at;
    struct dfopt_proposal x;
};

enum dfopt_err dfopt_operator_create(struct dfopt_operator **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

void dfopt_operator_destroy(struct dfopt_operator *o)
{
    struct dfopt_proposal_ref *ref, *next;
    if (!o)
        return;
    HASH_ITER(hh, o->proposals, ref, next)
    {
        HASH_DELETE(hh, o->proposals, ref);
        free(ref);
    }
    dfopt_buf_free(&o->modes);
    free(o);
}

/* ---- modes ---- */

static bool fits(const struct dfopt_mode_entry *m, dfopt_sym knob, dfopt_sym tag)
{
    return m->target == DFOPT_TARGET_ALL ||
           m->name == (m->target == DFOPT_TARGET_KNOB ? knob : tag);
}

enum dfopt_knob_mode dfopt_operator_find_mode(const struct dfopt_operator *o,
                                              dfopt_sym knob, dfopt_sym tag)
{
    const struct dfopt_mode_entry *best = NULL;
    const struct dfopt_mode_entry *all =
        DFOPT_ROW(&o->modes, const struct dfopt_mode_entry);
    for (size_t i = 0; i < DFOPT_ROWS(&o->modes, struct dfopt_mode_entry); i++)
        if (fits(&all[i], knob, tag) && (!best || best->target < all[i].target))
            best = &all[i];
    return best ? (enum dfopt_knob_mode)best->mode : DFOPT_MODE_AUTO;
}

enum dfopt_err dfopt_operator_set_mode(struct dfopt_operator *o,
                                       const struct dfopt_mode_entry *m)
{
    struct dfopt_mode_entry *all = DFOPT_ROW(&o->modes, struct dfopt_mode_entry);
    for (size_t i = 0; i < DFOPT_ROWS(&o->modes, struct dfopt_mode_entry); i++)
        if (all[i].target == m->target && all[i].name == m->name) {
            all[i] = *m;
            return DFOPT_OK;
        }
    return dfopt_buf_add(&o->modes, m, sizeof *m);
}

/* ---- limits ---- */

static uint64_t plans_of(const struct dfopt_operator *o, int64_t window)
{
    for (uint32_t i = 0; i < o->n_counts; i++)
        if (o->counts[i].window == window)
            return o->counts[i].plans;
    return 0;
}

static uint64_t nodes_in_flight(const struct dfopt_planner *p, uint32_t knob)
{
    struct dfopt_key key;
    uint64_t n = 0;
    for (void *at = NULL; dfopt_planner_next_plan(p, &at, knob, &key);) {
        n += key.node != DFOPT_JOB_NODE;
        if (!at)
            break; /* the last one */
    }
    return n;
}

bool dfopt_operator_full(const struct dfopt_planner *p, const struct dfopt_key *key,
                         int64_t window, uint32_t plans, struct dfopt_rate *rate)
{
    const struct dfopt_limits *l = &p->policy->limits;
    struct dfopt_rate r = {0, 0};
    bool full = false;
    if (!l->given)
        return false;
    if (l->plans_per_window != DFOPT_LIMIT_NONE) {
        r = (struct dfopt_rate){plans_of(p->operator, window),
                                (uint64_t)l->plans_per_window};
        full = r.is + plans > r.most;
    }
    if (!full && l->nodes_in_flight_per_knob != DFOPT_LIMIT_NONE &&
        key->node != DFOPT_JOB_NODE) {
        r = (struct dfopt_rate){nodes_in_flight(p, key->knob),
                                (uint64_t)l->nodes_in_flight_per_knob};
        full = r.is >= r.most;
    }
    if (rate)
        *rate = r;
    return full;
}

void dfopt_operator_count(struct dfopt_planner *p, int64_t window)
{
    struct dfopt_operator *o = p->operator;
    uint32_t i = 0;
    if (!p->policy->limits.given)
        return;
    while (i < o->n_counts && o->counts[i].window != window)
        i++;
    if (i == DFOPT_RATE_WINDOWS) {
        for (i = 1; i < DFOPT_RATE_WINDOWS; i++)
            o->counts[i - 1] = o->counts[i];
        i = --o->n_counts;
    }
    if (i == o->n_counts) {
        o->counts[i].window = window;
        o->counts[i].plans = 0;
        o->n_counts++;
    }
    o->counts[i].plans++;
}

/* ---- proposals ---- */

static struct dfopt_proposal_ref *find_ref(const struct dfopt_planner *p,
                                           const struct dfopt_key *key)
{
    const struct pair at = {key->knob, key->node};
    struct dfopt_proposal_ref *ref = NULL;
    if (p->operator->proposals)
        HASH_FIND(hh, p->operator->proposals, &at, sizeof at, ref);
    return ref;
}

bool dfopt_operator_expired(const struct dfopt_planner *p,
                            const struct dfopt_proposal *x, int64_t window)
{
    const int64_t limit = p->policy->on.approval_windows;
    return limit > 0 && window - x->f.window >= limit;
}

bool dfopt_operator_stands(const struct dfopt_planner *p,
                           const struct dfopt_key *key,
                           const struct dfopt_proposal *x)
{
    const struct dfopt_value now = dfopt_planner_value(p, key);
    return (now.kind == DFOPT_KIND_BOOL) == (x->old.kind == DFOPT_KIND_BOOL) &&
           dfopt_value_equal(p->dict, now, x->old);
}

void dfopt_operator_drop(struct dfopt_planner *p, const struct dfopt_key *key)
{
    struct dfopt_proposal_ref *ref = find_ref(p, key);
    if (!ref)
        return;
    HASH_DELETE(hh, p->operator->proposals, ref);
    free(ref);
}

const struct dfopt_proposal *dfopt_operator_waits(struct dfopt_planner *p,
                                                  const struct dfopt_key *key,
                                                  enum dfopt_knob_mode mode,
                                                  int64_t window)
{
    const struct dfopt_proposal_ref *ref = find_ref(p, key);
    if (!ref)
        return NULL;
    if (mode == DFOPT_MODE_ADVISE && !dfopt_operator_expired(p, &ref->x, window) &&
        dfopt_operator_stands(p, key, &ref->x))
        return &ref->x;
    dfopt_operator_drop(p, key);
    return NULL;
}

enum dfopt_err dfopt_operator_propose(struct dfopt_planner *p,
                                      const struct dfopt_key *key,
                                      const struct dfopt_proposal *x)
{
    struct dfopt_proposal_ref *ref = calloc(1, sizeof *ref);
    if (!ref)
        return DFOPT_ERR_NOMEM;
    ref->at = (struct pair){key->knob, key->node};
    ref->x = *x;
    HASH_ADD(hh, p->operator->proposals, at, sizeof ref->at, ref);
    if (!ref->hh.tbl) {
        free(ref);
        return DFOPT_ERR_NOMEM;
    }
    return DFOPT_OK;
}

static void set_key(const struct dfopt_planner *p,
                    const struct dfopt_proposal_ref *ref, struct dfopt_key *key)
{
    *key = (struct dfopt_key){ref->at.knob, ref->at.node, NULL};
    key->slot = dfopt_slots_find(&p->slots, key->node, key->knob);
}

const struct dfopt_proposal *dfopt_operator_next(const struct dfopt_planner *p,
                                                 const void **at,
                                                 struct dfopt_key *key)
{
    const struct dfopt_proposal_ref *ref = *at;
    ref = ref ? ref->hh.next : p->operator->proposals;
    *at = ref;
    if (!ref)
        return NULL;
    set_key(p, ref, key);
    return &ref->x;
}

const struct dfopt_proposal *dfopt_operator_find(const struct dfopt_planner *p,
                                                 uint64_t id, struct dfopt_key *key)
{
    const void *at = NULL;
    const struct dfopt_proposal *x;
    while ((x = dfopt_operator_next(p, &at, key)) && x->id != id)
        ;
    return x;
}
