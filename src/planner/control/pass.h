/* An event as it passes through the planner: the rows and plans that it leads to,
 * and their positions. For the planner's own files only. */
#ifndef DFOPT_PLANNER_CONTROL_PASS_H
#define DFOPT_PLANNER_CONTROL_PASS_H

#include "planner/state/internal.h"

/* What was compared with what, for the verdict's row. */
struct dfopt_compared {
    double value, threshold;
};

#define DFOPT_NOT_COMPARED ((struct dfopt_compared){NAN, NAN})

struct dfopt_pass {
    struct dfopt_planner *p;
    uint64_t seq;
    struct dfopt_decisions *out;
    size_t verdicts, plans, outcomes; /* bytes of out before the event */
    uint32_t own[2]; /* positions of the next own row: the job's, the node's */
    uint32_t last;   /* position of the last row */
    bool unsorted;   /* a row or plan came out of order */
    struct dfopt_buf withheld; /* struct dfopt_key: of plans that do not leave */
    enum dfopt_err e;          /* the first failure, which sticks */
};

struct dfopt_pass dfopt_pass_begin(struct dfopt_planner *p, uint64_t seq,
                                   struct dfopt_decisions *out);

/* Ends the event: plans that do not leave count as rejected at once, and rows and
 * plans are put in the order of their positions. Returns the failure, if there was
 * one. */
enum dfopt_err dfopt_pass_end(struct dfopt_pass *s);

/* The position of a site's (index of a node) next row that is not of a tag. */
uint32_t dfopt_pass_own(struct dfopt_pass *s, uint32_t site);

/* What a verdict is about; tag and knob may be DFOPT_SYM_NONE. */
struct dfopt_about {
    dfopt_sym tag, knob, node;
};

/* Adds a verdict of a site. */
void dfopt_pass_row(struct dfopt_pass *s, uint32_t site, uint32_t position,
                    enum dfopt_verdict verdict, struct dfopt_about about,
                    struct dfopt_compared c);

/* Whether rows of the site go out. */
static inline bool dfopt_pass_speaks(const struct dfopt_pass *s, uint32_t site)
{
    return dfopt_planner_reports(s->p, site);
}

static inline void dfopt_pass_fail(struct dfopt_pass *s, enum dfopt_err e)
{
    if (e && !s->e)
        s->e = e;
}

/* A site's plan takes effect and goes out. The draft has what the finding, the
 * tag and the values are, and the position; the rest is added. */
void dfopt_pass_plan(struct dfopt_pass *s, const struct dfopt_key *key,
                     const struct dfopt_plan *draft);

/* The same for a plan that does not leave: it is in force until the event ends. */
void dfopt_pass_withhold(struct dfopt_pass *s, const struct dfopt_key *key,
                         const struct dfopt_plan *draft);

#endif
