/* For tests of sockets that connect: a peer that is not ZMQ at all. */
#ifndef PLAIN_PEER_H
#define PLAIN_PEER_H

#include "support/port.h"

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

/* A TCP socket that listens at any port, which nobody else gets while this process
 * lives; its endpoint has room for `size`. */
static inline int listen_plain(char *endpoint, size_t size)
{
    struct sockaddr_in a = hold_port(endpoint, size);
    const int fd = bind_port(&a);
    assert_int_equal(listen(fd, 5), 0);
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
