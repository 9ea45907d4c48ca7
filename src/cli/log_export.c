/* dfopt-log export: a table as CSV or JSON lines, for other programs. */
#include "cli/log_job.h"
#include "cli/log_rows.h"

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
     "The table: findings, verdicts, plans (the default), acks, global_plans, "
     "suppressions, registrations, knobs, knob_values, responses, rejects",
     0},
    {"format", 'f', "FORMAT", 0, "csv (the default), or jsonl: an object a line",
     0},
    {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct export *x = state->input;
    uint32_t kind = 0;
    switch (key) {
    case 't':
        while (kind < LOG_KINDS && strcmp(log_tables[kind].name, text) != 0)
            kind++;
        if (kind == LOG_KINDS)
            argp_error(state, "no such table: %s", text);
        x->kind = (enum log_kind)kind;
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
