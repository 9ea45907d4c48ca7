#include "net/zmq/forked.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct dfopt_zmq_forked *first;

static void before(void)
{
    pthread_mutex_lock(&lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

/* Async-signal-safe calls only: the parent has many threads. */
static void in_child(void)
{
    for (struct dfopt_zmq_forked *f = first; f; f = f->next) {
        struct stat is;
        if (fstat(f->fd, &is) == 0 && is.st_dev == f->dev && is.st_ino == f->ino)
            close(f->fd);
    }
    first = NULL;
    pthread_mutex_unlock(&lock);
}

static void install(void)
{
    (void)pthread_atfork(before, in_parent, in_child);
}

static void leave(struct dfopt_zmq_forked *f)
{
    if (!f->listed)
        return;
    *(f->prev ? &f->prev->next : &first) = f->next;
    if (f->next)
        f->next->prev = f->prev;
    f->listed = false;
}

void dfopt_zmq_forked_set(struct dfopt_zmq_forked *f, int fd)
{
    struct stat is;
    pthread_once(&once, install);
    const bool there = fstat(fd, &is) == 0;
    pthread_mutex_lock(&lock);
    leave(f);
    if (there) {
        *f = (struct dfopt_zmq_forked){NULL, first, true, fd, is.st_dev, is.st_ino};
        if (first)
            first->prev = f;
        first = f;
    }
    pthread_mutex_unlock(&lock);
}

void dfopt_zmq_forked_clear(struct dfopt_zmq_forked *f)
{
    if (!f->listed) /* only the caller's thread sets this */
        return;
    pthread_mutex_lock(&lock);
    leave(f);
    pthread_mutex_unlock(&lock);
}
