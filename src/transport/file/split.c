/* Splits of files. Invariant: a newline belongs to the split in which its line
 * starts, so that splits neither share nor miss anything. */
#include "transport/file/split.h"

#include "transport/file/magic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_BYTES  65536 /* of a file's start, to recognise JSON lines */
#define BLOCK_BYTES ((size_t)256 << 10) /* read from a split at a time */
#define AHEAD_BYTES 65536 /* read at a time after a split, for its last record */

struct split_file {
    char *name;
    uint64_t size;
};

struct dfopt_splits {
    struct split_file *files;
    size_t n;
    size_t max;
    int fd; /* of one file at a time: there may be thousands */
    uint32_t fd_file;
};

void dfopt_splits_close(struct dfopt_splits *p)
{
    if (!p)
        return;
    if (p->fd >= 0)
        close(p->fd);
    for (size_t i = 0; i < p->n; i++)
        free(p->files[i].name);
    free(p->files);
    free(p);
}

static enum dfopt_err failed(const char *name, struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", name, strerror(errno));
}

/* Reads n bytes at an offset; fewer only at the end of the file. */
static ssize_t read_at(int fd, char *out, size_t n, uint64_t offset)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(fd, out + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* Whether the file starts like plain JSON lines. */
static bool is_lines(int fd, uint64_t size)
{
    char head[LOOK_BYTES];
    ssize_t n = read_at(fd, head, sizeof head, 0);
    if (n < 0 || dfopt_magic_is_gzip(head, (size_t)n) ||
        dfopt_magic_of(head, (size_t)n))
        return false;
    ssize_t i = n >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < n && dfopt_scan_is_white(head[i]))
        i++;
    return i < n ? head[i] != '[' : (uint64_t)n == size;
}

static enum dfopt_err add_file(struct dfopt_splits *p, const char *path, bool *fit,
                               struct dfopt_error *err)
{
    struct stat st;
    struct split_file *f = &p->files[p->n];
    *fit = false;
    f->name = strdup(path);
    if (!f->name)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    p->n++;
    if (strcmp(path, "-") == 0)
        return DFOPT_OK;
    if (stat(path, &st) < 0)
        return failed(path, err);
    if (!S_ISREG(st.st_mode))
        return DFOPT_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(path, err);
    f->size = (uint64_t)st.st_size;
    *fit = is_lines(fd, f->size);
    close(fd);
    return DFOPT_OK;
}

enum dfopt_err dfopt_splits_open(struct dfopt_splits **out,
                                 const char *const *paths, size_t n,
                                 size_t max_record_bytes, struct dfopt_error *err)
{
    struct dfopt_splits *p = calloc(1, sizeof *p);
    struct split_file *files = calloc(n ? n : 1, sizeof *files);
    if (!p || !files) {
        free(p);
        free(files);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    p->files = files;
    p->max = max_record_bytes;
    p->fd = -1;
    enum dfopt_err e = DFOPT_OK;
    bool fit = true;
    while (!e && fit && p->n < n)
        e = add_file(p, paths[p->n], &fit, err);
    if (e || !fit) {
        dfopt_splits_close(p);
        p = NULL;
    }
    if (!e)
        *out = p;
    return e;
}

size_t dfopt_splits_files(const struct dfopt_splits *p)
{
    return p->n;
}

const char *dfopt_splits_name(const struct dfopt_splits *p, uint32_t file)
{
    return p->files[file].name;
}

uint64_t dfopt_splits_size(const struct dfopt_splits *p, uint32_t file)
{
    return p->files[file].size;
}

void dfopt_splits_set_size(struct dfopt_splits *p, uint32_t file, uint64_t size)
{
    p->files[file].size = size;
}

struct dfopt_split dfopt_splits_next(const struct dfopt_splits *p,
                                     struct dfopt_split *at, uint64_t most)
{
    struct dfopt_split split = *at;
    split.len = 0;
    while (at->file < p->n && at->start >= p->files[at->file].size) {
        at->file++;
        at->start = 0;
    }
    if (at->file == p->n)
        return split;
    const uint64_t left = p->files[at->file].size - at->start;
    split = *at;
    split.len = left < most ? left : most;
    at->start += split.len;
    return split;
}

/* Opens the file of a split, unless it is already open. */
static enum dfopt_err turn_to(struct dfopt_splits *p, uint32_t file,
                              struct dfopt_error *err)
{
    if (p->fd >= 0 && p->fd_file == file)
        return DFOPT_OK;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = open(p->files[file].name, O_RDONLY | O_CLOEXEC);
    p->fd_file = file;
    return p->fd < 0 ? failed(p->files[file].name, err) : DFOPT_OK;
}

/* Moves the window to the start of the buffer. */
static void drop_used(struct dfopt_split_reader *r)
{
    struct dfopt_buf *b = &r->bytes;
    const size_t used = (size_t)(r->window.data - b->data);
    if (used == 0)
        return;
    memmove(b->data, r->window.data, r->window.len);
    b->len = r->window.len;
    r->offset += used;
    r->window.data = b->data;
}

/* Reads up to `most` more bytes after the window; *n arrived. Drops what
 * precedes the window, so that all stays in the processor's cache. */
static enum dfopt_err read_more(struct dfopt_split_reader *r, size_t most,
                                size_t *n)
{
    struct dfopt_buf *b = &r->bytes;
    if (b->data)
        drop_used(r);
    if (dfopt_buf_reserve(b, most))
        return dfopt_error_set(&r->err, DFOPT_ERR_NOMEM, "%s: out of memory",
                               r->name);
    r->window.data = b->data;
    ssize_t got =
        read_at(r->splits->fd, b->data + b->len, most, r->offset + b->len);
    if (got < 0)
        return failed(r->name, &r->err);
    b->len += (size_t)got;
    *n = (size_t)got;
    return DFOPT_OK;
}

/* Bytes of the split not yet read. */
static size_t left(const struct dfopt_split_reader *r)
{
    const uint64_t end = r->split.start + r->split.len;
    const uint64_t at = r->offset + r->bytes.len;
    return at < end ? (size_t)(end - at) : 0;
}

/* Reads a block of the split into the window. */
static enum dfopt_err read_block(struct dfopt_split_reader *r)
{
    const size_t want = left(r) < BLOCK_BYTES ? left(r) : BLOCK_BYTES;
    size_t n = 0;
    enum dfopt_err e = read_more(r, want, &n);
    r->window.len += n;
    if (n < want) /* the file has shrunk */
        r->window.last = true;
    return e;
}

/* Reads on past the split for the line that crosses its end, but not past that
 * line, so that the next one is not seen. */
static enum dfopt_err read_ahead(struct dfopt_split_reader *r)
{
    size_t n = 0;
    enum dfopt_err e = read_more(r, AHEAD_BYTES, &n);
    if (e)
        return e;
    const char *newline = memchr(r->window.data + r->window.len, '\n', n);
    if (newline)
        r->bytes.len = (size_t)(newline - r->bytes.data) + 1;
    r->window.len = r->bytes.len; /* all of it, from the window's start */
    r->window.last = newline || n == 0;
    return DFOPT_OK;
}

/* Moves to the first line that starts in the split. Reading begins one byte
 * earlier, so that a line at the very start is recognised. */
static enum dfopt_err find_first_line(struct dfopt_split_reader *r)
{
    enum dfopt_err e = DFOPT_OK;
    while (!e && left(r) && !r->window.last) {
        e = read_block(r);
        const char *newline =
            e ? NULL : memchr(r->window.data, '\n', r->window.len);
        const size_t skip =
            newline ? (size_t)(newline - r->window.data) + 1 : r->window.len;
        r->window.data += skip;
        r->window.len -= skip;
        r->framer.offset += skip;
        if (newline)
            return DFOPT_OK;
    }
    r->framer.mode = DFOPT_FRAMER_DONE; /* no line starts in it */
    return e;
}

enum dfopt_err dfopt_split_load(struct dfopt_splits *p,
                                const struct dfopt_split *split,
                                struct dfopt_split_reader *r,
                                struct dfopt_error *err)
{
    enum dfopt_err e = turn_to(p, split->file, err);
    if (e)
        return e;
    r->splits = p;
    r->split = *split;
    r->name = p->files[split->file].name;
    r->offset = split->start ? split->start - 1 : 0;
    r->status = DFOPT_OK;
    dfopt_buf_clear(&r->bytes);
    r->window = (struct dfopt_framer_window){r->bytes.data, 0, false};
    dfopt_framer_init(&r->framer, p->max);
    r->framer.offset = r->offset;
    if (split->start == 0)
        return DFOPT_OK;
    /* only the first split has the start of the file */
    r->framer.mode = DFOPT_FRAMER_LINES;
    r->framer.bom_seen = true;
    e = find_first_line(r);
    if (e && err)
        *err = r->err;
    return e;
}

/* Whether all lines that start in the split are consumed. White space at a
 * line's start may be consumed while the line is still to come. */
static bool between_lines(const struct dfopt_split_reader *r)
{
    const struct dfopt_buf *b = &r->bytes;
    return r->window.len == 0 && (b->len == 0 || b->data[b->len - 1] == '\n');
}

bool dfopt_split_next(struct dfopt_split_reader *r, struct dfopt_record *record)
{
    for (;;) {
        switch (dfopt_framer_next(&r->framer, &r->window, record)) {
        case DFOPT_FRAMER_RECORD:
            record->origin = r->name;
            return true;
        case DFOPT_FRAMER_END:
            return false;
        default:
            if (left(r))
                r->status = read_block(r);
            else if (r->framer.skipping || between_lines(r))
                return false;
            else
                r->status = read_ahead(r);
        }
        if (r->status)
            return false;
    }
}

uint64_t dfopt_split_lines(const struct dfopt_split_reader *r)
{
    /* count the line of a truncated record, whose newline was not seen */
    return r->framer.number - 1 + (r->framer.skipping ? 1 : 0);
}
