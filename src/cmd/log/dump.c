/* dfopt-log dump: prints a log's rows as JSON lines in event order. */
#include "cmd/log/common.h"
#include "cmd/log/merge.h"

struct dump {
    struct dl_job job;
    uint32_t kinds; /* bits; 0: all events */
    uint64_t from, to;
};

static enum dfopt_err put_row(void *arg, enum dl_kind kind, const void *row)
{
    struct dl_job *j = arg;
    return dl_row_json(&j->print, j->reader, &dl_tables[kind], row, true, &j->err);
}

static enum dfopt_err dump(struct dump *d)
{
    struct dl_job *j = &d->job;
    struct dl_merge m;
    enum dfopt_err e = dl_merge_init(&m, j->reader, d->kinds, d->from, &j->err);
    m.to = d->to;
    if (!e)
        e = dl_merge_each(&m, &j->print, put_row, j, &j->err);
    dl_merge_free(&m);
    return e;
}

/* ---- the command ---- */

#define AT(member) DFOPT_OPTION_AT(struct dump, member)

static const struct dfopt_option options[] = {
    {"kind", DFOPT_OPTION_WORDS, "KIND",
     "Print only rows of KIND; repeat for more: finding, objective, registration, "
     "ack, global_plan, control, reject, suppression, timeout, verdict, plan or "
     "outcome; or one that is left out by default: knob, response (part of a "
     "registration), seen, origin or run (of a resumed run)",
     'k', AT(kinds), .words = dl_event_words},
    {"from", DFOPT_OPTION_COUNT, "SEQ", "Begin with event SEQ (default: the first)",
     'f', AT(from)},
    {"to", DFOPT_OPTION_COUNT, "SEQ", "End with event SEQ (default: the last)", 't',
     AT(to)},
    {.name = NULL}};

int dl_dump(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Print the rows of a decision log as JSON, one per line, in the "
               "order of events.\v"
               "Within an event: its input, changes of suppressions, plans given "
               "up, then verdicts by position, each followed by its plan or its "
               "outcome. Registrations that are not events precede the first event "
               "of their run.\n"};
    struct dump d = {.job = {.args = {.n_files = 1}}, .to = UINT64_MAX};
    dl_args_parse(&d.job.args, &command, &d, argc, argv); /* always JSON */
    if (d.kinds == 0)
        d.kinds = DL_EVENT_KINDS;
    if (!dl_start(&d.job))
        return DL_TROUBLE;
    return dl_end(&d.job, dump(&d));
}
