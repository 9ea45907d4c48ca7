/* A read lease is only given on a file that nobody has open for writing. It is
 * given back at once; a writer that comes in between waits for that long. */
#include "declog/liveness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

enum dfopt_presence dfopt_writer_presence(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return DFOPT_WRITER_UNKNOWN;
    /* that writer makes the kernel send SIGIO, which would end us */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGIO, &ignore, &before);
    enum dfopt_presence p = DFOPT_WRITER_GONE;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
        p = errno == EAGAIN ? DFOPT_WRITER_THERE : DFOPT_WRITER_UNKNOWN;
    else
        fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    sigaction(SIGIO, &before, NULL);
    return p;
}
