/* Makes a set. Each file gets its name when it is complete, by a rename. */
#include "cmd/demo/dataset.h"
#include "cmd/demo/dataset_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dfopt_err failed(const char *what, const char *path,
                             struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO, "%s %s: %s", what, path,
                           strerror(errno));
}

static bool write_all(int fd, const void *bytes, size_t len)
{
    for (const char *at = bytes; len > 0;) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Fills a record with a hash of seed, number and place. */
static void fill(unsigned char *record, const struct demo_shape *s, uint64_t number)
{
    unsigned char *payload = record + sizeof(struct demo_record_head);
    for (size_t at = 0; at < s->record_bytes; at += sizeof(uint64_t)) {
        const uint64_t place[] = {number, at};
        uint64_t word = XXH3_64bits_withSeed(place, sizeof place, s->seed);
        size_t left = s->record_bytes - at;
        memcpy(payload + at, &word, left < sizeof word ? left : sizeof word);
    }
    const struct demo_record_head head = {
        number, demo_payload_checksum(payload, s->record_bytes, number)};
    memcpy(record, &head, sizeof head);
}

/* Writes the records, then the header that sums them up. */
static bool write_file(int fd, const struct demo_shape *s, uint32_t file,
                       unsigned char *record)
{
    struct demo_file_head head = {.magic = DEMO_MAGIC,
                                  .file = file,
                                  .files = s->files,
                                  .records = s->records,
                                  .record_bytes = s->record_bytes,
                                  .seed = s->seed};
    if (lseek(fd, sizeof head, SEEK_SET) < 0)
        return false;
    for (uint32_t i = 0; i < s->records; i++) {
        struct demo_record_head r;
        fill(record, s, (uint64_t)file * s->records + i);
        memcpy(&r, record, sizeof r);
        head.digest += r.checksum;
        if (!write_all(fd, record, sizeof r + s->record_bytes))
            return false;
    }
    head.check = demo_head_check(&head);
    return lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, &head, sizeof head);
}

static enum dfopt_err make_file(const char *folder, const struct demo_shape *s,
                                uint32_t file, unsigned char *record,
                                struct dfopt_error *err)
{
    char path[DEMO_PATH_SIZE], temporary[DEMO_PATH_SIZE];
    snprintf(path, sizeof path, "%s/part-%04u.rec", folder, file);
    int n = snprintf(temporary, sizeof temporary, "%s/.part-%04u.%ld", folder, file,
                     (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%.200s...: path too long",
                               folder);
    if (access(path, F_OK) == 0)
        return DFOPT_OK;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return failed("cannot make", temporary, err);
    enum dfopt_err e = DFOPT_OK;
    if (!write_file(fd, s, file, record))
        e = failed("cannot write", temporary, err);
    if (close(fd) != 0 && !e)
        e = failed("cannot write", temporary, err);
    if (!e && rename(temporary, path) != 0)
        e = failed("cannot make", path, err);
    if (e)
        unlink(temporary);
    return e;
}

enum dfopt_err demo_dataset_make(const char *folder, const struct demo_shape *shape,
                                 struct dfopt_error *err)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return failed("cannot create the folder", folder, err);
    unsigned char *record =
        malloc(sizeof(struct demo_record_head) + shape->record_bytes);
    if (!record)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    enum dfopt_err e = DFOPT_OK;
    for (uint32_t i = 0; !e && i < shape->files; i++)
        e = make_file(folder, shape, i, record, err);
    free(record);
    return e;
}
