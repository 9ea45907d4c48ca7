/* Connections in a child after fork. The child has a copy of each descriptor, and
 * while it lives the peer's connection stays open, though nobody reads it: a plan
 * sent there is lost. So its copies are closed in the child, which leaves the
 * parent's connection alone. Any thread; one list for the process. */
#ifndef DFOPT_NET_ZMQ_FORKED_H
#define DFOPT_NET_ZMQ_FORKED_H

#include <stdbool.h>
#include <sys/types.h>

/* A connection, in a list of all. {0}: none. */
struct dfopt_zmq_forked {
    struct dfopt_zmq_forked *prev, *next;
    bool listed;
    int fd;
    dev_t dev; /* and inode: fd may be another file by now */
    ino_t ino;
};

/* From now on a child closes its copy of fd. Replaces the one before. */
void dfopt_zmq_forked_set(struct dfopt_zmq_forked *f, int fd);

/* It is closed, or is another one's. {0} is fine. */
void dfopt_zmq_forked_clear(struct dfopt_zmq_forked *f);

#endif
