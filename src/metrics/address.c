/* A listening socket at an address. */
#include "metrics/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128

/* Splits HOST:PORT; the host may be in brackets. */
static bool split(const char *address, char host[256], char port[8])
{
    const char *colon = strrchr(address, ':');
    const bool bracket = address[0] == '[';
    if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtol(colon + 1, NULL, 10) > 65535)
        return false;
    size_t len = (size_t)(colon - address);
    const char *at = address;
    if (bracket) {
        if (len < 3 || address[len - 1] != ']')
            return false;
        at++;
        len -= 2;
    }
    if (len == 0 || len > 255 || (!bracket && memchr(at, ':', len)))
        return false;
    memcpy(host, at, len);
    host[len] = '\0';
    strcpy(port, colon + 1);
    return true;
}

enum dfopt_err dfopt_listen_check(const char *address, struct dfopt_error *err)
{
    char host[256], port[8];
    return split(address, host, port)
               ? DFOPT_OK
               : dfopt_error_set(err, DFOPT_ERR_ARG,
                                 "%.80s: not HOST:PORT, such as 127.0.0.1:9464",
                                 address);
}

static int listen_at(const struct addrinfo *a)
{
    const int on = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    a->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* The address as bound: port 0 is replaced by the actual port. */
static void name(int fd, char text[DFOPT_LISTEN_TEXT])
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    char host[256] = "?", port[16] = "0";
    if (getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        (void)getnameinfo((struct sockaddr *)&at, len, host, sizeof host, port,
                          sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, DFOPT_LISTEN_TEXT, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
             port);
}

enum dfopt_err dfopt_listen(const char *address, int *fd,
                            char text[DFOPT_LISTEN_TEXT], struct dfopt_error *err)
{
    char host[256], port[8];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    if (!split(address, host, port))
        return dfopt_listen_check(address, err);
    const int code =
        getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found);
    if (code != 0)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%.80s: %s", address,
                               gai_strerror(code));
    *fd = -1;
    for (const struct addrinfo *a = found; a && *fd < 0; a = a->ai_next)
        *fd = listen_at(a);
    const int why = errno;
    freeaddrinfo(found);
    if (*fd < 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "cannot listen at %.80s: %s",
                               address, strerror(why));
    name(*fd, text);
    return DFOPT_OK;
}
