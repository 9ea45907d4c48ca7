/* State of a site (a node or the job) under control by effect: its objectives,
 * trials and what was learned. Terms: docs/planner.md. Private to the planner. */
#ifndef DFOPT_PLANNER_CONTROL_SITE_H
#define DFOPT_PLANNER_CONTROL_SITE_H

#include "planner/control/pass.h"
#include "planner/state/series.h"

#define DFOPT_ADJUSTMENTS_MAX 1024 /* keeps own rows within their positions */
#define DFOPT_FINDING_WINDOWS 3    /* that decide a trial without an objective */

/* The current run of findings with a tag; a window without one ends it. */
struct dfopt_run {
    int64_t first, last; /* windows; DFOPT_NO_WINDOW: none */
};

#define DFOPT_NO_WINDOW INT64_MIN
/* Runs are paged so that late tags cost nothing at sites that lack them. */
#define DFOPT_RUNS_A_PAGE 16

/* Directions that can back off: those of responses, then these. */
enum dfopt_move_direction {
    DFOPT_MOVE_RELEASE = DFOPT_DIRECTION_UNKNOWN + 1,
    DFOPT_MOVE_TRADE,
    DFOPT_MOVE_COUNT
};

/* What the planner has done to one knob at one site. */
struct dfopt_adjustment {
    struct dfopt_adjustment *next; /* at the site, in order of first moves */
    uint32_t knob;                 /* ordinal */
    bool in_trial;                 /* moved by the site's open trial */
    bool proven;                   /* a trial has shown the value is needed */
    bool hurt;    /* a demanded move of this knob alone was judged worse */
    bool touched; /* one of its plans has been sent */
    uint32_t failures[DFOPT_MOVE_COUNT]; /* 0: no backoff */
    int64_t until[DFOPT_MOVE_COUNT];     /* blocked before this window */
    struct dfopt_value base;             /* before the first move */
    struct dfopt_value prev;             /* before the last kept move */
    struct dfopt_value anchor;           /* before the first inconclusive step */
    struct dfopt_value replaced;         /* by a registration; NULL: none */
    struct dfopt_value delta;  /* size of the last kept step; INT: i is unsigned */
    dfopt_sym tag, apply_when; /* of the first move, and its finding: */
    dfopt_sym type, scope;
    double severity;
    uint32_t inconclusive; /* steps kept without a visible effect */
};

struct dfopt_site {
    _Alignas(64) int64_t clock; /* largest window of its events; -1: none yet */
    int64_t since;              /* windows from here on have the current settings */
    uint32_t generation, job_changes; /* the planner's, when last seen */
    bool recheck;   /* a registration named this node: check for a restart */
    bool disturbed; /* a knob was changed from outside */
    bool isolate;   /* joint moves have failed: move one knob at a time */
    int8_t goal;    /* 1: more is better; -1: less is better */
    uint32_t n_adjustments;
    struct dfopt_trial *trial;   /* owned; NULL: none is open */
    struct dfopt_series *series; /* owned; NULL: no objective yet */
    struct dfopt_run **runs;     /* owned pages, by tag index; NULL: no run */
    uint32_t n_runs;             /* allocated pages */
    struct dfopt_adjustment *first, *last; /* owned */
    int64_t rest;         /* window in which the last trial ended; -1: none */
    int64_t epoch_delay;  /* windows an epoch ack took; -1: none yet */
    double reference;     /* objective that shifts and releases compare with; */
    uint32_t reference_n; /* its number of windows; 0: none */
};

struct dfopt_site *dfopt_site_add(struct dfopt_pass *s, uint32_t node);

/* The site of a node, created if needed; NULL: out of memory, as *s says. */
static inline struct dfopt_site *dfopt_site_at(struct dfopt_pass *s, uint32_t node)
{
    struct dfopt_site *site = s->p->slots.nodes[node].site;
    return site ? site : dfopt_site_add(s, node);
}
void dfopt_site_free(struct dfopt_site *site);

/* Whether the site is a node and the job's trial is open. The job may have no site
 * yet: events of nodes, which one planner sees, must not create it. */
static inline bool dfopt_job_tries(const struct dfopt_planner *p, uint32_t node)
{
    const struct dfopt_site *job = p->slots.nodes[DFOPT_JOB_NODE].site;
    return node != DFOPT_JOB_NODE && job && job->trial;
}

/* Approximate maximum bytes for this many sites, each with an objective, an open
 * trial, this many adjusted knobs, and findings with some tags. */
uint64_t dfopt_site_bytes(uint64_t nodes, uint64_t knobs);

/* The value of a knob at a site. */
struct dfopt_value dfopt_site_value(const struct dfopt_planner *p, uint32_t node,
                                    uint32_t knob);

/* The adjustment of a knob at a site; NULL: none. The second call creates one. */
static inline struct dfopt_adjustment *
dfopt_site_adjustment(const struct dfopt_planner *p, uint32_t node, uint32_t knob)
{
    const struct dfopt_slot *slot = dfopt_slots_find(&p->slots, node, knob);
    return slot ? slot->adjustment : NULL;
}
struct dfopt_adjustment *dfopt_site_adjust(struct dfopt_pass *s, uint32_t node,
                                           uint32_t knob);

/* The adjustment with the lowest ordinal from `from` on; NULL: none. */
struct dfopt_adjustment *dfopt_site_next(const struct dfopt_site *site,
                                         uint32_t from);

/* Whether a plan is in flight for the knob at the site. */
static inline bool dfopt_site_in_flight(const struct dfopt_planner *p,
                                        uint32_t node, uint32_t knob)
{
    const struct dfopt_slot *slot = dfopt_slots_find(&p->slots, node, knob);
    return slot && slot->has_pending;
}

/* ---- objectives ---- */

/* Whether the site is judged by its objective: false if none arrived recently. */
static inline bool dfopt_site_has_objective(const struct dfopt_planner *p,
                                            const struct dfopt_site *site)
{
    const struct dfopt_series *r = site->series;
    return r && r->n &&
           r->newest >= site->clock - p->policy->on.ack_timeout_windows;
}

/* The relative improvement of `now` over `before`. */
double dfopt_site_gain(const struct dfopt_site *site, double before, double now);

/* How much the medians of n and of m windows may differ by chance. */
double dfopt_site_band(const struct dfopt_planner *p, const struct dfopt_site *site,
                       uint32_t n, uint32_t m);

/* The noise of a window, for reports; NaN: too few windows. */
double dfopt_site_noise(const struct dfopt_site *site);

/* Records a window's objective that is not stale: goal, noise, ring. */
void dfopt_site_take(struct dfopt_pass *s, struct dfopt_site *site, int64_t window,
                     double value, int goal);

/* ---- findings ---- */

/* The run of a tag, by its index in the registry; NULL: none, and no slot for
 * one. */
static inline struct dfopt_run *dfopt_site_run(const struct dfopt_site *site,
                                               uint32_t tag)
{
    const uint32_t page = tag / DFOPT_RUNS_A_PAGE;
    return page < site->n_runs && site->runs[page]
               ? &site->runs[page][tag % DFOPT_RUNS_A_PAGE]
               : NULL;
}

/* Creates a tag's run, by name; NULL: out of memory, as *s says. */
struct dfopt_run *dfopt_site_add_run(struct dfopt_pass *s, struct dfopt_site *site,
                                     dfopt_sym name);

/* Notes that a finding of the window carries the tag. */
static inline void dfopt_site_demand(struct dfopt_pass *s, struct dfopt_site *site,
                                     dfopt_sym name, int64_t window)
{
    const uint32_t tag = dfopt_symmap_get(&s->p->registry.tag_of, name);
    struct dfopt_run *run =
        tag == DFOPT_SYMMAP_NONE ? NULL : dfopt_site_run(site, tag);
    if (!run && !(run = dfopt_site_add_run(s, site, name)))
        return;
    const int64_t same =
        -(int64_t)(run->last >= window - 1); /* all bits, or none */
    run->first = (run->first & same) | (window & ~same);
    run->last = window;
}

/* ---- learning and forgetting ---- */

/* Blocks (knob, direction) for a while, longer after each failure. */
void dfopt_back_off(const struct dfopt_planner *p, struct dfopt_adjustment *a,
                    uint32_t direction, int64_t window);

static inline bool dfopt_backed_off(const struct dfopt_adjustment *a,
                                    uint32_t direction, int64_t window)
{
    return a && a->failures[direction] && window < a->until[direction];
}

/* The environment changed: forgets what was learned. */
void dfopt_site_relearn(struct dfopt_site *site);

#endif
