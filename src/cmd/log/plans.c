/* dfopt-log plans: the plans of a run, one a line, and what became of them. */
#include "cmd/log/filter.h"
#include "cmd/log/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct answer { /* to a plan: of an ack, or of the time that has passed */
    uint64_t plan_id;
    uint32_t fate; /* enum dfopt_ack_outcome, or GIVEN_UP */
    uint32_t row;  /* the first of several answers counts */
};

#define GIVEN_UP UINT32_MAX

static int by_plan(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->plan_id != y->plan_id)
        return x->plan_id < y->plan_id ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Of a row of the kind; false: of no plan that was waited for. */
static bool answer_of(enum dl_kind kind, const void *row, struct answer *answer)
{
    const struct dfopt_declog_ack_row *a = row;
    const struct dfopt_timeout_row *t = row;
    if (kind == DL_TIMEOUT) {
        *answer = (struct answer){.plan_id = t->plan_id, .fate = GIVEN_UP};
        return true;
    }
    *answer = (struct answer){.plan_id = a->plan_id, .fate = a->outcome};
    return a->outcome != DFOPT_ACK_OUTCOME_UNMATCHED;
}

struct plans {
    struct dl_job job;
    struct dl_filter filter;
    struct dfopt_buf answers; /* struct answer, by plan: 16 bytes each */
};

static enum dfopt_err see_answer(void *arg, enum dl_kind kind, const void *row)
{
    struct plans *s = arg;
    struct answer answer;
    if (!answer_of(kind, row, &answer))
        return DFOPT_OK;
    answer.row = (uint32_t)DFOPT_ROWS(&s->answers, struct answer);
    return dfopt_buf_add(&s->answers, &answer, sizeof answer);
}

static enum dfopt_err read_answers(struct plans *s)
{
    enum dfopt_err e = dl_each(
        &s->job, DL_KIND_BIT(DL_ACK) | DL_KIND_BIT(DL_TIMEOUT), see_answer, s);
    if (s->answers.len > 0)
        qsort(s->answers.data, DFOPT_ROWS(&s->answers, struct answer),
              sizeof(struct answer), by_plan);
    return e;
}

/* What became of a plan: relayed, assumed, an ack's outcome, given up, waiting. */
static const char *fate_of(const struct plans *s, const struct dfopt_plan *p)
{
    const struct answer *a = DFOPT_ROW(&s->answers, struct answer);
    size_t low = 0, high = DFOPT_ROWS(&s->answers, struct answer), n = high;
    if (p->relay_id != DFOPT_SYM_NONE)
        return "relayed";
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a[middle].plan_id < p->plan_id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < n && a[low].plan_id == p->plan_id)
        return a[low].fate == GIVEN_UP ? "given_up"
                                       : dfopt_ack_outcome_name(a[low].fate);
    return strcmp(s->job.run->acks_mode, "assumed") == 0 ? "assumed" : "waiting";
}

/* ---- one plan ---- */

static void put_cell_sym(struct dl_print *p, dfopt_sym s, size_t width)
{
    size_t start = p->out.len;
    dl_put_sym(p, s);
    dl_pad(p, start, width);
}

static void plan_text(struct dl_print *p, const struct dfopt_plan *plan,
                      const char *fate)
{
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
    dl_put_sym(p, plan->tag);
    dl_put(p, "\n");
}

static enum dfopt_err plan_json(struct dl_job *j, const void *row, const char *fate)
{
    enum dfopt_err e =
        dl_row_json(&j->print, j->reader, &dl_tables[DL_PLAN], row, false, &j->err);
    if (!e && j->print.out.len >= 2) {
        j->print.out.len -= 2; /* "}\n" */
        dfopt_member_text(&j->print.put, "fate", fate);
        dfopt_put_raw(&j->print.put, "}\n");
    }
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
    if (!wanted(s, p))
        return DFOPT_OK;
    if (s->job.args.json)
        return plan_json(&s->job, row, fate_of(s, p));
    plan_text(&s->job.print, p, fate_of(s, p));
    return DFOPT_OK;
}

static enum dfopt_err print_plans(struct plans *s)
{
    struct dl_print *p = &s->job.print;
    enum dfopt_err e = read_answers(s);
    if (e)
        return e;
    if (!s->job.args.json) {
        dl_color(p, DL_BOLD);
        dl_put(p, "%-21s %6s %-20s %-14s %-16s %-9s %5s %s\n", "plan", "window",
               "knob", "change", "on", "became", "sev.", "tag");
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
        .doc = "Lists the plans of a run, and what became of each.\v"
               "A plan became applied, rejected or cleared by its ack; waiting: "
               "there was none yet; given_up: none came in time; assumed: the run "
               "took it as applied; relayed: it "
               "is a global optimizer's.\n"};
    struct plans s = {.job = {.args = {.n_files = 1}}};
    dl_args_parse(&s.job.args, &command, &s, argc, argv);
    if (!dl_start(&s.job))
        return DL_TROUBLE;
    enum dfopt_err e = dl_filter_resolve(&s.filter, &s.job);
    if (!e)
        e = print_plans(&s);
    dfopt_buf_free(&s.answers);
    return dl_end(&s.job, e);
}
