/* Stands in for standard descriptors that are closed. */
#include "base/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void dfopt_standard_open(void)
{
    static const int wrong_way[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) /* takes the lowest free number: this one */
            (void)open("/dev/null", wrong_way[fd]);
}

static bool is_open_for(int fd, int way)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 &&
           ((flags & O_ACCMODE) == way || (flags & O_ACCMODE) == O_RDWR);
}

bool dfopt_standard_in_works(void)
{
    return is_open_for(STDIN_FILENO, O_RDONLY);
}

bool dfopt_standard_out_works(void)
{
    return is_open_for(STDOUT_FILENO, O_WRONLY);
}

int dfopt_standard_flush(int code)
{
    errno = 0;
    const bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || code != 0 || errno == EPIPE)
        return code;
    fprintf(stderr, "%s: standard output: %s\n", program_invocation_short_name,
            errno ? strerror(errno) : "not all could be written");
    return 1;
}
