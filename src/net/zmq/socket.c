/* Sockets. Every option that bounds something is set here and nowhere else,
 * before the socket binds or connects: most only take effect then. */
#include "net/zmq/socket.h"

#include "net/zmq/zap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#define IPC              "ipc://"
#define RECONNECT_MS     100
#define RECONNECT_MAX_MS 1000
#define HANDSHAKE_MS     10000
#define KEEPALIVE_IDLE_S 30 /* a dead host is dropped after */
#define KEEPALIVE_STEP_S 10 /* 30 + 3 * 10 seconds */
#define KEEPALIVE_COUNT  3
#define PING_GONE_MS     30000
#define PINGS            3 /* before dropping a peer that does not answer */

static bool is_ipc(const char *endpoint)
{
    return strncmp(endpoint, IPC, sizeof IPC - 1) == 0;
}

/* Why a path cannot be bound: an errno, or 0. libzmq would unlink whatever is
 * there, even the socket of a running service, which would then get no more peers.
 */
static int taken(const char *endpoint)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *path = endpoint + sizeof IPC - 1;
    struct stat st;
    if (!is_ipc(endpoint) || path[0] == '@' || path[0] == '*' ||
        strlen(path) >= sizeof at.sun_path || stat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return EEXIST;
    memcpy(at.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int why =
        fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? 0
                                                                            : errno;
    if (fd < 0)
        return 0;
    close(fd);
    return why == 0 || why == EAGAIN ? EADDRINUSE : 0; /* else a stale one */
}

/* The error code for a libzmq errno: user error or failure. */
static enum dfopt_err fail(const struct dfopt_zmq_socket *s,
                           struct dfopt_error *err)
{
    const int why = errno;
    switch (why) {
    case EINVAL:
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s: malformed endpoint; use tcp://HOST:PORT",
                               s->endpoint);
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO:
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s: unknown transport; use tcp://HOST:PORT",
                               s->endpoint);
    case ENODEV:
    case EADDRNOTAVAIL:
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s: not an address or interface of this machine",
                               s->endpoint);
    case ENOMEM:
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory",
                               s->endpoint);
    case EADDRINUSE:
        return dfopt_error_set(
            err, DFOPT_ERR_IO, "%s: %s; use another %s, or * for a free one",
            s->endpoint, zmq_strerror(why), is_ipc(s->endpoint) ? "path" : "port");
    case EEXIST:
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "%s: exists, but is not a socket; not replaced",
                               s->endpoint);
    default:
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->endpoint,
                               zmq_strerror(why));
    }
}

static enum dfopt_err set(struct dfopt_zmq_socket *s, int option, const void *value,
                          size_t len, struct dfopt_error *err)
{
    if (zmq_setsockopt(s->handle, option, value, len) == 0)
        return DFOPT_OK;
    return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: socket option %d: %s",
                           s->endpoint, option, zmq_strerror(errno));
}

enum dfopt_err dfopt_zmq_set_int(struct dfopt_zmq_socket *s, int option, int value,
                                 struct dfopt_error *err)
{
    return set(s, option, &value, sizeof value, err);
}

static enum dfopt_err set_limits(struct dfopt_zmq_socket *s,
                                 const struct dfopt_zmq_socket_options *o,
                                 struct dfopt_error *err)
{
    const int gone_ms =
        o->gone_ms > 0 && o->gone_ms < PING_GONE_MS ? o->gone_ms : PING_GONE_MS;
    const struct {
        int option, value;
    } ints[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_SNDHWM, o->high_water},
        {ZMQ_RCVHWM, o->high_water},
        {ZMQ_IPV6, o->ipv6 || strchr(s->endpoint, '[')},
        {ZMQ_IMMEDIATE,
         o->type == ZMQ_PUSH}, /* queue only for a peer that is connected */
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S},
        {ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_STEP_S},
        {ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT},
        {ZMQ_HEARTBEAT_IVL, o->heartbeat ? gone_ms / PINGS + 1 : 0},
        {ZMQ_HEARTBEAT_TIMEOUT, gone_ms},
        {ZMQ_HEARTBEAT_TTL, PING_GONE_MS},
    };
    enum dfopt_err e =
        set(s, ZMQ_MAXMSGSIZE, &o->cut_off_bytes, sizeof o->cut_off_bytes, err);
    for (size_t i = 0; !e && i < sizeof ints / sizeof *ints; i++)
        e = dfopt_zmq_set_int(s, ints[i].option, ints[i].value, err);
    if (!e && o->verbose_subscriptions)
        e = dfopt_zmq_set_int(s, ZMQ_XPUB_VERBOSER, 1, err);
    if (!e && o->verbose_subscriptions)
        e = dfopt_zmq_set_int(s, ZMQ_XPUB_NODROP, 1, err);
    return e;
}

static enum dfopt_err set_key(struct dfopt_zmq_socket *s, int option,
                              const struct dfopt_zmq_key *key,
                              struct dfopt_error *err)
{
    return set(s, option, key->bytes, sizeof key->bytes, err);
}

static enum dfopt_err set_keys(struct dfopt_zmq_socket *s,
                               const struct dfopt_zmq_keys *keys,
                               struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    if (!keys->on)
        return e;
    if (!keys->server) {
        e = set_key(s, ZMQ_CURVE_SERVERKEY, &keys->peer, err);
        if (!e)
            e = set_key(s, ZMQ_CURVE_PUBLICKEY, &keys->public, err);
        return e ? e : set_key(s, ZMQ_CURVE_SECRETKEY, &keys->secret, err);
    }
    e = dfopt_zmq_set_int(s, ZMQ_CURVE_SERVER, 1, err);
    if (!e)
        e = set_key(s, ZMQ_CURVE_SECRETKEY, &keys->secret, err);
    if (!e && keys->check_clients)
        e = set(s, ZMQ_ZAP_DOMAIN, DFOPT_ZMQ_ZAP_DOMAIN,
                sizeof DFOPT_ZMQ_ZAP_DOMAIN - 1, err);
    return e;
}

static enum dfopt_err attach(struct dfopt_zmq_socket *s, bool bind,
                             const char *endpoint, struct dfopt_error *err)
{
    int rc;
    size_t size = sizeof s->endpoint;
    errno = bind ? taken(endpoint) : 0;
    if (errno)
        return fail(s, err);
    do
        rc =
            bind ? zmq_bind(s->handle, endpoint) : zmq_connect(s->handle, endpoint);
    while (rc != 0 && errno == EINTR);
    if (rc != 0)
        return fail(s, err);
    if (bind &&
        zmq_getsockopt(s->handle, ZMQ_LAST_ENDPOINT, s->endpoint, &size) != 0)
        snprintf(s->endpoint, sizeof s->endpoint, "%s", endpoint);
    return DFOPT_OK;
}

/* Creates the socket described by s->options, keys and endpoint. */
static enum dfopt_err start(struct dfopt_zmq_socket *s, struct dfopt_zmq_context *c,
                            struct dfopt_error *err)
{
    const bool bind = s->options.bind;
    char endpoint[DFOPT_ZMQ_ENDPOINT_SIZE];
    memcpy(endpoint, s->endpoint, sizeof endpoint);
    s->handle = zmq_socket(c->handle, s->options.type);
    if (!s->handle)
        return fail(s, err);
    enum dfopt_err e = set_limits(s, &s->options, err);
    if (!e)
        e = set_keys(s, &s->keys, err);
    if (!e && (!bind || s->options.count_peers) &&
        dfopt_zmq_watch_open(&s->watch, c->handle, s->handle, c->watches++) !=
            DFOPT_OK)
        e = fail(s, err);
    return e ? e : attach(s, bind, endpoint, err);
}

static void stop(struct dfopt_zmq_socket *s, int linger_ms)
{
    dfopt_zmq_watch_close(&s->watch, s->handle);
    if (!s->handle)
        return;
    (void)dfopt_zmq_set_int(s, ZMQ_LINGER, linger_ms > 0 ? linger_ms : 0, NULL);
    zmq_close(s->handle);
    s->handle = NULL;
}

enum dfopt_err dfopt_zmq_socket_open(struct dfopt_zmq_socket *s,
                                     struct dfopt_zmq_context *c,
                                     const struct dfopt_zmq_socket_options *o,
                                     const char *endpoint,
                                     const struct dfopt_zmq_keys *keys,
                                     struct dfopt_error *err)
{
    *s = (struct dfopt_zmq_socket){.options = *o, .keys = *keys};
    snprintf(s->endpoint, sizeof s->endpoint, "%s", endpoint);
    enum dfopt_err e = DFOPT_ERR_ARG;
    if (strlen(endpoint) >= sizeof s->endpoint / 2)
        dfopt_error_set(err, e, "%s: the endpoint is too long", s->endpoint);
    else
        e = start(s, c, err);
    if (e)
        dfopt_zmq_socket_close(s, 0);
    else if (o->bind) /* it no longer needs them */
        explicit_bzero(&s->keys, sizeof s->keys);
    return e;
}

int64_t dfopt_zmq_socket_tend(struct dfopt_zmq_socket *s,
                              struct dfopt_zmq_context *c, int64_t now,
                              bool *replaced)
{
    *replaced = false;
    const int64_t at = dfopt_zmq_watch_read(&s->watch, now);
    if (s->options.bind) /* peers may come and go */
        return INT64_MAX;
    if (now < at)
        return at;
    stop(s, 0);
    s->watch.lost_ns = 0;
    *replaced = true;
    if (start(s, c, NULL) == DFOPT_OK)
        return INT64_MAX;
    stop(s, 0);
    s->watch.lost_ns = now; /* retry later */
    return dfopt_zmq_watch_read(&s->watch, now);
}

void dfopt_zmq_socket_close(struct dfopt_zmq_socket *s, int linger_ms)
{
    stop(s, linger_ms);
    explicit_bzero(&s->keys, sizeof s->keys);
}
