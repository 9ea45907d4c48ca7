/* Ports of 127.0.0.1 for what binds them later, or again. */
#ifndef DFOPT_TESTS_PORT_H
#define DFOPT_TESTS_PORT_H

#include "support/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

/* A TCP socket that is bound to a port of *a, or to any; *a is set to what it got.
 */
static inline int bind_port(struct sockaddr_in *a)
{
    socklen_t len = sizeof *a;
    const int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)a, &len), 0);
    return fd;
}

/* A port that nobody else gets while this process lives, so that what binds it can
 * go and come again: held by a socket that never listens, which libzmq's may join.
 * Its endpoint has room for `size`. Returns the address. */
static inline struct sockaddr_in hold_port(char *endpoint, size_t size)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)bind_port(&a);
    snprintf(endpoint, size, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    return a;
}

#endif
