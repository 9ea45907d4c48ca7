/* Opens a data set and reads its records. */
#include "cmd/demo/dataset.h"
#include "cmd/demo/dataset_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct demo_dataset {
    char *folder;
    struct demo_shape shape;
    uint64_t digest;
    int *files; /* descriptors; -1: not open */
};

/* Reads up to len bytes. Returns their number, or -1. */
static ssize_t read_at(int fd, void *bytes, size_t len, off_t at)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = pread(fd, (char *)bytes + have, len - have, at + (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* ---- opening ---- */

static bool head_is_sound(const struct demo_file_head *h, uint32_t file)
{
    return memcmp(h->magic, DEMO_MAGIC, sizeof h->magic) == 0 &&
           h->check == demo_head_check(h) && h->file == file && h->files > file &&
           h->files <= DEMO_MAX_FILES && h->records > 0 &&
           h->records <= DEMO_MAX_RECORDS && h->record_bytes > 0 &&
           h->record_bytes <= DEMO_MAX_RECORD_BYTES;
}

static enum dfopt_err open_file(const char *folder, uint32_t file, int *fd,
                                struct demo_file_head *head,
                                struct dfopt_error *err)
{
    char path[DEMO_PATH_SIZE];
    snprintf(path, sizeof path, "%s/part-%04" PRIu32 ".rec", folder, file);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "cannot read %.200s: %s", path,
                               strerror(errno));
    ssize_t n = read_at(*fd, head, sizeof *head, 0);
    if (n < 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "cannot read %.200s: %s", path,
                               strerror(errno));
    if ((size_t)n != sizeof *head || !head_is_sound(head, file))
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%.200s: not a data file of this program; create one with --make-data",
            path);
    return DFOPT_OK;
}

static bool is_shape(const struct demo_shape *s, const struct demo_file_head *h)
{
    return s->files == h->files && s->records == h->records &&
           s->record_bytes == h->record_bytes && s->seed == h->seed;
}

/* The first file defines the set. */
static enum dfopt_err open_first(struct demo_dataset *d, int *fd,
                                 const struct demo_shape *want,
                                 struct dfopt_error *err)
{
    struct demo_file_head h;
    enum dfopt_err e = open_file(d->folder, 0, fd, &h, err);
    if (e)
        return e;
    if (want && !is_shape(want, &h))
        return dfopt_error_set(
            err, DFOPT_ERR_STATE,
            "%.160s holds other data: --files=%" PRIu32 " --records=%" PRIu32
            " --record-bytes=%" PRIu32 " --seed=%" PRIu64,
            d->folder, h.files, h.records, h.record_bytes, h.seed);
    d->shape = (struct demo_shape){h.files, h.records, h.record_bytes, h.seed};
    d->digest = h.digest;
    d->files = malloc(h.files * sizeof *d->files);
    if (!d->files)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < h.files; i++)
        d->files[i] = -1;
    return DFOPT_OK;
}

static enum dfopt_err open_others(struct demo_dataset *d, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 1; !e && i < d->shape.files; i++) {
        struct demo_file_head h;
        e = open_file(d->folder, i, &d->files[i], &h, err);
        if (!e && !is_shape(&d->shape, &h))
            e = dfopt_error_set(
                err, DFOPT_ERR_FORMAT,
                "%.200s/part-%04" PRIu32
                ".rec belongs to another data set than part-0000.rec",
                d->folder, i);
        if (!e)
            d->digest += h.digest;
    }
    return e;
}

enum dfopt_err demo_dataset_open(struct demo_dataset **out, const char *folder,
                                 const struct demo_shape *shape,
                                 struct dfopt_error *err)
{
    int first = -1;
    enum dfopt_err e = DFOPT_OK;
    struct demo_dataset *d = calloc(1, sizeof *d);
    if (!d || !(d->folder = strdup(folder)))
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e)
        e = open_first(d, &first, shape, err);
    if (!e) {
        d->files[0] = first;
        first = -1;
        e = open_others(d, err);
    }
    if (first >= 0)
        close(first);
    if (e)
        demo_dataset_close(d);
    else
        *out = d;
    return e;
}

void demo_dataset_close(struct demo_dataset *d)
{
    if (!d)
        return;
    for (uint32_t i = 0; d->files && i < d->shape.files; i++)
        if (d->files[i] >= 0)
            close(d->files[i]);
    free(d->files);
    free(d->folder);
    free(d);
}

uint64_t demo_dataset_records(const struct demo_dataset *d)
{
    return (uint64_t)d->shape.files * d->shape.records;
}

size_t demo_dataset_record_bytes(const struct demo_dataset *d)
{
    return d->shape.record_bytes;
}

uint64_t demo_dataset_digest(const struct demo_dataset *d)
{
    return d->digest;
}

/* ---- reading ---- */

enum dfopt_err demo_sample_init(struct demo_sample *s, const struct demo_dataset *d)
{
    *s = (struct demo_sample){.buffer_size = sizeof(struct demo_record_head) +
                                             d->shape.record_bytes};
    s->buffer = malloc(s->buffer_size);
    return s->buffer ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

void demo_sample_free(struct demo_sample *s)
{
    free(s->buffer);
    *s = (struct demo_sample){0};
}

/* Sets the error of a record; `what` is the problem. */
static enum dfopt_err wrong(const struct demo_dataset *d, uint64_t record,
                            enum dfopt_err code, const char *what,
                            struct dfopt_error *err)
{
    return dfopt_error_set(err, code,
                           "%.200s/part-%04" PRIu64 ".rec: record %" PRIu64 ": %s",
                           d->folder, record / d->shape.records, record, what);
}

enum dfopt_err demo_dataset_read(const struct demo_dataset *d, uint64_t record,
                                 struct demo_sample *out, struct dfopt_error *err)
{
    struct demo_record_head head;
    const uint64_t place = record % d->shape.records;
    ssize_t n =
        read_at(d->files[record / d->shape.records], out->buffer, out->buffer_size,
                (off_t)(sizeof(struct demo_file_head) + place * out->buffer_size));
    if (n < 0)
        return wrong(d, record, DFOPT_ERR_IO, strerror(errno), err);
    if ((size_t)n != out->buffer_size)
        return wrong(d, record, DFOPT_ERR_FORMAT, "truncated", err);
    memcpy(&head, out->buffer, sizeof head);
    out->record = head.record;
    out->checksum = head.checksum;
    out->bytes = (const char *)out->buffer + sizeof head;
    out->len = d->shape.record_bytes;
    if (head.record != record)
        return wrong(d, record, DFOPT_ERR_FORMAT, "wrong record number", err);
    if (head.checksum != demo_payload_checksum(out->bytes, out->len, record))
        return wrong(d, record, DFOPT_ERR_FORMAT, "wrong checksum", err);
    return DFOPT_OK;
}
