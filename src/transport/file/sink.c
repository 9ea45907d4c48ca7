/* Writes plans to a file. Invariant: the buffer holds complete lines, so every
 * write starts at a line start, and the partial line of a failed write can be
 * truncated. */
#include "transport/file/file.h"
#include "transport/file/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)256 << 10)

struct file_sink {
    struct dfopt_sink base;
    char *name;
    int fd;
    bool owned;     /* not standard output */
    bool truncates; /* a regular file that we opened, so we may truncate it */
    uint64_t size;  /* of the complete lines in the file */
    size_t len;
    struct dfopt_error failed; /* the first error; code OK: none */
    char buffer[BUFFER_BYTES];
};

static enum dfopt_err again(const struct file_sink *s, struct dfopt_error *err)
{
    if (err)
        *err = s->failed;
    return s->failed.code;
}

/* write(2), retried after a signal or while a non-blocking peer is full. */
static ssize_t write_some(int fd, const char *data, size_t n)
{
    for (;;) {
        ssize_t done = write(fd, data, n);
        if (done >= 0 || (errno != EINTR && errno != EAGAIN))
            return done;
        if (errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        }
    }
}

/* Writes n bytes of complete lines. On failure leaves complete lines if it can. */
static enum dfopt_err write_lines(struct file_sink *s, const char *data, size_t n)
{
    size_t done = 0;
    ssize_t k = 0;
    while (done < n && (k = write_some(s->fd, data + done, n - done)) > 0)
        done += (size_t)k;
    if (done == n) {
        s->size += n;
        return DFOPT_OK;
    }
    int why = k < 0 ? errno : ENOSPC;
    while (done > 0 && data[done - 1] != '\n')
        done--;
    s->size += done;
    if (s->truncates)
        (void)!ftruncate(s->fd, (off_t)s->size); /* report the write error */
    s->len = 0;
    return dfopt_error_set(&s->failed, DFOPT_ERR_IO, "%s: %s", s->name,
                           strerror(why));
}

static enum dfopt_err write_buffer(struct file_sink *s)
{
    enum dfopt_err e = s->len ? write_lines(s, s->buffer, s->len) : DFOPT_OK;
    s->len = 0;
    return e;
}

/* Writes a line longer than the buffer, which is empty. */
static enum dfopt_err write_long(struct file_sink *s,
                                 const struct dfopt_plan_message *m)
{
    char *line = malloc(m->body_len + 1);
    if (!line)
        return dfopt_error_set(&s->failed, DFOPT_ERR_NOMEM, "%s: out of memory",
                               s->name);
    memcpy(line, m->body, m->body_len);
    line[m->body_len] = '\n';
    enum dfopt_err e = write_lines(s, line, m->body_len + 1);
    free(line);
    return e;
}

static enum dfopt_err sink_publish(struct dfopt_sink *sink,
                                   const struct dfopt_plan_message *m,
                                   struct dfopt_error *err)
{
    struct file_sink *s = (struct file_sink *)sink;
    if (s->failed.code != DFOPT_OK)
        return again(s, err);
    enum dfopt_err e = DFOPT_OK;
    if (m->body_len >= BUFFER_BYTES - s->len)
        e = write_buffer(s);
    if (e == DFOPT_OK && m->body_len >= BUFFER_BYTES) {
        e = write_long(s, m);
    } else if (e == DFOPT_OK) {
        memcpy(s->buffer + s->len, m->body, m->body_len);
        s->len += m->body_len;
        s->buffer[s->len++] = '\n';
    }
    return e == DFOPT_OK ? e : again(s, err);
}

static enum dfopt_err sink_flush(struct dfopt_sink *sink, struct dfopt_error *err)
{
    struct file_sink *s = (struct file_sink *)sink;
    if (s->failed.code == DFOPT_OK)
        (void)write_buffer(s);
    return s->failed.code == DFOPT_OK ? DFOPT_OK : again(s, err);
}

static enum dfopt_err sink_destroy(struct dfopt_sink *sink, struct dfopt_error *err)
{
    struct file_sink *s = (struct file_sink *)sink;
    if (!s)
        return DFOPT_OK;
    enum dfopt_err e = sink_flush(sink, err);
    if (!e && s->truncates)
        e = dfopt_file_in_place(s->fd, s->name, err);
    if (s->owned && close(s->fd) != 0 && errno != EINTR && e == DFOPT_OK)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->name, strerror(errno));
    free(s->name);
    free(s);
    return e;
}

static const struct dfopt_sink_ops file_sink_ops = {
    .publish = sink_publish,
    .flush = sink_flush,
    .destroy = sink_destroy,
};

/* Takes an open file for this writer, and truncates it if requested. */
static enum dfopt_err take_file(const char *path, bool empty, int fd,
                                struct dfopt_error *err)
{
    struct stat st;
    enum dfopt_err e = dfopt_file_lock(fd, path, err);
    if (!e && empty && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        ftruncate(fd, 0) != 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", path, strerror(errno));
    if (e)
        close(fd);
    return e;
}

/* Opens the file; the error text names the part of the path that is wrong. */
static enum dfopt_err open_output(const char *path, int flags, bool empty, int *fd,
                                  struct dfopt_error *err)
{
    if (path[0] == '\0')
        return dfopt_error_set(err, DFOPT_ERR_ARG, "an empty file name");
    *fd = open(path, flags | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (*fd >= 0)
        return take_file(path, empty, *fd, err);
    int why = errno;
    struct stat st;
    if (why == ENOENT && lstat(path, &st) != 0)
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "%s: its directory does not exist", path);
    return dfopt_error_set(err, why == EINTR ? DFOPT_ERR_INTERRUPTED : DFOPT_ERR_IO,
                           "%s: %s", path, strerror(why));
}

static enum dfopt_err create(struct file_sink **out, const char *path, int flags,
                             bool empty, struct dfopt_error *err)
{
    bool is_stdout = strcmp(path, "-") == 0;
    struct file_sink *s = calloc(1, sizeof *s);
    char *name = strdup(is_stdout ? "standard output" : path);
    int fd = STDOUT_FILENO;
    struct stat st;
    enum dfopt_err e = DFOPT_OK;
    if (!s || !name)
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    else if (!is_stdout)
        e = open_output(path, flags, empty, &fd, err);
    else if (fstat(fd, &st) != 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", name, strerror(errno));
    if (e != DFOPT_OK) {
        free(s);
        free(name);
        return e;
    }
    s->base.ops = &file_sink_ops;
    s->name = name;
    s->fd = fd;
    s->owned = !is_stdout;
    s->truncates = !is_stdout && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *out = s;
    return DFOPT_OK;
}

enum dfopt_err dfopt_file_sink_create(struct dfopt_sink **out, const char *path,
                                      struct dfopt_error *err)
{
    struct file_sink *s;
    enum dfopt_err e = create(&s, path, O_WRONLY, true, err);
    if (!e)
        *out = &s->base;
    return e;
}

/* ---- resuming a file ---- */

/* Finds the end of the kept lines and the start of the last one. */
static enum dfopt_err find_lines(struct file_sink *s,
                                 struct dfopt_file_lines *lines,
                                 uint64_t *last_start, struct dfopt_error *err)
{
    uint64_t at = 0, line_start = 0;
    while (lines->kept < lines->keep) {
        ssize_t n = pread(s->fd, s->buffer, sizeof s->buffer, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->name,
                                   strerror(errno));
        if (n == 0)
            break;
        const char *from = s->buffer, *end = s->buffer + n, *newline;
        while (lines->kept < lines->keep &&
               (newline = memchr(from, '\n', (size_t)(end - from)))) {
            lines->kept++;
            *last_start = line_start;
            from = newline + 1;
            s->size = line_start = at + (uint64_t)(from - s->buffer);
        }
        at += (uint64_t)n;
    }
    return DFOPT_OK;
}

/* Keeps the lines and truncates the rest. */
static enum dfopt_err keep_lines(struct file_sink *s,
                                 struct dfopt_file_lines *lines,
                                 struct dfopt_error *err)
{
    uint64_t start = 0;
    enum dfopt_err e = find_lines(s, lines, &start, err);
    if (e)
        return e;
    if (lines->kept > 0) {
        const size_t n = (size_t)(s->size - start) - 1;
        if (dfopt_buf_reserve(lines->last, n + 1))
            return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory",
                                   s->name);
        if (pread(s->fd, lines->last->data, n, (off_t)start) != (ssize_t)n)
            return dfopt_error_set(err, DFOPT_ERR_IO, "%s: cannot read it",
                                   s->name);
        lines->last->len = n;
    }
    if (ftruncate(s->fd, (off_t)s->size) < 0 ||
        lseek(s->fd, (off_t)s->size, SEEK_SET) < 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->name,
                               strerror(errno));
    return DFOPT_OK;
}

enum dfopt_err dfopt_file_sink_reopen(struct dfopt_sink **out, const char *path,
                                      struct dfopt_file_lines *lines,
                                      struct dfopt_error *err)
{
    struct stat st;
    struct file_sink *s = NULL;
    lines->kept = 0;
    lines->regular =
        strcmp(path, "-") != 0 && (stat(path, &st) < 0 || S_ISREG(st.st_mode));
    enum dfopt_err e =
        create(&s, path, lines->regular ? O_RDWR : O_WRONLY, false, err);
    if (!e && lines->regular)
        e = keep_lines(s, lines, err);
    if (!e)
        *out = &s->base;
    else if (s)
        sink_destroy(&s->base, NULL);
    return e;
}
