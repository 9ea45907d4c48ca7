/* The summary as one JSON object. */
#include "cmd/log/summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void put_text(struct log_summary *s, const char *text)
{
    log_json_text(s->print, text, strlen(text));
}

static void run_json(struct log_summary *s)
{
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
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        log_put(s->print, "%s\"%s\":", i ? "," : "{", texts[i].name);
        put_text(s, texts[i].text);
    }
    log_put(s->print,
            ",\"format_version\":%" PRId64 ",\"ranks\":%" PRId64
            ",\"complete\":%s,\"commits\":%" PRIu64 ",\"events\":%" PRIu64,
            run->format_version, run->ranks, run->complete ? "true" : "false",
            run->commits, run->last.at.next_seq);
}

/* ,"name":{"of 0":n, ...} */
static void counts_json(struct log_summary *s, const char *name,
                        const uint64_t *counts, uint32_t n,
                        const char *(*name_of)(uint32_t))
{
    log_put(s->print, ",\"%s\":{", name);
    for (uint32_t i = 0; i < n; i++)
        log_put(s->print, "%s\"%s\":%" PRIu64, i ? "," : "", name_of(i), counts[i]);
    log_put(s->print, "}");
}

/* What nodes end with that have a value of their own. */
static void own_values_json(struct log_summary *s, const struct log_knob *k)
{
    const bool numbers = k->own_low <= k->own_high;
    log_put(s->print,
            ",\"own_values\":{\"nodes\":%" PRIu64 ",\"lowest\":", k->own_nodes);
    log_json_real(s->print, numbers ? k->own_low : NAN);
    log_put(s->print, ",\"highest\":");
    log_json_real(s->print, numbers ? k->own_high : NAN);
    log_put(s->print, "}");
}

static void knobs_json(struct log_summary *s)
{
    log_put(s->print, ",\"knobs\":[");
    for (size_t i = 0; i < s->facts.n_knobs; i++) {
        const struct log_knob *k = &s->facts.knobs[i];
        bool seen = k->low <= k->high;
        log_put(s->print, "%s{\"knob\":", i ? "," : "");
        log_json_sym(s->print, k->knob);
        log_put(s->print, ",\"first\":");
        log_json_value(s->print, k->first);
        log_put(s->print, ",\"last\":");
        log_json_value(s->print, k->last);
        log_put(s->print, ",\"lowest\":");
        log_json_real(s->print, seen ? k->low : NAN);
        log_put(s->print, ",\"highest\":");
        log_json_real(s->print, seen ? k->high : NAN);
        log_put(s->print,
                ",\"up\":%" PRIu64 ",\"down\":%" PRIu64 ",\"other\":%" PRIu64,
                k->up, k->down, k->other);
        own_values_json(s, k);
        counts_json(s, "verdicts", k->verdicts, DFOPT_VERDICT_COUNT,
                    dfopt_verdict_name);
        log_put(s->print, "}");
    }
    log_put(s->print, "]");
}

static enum dfopt_err plans_json(struct log_summary *s)
{
    log_put(s->print, ",\"last_plans\":[");
    for (size_t i = 0; i < s->n_plans; i++) {
        const struct dfopt_plan *p = &s->plans[i].p;
        char id[DFOPT_PLAN_ID_SIZE];
        const char *text;
        size_t len;
        enum dfopt_err e = log_summary_rationale(s, i, &text, &len);
        if (e)
            return e;
        log_put(s->print, "%s{\"seq\":%" PRIu64 ",\"window\":%" PRId64,
                i ? "," : "", p->seq, p->window);
        log_json_key(s->print, "plan_id", false);
        put_text(s, log_summary_plan_id(s, p, id));
        log_json_key(s->print, "knob", false);
        log_json_sym(s->print, p->knob);
        log_json_key(s->print, "node", false);
        log_json_sym(s->print, p->node);
        log_json_key(s->print, "old", false);
        log_json_value(s->print, p->old_value);
        log_json_key(s->print, "new", false);
        log_json_value(s->print, p->new_value);
        log_json_key(s->print, "rationale", false);
        log_json_text(s->print, text, len);
        log_put(s->print, "}");
    }
    log_put(s->print, "]");
    return DFOPT_OK;
}

static void findings_json(struct log_summary *s)
{
    const struct log_facts *f = &s->facts;
    log_put(s->print, ",\"windows\":");
    if (f->first_window <= f->last_window)
        log_put(s->print, "[%" PRId64 ",%" PRId64 "]", f->first_window,
                f->last_window);
    else
        log_put(s->print, "null");
    log_put(s->print, ",\"nodes\":%" PRIu32 ",\"finding_types\":{", f->nodes);
    for (size_t i = 0; i < f->n_types; i++) {
        log_put(s->print, "%s", i ? "," : "");
        log_json_sym(s->print, f->types[i].type);
        log_put(s->print, ":%" PRIu64, f->types[i].n);
    }
    log_put(s->print, "}");
}

enum dfopt_err log_summary_json(struct log_summary *s)
{
    run_json(s);
    log_put(s->print,
            ",\"findings\":%" PRIu64 ",\"rejects\":%" PRIu64
            ",\"registrations\":%" PRIu64 ",\"plans\":%" PRIu64,
            log_summary_rows(s, DFOPT_TABLE_FINDINGS),
            log_summary_rows(s, DFOPT_TABLE_REJECTS),
            log_summary_rows(s, DFOPT_TABLE_REGISTRATIONS),
            log_summary_rows(s, DFOPT_TABLE_PLANS));
    findings_json(s);
    counts_json(s, "suppressions", s->facts.suppressions, LOG_SUPPRESSION_ACTIONS,
                dfopt_suppression_action_name);
    counts_json(s, "acks", s->facts.acks, LOG_ACK_OUTCOMES, dfopt_ack_outcome_name);
    counts_json(s, "global_plans", s->facts.relays, LOG_RELAY_OUTCOMES,
                dfopt_relay_outcome_name);
    counts_json(s, "verdicts", s->facts.verdicts, DFOPT_VERDICT_COUNT,
                dfopt_verdict_name);
    knobs_json(s);
    enum dfopt_err e = plans_json(s);
    log_put(s->print, "}\n");
    return e;
}
