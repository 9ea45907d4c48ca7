/* dfopt-log summary: gathers a run's facts (gather.c) and shows what it achieved,
 * what it changed and what it could not; everything with --all. For the JSON object
 * see summary_json.c. */
#include "cmd/log/summary.h"

#include "cmd/log/words.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SCREEN_KNOBS 12 /* lines in the text form; JSON has all */
#define SCREEN_TYPES 4
#define SCREEN_GATES 5

uint64_t dl_summary_rows(const struct dl_summary *s, enum dfopt_declog_table t)
{
    return dfopt_declog_reader_rows(s->job->reader, t);
}

const char *dl_summary_plan_id(const struct dl_summary *s,
                               const struct dfopt_plan *p,
                               char text[DFOPT_PLAN_ID_SIZE])
{
    if (p->relay_id != DFOPT_SYM_NONE)
        return dfopt_dict_text(s->job->dict, p->relay_id, NULL);
    dfopt_plan_id_text(p->plan_id, text);
    return text;
}

enum dfopt_err dl_summary_rationale(struct dl_summary *s, size_t i,
                                    const char **text, size_t *len)
{
    struct dfopt_declog_text at = s->plans[i].rationale;
    *len = (size_t)(at.end - at.start);
    return dfopt_declog_reader_text(s->job->reader, DFOPT_POOL_RATIONALE, at, text,
                                    &s->job->err);
}

static void put_value_column(struct dl_summary *s, struct dfopt_value v)
{
    size_t start = s->print->out.len;
    dl_put_value(s->print, v);
    dl_fit(s->print, start, 10);
}

static void put_plain(struct dl_summary *s, const char *text)
{
    dl_put_text(s->print, text, strlen(text));
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t all_verdicts(const struct dl_summary *s)
{
    return dl_summary_rows(s, DFOPT_TABLE_VERDICTS);
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

/* ---- for people ---- */

/* A heading, padded to where its contents start. */
static void title(struct dl_summary *s, const char *name)
{
    dl_color(s->print, DL_BOLD);
    dl_put(s->print, "%-13s", name);
    dl_color(s->print, DL_PLAIN);
    dl_put(s->print, " ");
}

static void run_text(struct dl_summary *s)
{
    const struct dfopt_declog_run *run = s->run;
    title(s, "Decision log");
    put_plain(s, s->job->args.file[0]);
    dl_put(s->print, "\n  ");
    if (!run->complete) {
        dl_color(s->print, DL_YELLOW);
        dl_put(s->print, "NOT complete: being written, or killed");
        dl_color(s->print, DL_PLAIN);
    } else {
        dl_put(s->print, "complete");
    }
    dl_put(s->print, "; created %s; run %s\n", run->created, or_dash(run->run_id));
    dl_put(s->print, "  dfopt-mpi %s, HDF5 %s, %" PRId64 " ranks, transport %s\n",
           or_dash(run->program_version), run->hdf5_version, run->ranks,
           or_dash(run->transport));
    dl_put(s->print, "  preset %s, acks %s, detail %s\n", or_dash(run->preset),
           or_dash(run->acks_mode), run->detail);
}

/* Prints "  name 3  other 0" if there is any. */
static void outcomes_text(struct dl_summary *s, const char *what,
                          const uint64_t *counts, uint32_t n,
                          const char *(*name_of)(uint32_t))
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++)
        all += counts[i];
    if (all == 0)
        return;
    dl_put(s->print, "  %-13s", what);
    for (uint32_t i = 0; i < n; i++)
        dl_put(s->print, "  %s %" PRIu64, name_of(i), counts[i]);
    dl_put(s->print, "\n");
}

static void findings_text(struct dl_summary *s)
{
    const struct dl_facts *f = &s->facts;
    if (dl_summary_rows(s, DFOPT_TABLE_FINDINGS) == 0)
        return;
    dl_put(s->print,
           "  windows        %" PRId64 " .. %" PRId64 " on %" PRIu32
           " nodes\n  types         ",
           f->first_window, f->last_window, f->nodes);
    for (size_t i = 0; i < f->n_types && i < SCREEN_TYPES; i++) {
        dl_put(s->print, "  ");
        dl_put_sym(s->print, f->types[i].type);
        dl_put(s->print, " %" PRIu64, f->types[i].n);
    }
    if (f->n_types > SCREEN_TYPES)
        dl_put(s->print, "  ... %zu more", f->n_types - SCREEN_TYPES);
    dl_put(s->print, "\n");
}

static void counts_text(struct dl_summary *s)
{
    dl_put(s->print, "\n");
    title(s, "Events");
    dl_put(s->print,
           "%" PRIu64 " (findings %" PRIu64 ", rejects %" PRIu64
           ", registrations %" PRIu64 ", acks %" PRIu64 ", global plans %" PRIu64
           ")\n",
           s->run->last.at.next_seq, dl_summary_rows(s, DFOPT_TABLE_FINDINGS),
           dl_summary_rows(s, DFOPT_TABLE_REJECTS),
           dl_summary_rows(s, DFOPT_TABLE_REGISTRATIONS),
           dl_summary_rows(s, DFOPT_TABLE_ACKS),
           dl_summary_rows(s, DFOPT_TABLE_GLOBAL_PLANS));
    findings_text(s);
    outcomes_text(s, "acks", s->facts.acks, DL_ACK_OUTCOMES,
                  dfopt_ack_outcome_name);
    outcomes_text(s, "global plans", s->facts.relays, DL_RELAY_OUTCOMES,
                  dfopt_relay_outcome_name);
    outcomes_text(s, "commands", s->facts.actions, DFOPT_COMMAND_ACTION_COUNT,
                  dfopt_command_action_name);
    if (s->facts.refused)
        dl_put(s->print, "  commands refused %" PRIu64 "\n", s->facts.refused);
    outcomes_text(s, "suppressions", s->facts.suppressions, DL_SUPPRESSION_ACTIONS,
                  dfopt_suppression_action_name);
}

static void verdicts_text(struct dl_summary *s)
{
    uint64_t all = all_verdicts(s);
    dl_put(s->print, "\n");
    title(s, "Verdicts");
    dl_put(s->print, "%" PRIu64 "\n", all);
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++)
        if (s->facts.verdicts[v] > 0)
            dl_put(s->print, "  %-21s %10" PRIu64 " %5.1f%%  %s\n",
                   dfopt_verdict_name(v), s->facts.verdicts[v],
                   share(s->facts.verdicts[v], all), dfopt_verdict_meaning(v));
    if (all == 0 && strcmp(s->run->detail, "plans") == 0)
        dl_put(s->print, "  (not kept: detail is plans)\n");
}

static void put_knob(struct dl_summary *s, dfopt_sym knob)
{
    dl_put(s->print, "  ");
    size_t start = s->print->out.len;
    dl_put_sym(s->print, knob);
    dl_pad(s->print, start, 26);
}

/* If nodes have their own final values, the job's last value is not the whole
 * story. */
static void own_values_text(struct dl_summary *s, const struct dl_knob *k)
{
    if (k->own_nodes == 0)
        return;
    dl_put(s->print, "    %" PRIu64 " %s", k->own_nodes,
           k->own_nodes == 1 ? "node has its own" : "nodes have their own");
    if (k->own_low < k->own_high)
        dl_put(s->print, ": %g .. %g", k->own_low, k->own_high);
    else if (k->own_low == k->own_high)
        dl_put(s->print, ": %g", k->own_low);
    dl_put(s->print, "\n");
}

static void knobs_text(struct dl_summary *s)
{
    size_t n = s->facts.n_knobs;
    dl_put(s->print, "\n");
    title(s, "Knobs");
    dl_put(s->print, "%zu\n", n);
    if (n == 0)
        return;
    dl_put(s->print, "  %-26s %-10s %-10s %-17s %7s %7s %7s\n", "knob", "first",
           "last", "range", "up", "down", "other");
    for (size_t i = 0; i < n && i < SCREEN_KNOBS; i++) {
        const struct dl_knob *k = &s->facts.knobs[i];
        char range[64] = "-";
        if (k->low <= k->high)
            snprintf(range, sizeof range, "%g .. %g", k->low, k->high);
        put_knob(s, k->knob);
        put_value_column(s, k->first);
        put_value_column(s, k->last);
        dl_put(s->print, "%-17s %7" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", range,
               k->up, k->down, k->other);
        own_values_text(s, k);
    }
    if (s->facts.no_end.code)
        dl_put(s->print, "  the last values are unknown: %s\n",
               s->facts.no_end.text);
    if (n > SCREEN_KNOBS)
        dl_put(s->print, "  ... and %zu more (--json has all)\n", n - SCREEN_KNOBS);
}

/* The verdicts that kept a knob from moving, most frequent first. */
static size_t reasons_of(const struct dl_knob *k,
                         uint32_t order[DFOPT_VERDICT_COUNT])
{
    size_t n = 0;
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++) {
        if (v == DFOPT_VERDICT_PLANNED || k->verdicts[v] == 0)
            continue;
        size_t at = n++;
        for (; at > 0 && k->verdicts[order[at - 1]] < k->verdicts[v]; at--)
            order[at] = order[at - 1];
        order[at] = v;
    }
    return n;
}

static void reasons_text(struct dl_summary *s)
{
    bool any = false;
    for (size_t i = 0; i < s->facts.n_knobs && i < SCREEN_KNOBS; i++) {
        uint32_t order[DFOPT_VERDICT_COUNT];
        size_t n = reasons_of(&s->facts.knobs[i], order);
        if (n == 0)
            continue;
        if (!any)
            dl_put(s->print, "\nWhy knobs did not move\n");
        any = true;
        put_knob(s, s->facts.knobs[i].knob);
        for (size_t j = 0; j < n; j++)
            dl_put(s->print, "%s%s %" PRIu64, j ? ", " : "",
                   dfopt_verdict_name(order[j]),
                   s->facts.knobs[i].verdicts[order[j]]);
        dl_put(s->print, "\n");
    }
}

static enum dfopt_err plans_text(struct dl_summary *s)
{
    dl_put(s->print, "\n");
    title(s, "Plans");
    dl_put(s->print, "%" PRIu64 "%s\n", dl_summary_rows(s, DFOPT_TABLE_PLANS),
           s->n_plans ? "; the last of them:" : "");
    for (size_t i = 0; i < s->n_plans; i++) {
        const struct dfopt_plan *p = &s->plans[i].p;
        char id[DFOPT_PLAN_ID_SIZE];
        const char *text;
        size_t len;
        enum dfopt_err e = dl_summary_rationale(s, i, &text, &len);
        if (e)
            return e;
        dl_put(s->print, "  window %" PRId64 ": ", p->window);
        dl_put_sym(s->print, p->knob);
        dl_put(s->print, " ");
        dl_put_change(s->print, p);
        dl_put(s->print, " on ");
        dl_put_targets(s->print, p);
        dl_put(s->print, " (%s)\n    ", dl_summary_plan_id(s, p, id));
        dl_put_text(s->print, text, len);
        dl_put(s->print, "\n");
    }
    return DFOPT_OK;
}

static enum dfopt_err all_text(struct dl_summary *s)
{
    dl_summary_brought(s);
    run_text(s);
    counts_text(s);
    verdicts_text(s);
    knobs_text(s);
    reasons_text(s);
    return plans_text(s);
}

/* ---- the short form ---- */

static bool holds_back(uint32_t verdict)
{
    return !dl_verdict_plans(verdict) && !dl_verdict_ends(verdict) &&
           verdict != DFOPT_VERDICT_SHIFT && verdict != DFOPT_VERDICT_ADOPTED;
}

/* The most frequent blocking verdict in *counts; COUNT if none. */
static uint32_t main_gate(const uint64_t *counts)
{
    uint32_t most = DFOPT_VERDICT_COUNT;
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++)
        if (holds_back(v) && counts[v] > 0 &&
            (most == DFOPT_VERDICT_COUNT || counts[v] > counts[most]))
            most = v;
    return most;
}

static void log_line(struct dl_summary *s)
{
    title(s, "Log");
    put_plain(s, s->job->args.file[0]);
    dl_color(s->print, s->run->complete ? DL_PLAIN : DL_YELLOW);
    dl_put(s->print, ": %s",
           s->run->complete ? "complete"
                            : "NOT complete: being written, or killed");
    dl_color(s->print, DL_PLAIN);
    dl_put(s->print, "; transport %s, %" PRIu64 " events",
           or_dash(s->run->transport), s->run->last.at.next_seq);
    if (dl_summary_rows(s, DFOPT_TABLE_FINDINGS) > 0)
        dl_put(s->print,
               ", windows %" PRId64 " .. %" PRId64 " on %" PRIu32 " node%s",
               s->facts.first_window, s->facts.last_window, s->facts.nodes,
               s->facts.nodes == 1 ? "" : "s");
    dl_put(s->print, "\n");
}

static void changed_knob(struct dl_summary *s, const struct dl_knob *k)
{
    const uint32_t gate = main_gate(k->verdicts);
    put_knob(s, k->knob);
    put_value_column(s, k->first);
    put_value_column(s, k->last);
    dl_put(s->print, "%7" PRIu64, k->up + k->down + k->other);
    if (gate < DFOPT_VERDICT_COUNT)
        dl_put(s->print, "  %s %" PRIu64, dfopt_verdict_name(gate),
               k->verdicts[gate]);
    dl_put(s->print, "\n");
    own_values_text(s, k);
}

static void changed_text(struct dl_summary *s)
{
    size_t changed = 0, shown = 0;
    for (size_t i = 0; i < s->facts.n_knobs; i++)
        changed += s->facts.knobs[i].up + s->facts.knobs[i].down +
                       s->facts.knobs[i].other >
                   0;
    dl_put(s->print, "\n");
    title(s, "Changed");
    dl_put(s->print, "%zu of %zu knobs\n", changed, s->facts.n_knobs);
    if (s->facts.n_knobs > 0)
        dl_put(s->print, "  %-26s %-10s %-10s %7s  %s\n", "knob", "first", "last",
               "plans", "mostly blocked by");
    for (size_t i = 0; i < s->facts.n_knobs && shown < SCREEN_KNOBS; i++, shown++)
        changed_knob(s, &s->facts.knobs[i]);
    if (s->facts.no_end.code)
        dl_put(s->print, "  the last values are unknown: %s\n",
               s->facts.no_end.text);
    if (s->facts.n_knobs > shown)
        dl_put(s->print, "  ... and %zu more (--json has all)\n",
               s->facts.n_knobs - shown);
}

static void blocked_text(struct dl_summary *s)
{
    uint64_t counts[DFOPT_VERDICT_COUNT], blocked = 0;
    memcpy(counts, s->facts.verdicts, sizeof counts);
    for (uint32_t v = 0; v < DFOPT_VERDICT_COUNT; v++)
        blocked += holds_back(v) ? counts[v] : 0;
    dl_put(s->print, "\n");
    title(s, "Blocked");
    dl_put(s->print, "%" PRIu64 " of %" PRIu64 " verdicts\n", blocked,
           all_verdicts(s));
    for (size_t i = 0; i < SCREEN_GATES; i++) {
        const uint32_t v = main_gate(counts);
        if (v == DFOPT_VERDICT_COUNT)
            break;
        dl_put(s->print, "  %-21s %10" PRIu64 " %5.1f%%  %s\n",
               dfopt_verdict_name(v), counts[v], share(counts[v], all_verdicts(s)),
               dfopt_verdict_meaning(v));
        counts[v] = 0;
    }
    dl_color(s->print, DL_DIM);
    dl_put(s->print, "\nMore: summary --all, plans, why --knob=KNOB\n");
    dl_color(s->print, DL_PLAIN);
}

static void short_text(struct dl_summary *s)
{
    dl_summary_brought(s);
    log_line(s);
    changed_text(s);
    blocked_text(s);
}

/* ---- the command ---- */

static enum dfopt_err read_last_plans(struct dl_summary *s)
{
    uint64_t n = dl_summary_rows(s, DFOPT_TABLE_PLANS);
    s->n_plans = n < DL_LAST_PLANS ? (size_t)n : DL_LAST_PLANS;
    return dfopt_declog_reader_read(s->job->reader, DFOPT_TABLE_PLANS,
                                    n - s->n_plans, s->n_plans, s->plans,
                                    &s->job->err);
}

struct wish {
    bool all;
};

static const struct dfopt_option options[] = {
    {"all", DFOPT_OPTION_FLAG, NULL,
     "Show the run, all events, verdicts, knobs and the last plans, too", 'a',
     DFOPT_OPTION_AT(struct wish, all)},
    {.name = NULL}};

static enum dfopt_err show(struct dl_summary *s, bool all)
{
    if (s->job->args.json)
        return dl_summary_json(s);
    if (all)
        return all_text(s);
    short_text(s);
    return DFOPT_OK;
}

int dl_summary(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Show on one screen what a run achieved, what it changed, and what "
               "blocked the rest.\v"
               "Levels of the objective are medians of up to 8 windows: before the "
               "first plan, at the end, and the best; for nodes, the mean over "
               "those that report. A gain has an interval of two standard errors. "
               "It is certain from three standard errors on, more if it was "
               "measured in few windows, and from the policy's min_effect on.\n"};
    struct wish wish = {.all = false};
    struct dl_job job = {.args = {.n_files = 1}};
    dl_args_parse(&job.args, &command, &wish, argc, argv);
    if (!dl_start(&job))
        return DL_TROUBLE;
    struct dl_summary s = {.job = &job, .print = &job.print, .run = job.run};
    enum dfopt_err e = dl_gather(&job, &s.facts);
    if (!e)
        e = dl_outcomes_read(&s.outcomes, job.reader, &job.err);
    if (!e)
        e = dl_tally_read(&s.tally, &s.outcomes, &job.err);
    if (!e)
        e = dl_brought_read(&s.brought, job.reader, &job.err);
    if (!e)
        e = read_last_plans(&s);
    if (!e)
        e = show(&s, wish.all);
    dl_facts_free(&s.facts);
    dl_outcomes_free(&s.outcomes);
    return dl_end(&job, e);
}
