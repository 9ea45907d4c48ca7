/* dfopt-log plans: lists a run's plans with their outcomes, one per line. */
#include "cmd/log/filter.h"
#include "cmd/log/merge.h"
#include "cmd/log/outcomes.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct plans {
    struct dl_job job;
    struct dl_filter filter;
    struct dl_outcomes outcomes;
};

/* A plan's answer: relayed, assumed, an ack's outcome, given up or waiting. */
static const char *fate_of(const struct plans *s, const struct dfopt_plan *p)
{
    const struct dl_answer *a = dl_answer_of(&s->outcomes, p->plan_id);
    if (p->relay_id != DFOPT_SYM_NONE)
        return "relayed";
    if (a)
        return a->fate == DL_GIVEN_UP ? "given_up"
                                      : dfopt_ack_outcome_name(a->fate);
    return s->outcomes.assumed ? "assumed" : "waiting";
}

/* ---- one plan ---- */

static void put_cell_sym(struct dl_print *p, dfopt_sym s, size_t width)
{
    size_t start = p->out.len;
    dl_put_sym(p, s);
    dl_pad(p, start, width);
}

/* The columns before the outcome, which has no fixed width. */
static void plan_cells(struct plans *s, const struct dfopt_plan *plan)
{
    struct dl_print *p = &s->job.print;
    const char *fate = fate_of(s, plan);
    size_t start = p->out.len;
    if (plan->relay_id != DFOPT_SYM_NONE)
        dl_put_sym(p, plan->relay_id);
    else
        dl_put_plan_id(p, plan->plan_id);
    dl_pad(p, start, DFOPT_PLAN_ID_SIZE - 1);
    dl_put(p, "%6" PRId64 " ", plan->window);
    put_cell_sym(p, plan->knob, 20);
    start = p->out.len;
    dl_put_change(p, plan);
    dl_pad(p, start, 14);
    start = p->out.len;
    dl_put_targets(p, plan);
    dl_pad(p, start, 16);
    dl_color(p, strcmp(fate, "rejected") == 0      ? DL_RED
                : fate[0] == 'w' || fate[0] == 'g' ? DL_YELLOW
                                                   : DL_GREEN);
    dl_put(p, "%-9s", fate);
    dl_color(p, DL_PLAIN);
    dl_put(p, " %5.3f ", plan->severity);
}

static enum dfopt_err plan_text(struct plans *s, const struct dfopt_plan *plan,
                                enum dl_end_of end)
{
    struct dl_print *p = &s->job.print;
    plan_cells(s, plan);
    if (!s->outcomes.judged) {
        dl_put_sym(p, plan->tag);
    } else {
        put_cell_sym(p, plan->tag, 20);
        dl_color(p, dl_end_color(end));
        if (end == DL_END_NONE)
            dl_put(p, "-");
        else
            dl_put_end(p, end, dl_outcome_of(&s->outcomes, plan->plan_id));
        dl_color(p, DL_PLAIN);
    }
    const enum dfopt_err e = dl_put_plan_processes(p, &s->outcomes.processes,
                                                   plan->plan_id, &s->job.err);
    dl_put(p, "\n");
    return e;
}

static enum dfopt_err plan_json(struct plans *s, const void *row,
                                enum dl_end_of end)
{
    struct dl_job *j = &s->job;
    struct dfopt_put *put = &j->print.put;
    const struct dfopt_plan *p = &((const struct dfopt_declog_plan_row *)row)->p;
    const struct dl_outcome *o = dl_outcome_of(&s->outcomes, p->plan_id);
    enum dfopt_err e =
        dl_row_json(&j->print, j->reader, &dl_tables[DL_PLAN], row, false, &j->err);
    if (e || j->print.out.len < 2)
        return e;
    j->print.out.len -= 2; /* "}\n" */
    dfopt_member_text(put, "fate", fate_of(s, p));
    dfopt_put_key(put, "outcome");
    dfopt_put_z(put, end == DL_END_NONE ? NULL : dl_end_name(end));
    dfopt_put_key(put, "verdict");
    dfopt_put_z(put, o ? dfopt_verdict_name(o->verdict) : NULL);
    dfopt_member_real(put, "gain", o ? o->claim.gain : NAN);
    dfopt_member_real(put, "standard_error", o ? o->claim.error : NAN);
    dfopt_member_bool(put, "certain", o && o->claim.certain);
    dfopt_member_uint(put, "moves", o ? o->moves : 0);
    e = dl_processes_json(put, &s->outcomes.processes,
                          dl_processes_of(&s->outcomes.processes, p->plan_id),
                          &j->err);
    dfopt_put_raw(put, "}\n");
    return e;
}

/* ---- the command ---- */

static bool wanted(const struct plans *s, const struct dfopt_plan *p)
{
    const struct dl_filter *f = &s->filter;
    return (f->knob_sym == DFOPT_SYM_NONE || p->knob == f->knob_sym) &&
           (f->tag_sym == DFOPT_SYM_NONE || p->tag == f->tag_sym) &&
           dl_filter_window(f, p->window) && dl_filter_plan(f, s->job.dict, p);
}

static enum dfopt_err see_plan(void *arg, enum dl_kind kind, const void *row)
{
    struct plans *s = arg;
    const struct dfopt_plan *p = &((const struct dfopt_declog_plan_row *)row)->p;
    (void)kind;
    enum dl_end_of end;
    if (!wanted(s, p))
        return DFOPT_OK;
    enum dfopt_err e = dl_plan_end(&s->outcomes, row, &end, &s->job.err);
    if (!e && s->job.args.json)
        e = plan_json(s, row, end);
    else if (!e)
        e = plan_text(s, p, end);
    return e;
}

static enum dfopt_err print_plans(struct plans *s)
{
    struct dl_print *p = &s->job.print;
    enum dfopt_err e = dl_outcomes_read(&s->outcomes, s->job.reader, &s->job.err);
    if (e)
        return e;
    if (!s->job.args.json) {
        dl_color(p, DL_BOLD);
        dl_put(p, "%-21s %6s %-20s %-14s %-16s %-9s %5s ", "plan", "window", "knob",
               "change", "on", "became", "sev.");
        dl_put(p, s->outcomes.judged ? "%-20s outcome\n" : "%s\n", "tag");
        dl_color(p, DL_PLAIN);
    }
    return dl_each(&s->job, DL_KIND_BIT(DL_PLAN), see_plan, s);
}

static const struct dfopt_option options[] = {DL_OPTION_KNOB(struct plans),
                                              DL_OPTION_NODE(struct plans),
                                              DL_OPTION_TAG(struct plans),
                                              DL_OPTION_WINDOW(struct plans),
                                              {.name = NULL}};

int dl_plans(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc =
            "List the plans of a run and what became of each.\v"
            "Status: applied, rejected or cleared by its acknowledgement; waiting, "
            "none has come yet; given_up, none came in time; assumed, the run "
            "counted it as applied; relayed, a global optimizer made it. Where "
            "several processes acknowledged a plan, the line ends with how many "
            "applied it, and why the first of the others did not.\n"
            "\n"
            "Outcome of its trial: kept or taken back, with the gain of the "
            "objective and two standard errors; open, on trial; unanswered, the "
            "same without an acknowledgement; rollback, it takes another plan "
            "back; withdrawn, its process has left. Knobs that moved together "
            "share their gain.\n"};
    struct plans s = {.job = {.args = {.n_files = 1}}};
    dl_args_parse(&s.job.args, &command, &s, argc, argv);
    if (!dl_start(&s.job))
        return DL_TROUBLE;
    enum dfopt_err e = dl_filter_resolve(&s.filter, &s.job);
    if (!e)
        e = print_plans(&s);
    dl_outcomes_free(&s.outcomes);
    return dl_end(&s.job, e);
}
