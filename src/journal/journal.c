/* A file that grows by whole lines and is emptied again. */
#include "journal/journal.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct dfopt_journal {
    int fd;
    uint64_t size;        /* of the whole lines in the file */
    struct dfopt_buf add; /* lines that are not in the file yet */
    char *path;
};

static enum dfopt_err failed(const struct dfopt_journal *j, const char *what,
                             struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s: %s", j->path, what,
                           strerror(errno));
}

/* Where the file's last whole line ends. */
static enum dfopt_err find_end(struct dfopt_journal *j, struct dfopt_error *err)
{
    char block[4096];
    off_t end = lseek(j->fd, 0, SEEK_END);
    while (end > 0) {
        const off_t start =
            end > (off_t)sizeof block ? end - (off_t)sizeof block : 0;
        const ssize_t n = pread(j->fd, block, (size_t)(end - start), start);
        if (n != end - start)
            return failed(j, "cannot read it", err);
        const char *newline = memrchr(block, '\n', (size_t)n);
        end = newline ? start + (newline + 1 - block) : start;
        if (newline)
            break;
    }
    if (end < 0)
        return failed(j, "cannot read it", err);
    j->size = (uint64_t)end;
    return DFOPT_OK;
}

enum dfopt_err dfopt_journal_create(struct dfopt_journal **out, const char *path,
                                    bool keep, struct dfopt_error *err)
{
    struct dfopt_journal *j = calloc(1, sizeof *j);
    char *copy = strdup(path);
    enum dfopt_err e = DFOPT_OK;
    if (!j || !copy) {
        free(j);
        free(copy);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    }
    j->path = copy;
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (keep ? 0 : O_TRUNC), 0600);
    if (j->fd < 0)
        e = failed(j, "cannot create it", err);
    else if (keep)
        e = find_end(j, err);
    if (e)
        dfopt_journal_close(j, false);
    else
        *out = j;
    return e;
}

enum dfopt_err dfopt_journal_add(struct dfopt_journal *j, const char *line,
                                 size_t len)
{
    enum dfopt_err e = dfopt_buf_add(&j->add, line, len);
    return e ? e : dfopt_buf_add(&j->add, "\n", 1);
}

enum dfopt_err dfopt_journal_write(struct dfopt_journal *j, struct dfopt_error *err)
{
    size_t done = 0;
    while (done < j->add.len) {
        const ssize_t n = pwrite(j->fd, j->add.data + done, j->add.len - done,
                                 (off_t)(j->size + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            enum dfopt_err e = failed(j, "cannot write it", err);
            (void)!ftruncate(j->fd, (off_t)j->size); /* the write is the news */
            return e;
        }
        done += (size_t)n;
    }
    j->size += done;
    dfopt_buf_clear(&j->add);
    return DFOPT_OK;
}

uint64_t dfopt_journal_bytes(const struct dfopt_journal *j)
{
    return j->size;
}

size_t dfopt_journal_waiting(const struct dfopt_journal *j)
{
    return j->add.len;
}

void dfopt_journal_forget(struct dfopt_journal *j)
{
    dfopt_buf_free(&j->add);
}

enum dfopt_err dfopt_journal_cut(struct dfopt_journal *j, struct dfopt_error *err)
{
    dfopt_buf_clear(&j->add);
    if (j->size > 0 && ftruncate(j->fd, 0) != 0)
        return failed(j, "cannot empty it", err);
    j->size = 0;
    return DFOPT_OK;
}

/* Not another's that has taken the path. */
static bool is_at_path(const struct dfopt_journal *j)
{
    struct stat own, named;
    return fstat(j->fd, &own) == 0 && stat(j->path, &named) == 0 &&
           own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

void dfopt_journal_close(struct dfopt_journal *j, bool remove_file)
{
    if (!j)
        return;
    if (j->fd >= 0) {
        if (remove_file && is_at_path(j))
            (void)unlink(j->path);
        close(j->fd);
    }
    dfopt_buf_free(&j->add);
    free(j->path);
    free(j);
}
