/* The transport over ZeroMQ: plans by PULL or SUB, registrations and acks by
 * PUSH. Nothing is handed to a socket that has no connection, so that nothing
 * waits there unseen: what cannot be sent stays in the client, which is bounded.
 * A monitor on the registrations' socket tells when the optimizer comes and goes.
 */
#include "client/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#define MONITOR_ADDRESS   "inproc://dfopt-client-registry"
#define RECONNECT_MS      100
#define RECONNECT_MAX_MS  2000
#define HEARTBEAT_MS      10000 /* finds a peer that vanished without a word */
#define HEARTBEAT_WAIT_MS 30000
#define SEND_MESSAGES     1000
/* libzmq ends the connection over anything longer than this; what is between the
 * client's own bound and this is read, counted and dropped by the client. */
#define MESSAGE_ROOM ((int64_t)64 << 20)
#define MAX_PARTS    3 /* that are looked at: topic, metadata, body */

enum { WAKE, MONITOR, PLANS, REGISTRY, ACKS, N_ITEMS };

struct zmq_link {
    void *context;
    void *plans, *registry, *acks, *monitor; /* sockets; NULL: not asked for */
    int wake_fd;
    bool topics; /* plans come by SUB */
    char *hostname;
    uint64_t connections; /* made so far */
    bool connected;
    zmq_msg_t parts[MAX_PARTS]; /* of the last plan; always initialised */
};

/* ---- options, by type ---- */

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_int64(void *socket, int option, int64_t value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_text(void *socket, int option, const char *text)
{
    return zmq_setsockopt(socket, option, text, strlen(text)) == 0;
}

static bool set_common(void *socket, const struct dfopt_client_options *o)
{
    int64_t most = (int64_t)o->max_message_bytes;
    return set_int(socket, ZMQ_LINGER, 0) &&
           set_int64(socket, ZMQ_MAXMSGSIZE,
                     most > MESSAGE_ROOM ? most : MESSAGE_ROOM) &&
           set_int(socket, ZMQ_SNDHWM, SEND_MESSAGES) &&
           set_int(socket, ZMQ_RCVHWM, (int)o->max_queued_plans) &&
           set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
           set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_WAIT_MS) &&
           set_int(socket, ZMQ_IMMEDIATE, 1);
}

/* IPv6 where the endpoint is such an address. A name is looked up as IPv4, which
 * is what a service listens on that was not told otherwise. */
static bool set_family(void *socket, const char *endpoint)
{
    return !strchr(endpoint, '[') || set_int(socket, ZMQ_IPV6, 1);
}

static bool set_keys(void *socket, const struct dfopt_client_options *o)
{
    return !o->curve_server_key ||
           (set_text(socket, ZMQ_CURVE_SERVERKEY, o->curve_server_key) &&
            set_text(socket, ZMQ_CURVE_PUBLICKEY, o->curve_public_key) &&
            set_text(socket, ZMQ_CURVE_SECRETKEY, o->curve_secret_key));
}

/* ---- opening and closing ---- */

static enum dfopt_err failed(const char *what, const char *endpoint,
                             struct dfopt_error *err)
{
    int code = errno;
    return dfopt_error_set(err,
                           code == EINVAL || code == EPROTONOSUPPORT ? DFOPT_ERR_ARG
                                                                     : DFOPT_ERR_IO,
                           "%s %.120s: %s", what, endpoint, zmq_strerror(code));
}

/* Makes and configures a socket for an endpoint; NULL: none is wanted. */
static enum dfopt_err make(struct zmq_link *l, void **out, int type,
                           const char *endpoint,
                           const struct dfopt_client_options *o,
                           struct dfopt_error *err)
{
    if (!endpoint)
        return DFOPT_OK;
    void *socket = *out = zmq_socket(l->context, type);
    if (!socket || !set_common(socket, o) || !set_family(socket, endpoint))
        return failed("socket for", endpoint, err);
    if (!set_keys(socket, o))
        return failed("CURVE keys for", endpoint, err);
    return DFOPT_OK;
}

static enum dfopt_err attach(void *socket, const char *endpoint, bool bind,
                             struct dfopt_error *err)
{
    if (!socket)
        return DFOPT_OK;
    int rc = bind ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint);
    return rc == 0 ? DFOPT_OK : failed(bind ? "bind" : "connect to", endpoint, err);
}

static enum dfopt_err watch(struct zmq_link *l, const char *endpoint,
                            struct dfopt_error *err)
{
    if (!l->registry)
        return DFOPT_OK;
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
    l->monitor = zmq_socket(l->context, ZMQ_PAIR);
    if (!l->monitor || !set_int(l->monitor, ZMQ_LINGER, 0) ||
        zmq_socket_monitor(l->registry, MONITOR_ADDRESS, events) != 0 ||
        zmq_connect(l->monitor, MONITOR_ADDRESS) != 0)
        return failed("monitor of", endpoint, err);
    return DFOPT_OK;
}

static enum dfopt_err subscribe(struct zmq_link *l,
                                const struct dfopt_client_options *o,
                                struct dfopt_error *err)
{
    l->topics = o->plans_pattern == DFOPT_CLIENT_SUB;
    if (!l->topics || !l->plans)
        return DFOPT_OK;
    return set_text(l->plans, ZMQ_SUBSCRIBE, o->hostname) &&
                   set_text(l->plans, ZMQ_SUBSCRIBE, "*")
               ? DFOPT_OK
               : failed("subscribe at", o->plans_endpoint, err);
}

static enum dfopt_err make_all(struct zmq_link *l,
                               const struct dfopt_client_options *o,
                               struct dfopt_error *err)
{
    int type = o->plans_pattern == DFOPT_CLIENT_SUB ? ZMQ_SUB : ZMQ_PULL;
    enum dfopt_err e = make(l, &l->plans, type, o->plans_endpoint, o, err);
    if (!e)
        e = make(l, &l->registry, ZMQ_PUSH, o->registry_endpoint, o, err);
    if (!e)
        e = make(l, &l->acks, ZMQ_PUSH, o->acks_endpoint, o, err);
    if (!e)
        e = subscribe(l, o, err);
    if (!e)
        e = watch(l, o->registry_endpoint, err);
    if (!e)
        e = attach(l->plans, o->plans_endpoint, o->plans_bind, err);
    if (!e)
        e = attach(l->registry, o->registry_endpoint, false, err);
    if (!e)
        e = attach(l->acks, o->acks_endpoint, false, err);
    return e;
}

static void close_socket(void *socket, int linger_ms)
{
    if (!socket)
        return;
    set_int(socket, ZMQ_LINGER, linger_ms);
    zmq_close(socket);
}

static void link_close(void *t, int linger_ms)
{
    struct zmq_link *l = t;
    for (size_t i = 0; i < MAX_PARTS; i++)
        zmq_msg_close(&l->parts[i]);
    if (l->registry && l->monitor)
        zmq_socket_monitor(l->registry, NULL, 0);
    close_socket(l->monitor, 0);
    close_socket(l->plans, 0);
    close_socket(l->registry, linger_ms);
    close_socket(l->acks, linger_ms);
    while (l->context && zmq_ctx_term(l->context) != 0 && errno == EINTR)
        continue;
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->hostname);
    free(l);
}

static enum dfopt_err link_open(void **out, const struct dfopt_client_options *o,
                                struct dfopt_error *err)
{
    struct zmq_link *l = calloc(1, sizeof *l);
    if (!l)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < MAX_PARTS; i++)
        zmq_msg_init(&l->parts[i]);
    l->hostname = strdup(o->hostname);
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->context = zmq_ctx_new();
    enum dfopt_err e = DFOPT_OK;
    if (!l->hostname || l->wake_fd < 0 || !l->context)
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "no memory or descriptors");
    if (!e)
        e = make_all(l, o, err);
    if (e)
        link_close(l, 0);
    else
        *out = l;
    return e;
}

/* ---- running ---- */

static void drain_wake(struct zmq_link *l)
{
    uint64_t n;
    while (read(l->wake_fd, &n, sizeof n) < 0 && errno == EINTR)
        continue;
}

/* Events have two parts: number and value, then the address. */
static void read_monitor(struct zmq_link *l)
{
    struct {
        uint16_t event;
        unsigned char value[4];
    } head;
    char address[256];
    while (zmq_recv(l->monitor, &head, 6, ZMQ_DONTWAIT) == 6) {
        zmq_recv(l->monitor, address, sizeof address, ZMQ_DONTWAIT);
        l->connected = head.event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        l->connections += l->connected;
    }
}

static unsigned link_wait(void *t, unsigned want, int64_t timeout_ms)
{
    struct zmq_link *l = t;
    zmq_pollitem_t items[N_ITEMS];
    int kinds[N_ITEMS], n = 0;
    const struct {
        void *socket;
        short events;
    } all[N_ITEMS] = {
        [WAKE] = {NULL, ZMQ_POLLIN},
        [MONITOR] = {l->monitor, ZMQ_POLLIN},
        [PLANS] = {l->plans, ZMQ_POLLIN},
        [REGISTRY] = {want & DFOPT_CLIENT_REGISTRATION_OUT ? l->registry : NULL,
                      ZMQ_POLLOUT},
        [ACKS] = {want & DFOPT_CLIENT_ACK_OUT ? l->acks : NULL, ZMQ_POLLOUT},
    };
    for (int i = 0; i < N_ITEMS; i++) {
        if (i != WAKE && !all[i].socket)
            continue;
        kinds[n] = i;
        items[n++] = (zmq_pollitem_t){all[i].socket, i == WAKE ? l->wake_fd : 0,
                                      all[i].events, 0};
    }
    if (zmq_poll(items, n, (long)timeout_ms) <= 0)
        return 0;
    unsigned ready = 0;
    for (int i = 0; i < n; i++) {
        if (!items[i].revents)
            continue;
        if (kinds[i] == WAKE)
            drain_wake(l);
        else if (kinds[i] == MONITOR)
            read_monitor(l);
        else
            ready |= kinds[i] == PLANS ? (unsigned)DFOPT_CLIENT_PLAN_IN
                     : kinds[i] == REGISTRY
                         ? (unsigned)DFOPT_CLIENT_REGISTRATION_OUT
                         : (unsigned)DFOPT_CLIENT_ACK_OUT;
    }
    return ready;
}

/* Reads all parts of a message, keeping the first few. Returns their number. */
static size_t receive_parts(struct zmq_link *l)
{
    zmq_msg_t rest;
    size_t n = 0;
    for (int more = 1; more; n++) {
        zmq_msg_t *part = n < MAX_PARTS ? &l->parts[n] : &rest;
        if (part == &rest)
            zmq_msg_init(part);
        if (zmq_msg_recv(part, l->plans, ZMQ_DONTWAIT) < 0)
            return 0; /* parts of a message come together: there was none */
        more = zmq_msg_more(part);
        if (part == &rest)
            zmq_msg_close(part);
    }
    return n;
}

static bool is_topic_ours(struct zmq_link *l)
{
    const char *topic = zmq_msg_data(&l->parts[0]);
    size_t len = zmq_msg_size(&l->parts[0]), own = strlen(l->hostname);
    return (len == 1 && *topic == '*') ||
           (len == own && memcmp(topic, l->hostname, own) == 0);
}

static enum dfopt_client_received link_receive(void *t,
                                               struct dfopt_client_message *out)
{
    struct zmq_link *l = t;
    size_t n = receive_parts(l), first = l->topics ? 1 : 0;
    if (n == 0)
        return DFOPT_CLIENT_NOTHING;
    if (n != first + 2)
        return DFOPT_CLIENT_MISSHAPEN;
    if (l->topics && !is_topic_ours(l)) /* libzmq matched the start of the name */
        return DFOPT_CLIENT_ELSEWHERE;
    zmq_msg_t *meta = &l->parts[first], *body = &l->parts[first + 1];
    *out = (struct dfopt_client_message){zmq_msg_data(meta), zmq_msg_data(body),
                                         zmq_msg_size(meta), zmq_msg_size(body)};
    return DFOPT_CLIENT_MESSAGE;
}

/* Once the first part is taken libzmq takes the second, too. */
static enum dfopt_err link_send(void *t, enum dfopt_client_stream stream,
                                const struct dfopt_client_message *m)
{
    struct zmq_link *l = t;
    void *socket = stream == DFOPT_CLIENT_ACKS ? l->acks : l->registry;
    if (!socket ||
        zmq_send(socket, m->meta, m->meta_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_send(socket, m->body, m->body_len, ZMQ_DONTWAIT) < 0)
        return DFOPT_ERR_STATE;
    return DFOPT_OK;
}

static uint64_t link_connection(void *t)
{
    const struct zmq_link *l = t;
    return l->connected ? l->connections : 0;
}

static void link_wake(void *t)
{
    const struct zmq_link *l = t;
    const uint64_t one = 1;
    while (write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

const struct dfopt_client_transport dfopt_client_transport_zmq = {
    .abi = DFOPT_CLIENT_TRANSPORT_ABI,
    .name = "zmq",
    .open = link_open,
    .wait = link_wait,
    .receive = link_receive,
    .send = link_send,
    .connection = link_connection,
    .wake = link_wake,
    .close = link_close,
};
