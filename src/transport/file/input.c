/* Reads one input. Regular files are read(2) straight into the caller's buffer;
 * anything else is polled first, because the file description behind standard
 * input is shared with other processes and must not become non-blocking. No
 * mmap: a file that shrinks must not kill the job. */
#include "transport/file/input.h"

#include "base/clock.h"
#include "transport/file/gunzip.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum dfopt_err dfopt_input_open(struct dfopt_input *in, const char *path,
                                struct dfopt_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? DFOPT_INPUT_STDIN : path;
    /* O_NONBLOCK: opens a FIFO without a writer; poll then waits for one. */
    int fd = is_stdin ? STDIN_FILENO
                      : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum dfopt_err e =
            dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", name, strerror(errno));
        if (fd >= 0 && !is_stdin)
            close(fd);
        return e;
    }
    *in = (struct dfopt_input){
        .name = name, .fd = fd, .regular = S_ISREG(st.st_mode)};
    return DFOPT_OK;
}

void dfopt_input_close(struct dfopt_input *in)
{
    if (in->name && in->fd != STDIN_FILENO)
        close(in->fd);
    dfopt_gunzip_destroy(in->gunzip);
    *in = (struct dfopt_input){0};
}

/* The deadline as a poll timeout in ms, rounded up. */
static int poll_ms(int64_t deadline_ns)
{
    if (deadline_ns == DFOPT_INPUT_NO_WAIT)
        return 0;
    if (deadline_ns == DFOPT_INPUT_FOREVER)
        return -1;
    int64_t left = deadline_ns - dfopt_clock_monotonic_ns();
    if (left <= 0)
        return 0;
    int64_t ms = (left - 1) / 1000000 + 1;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static enum dfopt_input_status fail(const struct dfopt_input *in,
                                    struct dfopt_error *err)
{
    dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", in->name, strerror(errno));
    return DFOPT_INPUT_ERROR;
}

/* Reads from the descriptor. */
static enum dfopt_input_status read_raw(struct dfopt_input *in, char *out,
                                        size_t cap, int64_t deadline_ns,
                                        size_t *got, struct dfopt_error *err)
{
    if (in->raw_end) /* a terminal could be read past its end */
        return DFOPT_INPUT_END;
    if (!in->regular) {
        struct pollfd p = {.fd = in->fd, .events = POLLIN};
        int ready = poll(&p, 1, poll_ms(deadline_ns));
        if (ready == 0 || (ready < 0 && errno == EINTR))
            return DFOPT_INPUT_WAIT;
        if (ready < 0)
            return fail(in, err);
    }
    ssize_t n;
    do
        n = read(in->fd, out, cap);
    while (n < 0 && errno == EINTR && in->regular);
    if (n < 0 && !in->regular && (errno == EINTR || errno == EAGAIN))
        return DFOPT_INPUT_WAIT;
    if (n < 0)
        return fail(in, err);
    in->raw_end = n == 0;
    in->bytes_raw += (uint64_t)n;
    *got = (size_t)n;
    return n > 0 ? DFOPT_INPUT_DATA : DFOPT_INPUT_END;
}

static enum dfopt_input_status is_other(const struct dfopt_input *in,
                                        const char *what, struct dfopt_error *err)
{
    dfopt_error_set(err, DFOPT_ERR_FORMAT, "%s: %s%s", in->name,
                    in->unpacked ? "the gzip content " : "", what);
    return DFOPT_INPUT_ERROR;
}

/* Identifies a regular file by more of its bytes than the head. */
static const char *look_further(const struct dfopt_input *in)
{
    char start[DFOPT_TAR_BYTES];
    const off_t at = in->regular ? lseek(in->fd, 0, SEEK_CUR) : -1;
    if (at < (off_t)in->head_len)
        return NULL;
    const ssize_t n = pread(in->fd, start, sizeof start, at - (off_t)in->head_len);
    return n > 0 ? dfopt_magic_of(start, (size_t)n) : NULL;
}

/* Identifies the format from the first bytes. DATA: it is known now. */
static enum dfopt_input_status sniff(struct dfopt_input *in, int64_t deadline_ns,
                                     struct dfopt_error *err)
{
    while (in->head_len == 0 || (in->head_len < sizeof in->head &&
                                 dfopt_magic_may_come(in->head, in->head_len))) {
        size_t n = 0;
        enum dfopt_input_status status =
            read_raw(in, in->head + in->head_len, sizeof in->head - in->head_len,
                     deadline_ns, &n, err);
        if (status == DFOPT_INPUT_END)
            break;
        if (status != DFOPT_INPUT_DATA)
            return status;
        in->head_len += n;
    }
    const char *other = dfopt_magic_of(in->head, in->head_len);
    if (!other)
        other = look_further(in);
    if (other)
        return is_other(in, other, err);
    in->format = DFOPT_INPUT_PLAIN;
    if (!dfopt_magic_is_gzip(in->head, in->head_len))
        return DFOPT_INPUT_DATA;
    if (dfopt_gunzip_create(&in->gunzip) != DFOPT_OK) {
        dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", in->name);
        return DFOPT_INPUT_ERROR;
    }
    in->format = DFOPT_INPUT_GZIP;
    size_t cap;
    memcpy(dfopt_gunzip_space(in->gunzip, &cap), in->head, in->head_len);
    dfopt_gunzip_filled(in->gunzip, in->head_len);
    return DFOPT_INPUT_DATA;
}

/* First unpacked bytes: they may not be JSON either. */
static enum dfopt_input_status check_unpacked(struct dfopt_input *in,
                                              const char *data, size_t n,
                                              struct dfopt_error *err)
{
    const char *other = in->unpacked ? NULL : dfopt_magic_of(data, n);
    if (!in->unpacked && dfopt_magic_is_gzip(data, n))
        other = "is gzip again; unpack it with gzip -dc";
    in->unpacked = true;
    return other ? is_other(in, other, err) : DFOPT_INPUT_DATA;
}

static enum dfopt_input_status read_gzip(struct dfopt_input *in, char *out,
                                         size_t cap, int64_t deadline_ns,
                                         size_t *got, struct dfopt_error *err)
{
    for (;;) {
        const char *wrong = dfopt_gunzip_run(in->gunzip, out, cap, got);
        if (wrong) {
            dfopt_error_set(err, DFOPT_ERR_IO, "%s: the gzip data is damaged: %s",
                            in->name, wrong);
            return DFOPT_INPUT_ERROR;
        }
        if (*got > 0)
            return check_unpacked(in, out, *got, err);
        size_t room, n = 0;
        char *space = dfopt_gunzip_space(in->gunzip, &room);
        enum dfopt_input_status status =
            read_raw(in, space, room, deadline_ns, &n, err);
        if (status == DFOPT_INPUT_END && !dfopt_gunzip_complete(in->gunzip)) {
            dfopt_error_set(err, DFOPT_ERR_IO, "%s: the gzip data is truncated",
                            in->name);
            return DFOPT_INPUT_ERROR;
        }
        if (status != DFOPT_INPUT_DATA)
            return status;
        dfopt_gunzip_filled(in->gunzip, n);
    }
}

enum dfopt_input_status dfopt_input_read(struct dfopt_input *in, char *out,
                                         size_t cap, int64_t deadline_ns,
                                         size_t *got, struct dfopt_error *err)
{
    if (in->format == DFOPT_INPUT_UNKNOWN) {
        enum dfopt_input_status status = sniff(in, deadline_ns, err);
        if (status != DFOPT_INPUT_DATA)
            return status;
    }
    if (in->format == DFOPT_INPUT_GZIP)
        return read_gzip(in, out, cap, deadline_ns, got, err);
    if (in->head_len > 0) {
        *got = in->head_len < cap ? in->head_len : cap;
        memcpy(out, in->head, *got);
        in->head_len -= *got;
        memmove(in->head, in->head + *got, in->head_len);
        return DFOPT_INPUT_DATA;
    }
    return read_raw(in, out, cap, deadline_ns, got, err);
}
