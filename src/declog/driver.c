/* Invariant: once d->failure is set, the file no longer changes. */
#include "declog/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    H5FD_t base; /* HDF5's part; must be first */
    struct dfopt_driver *driver;
    int fd;
    haddr_t eoa, eof; /* end of what HDF5 has allocated; of the file */
};

/* The driver's data in the access list. HDF5 copies it. */
struct info {
    struct dfopt_driver *driver;
};

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access,
                         haddr_t max)
{
    (void)flags; /* the writer only ever creates */
    (void)max;
    struct stat st;
    const struct info *info = H5Pget_driver_info(access);
    struct file *f = info ? calloc(1, sizeof *f) : NULL;
    if (!f)
        return NULL;
    f->driver = info->driver;
    f->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        f->driver->failure = errno;
        free(f);
        return NULL;
    }
    if (fstat(f->fd, &st) == 0)
        f->driver->file = (struct dfopt_place){true, st.st_dev, st.st_ino};
    return &f->base;
}

static herr_t close_file(H5FD_t *base)
{
    struct file *f = (struct file *)base;
    if (close(f->fd) < 0 && f->driver->failure == 0)
        f->driver->failure = errno; /* on some file systems, a quota */
    free(f);
    return 0;
}

static herr_t query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_SUPPORTS_SWMR_IO |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct file *)base)->eoa;
}

static herr_t set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t eoa)
{
    (void)type;
    ((struct file *)base)->eoa = eoa;
    return 0;
}

static haddr_t get_eof(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct file *)base)->eof;
}

static herr_t read_file(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at,
                        size_t n, void *bytes)
{
    (void)type;
    (void)transfer;
    const struct file *f = (const struct file *)base;
    char *to = bytes;
    while (n > 0) {
        ssize_t got = pread(f->fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) { /* past the end: allocated, not written yet */
            memset(to, 0, n);
            break;
        }
        to += got;
        at += (haddr_t)got;
        n -= (size_t)got;
    }
    return 0;
}

static herr_t write_file(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at,
                         size_t n, const void *bytes)
{
    (void)type;
    (void)transfer;
    struct file *f = (struct file *)base;
    const char *from = bytes;
    if (at + n > f->eof)
        f->eof = at + n;
    while (n > 0 && f->driver->failure == 0) {
        ssize_t put = pwrite(f->fd, from, n, (off_t)at);
        if (put < 0) {
            if (errno != EINTR)
                f->driver->failure = errno;
            continue;
        }
        from += put;
        at += (haddr_t)put;
        n -= (size_t)put;
    }
    return 0;
}

/* Makes the file end where HDF5 expects. */
static herr_t truncate_file(H5FD_t *base, hid_t transfer, hbool_t closing)
{
    (void)transfer;
    (void)closing;
    struct file *f = (struct file *)base;
    if (f->eoa == f->eof)
        return 0;
    if (f->driver->failure == 0 && ftruncate(f->fd, (off_t)f->eoa) < 0)
        f->driver->failure = errno;
    f->eof = f->eoa;
    return 0;
}

/* Takes no lock: the file is new and the writer's own, and not every parallel
 * file system has locks. But HDF5 marks the file as being written, which
 * readers rely on, only for drivers that have this call. */
static herr_t lock(H5FD_t *base, hbool_t exclusive)
{
    (void)base;
    (void)exclusive;
    return 0;
}

static herr_t unlock(H5FD_t *base)
{
    (void)base;
    return 0;
}

static const H5FD_class_t driver_class = {.name = "dfopt",
                                          .maxaddr = INT64_MAX,
                                          .fc_degree = H5F_CLOSE_WEAK,
                                          .fapl_size = sizeof(struct info),
                                          .open = open_file,
                                          .close = close_file,
                                          .query = query,
                                          .get_eoa = get_eoa,
                                          .set_eoa = set_eoa,
                                          .get_eof = get_eof,
                                          .read = read_file,
                                          .write = write_file,
                                          .truncate = truncate_file,
                                          .lock = lock,
                                          .unlock = unlock,
                                          .fl_map = H5FD_FLMAP_DICHOTOMY};

hid_t dfopt_driver_create_file(struct dfopt_driver *d, const char *path,
                               hid_t create, hid_t access)
{
    struct info info = {.driver = d};
    *d = (struct dfopt_driver){.id = H5FDregister(&driver_class)};
    if (d->id < 0 || H5Pset_driver(access, d->id, &info) < 0)
        return -1;
    return H5Fcreate(path, H5F_ACC_EXCL, create, access);
}

void dfopt_driver_close(struct dfopt_driver *d)
{
    if (d->id > 0)
        H5FDunregister(d->id);
    *d = (struct dfopt_driver){.id = 0};
}
