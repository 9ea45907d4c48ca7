/* Open file description locks: they end with the descriptor, are not inherited
 * by exec, and two of them in one process exclude each other. */
#include "transport/file/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dfopt_err busy(const char *path, struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_STATE,
                           "%s: is being written by a running dfopt-mpi", path);
}

static bool is_regular(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

enum dfopt_err dfopt_file_lock(int fd, const char *path, struct dfopt_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!is_regular(fd) || fcntl(fd, F_OFD_SETLK, &lock) == 0 ||
        (errno != EAGAIN && errno != EACCES))
        return DFOPT_OK;
    return busy(path, err);
}

enum dfopt_err dfopt_file_is_free(const char *path, struct dfopt_error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) /* a FIFO would block */
        return DFOPT_OK;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return DFOPT_OK;
    const bool locked =
        fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked ? busy(path, err) : DFOPT_OK;
}

enum dfopt_err dfopt_file_in_place(int fd, const char *path,
                                   struct dfopt_error *err)
{
    struct stat open_file, named;
    if (!is_regular(fd) || fstat(fd, &open_file) != 0 ||
        (stat(path, &named) == 0 && named.st_dev == open_file.st_dev &&
         named.st_ino == open_file.st_ino))
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_IO,
                           "%s: moved, removed or replaced while it was being "
                           "written; what was written is lost",
                           path);
}
