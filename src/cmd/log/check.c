/* dfopt-log check: reads every row and text of a log. */
#include "cmd/log/job.h"
#include "cmd/log/rows.h"
#include "declog/cursor.h"

#include "declog/liveness.h"
#include "declog/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CHECK_COMPLETE = 0, CHECK_INCOMPLETE = 1, CHECK_UNREADABLE = 2 };

#define CHECK_BYTES 65536

struct check {
    struct log_job *job;
    uint64_t readable[LOG_KINDS]; /* rows, from the first on */
    bool damaged;
    enum dfopt_writer writer;
};

/* Of a text: what could not be read. Said at once, so that the rest is too. */
static void found_damage(struct check *c)
{
    c->damaged = true;
    log_complain(&c->job->err);
}

static enum dfopt_err read_table(struct check *c, enum log_kind kind)
{
    struct dfopt_cursor cursor;
    const struct log_table *t = &log_tables[kind];
    const void *row = NULL;
    enum dfopt_err e;
    dfopt_cursor_init(&cursor, c->job->reader, t->table);
    do {
        e = dfopt_cursor_row(&cursor, &row, &c->job->err);
        if (!e && row)
            cursor.next = cursor.end;
    } while (!e && row);
    c->readable[kind] = cursor.next;
    dfopt_cursor_free(&cursor);
    return e;
}

static enum dfopt_err read_pool(struct check *c, enum dfopt_declog_pool pool)
{
    uint64_t n = c->job->run->last.pool[pool];
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t at = 0; !e && at < n; at += CHECK_BYTES) {
        const char *bytes;
        uint64_t end = n - at < CHECK_BYTES ? n : at + CHECK_BYTES;
        e = dfopt_declog_reader_text(c->job->reader, pool,
                                     (struct dfopt_declog_text){at, end}, &bytes,
                                     &c->job->err);
    }
    return e;
}

static enum dfopt_err read_all(struct check *c)
{
    for (uint32_t k = 0; k < LOG_KINDS; k++) {
        enum dfopt_err e = read_table(c, k);
        if (e == DFOPT_ERR_NOMEM)
            return e;
        if (e)
            found_damage(c);
    }
    for (uint32_t p = DFOPT_POOL_RATIONALE; p < DFOPT_POOL_COUNT; p++) {
        enum dfopt_err e = read_pool(c, p);
        if (e == DFOPT_ERR_NOMEM)
            return e;
        if (e)
            found_damage(c);
    }
    return DFOPT_OK;
}

/* ---- what is said ---- */

static const char *state_of(const struct check *c)
{
    const struct dfopt_declog_run *run = c->job->run;
    if (c->damaged)
        return "damaged";
    if (run->cut)
        return "cut short";
    if (run->complete)
        return "complete";
    if (!run->live)
        return "closed early";
    switch (c->writer) {
    case DFOPT_WRITER_ALIVE:
        return "being written";
    case DFOPT_WRITER_NONE:
        return "left by its writer";
    default:
        return "not complete";
    }
}

static const char *explanation_of(const struct check *c)
{
    const struct dfopt_declog_run *run = c->job->run;
    if (c->damaged)
        return "readable up to the rows below";
    if (run->cut)
        return "the file has lost its end; readable is what its last whole commit "
               "counts (--repair makes a clean copy)";
    if (run->complete)
        return "closed at the end of its run; all of it can be read";
    if (!run->live)
        return "its run did not come to its end; all of it can be read";
    switch (c->writer) {
    case DFOPT_WRITER_ALIVE:
        return "readable up to its last commit so far";
    case DFOPT_WRITER_NONE:
        return "killed, or out of disk; readable up to its last commit (--repair "
               "makes a clean copy)";
    default:
        return "being written, or left by a writer that was killed; readable up to "
               "its last commit";
    }
}

static void put_text(const struct check *c)
{
    struct log_print *p = &c->job->print;
    const struct dfopt_declog_run *run = c->job->run;
    const char *path = c->job->args.file[0];
    log_put_text(p, path, strlen(path));
    log_put(p, ": ");
    log_color(p, c->damaged ? LOG_RED : run->complete ? LOG_GREEN : LOG_YELLOW);
    log_put(p, "%s", state_of(c));
    log_color(p, LOG_PLAIN);
    log_put(p, ": %s\n  %-14s %12" PRIu64 "\n  %-14s %12" PRIu64 "\n",
            explanation_of(c), "events", run->last.at.next_seq, "commits",
            run->commits);
    for (uint32_t k = 0; k < LOG_KINDS; k++) {
        uint64_t rows =
            dfopt_declog_reader_rows(c->job->reader, log_tables[k].table);
        log_put(p, "  %-14s %12" PRIu64, log_tables[k].name, c->readable[k]);
        if (c->readable[k] < rows)
            log_put(p, " of %" PRIu64, rows);
        log_put(p, "\n");
    }
}

static void put_json(const struct check *c)
{
    struct log_print *p = &c->job->print;
    const struct dfopt_declog_run *run = c->job->run;
    const char *path = c->job->args.file[0];
    log_json_key(p, "file", true);
    log_json_text(p, path, strlen(path));
    log_put(p,
            ",\"state\":\"%s\",\"complete\":%s,\"format_version\":%" PRId64
            ",\"events\":%" PRIu64 ",\"commits\":%" PRIu64 ",\"tables\":{",
            state_of(c), run->complete ? "true" : "false", run->format_version,
            run->last.at.next_seq, run->commits);
    for (uint32_t k = 0; k < LOG_KINDS; k++)
        log_put(p, "%s\"%s\":{\"rows\":%" PRIu64 ",\"readable\":%" PRIu64 "}",
                k ? "," : "", log_tables[k].name,
                dfopt_declog_reader_rows(c->job->reader, log_tables[k].table),
                c->readable[k]);
    log_put(p, "}}\n");
}

/* ---- the command ---- */

struct wish {
    const char *repair; /* NULL: only look */
};

static const struct argp_option options[] = {
    {"repair", 'r', "OUT", 0,
     "Write what can be relied on to OUT, a new file that any program opens", 0},
    {.name = NULL}};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct wish *wish = state->input;
    if (key != 'r')
        return ARGP_ERR_UNKNOWN;
    wish->repair = text;
    return 0;
}

static enum dfopt_err repair(struct check *c, const char *path)
{
    enum dfopt_err e = dfopt_declog_copy(c->job->reader, path, &c->job->err);
    if (!e)
        fprintf(stderr, "dfopt-log: wrote %s: %" PRIu64 " events\n", path,
                c->job->run->last.at.next_seq);
    return e;
}

int log_check(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Says whether a decision log is whole, reading all of it, and what "
               "a run that was killed has left.\v"
               "Exit status: 0 complete, 1 readable but not complete, 2 not "
               "readable, not all of it, or not repaired.\n"};
    struct log_job job = {.args = {.n_files = 1}};
    struct check c = {.job = &job, .writer = DFOPT_WRITER_UNKNOWN};
    struct wish wish = {.repair = NULL};
    log_args_parse(&job.args, &argp, &wish, argc, argv);
    if (!log_start(&job))
        return CHECK_UNREADABLE;
    if (job.run->live)
        c.writer = dfopt_declog_writer(job.reader);
    enum dfopt_err e = read_all(&c);
    bool complete = job.run->complete;
    if (!e && job.args.json)
        put_json(&c);
    else if (!e)
        put_text(&c);
    if (!e && wish.repair)
        e = repair(&c, wish.repair);
    if (log_end(&job, e) != LOG_OK || c.damaged)
        return CHECK_UNREADABLE;
    return complete ? CHECK_COMPLETE : CHECK_INCOMPLETE;
}
