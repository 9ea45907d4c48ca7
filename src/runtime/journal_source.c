/* Lines as runtime/record.c writes them; a last one that was cut off is left out,
 * for nothing that follows from it had left the program. A line may be there twice:
 * a run that went on has written it again. */
#include "runtime/journal_source.h"

#include "model/message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct journal_source {
    struct dfopt_source base;
    struct dfopt_source *then;
    char *path, *bytes; /* NUL at the end */
    size_t len, at;
    uint64_t line, next_seq;
    uint64_t given; /* records of the journal, so far */
};

/* ---- a line ---- */

/* Whether the text at *at starts with `text`; goes behind it. */
static bool skip(char **at, const char *text)
{
    const size_t n = strlen(text);
    if (strncmp(*at, text, n) != 0)
        return false;
    *at += n;
    return true;
}

static bool take_number(char **at, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(*at, &end, 10);
    const bool ok = end != *at && errno == 0;
    *at = end;
    return ok;
}

/* A text in quotes without escapes; the closing quote becomes its NUL. */
static char *take_text(char **at)
{
    char *text = *at, *end = *text == '"' ? strchr(text + 1, '"') : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return text + 1;
}

static int stream_of(const char *name)
{
    for (uint32_t i = 0; name && i < DFOPT_STREAM_COUNT; i++)
        if (strcmp(dfopt_stream_name(i), name) == 0)
            return (int)i;
    return -1;
}

/* Takes a line of `len` bytes apart, and changes it. */
static bool parse(char *line, size_t len, uint64_t *seq, struct dfopt_record *rec)
{
    char *at = line;
    if (!skip(&at, "{\"seq\":") || !take_number(&at, seq))
        return false;
    if (skip(&at, ",\"origin\":")) {
        rec->origin = take_text(&at);
        rec->unit = DFOPT_OFFSET_EVENT_ID;
        if (!rec->origin || !skip(&at, ",\"offset\":") ||
            !take_number(&at, &rec->offset))
            return false;
    }
    if (!skip(&at, ",\"stream\":"))
        return false;
    rec->stream = stream_of(take_text(&at));
    if (rec->stream < 0 || !skip(&at, ",\"body\":") || line[len - 1] != '}')
        return false;
    rec->data = at;
    rec->len = (size_t)(line + len - 1 - at);
    return rec->len > 0;
}

/* The next line's record, unless the log has it. Returns whether there was a line:
 * rec->data is NULL if it is of no use. */
static bool take_line(struct journal_source *s, struct dfopt_record *rec)
{
    char *line = s->bytes + s->at;
    char *end = memchr(line, '\n', s->len - s->at);
    uint64_t seq;
    *rec = (struct dfopt_record){.origin = s->path, .line = s->line + 1};
    if (!end)
        return false;
    *end = '\0';
    rec->offset = s->at;
    s->at = (size_t)(end + 1 - s->bytes);
    s->line++;
    if (!parse(line, (size_t)(end - line), &seq, rec) || seq != s->next_seq)
        rec->data = NULL;
    else
        s->next_seq++;
    return true;
}

/* ---- a source ---- */

static enum dfopt_source_status next(struct dfopt_source *source, int timeout_ms,
                                     struct dfopt_record *record,
                                     struct dfopt_error *err)
{
    struct journal_source *s = (struct journal_source *)source;
    while (take_line(s, record))
        if (record->data) {
            s->given++;
            return DFOPT_SOURCE_RECORD;
        }
    return s->then->ops->next(s->then, timeout_ms, record, err);
}

static void progress(const struct dfopt_source *source,
                     struct dfopt_source_progress *p)
{
    const struct journal_source *s = (const struct journal_source *)source;
    s->then->ops->progress(s->then, p);
}

static void done(struct dfopt_source *source, uint64_t n)
{
    const struct journal_source *s = (const struct journal_source *)source;
    if (s->then->ops->done && n > s->given)
        s->then->ops->done(s->then, n - s->given);
}

static void destroy(struct dfopt_source *source)
{
    struct journal_source *s = (struct journal_source *)source;
    if (!s)
        return;
    free(s->bytes);
    free(s->path);
    free(s);
}

static const struct dfopt_source_ops ops = {
    .next = next, .progress = progress, .done = done, .destroy = destroy};

/* ---- reading it ---- */

static enum dfopt_err read_all(struct journal_source *s, struct dfopt_error *err)
{
    struct stat st;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return DFOPT_OK;
    enum dfopt_err e = DFOPT_OK;
    if (fd < 0 || fstat(fd, &st) < 0) {
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->path, strerror(errno));
    } else if (!(s->bytes = malloc((size_t)st.st_size + 1))) {
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", s->path);
    } else {
        ssize_t n = 1;
        while (s->len < (size_t)st.st_size && n > 0) {
            n = read(fd, s->bytes + s->len, (size_t)st.st_size - s->len);
            s->len += n > 0 ? (size_t)n : 0;
        }
        s->bytes[s->len] = '\0';
        if (n < 0)
            e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->path,
                                strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return e;
}

/* Its lines must be some of a journal, and the first no later than what is next:
 * a gap would be lost without a word. */
static enum dfopt_err check(const struct journal_source *s, struct dfopt_error *err)
{
    uint64_t seq;
    char *at = s->bytes;
    if (s->len == 0 || !memchr(s->bytes, '\n', s->len))
        return DFOPT_OK;
    if (!skip(&at, "{\"seq\":") || !take_number(&at, &seq))
        return dfopt_error_set(err, DFOPT_ERR_FORMAT, "%s: no journal of dfopt-mpi",
                               s->path);
    if (seq > s->next_seq)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "%s: begins with record %" PRIu64
                               ", its log ends before %" PRIu64,
                               s->path, seq, s->next_seq);
    return DFOPT_OK;
}

enum dfopt_err dfopt_journal_source_create(struct dfopt_source **out,
                                           const char *path, uint64_t next_seq,
                                           struct dfopt_source *then,
                                           struct dfopt_error *err)
{
    struct journal_source *s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    }
    s->base.ops = &ops;
    s->then = then;
    s->next_seq = next_seq;
    enum dfopt_err e = read_all(s, err);
    if (!e)
        e = check(s, err);
    if (e)
        destroy(&s->base);
    else
        *out = &s->base;
    return e;
}

enum dfopt_err dfopt_journal_has_more(const char *path, uint64_t next_seq,
                                      bool *has_more, struct dfopt_error *err)
{
    struct dfopt_source *source;
    struct dfopt_record rec = {.data = NULL};
    enum dfopt_err e =
        dfopt_journal_source_create(&source, path, next_seq, NULL, err);
    if (e)
        return e;
    while (!rec.data && take_line((struct journal_source *)source, &rec))
        ;
    *has_more = rec.data != NULL;
    destroy(source);
    return DFOPT_OK;
}
