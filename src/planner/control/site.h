/* What is known of a site, one node or the job, with control by effect: its
 * objectives, what has been tried and learned. docs/planner.md has the words; for
 * the planner's own files only. */
#ifndef DFOPT_PLANNER_CONTROL_SITE_H
#define DFOPT_PLANNER_CONTROL_SITE_H

#include "planner/control/pass.h"
#include "planner/state/series.h"

#define DFOPT_ADJUSTMENTS_MAX 1024 /* keeps own rows within their positions */
#define DFOPT_FINDING_WINDOWS 3    /* that decide a trial without an objective */

/* The current run of findings with a tag: a window without one ends it. */
struct dfopt_run {
    int64_t first, last; /* DFOPT_NO_WINDOW: there was none */
};

#define DFOPT_NO_WINDOW INT64_MIN
/* So tags that came late cost no site that lacks them. */
#define DFOPT_RUNS_A_PAGE 16

/* The directions that can back off: those of responses, then these. */
enum dfopt_move_direction {
    DFOPT_MOVE_RELEASE = DFOPT_DIRECTION_UNKNOWN + 1,
    DFOPT_MOVE_TRADE,
    DFOPT_MOVE_COUNT
};

/* What the planner has done to one knob of one site. */
struct dfopt_adjustment {
    struct dfopt_adjustment *next; /* of the site, in order of the first moves */
    uint32_t knob;                 /* ordinal */
    bool in_trial;                 /* the site's open trial moves it */
    bool proven;                   /* a trial has shown that the value is needed */
    bool hurt;    /* a demanded move of this knob alone was once judged worse */
    bool touched; /* a plan of it has left */
    uint32_t failures[DFOPT_MOVE_COUNT]; /* 0: no backoff */
    int64_t until[DFOPT_MOVE_COUNT];     /* closed before this window */
    struct dfopt_value base;             /* before the first move */
    struct dfopt_value prev;             /* before the last move that was kept */
    struct dfopt_value anchor;           /* before the first inconclusive step */
    struct dfopt_value replaced;         /* by a registration; NULL: none was */
    struct dfopt_value delta;  /* size of the last step that was kept; INT: i is
                                * unsigned */
    dfopt_sym tag, apply_when; /* of the first move, and its finding: */
    dfopt_sym type, scope;
    double severity;
    uint32_t inconclusive; /* steps kept though their effect could not be seen */
};

struct dfopt_site {
    _Alignas(64) int64_t clock; /* largest window of its events; -1: none yet */
    int64_t since; /* windows from here on ran with the settings of now */
    uint32_t generation, job_changes; /* the planner's, as they were last seen */
    bool recheck;   /* a registration named this node: did it start anew? */
    bool disturbed; /* a knob was changed from outside */
    bool isolate;   /* several moves at once have failed: one at a time */
    int8_t goal;    /* 1: more is better; -1: less is better */
    uint32_t n_adjustments;
    struct dfopt_trial *trial;   /* owned; NULL: none is open */
    struct dfopt_series *series; /* owned; NULL: no objective yet */
    struct dfopt_run **runs; /* owned pages, by index of the tag; NULL: no run */
    uint32_t n_runs;         /* pages that there is room for */
    struct dfopt_adjustment *first, *last; /* owned */
    int64_t rest;         /* window in which the last trial ended; -1: none has */
    int64_t epoch_delay;  /* windows that an ack for an epoch took; -1: none yet */
    double reference;     /* the objective that shifts and releases compare with, */
    uint32_t reference_n; /* its windows; 0: there is none */
};

struct dfopt_site *dfopt_site_add(struct dfopt_pass *s, uint32_t node);

/* The site of a node, a new one if need be; NULL: no memory, as *s says. */
static inline struct dfopt_site *dfopt_site_at(struct dfopt_pass *s, uint32_t node)
{
    struct dfopt_site *site = s->p->slots.nodes[node].site;
    return site ? site : dfopt_site_add(s, node);
}
void dfopt_site_free(struct dfopt_site *site);

/* About how many bytes so many sites take at most, with an objective, an open trial
 * and so many adjusted knobs each, and findings with some tags. */
uint64_t dfopt_site_bytes(uint64_t nodes, uint64_t knobs);

/* The value of a knob at a site. */
struct dfopt_value dfopt_site_value(const struct dfopt_planner *p, uint32_t node,
                                    uint32_t knob);

/* What is done to a knob at a site; NULL: nothing. The second makes a new one. */
static inline struct dfopt_adjustment *
dfopt_site_adjustment(const struct dfopt_planner *p, uint32_t node, uint32_t knob)
{
    const struct dfopt_slot *slot = dfopt_slots_find(&p->slots, node, knob);
    return slot ? slot->adjustment : NULL;
}
struct dfopt_adjustment *dfopt_site_adjust(struct dfopt_pass *s, uint32_t node,
                                           uint32_t knob);

/* The adjustment with the next ordinal at or behind `from`; NULL: none. */
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

/* Whether the site is judged by its objective: not if none came of late. */
static inline bool dfopt_site_has_objective(const struct dfopt_planner *p,
                                            const struct dfopt_site *site)
{
    const struct dfopt_series *r = site->series;
    return r && r->n &&
           r->newest >= site->clock - p->policy->on.ack_timeout_windows;
}

/* How much better `now` is than `before`, as a share. */
double dfopt_site_gain(const struct dfopt_site *site, double before, double now);

/* What the difference of medians of n and of m windows may be by chance. */
double dfopt_site_band(const struct dfopt_planner *p, const struct dfopt_site *site,
                       uint32_t n, uint32_t m);

/* The noise of a window, for reports; NaN: too few windows to tell. */
double dfopt_site_noise(const struct dfopt_site *site);

/* Takes an objective of a window that is not stale: goal, noise, ring. */
void dfopt_site_take(struct dfopt_pass *s, struct dfopt_site *site, int64_t window,
                     double value, int goal);

/* ---- findings ---- */

/* The run of a tag, by the tag's index in the registry; NULL: none, and no place
 * for one. */
static inline struct dfopt_run *dfopt_site_run(const struct dfopt_site *site,
                                               uint32_t tag)
{
    const uint32_t page = tag / DFOPT_RUNS_A_PAGE;
    return page < site->n_runs && site->runs[page]
               ? &site->runs[page][tag % DFOPT_RUNS_A_PAGE]
               : NULL;
}

/* Makes one for a tag by its name; NULL: no memory, as *s says. */
struct dfopt_run *dfopt_site_add_run(struct dfopt_pass *s, struct dfopt_site *site,
                                     dfopt_sym name);

/* A finding of the window carries the tag. */
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

/* ---- what is learned, and forgotten ---- */

/* Closes (knob, direction) for a while, longer at each failure. */
void dfopt_back_off(const struct dfopt_planner *p, struct dfopt_adjustment *a,
                    uint32_t direction, int64_t window);

static inline bool dfopt_backed_off(const struct dfopt_adjustment *a,
                                    uint32_t direction, int64_t window)
{
    return a && a->failures[direction] && window < a->until[direction];
}

/* The surroundings changed: what was learned holds no longer. */
void dfopt_site_relearn(struct dfopt_site *site);

#endif
