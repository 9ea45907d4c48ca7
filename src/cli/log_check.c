/* dfopt-log check: reads every row and text of a log. */
#include "cli/log.h"
#include "cli/log_args.h"

#include <inttypes.h>
#include <stdio.h>

#define CHECK_BYTES 65536

static const struct {
    enum dfopt_declog_table table;
    size_t row_size;
} tables[] = {
    {DFOPT_TABLE_FINDINGS, sizeof(struct dfopt_declog_finding_row)},
    {DFOPT_TABLE_REJECTS, sizeof(struct dfopt_declog_reject_row)},
    {DFOPT_TABLE_VERDICTS, sizeof(struct dfopt_verdict_row)},
    {DFOPT_TABLE_PLANS, sizeof(struct dfopt_declog_plan_row)},
    {DFOPT_TABLE_ACKS, sizeof(struct dfopt_declog_ack_row)},
    {DFOPT_TABLE_REGISTRATIONS, sizeof(struct dfopt_declog_registration_row)},
    {DFOPT_TABLE_KNOBS, sizeof(struct dfopt_declog_knob_row)},
    {DFOPT_TABLE_KNOB_VALUES, sizeof(struct dfopt_declog_knob_value_row)},
    {DFOPT_TABLE_RESPONSES, sizeof(struct dfopt_declog_response_row)},
    {DFOPT_TABLE_GLOBAL_PLANS, sizeof(struct dfopt_relay_row)},
    {DFOPT_TABLE_SUPPRESSIONS, sizeof(struct dfopt_suppression_row)},
};

static enum dfopt_err read_table(struct dfopt_declog_reader *r, size_t which,
                                 uint64_t *rows, struct dfopt_error *err)
{
    struct log_cursor c;
    const void *row = NULL;
    enum dfopt_err e =
        log_cursor_init(&c, r, tables[which].table, tables[which].row_size);
    do {
        if (!e)
            e = log_cursor_row(&c, &row, err);
        c.next = c.end;
    } while (!e && row);
    *rows += dfopt_declog_reader_rows(r, tables[which].table);
    log_cursor_free(&c);
    return e;
}

static enum dfopt_err read_pool(struct dfopt_declog_reader *r,
                                enum dfopt_declog_pool pool,
                                struct dfopt_error *err)
{
    uint64_t n = dfopt_declog_reader_run(r)->last.pool[pool];
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t at = 0; !e && at < n; at += CHECK_BYTES) {
        const char *bytes;
        uint64_t end = n - at < CHECK_BYTES ? n : at + CHECK_BYTES;
        e = dfopt_declog_reader_text(r, pool, (struct dfopt_declog_text){at, end},
                                     &bytes, err);
    }
    return e;
}

static int check(const char *path)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    uint64_t rows = 0;
    struct dfopt_declog_reader *r = log_open(path);
    if (!r)
        return CHECK_UNREADABLE;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < sizeof tables / sizeof *tables; i++)
        e = read_table(r, i, &rows, &err);
    for (uint32_t p = DFOPT_POOL_RATIONALE; !e && p < DFOPT_POOL_COUNT; p++)
        e = read_pool(r, p, &err);
    bool complete = dfopt_declog_reader_run(r)->complete;
    if (e == DFOPT_ERR_NOMEM)
        dfopt_error_set(&err, e, "%s: out of memory", path);
    if (e)
        log_trouble(&err);
    else
        printf("%s: %s: %" PRIu64 " events, %" PRIu64 " rows, %" PRIu64
               " commits\n",
               path,
               complete ? "complete"
                        : "not complete: still being written, or its writer was "
                          "stopped; readable up to its last commit",
               dfopt_declog_reader_run(r)->last.at.next_seq, rows,
               dfopt_declog_reader_run(r)->commits);
    dfopt_declog_reader_close(r);
    if (e)
        return CHECK_UNREADABLE;
    return complete ? CHECK_COMPLETE : CHECK_INCOMPLETE;
}

int log_check(int argc, char **argv)
{
    static const struct argp argp = {
        .args_doc = "FILE",
        .doc = "Says whether a decision log is whole; reads all of it.\v"
               "Exit status: 0 complete, 1 readable but not complete, 2 not "
               "readable.\n"};
    struct log_args args = {.n_files = 1};
    log_args_parse(&args, &argp, NULL, argc, argv);
    return check(args.file[0]);
}
