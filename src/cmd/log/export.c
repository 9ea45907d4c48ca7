/* dfopt-log export: a table as CSV or JSON lines, for other programs. */
#include "cmd/log/job.h"
#include "cmd/log/rows.h"

#include <string.h>

struct export
{
    enum log_kind kind;
    bool csv, named;
};

static enum dfopt_err export_rows(const struct export *x, struct log_job *j)
{
    const struct log_table *t = &log_tables[x->kind];
    struct dfopt_cursor c;
    const void *row = NULL;
    dfopt_cursor_init(&c, j->reader, t->table);
    if (x->csv)
        log_csv_header(&j->print, t);
    enum dfopt_err e = DFOPT_OK;
    while (!e && log_print_flush(&j->print, false)) {
        e = dfopt_cursor_row(&c, &row, &j->err);
        if (e || !row)
            break;
        e = x->csv ? log_row_csv(&j->print, j->reader, t, row, &j->err)
                   : log_row_json(&j->print, j->reader, t, row, false, &j->err);
        c.next++;
    }
    dfopt_cursor_free(&c);
    return e;
}

static const struct argp_option options[] = {
    {"table", 't', "TABLE", 0,
     "The table: plans (the default), findings, verdicts, acks, global_plans, "
     "suppressions, timeouts, rejects, registrations, knobs, knob_values, "
     "responses, seen, origins, runs, run_texts",
     0},
    {"format", 'f', "FORMAT", 0, "csv (the default), or jsonl: an object a line",
     0},
    {.name = NULL}};

/* The kind of rows that a table has; ends the program where there is none. */
static enum log_kind kind_of_table(struct argp_state *state, const char *name)
{
    char names[320] = "";
    for (uint32_t kind = 0; kind < LOG_KINDS; kind++) {
        if (strcmp(log_tables[kind].name, name) == 0)
            return (enum log_kind)kind;
        const size_t len = strlen(names);
        snprintf(names + len, sizeof names - len, "%s%s", kind ? ", " : "",
                 log_tables[kind].name);
    }
    argp_error(state, "--table takes one of %s, not '%s'", names, name);
    return LOG_KINDS;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct export *x = state->input;
    switch (key) {
    case 't':
        x->kind = kind_of_table(state, text);
        return 0;
    case 'f':
        x->csv = strcmp(text, "csv") == 0;
        x->named = true;
        if (!x->csv && strcmp(text, "jsonl") != 0)
            argp_error(state, "--format takes one of csv, jsonl, not '%s'", text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int log_export(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Prints a table of a decision log as CSV or JSON lines, with names "
               "in place of the numbers of strings.\v"
               "In CSV what is not there is empty, and the items of a list are "
               "parted by `;'. --json is --format=jsonl.\n"};
    struct export x = {.kind = LOG_PLAN, .csv = true};
    struct log_job job = {.args = {.n_files = 1}};
    log_args_parse(&job.args, &argp, &x, argc, argv);
    if (job.args.json && !x.named)
        x.csv = false;
    if (!log_start(&job))
        return LOG_TROUBLE;
    return log_end(&job, export_rows(&x, &job));
}
