/* Storage far away, for LD_PRELOAD: each read or write of a regular file takes
 * SLOW_REQUEST_US microseconds, and one more for each SLOW_MB_PER_S bytes, whoever
 * else reads or writes meanwhile. So results do not depend on how busy this machine
 * is, and requests that are few, large and in parallel are what is fast. */
#include <aio.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static double number(const char *name)
{
    const char *text = getenv(name);
    return text ? atof(text) : 0;
}

static void take_time(int fd, size_t bytes)
{
    struct stat s;
    const double rate = number("SLOW_MB_PER_S");
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))
        return;
    const double us =
        number("SLOW_REQUEST_US") + (rate > 0 ? (double)bytes / rate : 0);
    const long ns = (long)(us * 1000);
    nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

static size_t sum(const struct iovec *v, int n)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        bytes += v[i].iov_len;
    return bytes;
}

#define SLOW(type, name, bytes, params, ...)                                       \
    __attribute__((visibility("default"))) type name params;                       \
    type name params                                                               \
    {                                                                              \
        static type(*real) params;                                                 \
        if (!real)                                                                 \
            real = (type(*) params)dlsym(RTLD_NEXT, #name);                        \
        take_time(fd, bytes);                                                      \
        return real(__VA_ARGS__);                                                  \
    }

SLOW(ssize_t, write, n, (int fd, const void *b, size_t n), fd, b, n)
SLOW(ssize_t, read, n, (int fd, void *b, size_t n), fd, b, n)
SLOW(ssize_t, pwrite, n, (int fd, const void *b, size_t n, off_t at), fd, b, n, at)
SLOW(ssize_t, pwrite64, n, (int fd, const void *b, size_t n, off64_t at), fd, b, n,
     at)
SLOW(ssize_t, pread, n, (int fd, void *b, size_t n, off_t at), fd, b, n, at)
SLOW(ssize_t, pread64, n, (int fd, void *b, size_t n, off64_t at), fd, b, n, at)
SLOW(ssize_t, writev, sum(v, n), (int fd, const struct iovec *v, int n), fd, v, n)
SLOW(ssize_t, readv, sum(v, n), (int fd, const struct iovec *v, int n), fd, v, n)
SLOW(ssize_t, pwritev, sum(v, n), (int fd, const struct iovec *v, int n, off_t at),
     fd, v, n, at)
SLOW(ssize_t, pwritev64, sum(v, n),
     (int fd, const struct iovec *v, int n, off64_t at), fd, v, n, at)
SLOW(ssize_t, preadv, sum(v, n), (int fd, const struct iovec *v, int n, off_t at),
     fd, v, n, at)
SLOW(ssize_t, preadv64, sum(v, n),
     (int fd, const struct iovec *v, int n, off64_t at), fd, v, n, at)

/* OMPIO writes so with small buffers; glibc's own threads are not seen here. */
#define SLOW_AIO(name, type)                                                       \
    __attribute__((visibility("default"))) int name(type *a)                       \
    {                                                                              \
        static int (*real)(type *);                                                \
        if (!real)                                                                 \
            real = (int (*)(type *))dlsym(RTLD_NEXT, #name);                       \
        take_time(a->aio_fildes, a->aio_nbytes);                                   \
        return real(a);                                                            \
    }

SLOW_AIO(aio_write, struct aiocb)
SLOW_AIO(aio_write64, struct aiocb64)
SLOW_AIO(aio_read, struct aiocb)
SLOW_AIO(aio_read64, struct aiocb64)
