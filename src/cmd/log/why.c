/* dfopt-log why: lists the findings that asked a knob to move and the gates'
 * verdicts; in between, what else changed the knob's value. */
#include "cmd/log/conclude.h"
#include "cmd/log/filter.h"
#include "cmd/log/merge.h"
#include "cmd/log/trials.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct why {
    struct dl_job *job;
    struct dl_filter filter;
    struct dfopt_buf responses; /* struct dfopt_declog_response_row of the knob */
    struct dfopt_cursor findings;
    bool pending_plan; /* `verdict` has a plan, in the next row */
    struct dfopt_verdict_row verdict;
    bool only_trials; /* --trials */
    bool all;         /* --all */
    bool lists;       /* list findings before the conclusion */
    struct dl_trials trials;
    int64_t now; /* the last window seen */
    struct dl_conclusion conclusion;
    struct dl_print words; /* scratch */
};

/* ---- the parts of an event ---- */

static const struct dfopt_response *response_of(const struct why *w, dfopt_sym tag)
{
    const struct dfopt_declog_response_row *r =
        DFOPT_ROW(&w->responses, struct dfopt_declog_response_row);
    for (size_t i = DFOPT_ROWS(&w->responses, struct dfopt_declog_response_row);
         i > 0; i--)
        if (r[i - 1].r.tag == tag)
            return &r[i - 1].r;
    return NULL;
}

/* *finding is NULL if the log has none for the event. */
static enum dfopt_err finding_of(struct why *w, uint64_t seq,
                                 const struct dfopt_declog_finding_row **finding)
{
    const void *row = NULL;
    enum dfopt_err e = dfopt_cursor_seek(&w->findings, dl_tables[DL_FINDING].seq,
                                         seq, &w->job->err);
    if (!e)
        e = dfopt_cursor_row(&w->findings, &row, &w->job->err);
    *finding = row;
    if (!e && row && (*finding)->seq != seq)
        *finding = NULL;
    return e;
}

/* Whether the knob responds to one of the finding's tags. */
static bool asks_for_knob(const struct why *w,
                          const struct dfopt_declog_finding_row *f)
{
    size_t n;
    const dfopt_sym *tags = dfopt_dict_items(w->job->dict, f->tags, &n);
    for (size_t i = 0; i < n; i++)
        if (response_of(w, tags[i]))
            return true;
    return false;
}

/* Whether a verdict is about the knob. A finding stopped before it reached any knob
 * concerns this one if the knob responds to its tags. */
static bool concerns(const struct why *w, const struct dfopt_verdict_row *v,
                     const struct dfopt_declog_finding_row *f)
{
    dfopt_sym node = f ? f->node : v->node;
    if (w->filter.node_sym != DFOPT_SYM_NONE && node != w->filter.node_sym)
        return false;
    if (f && !dl_filter_window(&w->filter, f->window))
        return false;
    if (!f && w->filter.windows)
        return false;
    switch (v->verdict) {
    case DFOPT_VERDICT_SUPPRESSED:
        return response_of(w, v->tag) != NULL;
    case DFOPT_VERDICT_TREND:
        return f && asks_for_knob(w, f);
    case DFOPT_VERDICT_NO_KNOBS:
        return f != NULL;
    default:
        return v->knob == w->filter.knob_sym;
    }
}

/* ---- output ---- */

static void put_head(struct why *w, uint64_t seq, bool known, int64_t window,
                     dfopt_sym node)
{
    struct dl_print *p = &w->job->print;
    if (known)
        dl_put(p, "window %" PRId64, window);
    else
        dl_put(p, "event %" PRIu64, seq);
    if (!w->filter.node) {
        dl_put(p, node == DFOPT_SYM_EMPTY ? ", whole job" : ", ");
        dl_put_sym(p, node);
    }
    dl_put(p, ": ");
}

static void json_words(struct why *w)
{
    struct dfopt_put *put = &w->job->print.put;
    dfopt_put_key(put, "text");
    dfopt_put_text(put, w->words.out.data, w->words.out.len);
    dfopt_put_raw(put, "}\n");
}

static void verdict_json(struct why *w, const struct dl_verdict *v)
{
    struct dfopt_put *put = &w->job->print.put;
    const struct dfopt_declog_finding_row *f = v->trial ? NULL : v->finding;
    dfopt_put_raw(put, "{\"kind\":\"verdict\"");
    dfopt_member_uint(put, "seq", v->row->seq);
    dfopt_member_uint(put, "position", v->row->position);
    dfopt_member_value(put, "window",
                       v->trial ? dfopt_value_int(v->trial->row->window)
                       : f      ? dfopt_value_int(f->window)
                                : dfopt_value_null());
    dfopt_member_sym(put, "node", f ? f->node : v->row->node);
    dfopt_member_sym(put, "finding_type", f ? f->type : DFOPT_SYM_NONE);
    dfopt_member_sym(put, "tag", v->row->tag);
    dfopt_member_text(put, "verdict", dfopt_verdict_name(v->row->verdict));
    dfopt_member_real(put, "value", v->row->value);
    dfopt_member_real(put, "threshold", v->row->threshold);
    if (v->plan) {
        char id[DFOPT_PLAN_ID_SIZE];
        dfopt_plan_id_text(v->plan->p.plan_id, id);
        dfopt_member_text(put, "plan_id", id);
        dfopt_member_value(put, "old", v->plan->p.old_value);
        dfopt_member_value(put, "new", v->plan->p.new_value);
    }
    if (v->trial)
        dl_trial_json(put, v->trial);
    json_words(w);
}

static void verdict_text(struct why *w, const struct dl_verdict *v)
{
    struct dl_print *p = &w->job->print;
    const struct dfopt_declog_finding_row *f = v->trial ? NULL : v->finding;
    put_head(w, v->row->seq, f || v->trial,
             v->trial ? v->trial->row->window
             : f      ? f->window
                      : 0,
             f ? f->node : v->row->node);
    if (f && f->type != DFOPT_SYM_EMPTY) {
        dl_put_sym(p, f->type);
        dl_put(p, v->row->tag != DFOPT_SYM_NONE ? " for " : ": ");
    }
    if (v->row->tag != DFOPT_SYM_NONE && !v->trial) {
        dl_put_sym(p, v->row->tag);
        dl_put(p, ": ");
    }
    dl_put_bytes(p, w->words.out.data, w->words.out.len);
    dl_put(p, "\n");
}

static void tell_verdict(struct why *w, const struct dl_verdict *v)
{
    w->conclusion.counts[v->row->verdict]++;
    if (!w->lists || (w->only_trials && !v->plan && !v->trial))
        return;
    dfopt_buf_clear(&w->words.out);
    dl_put_verdict(&w->words, v);
    if (w->job->args.json)
        verdict_json(w, v);
    else
        verdict_text(w, v);
}

/* Prints what else changed the knob, from `w->words`. */
static void tell_change(struct why *w, const char *kind, uint64_t seq,
                        int64_t window, dfopt_sym node)
{
    struct dl_print *p = &w->job->print;
    if (!w->lists || w->only_trials || !dl_filter_window(&w->filter, window))
        return;
    if (w->job->args.json) {
        dfopt_put_raw(&p->put, "{");
        dfopt_member_text(&p->put, "kind", kind);
        dfopt_member_uint(&p->put, "seq", seq);
        dfopt_member_int(&p->put, "window", window);
        dfopt_member_sym(&p->put, "node", node);
        json_words(w);
        return;
    }
    put_head(w, seq, true, window, node);
    dl_color(p, DL_DIM);
    dl_put_bytes(p, w->words.out.data, w->words.out.len);
    dl_color(p, DL_PLAIN);
    dl_put(p, "\n");
}

/* ---- rows ---- */

static enum dfopt_err see_verdict(struct why *w, const struct dfopt_verdict_row *v)
{
    const struct dfopt_declog_finding_row *finding = NULL;
    bool stopped = v->knob == DFOPT_SYM_NONE;
    const struct dfopt_response *response;
    w->pending_plan = false;
    if (dl_verdict_ends(v->verdict) && w->trials.outcomes.judged) {
        w->verdict = *v; /* see_outcome reports it */
        return DFOPT_OK;
    }
    if (stopped ? v->verdict != DFOPT_VERDICT_TREND &&
                      v->verdict != DFOPT_VERDICT_NO_KNOBS &&
                      v->verdict != DFOPT_VERDICT_SUPPRESSED
                : v->knob != w->filter.knob_sym)
        return DFOPT_OK;
    enum dfopt_err e = finding_of(w, v->seq, &finding);
    const bool has_plan = dl_verdict_plans(v->verdict);
    if (e || ((finding || !has_plan) && !concerns(w, v, finding)))
        return e; /* see_plan handles plans of other events */
    if (finding && finding->window > w->now)
        w->now = finding->window;
    if (has_plan) {
        w->pending_plan = true;
        w->verdict = *v;
        return DFOPT_OK;
    }
    response = response_of(w, v->tag);
    const bool down = response && response->direction == DFOPT_DIRECTION_DECREASE;
    tell_verdict(w, &(struct dl_verdict){
                        .row = v,
                        .finding = finding,
                        .response = response,
                        .failed = dl_trials_failed(&w->trials, v->node, down),
                        .rest = w->trials.rest});
    return DFOPT_OK;
}

/* Reports a trial's end for the site where it was made; the job's for every
 * node. */
static bool concerns_trial(const struct why *w, const struct dfopt_outcome_row *o)
{
    return o->knob == w->filter.knob_sym &&
           dl_filter_window(&w->filter, o->window) &&
           (w->filter.node_sym == DFOPT_SYM_NONE || o->node == DFOPT_SYM_EMPTY ||
            o->node == w->filter.node_sym);
}

static void see_outcome(struct why *w, const struct dfopt_declog_outcome_row *row)
{
    const struct dfopt_outcome_row *o = &row->o;
    const struct dl_trial trial = dl_trials_end(&w->trials, row);
    const struct dfopt_verdict_row made = dfopt_outcome_verdict(o);
    const bool known =
        w->verdict.seq == o->seq && w->verdict.position == o->position &&
        w->verdict.verdict == o->verdict && o->verdict != DFOPT_VERDICT_WITHDRAWN;
    if (!concerns_trial(w, o))
        return;
    dl_trials_count(&w->trials, &trial);
    tell_verdict(w, &(struct dl_verdict){.row = known ? &w->verdict : &made,
                                         .trial = &trial});
}

/* One of our plans, after its verdict, or alone if verdicts are not kept. */
static enum dfopt_err see_plan(struct why *w,
                               const struct dfopt_declog_plan_row *row)
{
    const struct dfopt_plan *p = &row->p;
    const struct dfopt_declog_finding_row *finding = NULL;
    enum dfopt_err e = DFOPT_OK;
    if (p->knob != w->filter.knob_sym || p->relay_id != DFOPT_SYM_NONE)
        return DFOPT_OK;
    e = dl_trials_plan(&w->trials, p);
    if (e)
        return e;
    struct dfopt_verdict_row v = {.seq = p->seq,
                                  .position = p->position,
                                  .verdict = DFOPT_VERDICT_PLANNED,
                                  .tag = p->tag,
                                  .knob = p->knob,
                                  .node = p->node,
                                  .value = dfopt_value_as_double(p->new_value),
                                  .threshold = dfopt_value_as_double(p->old_value)};
    bool kept = strcmp(w->job->run->detail, "plans") != 0;
    if (kept && !w->pending_plan)
        return DFOPT_OK;
    w->pending_plan = false;
    e = finding_of(w, p->seq, &finding);
    if (!e && !(kept && finding) &&
        !(dl_filter_plan(&w->filter, w->job->dict, p) &&
          dl_filter_window(&w->filter, p->window)))
        return DFOPT_OK;
    struct dfopt_declog_finding_row known = {.seq = p->seq,
                                             .type = p->finding_type,
                                             .node = p->node,
                                             .severity = p->severity,
                                             .window = p->window,
                                             .persistence = DL_PERSISTENCE_UNKNOWN};
    struct dl_verdict told = {.row = kept ? &w->verdict : &v,
                              .finding = finding ? finding : &known,
                              .response = response_of(w, p->tag),
                              .plan = row};
    if (!e)
        tell_verdict(w, &told);
    return e;
}

static enum dfopt_err see_ack(struct why *w, const struct dfopt_declog_ack_row *a)
{
    if (a->outcome == DFOPT_ACK_OUTCOME_UNMATCHED || a->knob != w->filter.knob_sym)
        return DFOPT_OK;
    dl_trials_ack(&w->trials, a);
    if (w->filter.node_sym != DFOPT_SYM_NONE && a->node != w->filter.node_sym)
        return DFOPT_OK;
    dfopt_buf_clear(&w->words.out);
    dl_put_ack(&w->words, a);
    const enum dfopt_err e = dl_put_plan_processes(
        &w->words, &w->trials.outcomes.processes, a->plan_id, &w->job->err);
    tell_change(w, "ack", a->seq,
                a->window >= 0
                    ? a->window
                    : (a->cooldown_window >= 0 ? a->cooldown_window : w->now),
                a->node);
    return e;
}

static void see_timeout(struct why *w, const struct dfopt_timeout_row *t)
{
    if (t->knob != w->filter.knob_sym ||
        (w->filter.node_sym != DFOPT_SYM_NONE && t->node != w->filter.node_sym))
        return;
    dfopt_buf_clear(&w->words.out);
    dl_put_timeout(&w->words, t);
    tell_change(w, "timeout", t->seq, t->window, t->node);
}

static void see_relay(struct why *w, const struct dfopt_relay_row *r)
{
    size_t n, i = 0;
    const dfopt_sym *targets = dfopt_dict_items(w->job->dict, r->targets, &n);
    dfopt_sym node = w->filter.node_sym;
    if (r->knob != w->filter.knob_sym)
        return;
    while (i < n && node != DFOPT_SYM_NONE && targets[i] != node)
        i++;
    if (n > 0 && i == n)
        return; /* for other nodes */
    dfopt_buf_clear(&w->words.out);
    dl_put_relay(&w->words, r);
    tell_change(w, "global_plan", r->seq, r->window >= 0 ? r->window : w->now,
                n == 0 ? DFOPT_SYM_EMPTY : targets[i]);
}

static enum dfopt_err see(void *arg, enum dl_kind kind, const void *row)
{
    struct why *w = arg;
    const struct dfopt_declog_response_row *r = row;
    const struct dfopt_declog_knob_row *k = row;
    switch (kind) {
    case DL_KNOB: /* registered again: the responses may differ */
        if (k->knob == w->filter.knob_sym)
            dfopt_buf_clear(&w->responses);
        return DFOPT_OK;
    case DL_RESPONSE:
        return r->knob == w->filter.knob_sym
                   ? dfopt_buf_add(&w->responses, r, sizeof *r)
                   : DFOPT_OK;
    case DL_ACK:
        return see_ack(w, row);
    case DL_TIMEOUT:
        see_timeout(w, row);
        return DFOPT_OK;
    case DL_GLOBAL_PLAN:
        see_relay(w, row);
        return DFOPT_OK;
    case DL_VERDICT:
        return see_verdict(w, row);
    case DL_OUTCOME:
        see_outcome(w, row);
        return DFOPT_OK;
    default:
        return see_plan(w, row);
    }
}

/* ---- the command ---- */

static void conclude(struct why *w)
{
    struct dl_print *p = &w->job->print;
    const struct dfopt_declog_response_row *r =
        DFOPT_ROW(&w->responses, struct dfopt_declog_response_row);
    const size_t n = DFOPT_ROWS(&w->responses, struct dfopt_declog_response_row);
    dl_color(p, DL_BOLD);
    dl_filter_describe(&w->filter, p);
    dl_color(p, DL_PLAIN);
    w->conclusion.trials = &w->trials;
    if (dl_conclusion_verdicts(&w->conclusion) > 0) {
        if (w->lists)
            dl_conclude_line(p, &w->conclusion);
        else
            dl_conclude_table(p, &w->conclusion);
        return;
    }
    dl_put(p, ": no finding asked for it; it responds to");
    for (size_t i = 0; i < n; i++) {
        dl_put(p, i ? ", " : " ");
        dl_put_sym(p, r[i].r.tag);
    }
    dl_put(p, n ? "\n" : " no tag\n");
}

static enum dfopt_err tell_why(struct why *w)
{
    const uint32_t kinds = DL_KIND_BIT(DL_KNOB) | DL_KIND_BIT(DL_RESPONSE) |
                           DL_KIND_BIT(DL_ACK) | DL_KIND_BIT(DL_TIMEOUT) |
                           DL_KIND_BIT(DL_GLOBAL_PLAN) | DL_KIND_BIT(DL_VERDICT) |
                           DL_KIND_BIT(DL_PLAN) | DL_KIND_BIT(DL_OUTCOME);
    const size_t members[] = {
        offsetof(struct dfopt_declog_finding_row, seq),
        offsetof(struct dfopt_declog_finding_row, type),
        offsetof(struct dfopt_declog_finding_row, node),
        offsetof(struct dfopt_declog_finding_row, tags),
        offsetof(struct dfopt_declog_finding_row, severity),
        offsetof(struct dfopt_declog_finding_row, persistence),
        offsetof(struct dfopt_declog_finding_row, window)};
    dfopt_cursor_init(&w->findings, w->job->reader, DFOPT_TABLE_FINDINGS);
    w->findings.columns = dfopt_declog_columns(
        DFOPT_TABLE_FINDINGS, sizeof members / sizeof *members, members);
    enum dfopt_err e = dl_trials_start(&w->trials, w->job->reader,
                                       w->filter.knob_sym, &w->job->err);
    if (!e)
        e = dl_each(w->job, kinds, see, w);
    dfopt_cursor_free(&w->findings);
    if (!e && !w->job->args.json)
        conclude(w);
    return e;
}

static const struct dfopt_option options[] = {
    DL_OPTION_NEEDED_KNOB(struct why),
    DL_OPTION_NODE(struct why),
    DL_OPTION_WINDOW(struct why),
    {"all", DFOPT_OPTION_FLAG, NULL, "List every finding before the conclusion",
     'a', DFOPT_OPTION_AT(struct why, all)},
    {"trials", DFOPT_OPTION_FLAG, NULL, "List only plans and their outcomes", 't',
     DFOPT_OPTION_AT(struct why, only_trials)},
    {.name = NULL}};

int dl_why(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "--knob=KNOB FILE",
        .doc =
            "Explain why a knob moved or did not: what changed it, what that "
            "brought, and which gates held it back. --all, --trials and --window "
            "list it finding by finding.\v"
            "Findings that stopped before the gates (improving, suppressed) are "
            "counted where the knob responds to their tags. The end of a trial "
            "shows the objective before and after, and the gain with two standard "
            "errors, or that the effect is not certain; knobs that moved together "
            "share it. With --window, the log must keep findings.\n"};
    struct dl_job job = {.args = {.n_files = 1}};
    struct why w = {.job = &job, .now = -1};
    dl_args_parse(&job.args, &command, &w, argc, argv);
    if (!dl_start(&job))
        return DL_TROUBLE;
    w.lists = w.all || w.only_trials || w.filter.windows || job.args.json;
    dl_print_init(&w.words, job.dict, job.print.color && !job.args.json);
    enum dfopt_err e = dl_filter_resolve(&w.filter, &job);
    if (!e && w.filter.windows && strcmp(job.run->detail, "verdicts") == 0)
        e = dfopt_error_set(&job.err, DFOPT_ERR_ARG,
                            "%s: --window needs findings, and the log was written "
                            "with --log-detail verdicts",
                            job.args.file[0]);
    if (!e)
        e = tell_why(&w);
    if (!e)
        e = w.words.put.e;
    dfopt_buf_free(&w.responses);
    dl_trials_free(&w.trials);
    dl_print_free(&w.words);
    return dl_end(&job, e);
}
