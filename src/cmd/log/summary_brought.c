/* The gain of a run's plans, for people. */
#include "cmd/log/summary.h"

#include <inttypes.h>
#include <math.h>

static void put_gain(struct dl_summary *s, const struct dl_brought *b)
{
    if (!isfinite(b->claim.gain)) {
        dl_put(s->print,
               b->start_n == 0 ? "not known: no window before the first plan"
               : b->now_n == 0 ? "not known: no window since the first plan"
                               : "-: no plan");
        return;
    }
    dl_color(s->print, !b->claim.certain   ? DL_YELLOW
                       : b->claim.gain > 0 ? DL_GREEN
                                           : DL_RED);
    dl_put_claim(s->print, &b->claim);
    dl_color(s->print, DL_PLAIN);
}

static void put_level(struct dl_summary *s, double level)
{
    const size_t start = s->print->out.len;
    dl_put_level(s->print, level);
    dl_pad(s->print, start, 9);
}

static void put_row(struct dl_summary *s, const char *of,
                    const struct dl_brought *b)
{
    char windows[32];
    if (b->sites == 0)
        return;
    snprintf(windows, sizeof windows, "%" PRIu32 ", %" PRIu32, b->start_n,
             b->now_n);
    dl_put(s->print, "  %-20s ", of);
    put_level(s, b->start);
    put_level(s, b->now);
    put_level(s, b->best);
    dl_put(s->print, "%-8s ", windows);
    put_gain(s, b);
    if (b->left_out)
        dl_put(s->print, " (%" PRIu32 " left out)", b->left_out);
    dl_put(s->print, "\n");
}

static void put_objective(struct dl_summary *s)
{
    const struct dl_brought_facts *f = &s->brought;
    const struct dl_brought *any = f->job.sites ? &f->job : &f->nodes;
    char of[64];
    dl_put(s->print, "  %-20s %-9s %-9s %-9s %-8s gain\n", "objective", "start",
           "now", "best", "windows");
    put_row(s, "whole job", &f->job);
    snprintf(of, sizeof of,
             f->nodes.sites == 1 ? "1 node" : "mean of %" PRIu32 " nodes",
             f->nodes.sites);
    put_row(s, of, &f->nodes);
    dl_put(s->print,
           "  (medians of so many windows, before the first plan and at the end; "
           "%s is better)\n",
           any->goal < 0 ? "less" : "more");
}

static void put_no_objective(struct dl_summary *s)
{
    dl_put(s->print,
           s->brought.metric
               ? "  the objective is a metric of findings: dfopt-log plans "
                 "has the gain of each plan\n"
               : "  no objective was reported: findings show whether plans "
                 "helped, but not by how much\n");
}

static void put_plans(struct dl_summary *s)
{
    static const struct {
        enum dl_end_of end;
        const char *name;
        bool always;
    } shown[] = {{DL_END_KEPT, "kept", true},
                 {DL_END_TAKEN_BACK, "taken back", true},
                 {DL_END_OPEN, "undecided", true},
                 {DL_END_UNANSWERED, "unanswered", false},
                 {DL_END_WITHDRAWN, "withdrawn", true},
                 {DL_END_REJECTED, "rejected", false},
                 {DL_END_ROLLBACK, "rollbacks", false},
                 {DL_END_OPERATOR, "by the operator", false},
                 {DL_END_NONE, "relayed", false}};
    const struct dl_tally *t = &s->tally;
    const char *comma = "";
    dl_put(s->print, "  plans %" PRIu64 ": ", t->plans);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (!shown[i].always && t->ends[shown[i].end] == 0)
            continue;
        dl_put(s->print, "%s%s %" PRIu64, comma, shown[i].name,
               t->ends[shown[i].end]);
        if (shown[i].end == DL_END_KEPT && (t->gains || t->losses)) {
            dl_put(s->print, " (gain certain for %" PRIu64, t->gains);
            if (t->losses)
                dl_put(s->print, ", loss for %" PRIu64, t->losses);
            dl_put(s->print, ")");
        }
        comma = ", ";
    }
    dl_put(s->print, "\n");
}

/* Effects other than the plans'. */
static void put_shifts(struct dl_summary *s)
{
    const uint64_t n = s->facts.verdicts[DFOPT_VERDICT_SHIFT];
    if (n > 0 && (s->brought.job.sites || s->brought.nodes.sites))
        dl_put(s->print,
               "  the objective shifted by itself %" PRIu64
               " time%s: the gain is not due to the plans alone\n",
               n, n == 1 ? "" : "s");
}

void dl_summary_brought(struct dl_summary *s)
{
    const struct dl_brought_facts *f = &s->brought;
    const struct dl_brought *known = dl_brought_best_known(f);
    if (!f->logged)
        return;
    dl_color(s->print, DL_BOLD);
    dl_put(s->print, "%-13s ", "Gain");
    dl_color(s->print, DL_PLAIN);
    if (known)
        put_gain(s, known);
    else
        dl_put(s->print, f->plans ? "not known" : "no plan was made");
    dl_put(s->print, "\n");
    if (f->job.sites || f->nodes.sites)
        put_objective(s);
    else
        put_no_objective(s);
    put_shifts(s);
    if (s->outcomes.judged)
        put_plans(s);
    else
        dl_put(s->print, "  plans %" PRIu64 ": none judged (effect severity)\n",
               s->tally.plans);
    dl_put(s->print, "\n");
}
