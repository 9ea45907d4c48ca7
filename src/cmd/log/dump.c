/* dfopt-log dump: the rows of a log as JSON lines, in the order of events. */
#include "cmd/log/job.h"
#include "cmd/log/merge.h"

#include <string.h>

struct dump {
    uint32_t kinds; /* bits; 0: all that are events */
    uint64_t from, to;
};

static enum dfopt_err dump(const struct dump *d, struct log_job *j)
{
    struct log_merge m;
    enum dfopt_err e = log_merge_init(&m, j->reader, d->kinds, d->from, &j->err);
    m.to = d->to;
    while (!e && log_print_flush(&j->print, false)) {
        enum log_kind kind;
        const void *row;
        e = log_merge_row(&m, &kind, &row, &j->err);
        if (e || !row)
            break;
        e = log_row_json(&j->print, j->reader, &log_tables[kind], row, true,
                         &j->err);
        log_merge_step(&m, kind);
    }
    log_merge_free(&m);
    return e;
}

/* ---- the command ---- */

static const struct argp_option options[] = {
    {"kind", 'k', "KIND", 0,
     "Only rows of KIND (may be repeated): finding, registration, ack, "
     "global_plan, reject, suppression, timeout, verdict, plan; and, which else "
     "are left out, knob and response (registrations have them), seen, origin and "
     "run (for a run that goes on)",
     0},
    {"from", 'f', "SEQ", 0, "Events from number SEQ on", 0},
    {"to", 't', "SEQ", 0, "Events up to number SEQ", 0},
    {.name = NULL}};

/* Adds a kind of rows; ends the program where there is none. */
static void add_kind(struct argp_state *state, const char *name, struct dump *d)
{
    char names[240] = "";
    for (uint32_t i = 0; i < LOG_KNOB_VALUE; i++) {
        if (strcmp(log_tables[i].kind, name) == 0) {
            d->kinds |= LOG_KIND_BIT(i);
            return;
        }
        const size_t len = strlen(names);
        snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "",
                 log_tables[i].kind);
    }
    argp_error(state, "--kind takes one of %s, not '%s'", names, name);
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct dump *d = state->input;
    switch (key) {
    case 'k':
        add_kind(state, text, d);
        return 0;
    case 'f':
        d->from = log_args_number(state, "from", text, UINT64_MAX);
        return 0;
    case 't':
        d->to = log_args_number(state, "to", text, UINT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int log_dump(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc =
            "Prints the rows of a decision log as JSON, one a line, in the order "
            "of events.\v"
            "Within an event: what came in, changes of suppressions, plans given "
            "up, "
            "then verdicts by position, each followed by its plan. Registrations "
            "that are no events come before the first event of their run.\n"};
    struct dump d = {.to = UINT64_MAX};
    struct log_job job = {.args = {.n_files = 1}};
    log_args_parse(&job.args, &argp, &d, argc, argv); /* always JSON */
    if (d.kinds == 0)
        d.kinds = LOG_EVENT_KINDS;
    if (!log_start(&job))
        return LOG_TROUBLE;
    return log_end(&job, dump(&d, &job));
}
