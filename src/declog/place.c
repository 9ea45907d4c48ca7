/* A new file is named by link(2) if the path is free, which only one program can
 * achieve; otherwise by rename(2), with the folder locked against other programs.
 * If the folder cannot be locked, a window of two system calls remains. */
#include "declog/place.h"

#include "declog/format.h"
#include "declog/h5.h"
#include "declog/liveness.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEFT_OVER_S   60 /* a younger file may belong to a run that is starting */
#define LOCK_TRIES    100
#define LOCK_PAUSE_NS 10000000

/* ---- existing files ---- */

enum dfopt_err dfopt_place_of(const char *path, struct dfopt_place *out)
{
    struct stat st;
    *out = (struct dfopt_place){.there = false};
    if (stat(path, &st) == 0)
        *out = (struct dfopt_place){true, st.st_dev, st.st_ino};
    return out->there || errno == ENOENT ? DFOPT_OK : DFOPT_ERR_IO;
}

bool dfopt_place_same(const struct dfopt_place *a, const struct dfopt_place *b)
{
    return a->there == b->there &&
           (!a->there || (a->dev == b->dev && a->ino == b->ino));
}

/* False: it cannot be read (errno); if no descriptor is free, the file may be
 * fine. */
static bool can_read(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_decision_log(const char *path)
{
    struct dfopt_buf text = {0};
    hid_t file = dfopt_h5_open(path, NULL);
    bool ours = file >= 0 && dfopt_h5_read_text(file, "format", &text) >= 0 &&
                strcmp(text.data, DFOPT_DECLOG_FORMAT) == 0;
    dfopt_h5_close(file);
    H5Eclear2(H5E_DEFAULT);
    dfopt_buf_free(&text);
    return ours;
}

enum dfopt_err dfopt_place_check(const char *path, struct dfopt_place *out,
                                 struct dfopt_error *err)
{
    struct stat st;
    if (dfopt_place_of(path, out))
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: cannot replace: %s", path,
                               strerror(errno));
    if (!out->there || stat(path, &st) < 0)
        return DFOPT_OK;
    if (S_ISREG(st.st_mode) && !can_read(path))
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: cannot read it: %s", path,
                               strerror(errno));
    if (!S_ISREG(st.st_mode) || (st.st_size > 0 && !is_decision_log(path)))
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: exists, but is not a decision log; not replaced", path);
    return dfopt_declog_is_free(path, err);
}

/* ---- a new file ---- */

/* A file that nobody has open and that is not new. */
static bool is_left_over(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           st.st_mtime < time(NULL) - LEFT_OVER_S &&
           dfopt_declog_file_writer(path) == DFOPT_WRITER_NONE;
}

static void remove_left_over(const char *path)
{
    char *pattern;
    glob_t found = {0};
    if (strpbrk(path, "*?[\\") || asprintf(&pattern, "%s.new*", path) < 0)
        return;
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (is_left_over(found.gl_pathv[i]))
                unlink(found.gl_pathv[i]);
    globfree(&found);
    free(pattern);
}

char *dfopt_place_beside(const char *path)
{
    unsigned number;
    char *name;
    remove_left_over(path);
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (unsigned)dfopt_clock_monotonic_ns() ^ (unsigned)getpid() << 16;
    return asprintf(&name, "%s.new.%08x", path, number) < 0 ? NULL : name;
}

/* ---- naming ---- */

/* Locks the folder of a path, waiting a second at most: scripts lock folders,
 * too. Returns a descriptor, or -1. */
static int lock_folder(const char *path)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    const int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            break;
        nanosleep(&pause, NULL);
    }
    return fd;
}

int dfopt_place_put(const char *beside, const char *path,
                    const struct dfopt_place *before)
{
    struct dfopt_place now;
    int why = 0;
    if (!before->there) {
        if (link(beside, path) == 0) {
            unlink(beside);
            return 0;
        }
        if (errno == EEXIST)
            return EEXIST;
    } /* otherwise links are unsupported here */
    const int folder = lock_folder(path);
    const bool known = !dfopt_place_of(path, &now);
    if (known && !dfopt_place_same(&now, before))
        why = EEXIST;
    else if (!known || rename(beside, path) < 0)
        why = errno;
    if (folder >= 0)
        close(folder);
    return why;
}
