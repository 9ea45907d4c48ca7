/* For tests of sockets that connect: a peer that is not ZMQ at all. */
#ifndef PLAIN_PEER_H
#define PLAIN_PEER_H

#include "support/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* What another program may say first: text and size. */
static const struct {
    const char *text;
    size_t size;
} plain_texts[] = {
    {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 45},
    {"\377\0\0\0\0\0\0\0\1\177\3\0GARBAGE123456789012345678901234567890123456789"
     "01234",
     64},
    {"", 0},
};

#define N_PLAIN_TEXTS (N_OF(plain_texts))

/* A TCP socket that is bound to a port of *a, or to any; *a is set to what it got.
 */
static inline int bind_plain(struct sockaddr_in *a)
{
    socklen_t len = sizeof *a;
    const int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)a, &len), 0);
    return fd;
}

/* A TCP socket that listens at any port, which nobody else gets while this process
 * lives: a second socket holds it. The endpoint has room for `size`. */
static inline int listen_plain(char *endpoint, size_t size)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)bind_plain(&a);
    const int fd = bind_plain(&a);
    assert_int_equal(listen(fd, 5), 0);
    snprintf(endpoint, size, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    return fd;
}

/* Takes one connection, reads its greeting, and answers with a text. */
static inline int answer_plain(int fd, size_t text)
{
    char got[64];
    const int c = accept(fd, NULL, NULL);
    assert_true(c >= 0);
    assert_true(read(c, got, sizeof got) > 0);
    assert_int_equal(write(c, plain_texts[text].text, plain_texts[text].size),
                     plain_texts[text].size);
    return c;
}

#endif
