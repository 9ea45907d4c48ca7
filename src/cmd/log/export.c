/* dfopt-log export: writes a table as CSV or JSON lines for other programs. */
#include "cmd/log/common.h"
#include "cmd/log/merge.h"

enum { CSV, JSONL, BY_ARGS };
static const char *const formats[] = {[CSV] = "csv", [JSONL] = "jsonl", NULL};

struct export
{
    struct dl_job job;
    enum dl_kind kind;
    int format;
};

static enum dfopt_err put_row(void *arg, enum dl_kind kind, const void *row)
{
    struct export *x = arg;
    struct dl_job *j = &x->job;
    const struct dl_table *t = &dl_tables[kind];
    return x->format == CSV
               ? dl_row_csv(&j->print, j->reader, t, row, &j->err)
               : dl_row_json(&j->print, j->reader, t, row, false, &j->err);
}

#define AT(member) DFOPT_OPTION_AT(struct export, member)

static const struct dfopt_option options[] = {
    {"table", DFOPT_OPTION_WORD, "TABLE",
     "Export TABLE: plans (the default), outcomes, objectives, findings, verdicts, "
     "acks, global_plans, suppressions, timeouts, rejects, controls, "
     "registrations, "
     "knobs, knob_values, responses, seen, origins, runs or run_texts",
     't', AT(kind), .words = dl_table_words},
    {"format", DFOPT_OPTION_WORD, "FORMAT",
     "Write csv (the default), or jsonl (one JSON object per line)", 'f',
     AT(format), .words = formats},
    {.name = NULL}};

int dl_export(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Print one table of a decision log as CSV or JSON lines, with names "
               "in place of the numbers of strings.\v"
               "In CSV a missing value is empty, and the items of a list are "
               "separated by `;'. --json is the same as --format=jsonl.\n"};
    struct export x = {
        .job = {.args = {.n_files = 1}}, .kind = DL_PLAN, .format = BY_ARGS};
    dl_args_parse(&x.job.args, &command, &x, argc, argv);
    if (x.format == BY_ARGS)
        x.format = x.job.args.json ? JSONL : CSV;
    if (!dl_start(&x.job))
        return DL_TROUBLE;
    if (x.format == CSV)
        dl_csv_header(&x.job.print, &dl_tables[x.kind]);
    return dl_end(&x.job, dl_each(&x.job, DL_KIND_BIT(x.kind), put_row, &x));
}
