/* One event's pass through the planner: the rows and plans it produces, and their
 * positions. Private to the planner. */
#ifndef DFOPT_PLANNER_CONTROL_PASS_H
#define DFOPT_PLANNER_CONTROL_PASS_H

#include "planner/state/internal.h"

#include <math.h>

/* The values compared, for the verdict's row. */
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
    bool unsorted;   /* a row or plan was added out of order */
    struct dfopt_buf withheld; /* struct dfopt_key: of plans that are not sent */
    enum dfopt_err e;          /* the first failure; kept */
};

static inline struct dfopt_pass
dfopt_pass_begin(struct dfopt_planner *p, uint64_t seq, struct dfopt_decisions *out)
{
    return (struct dfopt_pass){.p = p,
                               .seq = seq,
                               .out = out,
                               .verdicts = out->verdicts.len,
                               .plans = out->plans.len,
                               .outcomes = out->outcomes.len,
                               .own = {DFOPT_POSITION_JOB, DFOPT_POSITION_NODE}};
}

void dfopt_pass_sort(struct dfopt_pass *s);
void dfopt_pass_reject_withheld(struct dfopt_pass *s);

/* Ends the event: plans that are not sent count as rejected at once, and rows and
 * plans are sorted by position. Returns the first failure, if any. */
static inline enum dfopt_err dfopt_pass_end(struct dfopt_pass *s)
{
    if (s->withheld.len > 0)
        dfopt_pass_reject_withheld(s);
    if (s->unsorted || s->out->outcomes.len > s->outcomes)
        dfopt_pass_sort(s);
    return s->e;
}

/* The position of the next row of a site (node index) that belongs to no tag. */
static inline uint32_t dfopt_pass_own(struct dfopt_pass *s, uint32_t site)
{
    return s->own[site != DFOPT_JOB_NODE]++;
}

/* The subject of a verdict; tag and knob may be DFOPT_SYM_NONE. */
struct dfopt_about {
    dfopt_sym tag, knob, node;
};

/* Whether rows of the site are reported. */
static inline bool dfopt_pass_speaks(const struct dfopt_pass *s, uint32_t site)
{
    return dfopt_planner_reports(s->p, site);
}

static inline void dfopt_pass_fail(struct dfopt_pass *s, enum dfopt_err e)
{
    if (e && !s->e)
        s->e = e;
}

/* Adds a verdict of a site. */
static inline void dfopt_pass_row(struct dfopt_pass *s, uint32_t site,
                                  uint32_t position, enum dfopt_verdict verdict,
                                  struct dfopt_about about, struct dfopt_compared c)
{
    if (!dfopt_pass_speaks(s, site))
        return;
    struct dfopt_verdict_row *row =
        dfopt_buf_extend(&s->out->verdicts, sizeof *row);
    if (!row) {
        dfopt_pass_fail(s, DFOPT_ERR_NOMEM);
        return;
    }
    *row = (struct dfopt_verdict_row){.seq = s->seq,
                                      .position = position,
                                      .verdict = verdict,
                                      .tag = about.tag,
                                      .knob = about.knob,
                                      .node = about.node,
                                      .value = c.value,
                                      .threshold = c.threshold};
    s->unsorted |= position < s->last;
    s->last = position;
}

/* Puts a site's plan in force and sends it. The draft has the fields of the
 * finding, the tag and the values, and the position; the rest is added here. */
void dfopt_pass_plan(struct dfopt_pass *s, const struct dfopt_key *key,
                     const struct dfopt_plan *draft);

/* The same for a plan that is not sent: in force until the event ends. */
void dfopt_pass_withhold(struct dfopt_pass *s, const struct dfopt_key *key,
                         const struct dfopt_plan *draft);

#endif
