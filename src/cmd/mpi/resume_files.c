/* Where the input and the plans file continue. */
#include "cmd/mpi/resume.h"

#include "codec/codec.h"
#include "transport/file/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS    100
#define PLANS_READ 256

/* ---- input ---- */

static enum dfopt_err not_it(const struct dfopt_resume *r, const char *why,
                             struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_ARG,
                           "--resume %s: the input is not that of the log: %s",
                           r->path, why);
}

/* Which file the log's position is in: -1: none, -2: several. */
static int file_of(const struct dfopt_splits *p, const char *name)
{
    int found = -1;
    for (uint32_t i = 0; i < dfopt_splits_files(p); i++)
        if (strcmp(dfopt_splits_name(p, i), name) == 0)
            found = found == -1 ? (int)i : -2;
    return found;
}

/* The log's position may follow white space at the start of a line; moves back to
 * that start, which readers of splits use. */
static uint64_t start_of_line(const char *path, uint64_t offset)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t at = offset;
    char c;
    while (fd >= 0 && at > 0 && pread(fd, &c, 1, (off_t)(at - 1)) == 1 &&
           (c == ' ' || c == '\t' || c == '\r'))
        at--;
    const bool line =
        at == 0 || (fd >= 0 && pread(fd, &c, 1, (off_t)(at - 1)) == 1 && c == '\n');
    if (fd >= 0)
        close(fd);
    return line ? at : offset;
}

static enum dfopt_err find_split(const struct dfopt_resume *r,
                                 const struct dfopt_splits *p, int file,
                                 struct dfopt_split *split, uint64_t *line,
                                 struct dfopt_error *err)
{
    const struct dfopt_declog_position *at = &r->fold.at;
    if (dfopt_splits_size(p, (uint32_t)file) < at->offset) {
        char why[140];
        snprintf(why, sizeof why,
                 "%.60s is shorter than the %" PRIu64 " bytes already read",
                 dfopt_splits_name(p, (uint32_t)file), at->offset);
        return not_it(r, why, err);
    }
    split->file = (uint32_t)file;
    split->start = start_of_line(dfopt_splits_name(p, (uint32_t)file), at->offset);
    *line = at->record_line;
    return DFOPT_OK;
}

/* Reads a source past the records already in the log. */
static enum dfopt_err skip_records(const struct dfopt_resume *r,
                                   struct dfopt_source *source, const char *name,
                                   const volatile sig_atomic_t *stop,
                                   struct dfopt_error *err)
{
    struct dfopt_record rec;
    struct dfopt_error ignored; /* the first read has reported it */
    uint64_t left = r->fold.at.next_seq - r->fold.same_transport_seq;
    while (left > 0 && !(stop && *stop)) {
        switch (source->ops->next(source, WAIT_MS, &rec, &ignored)) {
        case DFOPT_SOURCE_RECORD:
            if (--left == 0 && strcmp(rec.origin, name) == 0 &&
                rec.line > r->fold.at.record_line)
                return not_it(r, "its records are on other lines", err);
            break;
        case DFOPT_SOURCE_END:
            return not_it(r, "it has fewer records", err);
        default:
            break;
        }
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_resume_input(const struct dfopt_resume *r,
                                  struct dfopt_inputs *in,
                                  const struct dfopt_options *o,
                                  const volatile sig_atomic_t *stop,
                                  struct dfopt_split *split, uint64_t *line,
                                  struct dfopt_error *err)
{
    const dfopt_sym origin = r->fold.at.origin;
    const char *name =
        origin == DFOPT_SYM_NONE
            ? ""
            : dfopt_dict_text(dfopt_declog_reader_dict(r->reader), origin, NULL);
    *split = (struct dfopt_split){.file = 0};
    *line = 0;
    if (strcmp(r->fold.run_text[DFOPT_RUN_transport], o->transport_name) != 0 ||
        origin == DFOPT_SYM_NONE)
        return DFOPT_OK; /* a different input: start at its beginning */
    for (size_t i = 0; i < o->n_findings_files; i++)
        if (strcmp(o->findings_files[i], "-") == 0)
            return not_it(r, "a run that read standard input cannot be resumed",
                          err);
    if (in->splits) {
        const int file = file_of(in->splits, name);
        if (file >= 0)
            return find_split(r, in->splits, file, split, line, err);
        if (file == -1)
            return not_it(r, name, err);
        dfopt_splits_close(in->splits); /* a file twice: count to find the place */
        in->splits = NULL;
    }
    return skip_records(r, in->source, name, stop, err);
}

/* ---- plans file ---- */

/* The text of plan number `row` as published. `dict` has the log's names and
 * receives the rationale. */
static enum dfopt_err plan_text(const struct dfopt_resume *r,
                                struct dfopt_dict *dict,
                                struct dfopt_declog_plan_row *row,
                                struct dfopt_buf *out, struct dfopt_error *err)
{
    const char *bytes;
    enum dfopt_err e = dfopt_declog_reader_text(r->reader, DFOPT_POOL_RATIONALE,
                                                row->rationale, &bytes, err);
    if (e)
        return e;
    row->p.rationale = dfopt_dict_intern(
        dict, bytes, (size_t)(row->rationale.end - row->rationale.start));
    dfopt_buf_clear(out);
    e = row->p.rationale == DFOPT_SYM_NONE
            ? DFOPT_ERR_NOMEM
            : dfopt_codec_plan_json(dict, &row->p, dfopt_resume_run(r), out);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : DFOPT_OK;
}

/* Adds the plans from number `from` on, if the last one present is the log's. */
static enum dfopt_err add_plans(const struct dfopt_resume *r, const char *path,
                                struct dfopt_dict *dict, uint64_t from,
                                const struct dfopt_buf *last,
                                struct dfopt_sink *sink, struct dfopt_error *err)
{
    const uint64_t n = r->fold.plans;
    struct dfopt_declog_plan_row rows[PLANS_READ];
    struct dfopt_buf text = {0};
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t at = from ? from - 1 : 0; !e && at < n; at += PLANS_READ) {
        const size_t some = n - at < PLANS_READ ? (size_t)(n - at) : PLANS_READ;
        e = dfopt_declog_reader_read(r->reader, DFOPT_TABLE_PLANS, at, some, rows,
                                     err);
        for (size_t i = 0; !e && i < some; i++) {
            const struct dfopt_plan_message m = {.node = NULL};
            e = plan_text(r, dict, &rows[i], &text, err);
            if (e)
                break;
            struct dfopt_plan_message line = m;
            line.body = text.data;
            line.body_len = text.len;
            if (at + i >= from)
                e = sink->ops->publish(sink, &line, err);
            else if (last->len != text.len ||
                     memcmp(last->data, text.data, text.len) != 0)
                e = dfopt_error_set(err, DFOPT_ERR_ARG,
                                    "%s: line %" PRIu64
                                    " differs from that plan in %s; restore the "
                                    "plans file, or write another",
                                    path, from, r->path);
        }
    }
    dfopt_buf_free(&text);
    return e;
}

enum dfopt_err dfopt_resume_plans(const struct dfopt_resume *r, const char *path,
                                  struct dfopt_sink **out, struct dfopt_error *err)
{
    const uint64_t n = r->fold.plans;
    struct dfopt_dict *dict = NULL;
    struct dfopt_buf last = {0};
    struct dfopt_file_lines lines = {.keep = n, .last = &last};
    struct dfopt_sink *sink = NULL;
    enum dfopt_err e = dfopt_file_sink_reopen(&sink, path, &lines, err);
    if (e)
        return e;
    if (lines.regular) {
        e = dfopt_dict_create(&dict, false);
        if (!e)
            e = dfopt_fold_names(r->reader, dict);
        if (e)
            dfopt_error_set(err, e, "%s", dfopt_err_text(e));
        else
            e = add_plans(r, path, dict, lines.kept, &last, sink, err);
    }
    if (!e)
        *out = sink;
    else
        sink->ops->destroy(sink, NULL);
    dfopt_dict_destroy(dict);
    dfopt_buf_free(&last);
    return e;
}
