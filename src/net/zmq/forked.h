/* Closes connections in a child after fork. The child inherits a copy of each
 * descriptor, which keeps the peer's connection open although nothing reads it:
 * a plan sent there would be lost. Closing the copies does not affect the
 * parent. Any thread; one list per process. */
#ifndef DFOPT_NET_ZMQ_FORKED_H
#define DFOPT_NET_ZMQ_FORKED_H

#include <stdbool.h>
#include <sys/types.h>

/* A connection, in the list of all. {0}: none. */
struct dfopt_zmq_forked {
    struct dfopt_zmq_forked *prev, *next;
    bool listed;
    int fd;
    dev_t dev; /* and inode: fd may have been reused */
    ino_t ino;
};

/* From now on a child closes its copy of fd. Replaces the previous one. */
void dfopt_zmq_forked_set(struct dfopt_zmq_forked *f, int fd);

/* The descriptor is closed or no longer ours. {0} is fine. */
void dfopt_zmq_forked_clear(struct dfopt_zmq_forked *f);

#endif
