/* Lines as journal/line.c writes them; a last one that was cut off is left out,
 * for nothing that follows from it had left the program. A line may be there twice:
 * a run that went on has written it again.
 *
 * Invariant: once it is created, all whole lines are known to be as they were
 * written and to follow on each other, so reading cannot fail. */
#include "journal/source.h"

#include "base/buf.h"
#include "model/message.h"
#include "journal/line.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
    uint64_t given;                /* records of the journal, so far */
    struct dfopt_buf raw, problem; /* of the last record */
};

/* ---- a line ---- */

struct text {
    char *at;
    size_t len;
};

struct line {
    uint64_t seq, offset;
    struct text origin; /* at NULL: none */
    int stream;
    struct text body;
    struct text raw, problem; /* in their escapes; at NULL: none */
    bool hex;                 /* raw is hexadecimal digits */
};

/* Whether `rest` starts with `what`; goes behind it. */
static bool skip(struct text *rest, const char *what)
{
    const size_t n = strlen(what);
    if (rest->len < n || memcmp(rest->at, what, n) != 0)
        return false;
    rest->at += n;
    rest->len -= n;
    return true;
}

static bool take_number(struct text *rest, uint64_t *out)
{
    char *end;
    if (rest->len == 0 || *rest->at < '0' || *rest->at > '9')
        return false;
    errno = 0;
    *out = strtoull(rest->at, &end, 10); /* the newline ends it */
    rest->len -= (size_t)(end - rest->at);
    rest->at = end;
    return errno == 0;
}

/* A text in quotes without escapes. */
static bool take_text(struct text *rest, struct text *out)
{
    if (!skip(rest, "\""))
        return false;
    char *end = memchr(rest->at, '"', rest->len);
    if (!end)
        return false;
    *out = (struct text){rest->at, (size_t)(end - rest->at)};
    rest->at += out->len;
    rest->len -= out->len;
    return skip(rest, "\"");
}

static bool is_hex(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (!(t.at[i] >= '0' && t.at[i] <= '9') &&
            !(t.at[i] >= 'a' && t.at[i] <= 'f'))
            return false;
    return t.len % 2 == 0;
}

/* Bytes of what stands at `at` in a text with escapes, which are those of
 * json/write.h; 0: none of them. */
static size_t escaped_char(struct text t, size_t at)
{
    if (t.at[at] != '\\')
        return 1;
    if (t.len - at < 2)
        return 0;
    if (t.at[at + 1] != 'u')
        return strchr("\"\\/bfnrt", t.at[at + 1]) && t.at[at + 1] ? 2 : 0;
    return t.len - at >= 6 && t.at[at + 2] == '0' && t.at[at + 3] == '0' &&
                   is_hex((struct text){t.at + at + 4, 2})
               ? 6
               : 0;
}

/* A text in quotes, with its escapes. */
static bool take_escaped(struct text *rest, struct text *out)
{
    size_t n = 0;
    if (!skip(rest, "\""))
        return false;
    while (n < rest->len && rest->at[n] != '"') {
        const size_t k = escaped_char(*rest, n);
        n += k ? k : rest->len;
    }
    if (n >= rest->len)
        return false;
    *out = (struct text){rest->at, n};
    rest->at += n;
    rest->len -= n;
    return skip(rest, "\"");
}

/* A record that could not be used: from its problem, if any, to the line's end. */
static bool take_raw(struct text *rest, struct line *l)
{
    if (skip(rest, "\"problem\":") &&
        (!take_escaped(rest, &l->problem) || !skip(rest, ",")))
        return false;
    l->hex = skip(rest, "\"raw_hex\":");
    return (l->hex || skip(rest, "\"raw\":")) && take_escaped(rest, &l->raw) &&
           (!l->hex || is_hex(l->raw)) && rest->len == 1 && *rest->at == '}';
}

static int stream_of(struct text name)
{
    for (uint32_t i = 0; i < DFOPT_STREAM_COUNT; i++) {
        const char *is = dfopt_stream_name(i);
        if (strlen(is) == name.len && memcmp(is, name.at, name.len) == 0)
            return (int)i;
    }
    return -1;
}

/* Takes a line apart that a newline ends. Returns whether it is one of a journal,
 * and as it was written. */
static bool parse(char *bytes, size_t len, struct line *l)
{
    const char *checked = dfopt_record_checked(bytes, len);
    struct text rest, stream;
    *l = (struct line){.seq = 0};
    if (!checked)
        return false;
    rest.at = bytes + (checked - bytes);
    rest.len = len - (size_t)(checked - bytes);
    if (!skip(&rest, "\"seq\":") || !take_number(&rest, &l->seq))
        return false;
    if (skip(&rest, ",\"origin\":") &&
        (!take_text(&rest, &l->origin) || !skip(&rest, ",\"offset\":") ||
         !take_number(&rest, &l->offset)))
        return false;
    if (!skip(&rest, ",\"stream\":") || !take_text(&rest, &stream) ||
        !skip(&rest, ","))
        return false;
    l->stream = stream_of(stream);
    if (!skip(&rest, "\"body\":"))
        return l->stream >= 0 && take_raw(&rest, l);
    if (rest.len < 2 || rest.at[rest.len - 1] != '}')
        return false;
    l->body = (struct text){rest.at, rest.len - 1};
    return l->stream >= 0;
}

/* The next whole line. Returns whether there is one; *good: whether it can be used.
 */
static bool next_line(struct journal_source *s, struct line *l, bool *good)
{
    char *at = s->bytes + s->at;
    const char *end = s->bytes ? memchr(at, '\n', s->len - s->at) : NULL;
    if (!end)
        return false;
    *good = parse(at, (size_t)(end - at), l);
    s->at = (size_t)(end + 1 - s->bytes);
    s->line++;
    return true;
}

/* ---- a source ---- */

static int digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Without its escapes; a NUL is put behind it. */
static bool unescape(struct text from, struct dfopt_buf *out)
{
    static const char letters[] = "bfnrt", stand_for[] = "\b\f\n\r\t";
    char *to = (dfopt_buf_clear(out), dfopt_buf_grow(out, from.len + 1));
    size_t n = 0;
    for (size_t i = 0; to && i < from.len; i++) {
        char c = from.at[i];
        if (c == '\\' && from.at[++i] == 'u') {
            c = (char)(digit(from.at[i + 3]) << 4 | digit(from.at[i + 4]));
            i += 4;
        } else if (c == '\\') {
            const char *letter = strchr(letters, from.at[i]);
            c = letter ? stand_for[letter - letters] : from.at[i];
        }
        to[n++] = c;
    }
    if (!to)
        return false;
    to[n] = '\0';
    out->len = n;
    return true;
}

static bool from_hex(struct text from, struct dfopt_buf *out)
{
    char *to = (dfopt_buf_clear(out), dfopt_buf_grow(out, from.len / 2 + 1));
    for (size_t i = 0; to && i < from.len / 2; i++)
        to[i] = (char)(digit(from.at[2 * i]) << 4 | digit(from.at[2 * i + 1]));
    out->len = to ? from.len / 2 : 0;
    return to != NULL;
}

/* A record that could not be used, as it came. */
static void fill_raw(struct journal_source *s, const struct line *l,
                     struct dfopt_record *rec)
{
    static const char no_memory[] = "out of memory";
    const bool had = l->hex ? from_hex(l->raw, &s->raw) : unescape(l->raw, &s->raw);
    rec->data = had ? s->raw.data : "";
    rec->len = s->raw.len;
    if (l->problem.at)
        rec->problem =
            unescape(l->problem, &s->problem) ? s->problem.data : no_memory;
    else if (!had)
        rec->problem = no_memory;
}

static void to_record(struct journal_source *s, size_t start, const struct line *l,
                      struct dfopt_record *rec)
{
    *rec = (struct dfopt_record){.origin = s->path,
                                 .line = s->line,
                                 .offset = start,
                                 .stream = l->stream,
                                 .data = l->body.at,
                                 .len = l->body.len};
    if (l->raw.at)
        fill_raw(s, l, rec);
    if (!l->origin.at)
        return;
    l->origin.at[l->origin.len] = '\0';
    rec->origin = l->origin.at;
    rec->line = rec->offset = l->offset;
    rec->unit = DFOPT_OFFSET_EVENT_ID;
}

/* The next record that the log has not got. Returns whether there is one. */
static bool take_record(struct journal_source *s, struct dfopt_record *record)
{
    struct line l;
    bool good;
    for (size_t start = s->at; next_line(s, &l, &good); start = s->at)
        if (good && l.seq == s->next_seq) {
            to_record(s, start, &l, record);
            s->next_seq++;
            s->given++;
            return true;
        }
    return false;
}

static enum dfopt_source_status next(struct dfopt_source *source, int timeout_ms,
                                     struct dfopt_record *record,
                                     struct dfopt_error *err)
{
    struct journal_source *s = (struct journal_source *)source;
    if (take_record(s, record))
        return DFOPT_SOURCE_RECORD;
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
    dfopt_buf_free(&s->raw);
    dfopt_buf_free(&s->problem);
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

static enum dfopt_err damaged(const struct journal_source *s, const char *what,
                              struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_FORMAT, "%s:%" PRIu64 ": %s", s->path,
                           s->line, what);
}

/* Looks at all lines: one that is damaged, or missing, would be lost without a
 * word, and what comes behind it be decided in another state. */
static enum dfopt_err check(struct journal_source *s, struct dfopt_error *err)
{
    uint64_t next_seq = s->next_seq;
    struct line l;
    bool good;
    while (next_line(s, &l, &good)) {
        if (!good)
            return damaged(s, "not a line of a journal of dfopt-mpi, or damaged",
                           err);
        if (l.seq > next_seq && s->line == 1)
            return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                                   "%s: begins with record %" PRIu64
                                   ", its log ends before %" PRIu64,
                                   s->path, l.seq, next_seq);
        if (l.seq > next_seq)
            return damaged(s, "records are missing before it", err);
        next_seq += l.seq == next_seq;
    }
    s->at = 0;
    s->line = 0;
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
    struct dfopt_record rec;
    enum dfopt_err e =
        dfopt_journal_source_create(&source, path, next_seq, NULL, err);
    if (e)
        return e;
    *has_more = take_record((struct journal_source *)source, &rec);
    destroy(source);
    return DFOPT_OK;
}
