/* A header, then entries: length, checksum, bytes padded to 8. */
#include "engine/sweep/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC "dfoptswj"

struct header {
    char magic[8];
    char version[24]; /* of the program: rows have its memory layout */
    struct dfopt_sweep_key key;
};

struct entry {
    uint64_t len, checksum;
};

struct dfopt_sweep_journal {
    int fd;
    const char *path;
    struct dfopt_buf entry;
};

static enum dfopt_err io_error(const char *path, const char *what,
                               struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s: %s", path, what,
                           strerror(errno));
}

static struct header header_of(const struct dfopt_sweep_key *key)
{
    struct header h = {.version = DFOPT_VERSION, .key = *key};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    return h;
}

static enum dfopt_err write_all(struct dfopt_sweep_journal *j, const void *bytes,
                                size_t n, struct dfopt_error *err)
{
    const char *at = bytes;
    while (n > 0) {
        const ssize_t put = write(j->fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return io_error(j->path, "cannot write", err);
        at += put;
        n -= (size_t)put;
    }
    return DFOPT_OK;
}

void dfopt_sweep_journal_close(struct dfopt_sweep_journal *j)
{
    if (!j)
        return;
    close(j->fd);
    dfopt_buf_free(&j->entry);
    free(j);
}

static enum dfopt_err start(struct dfopt_sweep_journal **out, const char *path,
                            int flags, struct dfopt_error *err)
{
    struct dfopt_sweep_journal *j = calloc(1, sizeof *j);
    if (!j)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    j->path = path;
    j->fd = open(path, flags | O_CLOEXEC, 0666);
    if (j->fd < 0) {
        const enum dfopt_err e =
            errno == EEXIST
                ? dfopt_error_set(err, DFOPT_ERR_STATE, "%s: exists", path)
                : io_error(path, "cannot open", err);
        free(j);
        return e;
    }
    /* not every file system has locks: only a held lock counts */
    if (flock(j->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        dfopt_sweep_journal_close(j);
        return dfopt_error_set(err, DFOPT_ERR_STATE,
                               "%s: another sweep is writing it", path);
    }
    *out = j;
    return DFOPT_OK;
}

enum dfopt_err dfopt_sweep_journal_create(struct dfopt_sweep_journal **out,
                                          const char *path,
                                          const struct dfopt_sweep_key *key,
                                          struct dfopt_error *err)
{
    const struct header h = header_of(key);
    struct dfopt_sweep_journal *j = NULL;
    enum dfopt_err e = start(&j, path, O_WRONLY | O_CREAT | O_EXCL, err);
    if (e)
        return e;
    e = write_all(j, &h, sizeof h, err);
    if (e) {
        dfopt_sweep_journal_close(j);
        unlink(path);
        return e;
    }
    *out = j;
    return DFOPT_OK;
}

/* ---- resuming ---- */

/* Reads n bytes. Returns whether all were there. */
static bool read_all(int fd, void *bytes, size_t n)
{
    char *at = bytes;
    while (n > 0) {
        const ssize_t got = read(fd, at, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static enum dfopt_err check_header(const struct dfopt_sweep_journal *j,
                                   const struct dfopt_sweep_key *key,
                                   struct dfopt_error *err)
{
    struct header is, want = header_of(key);
    if (!read_all(j->fd, &is, sizeof is) ||
        memcmp(is.magic, want.magic, sizeof is.magic) != 0)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: not the journal of a sweep; remove it to start over", j->path);
    const char *other = NULL;
    if (memcmp(is.version, want.version, sizeof is.version) != 0)
        other = "version of dfopt-mpi";
    else if (is.key.input != key->input)
        other = "input";
    else if (memcmp(&is.key, key, sizeof *key) != 0)
        other = "sweep, policy or registry";
    return other ? dfopt_error_set(
                       err, DFOPT_ERR_STATE,
                       "%s: written for another %s; remove it to start over",
                       j->path, other)
                 : DFOPT_OK;
}

static size_t padded(uint64_t len)
{
    return ((size_t)len + 7) / 8 * 8;
}

/* Reads the next entry, at most `left` bytes with its header, into j->entry.
 * Returns whether it is complete. */
static bool next_entry(struct dfopt_sweep_journal *j, struct entry *head,
                       uint64_t left)
{
    dfopt_buf_clear(&j->entry);
    if (!read_all(j->fd, head, sizeof *head) || head->len > left - sizeof *head)
        return false;
    void *bytes = dfopt_buf_grow(&j->entry, padded(head->len));
    return bytes && read_all(j->fd, bytes, padded(head->len)) &&
           XXH3_64bits(bytes, head->len) == head->checksum;
}

static enum dfopt_err read_entries(struct dfopt_sweep_journal *j,
                                   dfopt_sweep_result_fn found, void *arg,
                                   struct dfopt_error *err)
{
    off_t end = (off_t)sizeof(struct header);
    struct entry head;
    struct stat st;
    if (fstat(j->fd, &st) < 0)
        return io_error(j->path, "cannot read", err);
    while (next_entry(j, &head, (uint64_t)(st.st_size - end))) {
        enum dfopt_err e = found(arg, j->entry.data, (size_t)head.len);
        if (e)
            return dfopt_error_set(err, e, "%s: %s", j->path, dfopt_err_text(e));
        end += (off_t)(sizeof head + padded(head.len));
    }
    if (ftruncate(j->fd, end) < 0 || lseek(j->fd, end, SEEK_SET) < 0)
        return io_error(j->path, "cannot write", err);
    return DFOPT_OK;
}

enum dfopt_err dfopt_sweep_journal_resume(struct dfopt_sweep_journal **out,
                                          const char *path,
                                          const struct dfopt_sweep_key *key,
                                          dfopt_sweep_result_fn found, void *arg,
                                          struct dfopt_error *err)
{
    struct dfopt_sweep_journal *j = NULL;
    enum dfopt_err e = start(&j, path, O_RDWR, err);
    if (e)
        return e;
    struct stat st;
    const struct header h = header_of(key);
    if (fstat(j->fd, &st) == 0 && st.st_size == 0) /* killed at its first step */
        e = write_all(j, &h, sizeof h, err);
    else
        e = check_header(j, key, err);
    if (!e)
        e = read_entries(j, found, arg, err);
    if (e)
        dfopt_sweep_journal_close(j);
    else
        *out = j;
    return e;
}

enum dfopt_err dfopt_sweep_journal_add(struct dfopt_sweep_journal *j,
                                       const void *result, size_t len,
                                       struct dfopt_error *err)
{
    const struct entry head = {len, XXH3_64bits(result, len)};
    dfopt_buf_clear(&j->entry);
    enum dfopt_err e = dfopt_buf_add(&j->entry, &head, sizeof head);
    if (!e)
        e = dfopt_buf_add(&j->entry, result, len);
    if (!e && !dfopt_buf_grow(&j->entry, padded(len) - len))
        e = DFOPT_ERR_NOMEM;
    return e ? dfopt_error_set(err, e, "%s: %s", j->path, dfopt_err_text(e))
             : write_all(j, j->entry.data, j->entry.len, err);
}
