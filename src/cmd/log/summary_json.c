/* The summary as one JSON object. */
#include "cmd/log/summary.h"

#include <inttypes.h>
#include <math.h>

static void run_json(struct dl_summary *s)
{
    struct dfopt_put *put = &s->print->put;
    const struct dfopt_declog_run *run = s->run;
    const struct {
        const char *name, *text;
    } texts[] = {{"file", s->job->args.file[0]},
                 {"created", run->created},
                 {"hdf5_version", run->hdf5_version},
                 {"detail", run->detail},
                 {"program_version", run->program_version},
                 {"mpi_library", run->mpi_library},
                 {"transport", run->transport},
                 {"command_line", run->command_line},
                 {"preset", run->preset},
                 {"acks_mode", run->acks_mode},
                 {"run_id", run->run_id}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        dfopt_member_text(put, texts[i].name, texts[i].text);
    dfopt_member_int(put, "format_version", run->format_version);
    dfopt_member_int(put, "ranks", run->ranks);
    dfopt_member_bool(put, "complete", run->complete);
    dfopt_member_uint(put, "commits", run->commits);
    dfopt_member_uint(put, "events", run->last.at.next_seq);
}

/* "name":{"of 0":n, ...} */
static void counts_json(struct dl_summary *s, const char *name,
                        const uint64_t *counts, uint32_t n,
                        const char *(*name_of)(uint32_t))
{
    struct dfopt_put *put = &s->print->put;
    dfopt_put_key(put, name);
    dfopt_put_raw(put, "{");
    for (uint32_t i = 0; i < n; i++)
        dfopt_member_uint(put, name_of(i), counts[i]);
    dfopt_put_raw(put, "}");
}

/* Final values of nodes that have their own. */
static void own_values_json(struct dfopt_put *put, const struct dl_knob *k)
{
    const bool numbers = k->own_low <= k->own_high;
    dfopt_put_key(put, "own_values");
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "nodes", k->own_nodes);
    dfopt_member_real(put, "lowest", numbers ? k->own_low : NAN);
    dfopt_member_real(put, "highest", numbers ? k->own_high : NAN);
    dfopt_put_raw(put, "}");
}

static void knobs_json(struct dl_summary *s)
{
    struct dfopt_put *put = &s->print->put;
    dfopt_put_key(put, "knobs");
    dfopt_put_raw(put, "[");
    for (size_t i = 0; i < s->facts.n_knobs; i++) {
        const struct dl_knob *k = &s->facts.knobs[i];
        const bool seen = k->low <= k->high;
        dfopt_put_next(put);
        dfopt_put_raw(put, "{");
        dfopt_member_sym(put, "knob", k->knob);
        dfopt_member_value(put, "first", k->first);
        dfopt_member_value(put, "last", k->last);
        dfopt_member_real(put, "lowest", seen ? k->low : NAN);
        dfopt_member_real(put, "highest", seen ? k->high : NAN);
        dfopt_member_uint(put, "up", k->up);
        dfopt_member_uint(put, "down", k->down);
        dfopt_member_uint(put, "other", k->other);
        own_values_json(put, k);
        counts_json(s, "verdicts", k->verdicts, DFOPT_VERDICT_COUNT,
                    dfopt_verdict_name);
        dfopt_put_raw(put, "}");
    }
    dfopt_put_raw(put, "]");
}

static enum dfopt_err plans_json(struct dl_summary *s)
{
    struct dfopt_put *put = &s->print->put;
    dfopt_put_key(put, "last_plans");
    dfopt_put_raw(put, "[");
    for (size_t i = 0; i < s->n_plans; i++) {
        const struct dfopt_plan *p = &s->plans[i].p;
        char id[DFOPT_PLAN_ID_SIZE];
        const char *text;
        size_t len;
        enum dfopt_err e = dl_summary_rationale(s, i, &text, &len);
        if (e)
            return e;
        dfopt_put_next(put);
        dfopt_put_raw(put, "{");
        dfopt_member_uint(put, "seq", p->seq);
        dfopt_member_int(put, "window", p->window);
        dfopt_member_text(put, "plan_id", dl_summary_plan_id(s, p, id));
        dfopt_member_sym(put, "knob", p->knob);
        dfopt_member_sym(put, "node", p->node);
        dfopt_member_value(put, "old", p->old_value);
        dfopt_member_value(put, "new", p->new_value);
        dfopt_put_key(put, "rationale");
        dfopt_put_text(put, text, len);
        dfopt_put_raw(put, "}");
    }
    dfopt_put_raw(put, "]");
    return DFOPT_OK;
}

static void findings_json(struct dl_summary *s)
{
    struct dfopt_put *put = &s->print->put;
    const struct dl_facts *f = &s->facts;
    dfopt_put_key(put, "windows");
    if (f->first_window <= f->last_window)
        dl_put(s->print, "[%" PRId64 ",%" PRId64 "]", f->first_window,
               f->last_window);
    else
        dfopt_put_raw(put, "null");
    dfopt_member_uint(put, "nodes", f->nodes);
    dfopt_put_key(put, "finding_types");
    dfopt_put_raw(put, "{");
    for (size_t i = 0; i < f->n_types; i++) {
        dfopt_put_next(put);
        dfopt_put_name(put, f->types[i].type);
        dfopt_put_raw(put, ":");
        dfopt_put_uint(put, f->types[i].n);
    }
    dfopt_put_raw(put, "}");
}

static void brought_json(struct dl_summary *s)
{
    struct dfopt_put *put = &s->print->put;
    dfopt_put_key(put, "brought");
    if (!s->brought.logged) {
        dfopt_put_raw(put, "null");
        return;
    }
    dfopt_put_raw(put, "{");
    dfopt_member_uint(put, "objectives", s->brought.objectives);
    dfopt_member_bool(put, "judged", s->outcomes.judged);
    dfopt_put_key(put, "objective");
    dl_brought_json(put, &s->brought);
    dfopt_put_key(put, "plans");
    dl_tally_json(put, &s->tally);
    dfopt_put_raw(put, "}");
}

enum dfopt_err dl_summary_json(struct dl_summary *s)
{
    static const struct {
        const char *name;
        enum dfopt_declog_table table;
    } tables[] = {{"findings", DFOPT_TABLE_FINDINGS},
                  {"rejects", DFOPT_TABLE_REJECTS},
                  {"registrations", DFOPT_TABLE_REGISTRATIONS},
                  {"plans", DFOPT_TABLE_PLANS}};
    struct dfopt_put *put = &s->print->put;
    dfopt_put_raw(put, "{");
    run_json(s);
    brought_json(s);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        dfopt_member_uint(put, tables[i].name, dl_summary_rows(s, tables[i].table));
    findings_json(s);
    counts_json(s, "suppressions", s->facts.suppressions, DL_SUPPRESSION_ACTIONS,
                dfopt_suppression_action_name);
    counts_json(s, "acks", s->facts.acks, DL_ACK_OUTCOMES, dfopt_ack_outcome_name);
    counts_json(s, "global_plans", s->facts.relays, DL_RELAY_OUTCOMES,
                dfopt_relay_outcome_name);
    counts_json(s, "commands", s->facts.actions, DFOPT_COMMAND_ACTION_COUNT,
                dfopt_command_action_name);
    dfopt_member_uint(put, "commands_refused", s->facts.refused);
    counts_json(s, "verdicts", s->facts.verdicts, DFOPT_VERDICT_COUNT,
                dfopt_verdict_name);
    knobs_json(s);
    enum dfopt_err e = plans_json(s);
    dfopt_put_raw(put, "}\n");
    return e;
}
