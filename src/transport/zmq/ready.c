/* Socket readiness by descriptor. */
#include "transport/zmq/ready.h"

#include <zmq.h>

void dfopt_zmq_ready_init(struct dfopt_zmq_ready *r, size_t n)
{
    *r = (struct dfopt_zmq_ready){.n = n};
    for (size_t i = 0; i < DFOPT_ZMQ_READY_MAX; i++)
        r->fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
}

void dfopt_zmq_ready_set_fd(struct dfopt_zmq_ready *r, size_t place, int fd)
{
    r->fds[place].fd = fd;
    r->ready[place] = false;
}

void dfopt_zmq_ready_set_socket(struct dfopt_zmq_ready *r, size_t place,
                                void *socket)
{
    int fd = -1;
    size_t len = sizeof fd;
    if (socket && zmq_getsockopt(socket, ZMQ_FD, &fd, &len) != 0)
        fd = -1;
    r->fds[place].fd = fd;
    r->ready[place] = fd >= 0;
}

int dfopt_zmq_ready_look(struct dfopt_zmq_ready *r, int ms)
{
    const int rc = poll(r->fds, (nfds_t)r->n, ms);
    for (size_t i = 0; rc > 0 && i < r->n; i++)
        r->ready[i] = r->ready[i] || r->fds[i].revents != 0;
    return rc;
}
