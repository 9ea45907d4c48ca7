/* Checks endpoints character by character, independent of the locale. */
#include "net/zmq/endpoint.h"

#include <string.h>
#include <sys/un.h>

#define PORT_MAX     65535
#define HOST_MAX     255 /* bytes in a name: RFC 1035 */
#define ENDPOINT_MAX 511 /* twice what socket.h accepts */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* NULL, or what is wrong with the port; any: 0 is valid and, with `star`, *. */
static const char *wrong_port(const char *at, size_t len, bool any, bool star)
{
    unsigned port = 0;
    if (star && len == 1 && *at == '*')
        return NULL;
    if (len == 0)
        return "the port is missing";
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(at[i]))
            return "the port is not a number";
        port = port * 10 + (unsigned)(at[i] - '0');
        if (port > PORT_MAX)
            return "the port is above 65535";
    }
    return port || any ? NULL : "the port is 0";
}

/* Between brackets: digits, colons, optionally an IPv4 tail and %INTERFACE. */
static const char *wrong_ipv6(const char *at, size_t len)
{
    const char *zone = memchr(at, '%', len);
    const size_t n = zone ? (size_t)(zone - at) : len;
    size_t colons = 0;
    for (size_t i = 0; i < n; i++) {
        const bool hex = is_digit(at[i]) || (at[i] >= 'a' && at[i] <= 'f') ||
                         (at[i] >= 'A' && at[i] <= 'F');
        colons += at[i] == ':';
        if (!hex && at[i] != ':' && at[i] != '.')
            return "the IPv6 address is malformed";
    }
    return colons < 2 || colons > 7 || n + 1 == len
               ? "the IPv6 address is malformed"
               : NULL;
}

static const char *wrong_host(const char *at, size_t len, bool bind)
{
    if (len == 0)
        return "the host is missing";
    if (len > HOST_MAX)
        return "the host name is too long";
    if (*at == '[')
        return len > 2 && at[len - 1] == ']' ? bind && len == 3 && at[1] == '*'
                                                   ? NULL
                                                   : wrong_ipv6(at + 1, len - 2)
                                             : "the IPv6 address is malformed";
    if (len == 1 && *at == '*')
        return bind ? NULL : "* is not a host to connect to";
    for (size_t i = 0; i < len; i++) {
        if (at[i] == ':')
            return "an IPv6 address needs brackets: [ADDRESS]";
        if (!is_word(at[i]) && (at[i] == '\0' || !strchr("-._", at[i])))
            return "the host name has an invalid character";
    }
    return NULL;
}

/* HOST:PORT; `local`: an address of this machine. */
static const char *wrong_address(const char *at, size_t len, bool local, bool star)
{
    const char *colon = len ? memrchr(at, ':', len) : NULL;
    if (!colon)
        return "the port is missing";
    const size_t host = (size_t)(colon - at);
    if (len && at[len - 1] == ']')
        return "the port is missing";
    const char *wrong = wrong_host(at, host, local && star);
    return wrong ? wrong
                 : wrong_port(colon + 1, len - host - 1, local, local && star);
}

static const char *wrong_tcp(const char *at, bool bind)
{
    const char *from = strchr(at, ';');
    const char *wrong = NULL;
    if (from && bind)
        return "an endpoint to bind takes a single address";
    if (from) {
        wrong = wrong_address(at, (size_t)(from - at), true, false);
        at = from + 1;
    }
    return wrong ? wrong : wrong_address(at, strlen(at), bind, bind);
}

static const char *wrong_ipc(const char *path, bool bind)
{
    const struct sockaddr_un room = {0};
    if (strlen(path) >= sizeof room.sun_path)
        return "the path is too long for a socket";
    if (!bind && strcmp(path, "*") == 0)
        return "* is not a path to connect to";
    return *path && strcmp(path, "@") != 0 ? NULL : "the path is missing";
}

static const char *wrong_endpoint(const char *endpoint, bool bind)
{
    if (strlen(endpoint) > ENDPOINT_MAX / 2)
        return "the endpoint is too long";
    if (strncmp(endpoint, "tcp://", 6) == 0)
        return wrong_tcp(endpoint + 6, bind);
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return wrong_ipc(endpoint + 6, bind);
    if (strncmp(endpoint, "inproc://", 9) == 0)
        return "inproc does not reach other processes";
    return strstr(endpoint, "://") ? "unknown transport"
                                   : "the transport is missing";
}

enum dfopt_err dfopt_zmq_endpoint_check(const char *endpoint, bool bind,
                                        struct dfopt_error *err)
{
    const char *wrong = wrong_endpoint(endpoint, bind);
    if (!wrong)
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_ARG,
                           "endpoint %.160s: %s; use tcp://HOST:PORT or ipc://PATH",
                           *endpoint ? endpoint : "''", wrong);
}
