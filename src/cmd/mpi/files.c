/* Writes small files as a whole. */
#include "cmd/mpi/files.h"

#include "base/standard.h"
#include "declog/liveness.h"
#include "transport/file/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dfopt_err failed(const char *path, struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", path, strerror(errno));
}

/* Whether no program is writing the file, be it a log or lines. */
static enum dfopt_err is_free(const char *path, struct dfopt_error *err)
{
    enum dfopt_err e = dfopt_file_is_free(path, err);
    return e ? e : dfopt_declog_is_free(path, err);
}

enum dfopt_err dfopt_file_may_write(const char *path, struct dfopt_error *err)
{
    struct stat st;
    if (path && strcmp(path, "-") == 0 && !dfopt_standard_out_works())
        return dfopt_error_set(err, DFOPT_ERR_IO, "standard output is closed");
    if (!path || strcmp(path, "-") == 0)
        return DFOPT_OK;
    if (!*path)
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "the name of an output file is empty");
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            errno = EISDIR;
        else if (access(path, W_OK) == 0)
            return is_free(path, err);
        return failed(path, err);
    }
    if (errno != ENOENT)
        return failed(path, err);
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    if (len >= sizeof folder)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%.100s...: path too long", path);
    memcpy(folder, len ? path : "./", len ? len : 2);
    folder[len ? len : 2] = '\0';
    return access(folder, W_OK | X_OK) == 0 ? DFOPT_OK : failed(path, err);
}

/* Opens a file as its only writer and truncates it. */
static enum dfopt_err open_to_write(const char *path, FILE **out,
                                    struct dfopt_error *err)
{
    struct stat st;
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return failed(path, err);
    enum dfopt_err e = dfopt_file_lock(fd, path, err);
    if (!e && ((fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0)) ||
               !(*out = fdopen(fd, "wb"))))
        e = failed(path, err);
    if (e)
        close(fd);
    return e;
}

enum dfopt_err dfopt_file_write(const char *path, const struct dfopt_buf *bytes,
                                struct dfopt_error *err)
{
    const int standard = strcmp(path, "-") == 0;
    FILE *f = stdout;
    enum dfopt_err e = standard ? DFOPT_OK : open_to_write(path, &f, err);
    if (e)
        return e;
    if (fwrite(bytes->data, 1, bytes->len, f) != bytes->len || fflush(f))
        e = failed(path, err);
    if (!standard && fclose(f) && !e)
        e = failed(path, err);
    return e;
}
