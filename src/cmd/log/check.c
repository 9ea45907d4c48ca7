/* dfopt-log check: reads every row and text of a log to verify it. */
#include "cmd/log/common.h"
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
    struct dl_job *job;
    uint64_t readable[DL_KINDS]; /* readable rows from the first on */
    bool damaged;
    enum dfopt_writer writer;
};

/* Reports unreadable parts at once; reading continues. */
static void found_damage(struct check *c)
{
    c->damaged = true;
    dl_complain(&c->job->err);
}

static enum dfopt_err read_table(struct check *c, enum dl_kind kind)
{
    struct dfopt_cursor cursor;
    const struct dl_table *t = &dl_tables[kind];
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
    for (uint32_t k = 0; k < DL_KINDS; k++) {
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

/* ---- output ---- */

/* The log's final state: a word and its meaning. */
static const struct condition {
    const char *state, *meaning;
} damaged = {"damaged", "only the rows below are readable"},
  cut = {"cut short", "the end of the file is missing; readable up to its last "
                      "intact commit (--repair writes a clean copy)"},
  complete = {"complete", "closed at the end of the run; all of it is readable"},
  closed = {"closed early",
            "the run stopped before its end; all of it is readable"},
  by_writer[] = {
      [DFOPT_WRITER_UNKNOWN] = {"not complete",
                                "being written, or its writer was killed; readable "
                                "up to its last commit"},
      [DFOPT_WRITER_ALIVE] = {"being written",
                              "readable up to its last commit so far"},
      [DFOPT_WRITER_NONE] = {
          "left by its writer",
          "its writer was killed or ran out of disk; readable up to its last "
          "commit (--repair writes a clean copy)"}};

static const struct condition *condition_of(const struct check *c)
{
    const struct dfopt_declog_run *run = c->job->run;
    return c->damaged      ? &damaged
           : run->cut      ? &cut
           : run->complete ? &complete
           : !run->live    ? &closed
                           : &by_writer[c->writer];
}

static void put_text(const struct check *c)
{
    struct dl_print *p = &c->job->print;
    const struct dfopt_declog_run *run = c->job->run;
    const char *path = c->job->args.file[0];
    dl_put_text(p, path, strlen(path));
    dl_put(p, ": ");
    dl_color(p, c->damaged ? DL_RED : run->complete ? DL_GREEN : DL_YELLOW);
    dl_put(p, "%s", condition_of(c)->state);
    dl_color(p, DL_PLAIN);
    dl_put(p, ": %s\n  %-14s %12" PRIu64 "\n  %-14s %12" PRIu64 "\n",
           condition_of(c)->meaning, "events", run->last.at.next_seq, "commits",
           run->commits);
    for (uint32_t k = 0; k < DL_KINDS; k++) {
        uint64_t rows =
            dfopt_declog_reader_rows(c->job->reader, dl_tables[k].table);
        dl_put(p, "  %-14s %12" PRIu64, dl_tables[k].name, c->readable[k]);
        if (c->readable[k] < rows)
            dl_put(p, " of %" PRIu64, rows);
        dl_put(p, "\n");
    }
}

static void put_json(const struct check *c)
{
    struct dfopt_put *put = &c->job->print.put;
    const struct dfopt_declog_run *run = c->job->run;
    dfopt_put_raw(put, "{");
    dfopt_member_text(put, "file", c->job->args.file[0]);
    dfopt_member_text(put, "state", condition_of(c)->state);
    dfopt_member_bool(put, "complete", run->complete);
    dfopt_member_int(put, "format_version", run->format_version);
    dfopt_member_uint(put, "events", run->last.at.next_seq);
    dfopt_member_uint(put, "commits", run->commits);
    dfopt_put_key(put, "tables");
    dfopt_put_raw(put, "{");
    for (uint32_t k = 0; k < DL_KINDS; k++) {
        dfopt_put_key(put, dl_tables[k].name);
        dfopt_put_raw(put, "{");
        dfopt_member_uint(
            put, "rows",
            dfopt_declog_reader_rows(c->job->reader, dl_tables[k].table));
        dfopt_member_uint(put, "readable", c->readable[k]);
        dfopt_put_raw(put, "}");
    }
    dfopt_put_raw(put, "}}\n");
}

/* ---- the command ---- */

struct wish {
    const char *repair; /* NULL: only check */
};

#define AT(member) DFOPT_OPTION_AT(struct wish, member)

static const struct dfopt_option options[] = {
    {"repair", DFOPT_OPTION_TEXT, "FILE.h5",
     "Write everything intact to FILE.h5, a new file that any HDF5 program opens",
     'r', AT(repair)},
    {.name = NULL}};

static enum dfopt_err repair(struct check *c, const char *path)
{
    enum dfopt_err e = dfopt_declog_copy(c->job->reader, path, &c->job->err);
    if (!e)
        fprintf(stderr, "dfopt-log: wrote %s: %" PRIu64 " events\n", path,
                c->job->run->last.at.next_seq);
    return e;
}

int dl_check(int argc, char **argv)
{
    static const struct dl_command command = {
        .options = options,
        .args_doc = "FILE",
        .doc = "Check the integrity of a decision log by reading all of it, and "
               "show what a killed run has left.\v"
               "Exit status:\n"
               "  0\tcomplete\n"
               "  1\treadable, but not complete\n"
               "  2\tnot readable, not all of it, or not repaired\n"};
    struct dl_job job = {.args = {.n_files = 1}};
    struct check c = {.job = &job, .writer = DFOPT_WRITER_UNKNOWN};
    struct wish wish = {.repair = NULL};
    dl_args_parse(&job.args, &command, &wish, argc, argv);
    if (!dl_start(&job))
        return CHECK_UNREADABLE;
    if (job.run->live)
        c.writer = dfopt_declog_writer(job.reader);
    enum dfopt_err e = read_all(&c);
    const bool whole = job.run->complete;
    if (!e && job.args.json)
        put_json(&c);
    else if (!e)
        put_text(&c);
    if (!e && wish.repair)
        e = repair(&c, wish.repair);
    if (dl_end(&job, e) != DL_OK || c.damaged)
        return CHECK_UNREADABLE;
    return whole ? CHECK_COMPLETE : CHECK_INCOMPLETE;
}
