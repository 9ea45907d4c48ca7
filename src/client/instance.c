/* An identifier unique to this client: host, process, the process's start time, and
 * eight random bytes, since a process may have several clients and containers may
 * share process numbers. */
#include "base/clock.h"
#include "client/impl.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define STAT_BYTES      1024
#define FIELDS_TO_START 19 /* after the program's name: proc_pid_stat(5) */
#define HOST_BYTES      200

/* In clock ticks since boot, or else the time of day. */
static uint64_t started_at(void)
{
    char text[STAT_BYTES];
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strrchr(text, ')'); /* the name may contain any character */
    for (int i = 0; at && i <= FIELDS_TO_START; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at + 1, NULL, 10) : (uint64_t)dfopt_clock_wall_ns();
}

static uint64_t drawn(const void *salt)
{
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) == (ssize_t)sizeof bits)
        return bits;
    return (uint64_t)dfopt_clock_monotonic_ns() ^ (uint64_t)(uintptr_t)salt << 16;
}

void dfopt_client_instance(char out[DFOPT_CLIENT_INSTANCE_SIZE], const char *host)
{
    snprintf(out, DFOPT_CLIENT_INSTANCE_SIZE, "%.*s:%ld:%" PRIu64 ":%016" PRIx64,
             HOST_BYTES, host, (long)getpid(), started_at(), drawn(out));
}
