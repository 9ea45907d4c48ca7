/* The transport over ZeroMQ: plans by PULL or SUB, registrations and acks by PUSH.
 * Messages are never queued on an unconnected socket: what cannot be sent stays in
 * the client's bounded queues. The registration socket's watch shows when the
 * optimizer comes and goes. A socket that libzmq has given up on is replaced. */
#include "base/clock.h"
#include "base/hostname.h"
#include "client/transport.h"
#include "net/zmq/endpoint.h"
#include "net/zmq/room.h"
#include "net/zmq/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#define SEND_MESSAGES 1000 /* that libzmq queues for a slow peer */
/* libzmq disconnects a peer that sends more; the client reads, counts and drops
 * messages between its own bound and this one. */
#define MESSAGE_ROOM ((int64_t)64 << 20)
#define MAX_PARTS    3 /* used: topic, metadata, body */
#define NS_PER_MS    1000000
#define QUIET_NS     5000000000 /* before reporting that nobody answers */

enum { PLANS, REGISTRY, ACKS, OBJECTIVES, FINDINGS, N_SOCKETS };

struct zmq_link {
    struct dfopt_zmq_context context;
    /* Without a handle: not requested, or being replaced. */
    struct dfopt_zmq_socket sockets[N_SOCKETS];
    int64_t tend_ms; /* when the sockets need attention; negative: never */
    int64_t opened_ns;
    bool told[N_SOCKETS]; /* answered, or reported as unanswered */
    int wake_fd;
    bool topics; /* plans arrive by SUB */
    char *hostname;
    char *answers;              /* the topic of answers to this client */
    zmq_msg_t parts[MAX_PARTS]; /* of the last plan; always initialised */
};

/* ---- opening and closing ---- */

static enum dfopt_err subscribe(struct zmq_link *l, struct dfopt_error *err)
{
    struct dfopt_zmq_socket *s = &l->sockets[PLANS];
    if (l->topics && s->handle &&
        (zmq_setsockopt(s->handle, ZMQ_SUBSCRIBE, l->hostname,
                        strlen(l->hostname)) != 0 ||
         zmq_setsockopt(s->handle, ZMQ_SUBSCRIBE, l->answers, strlen(l->answers)) !=
             0 ||
         zmq_setsockopt(s->handle, ZMQ_SUBSCRIBE, "*", 1) != 0))
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: subscription: %s",
                               s->endpoint, zmq_strerror(errno));
    return DFOPT_OK;
}

static enum dfopt_err open_one(struct zmq_link *l, int which, const char *endpoint,
                               const struct dfopt_client_options *o,
                               struct dfopt_error *err)
{
    const bool plans = which == PLANS;
    const int64_t most = (int64_t)o->max_message_bytes;
    const struct dfopt_zmq_socket_options socket = {
        .type = !plans      ? ZMQ_PUSH
                : l->topics ? ZMQ_SUB
                            : ZMQ_PULL,
        .bind = plans && o->plans_bind,
        .high_water = plans ? (int)o->max_queued_plans : SEND_MESSAGES,
        .cut_off_bytes = most > MESSAGE_ROOM ? most : MESSAGE_ROOM,
        .heartbeat = true,
        .gone_ms = o->lease_ms,
    };
    const struct dfopt_zmq_curve curve = {
        .client_secret = o->curve_secret_key,
        .client_public = o->curve_public_key,
        .server_public = o->curve_server_key,
    };
    struct dfopt_zmq_keys keys;
    enum dfopt_err e = dfopt_zmq_endpoint_check(endpoint, socket.bind, err);
    if (e)
        return e;
    e = dfopt_zmq_keys_load(&keys, o->curve_server_key ? &curve : NULL, false,
                            endpoint, err);
    if (!e)
        e = dfopt_zmq_socket_open(&l->sockets[which], &l->context, &socket,
                                  endpoint, &keys, err);
    explicit_bzero(&keys, sizeof keys);
    return e;
}

/* Runs before the first call of libzmq. */
static enum dfopt_err check_room(const char *const endpoints[N_SOCKETS],
                                 struct dfopt_error *err)
{
    int sockets = 0;
    for (int i = 0; i < N_SOCKETS; i++)
        sockets += endpoints[i] != NULL;
    return dfopt_zmq_room(sockets, 1, err); /* the listener */
}

static enum dfopt_err open_all(struct zmq_link *l,
                               const struct dfopt_client_options *o,
                               struct dfopt_error *err)
{
    const char *const endpoints[N_SOCKETS] = {
        [PLANS] = o->plans_endpoint,       [REGISTRY] = o->registry_endpoint,
        [ACKS] = o->acks_endpoint,         [OBJECTIVES] = o->objectives_endpoint,
        [FINDINGS] = o->findings_endpoint,
    };
    enum dfopt_err e = check_room(endpoints, err);
    if (e)
        return e;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->context.handle = zmq_ctx_new();
    if (l->wake_fd < 0 || !l->context.handle)
        return dfopt_error_set(err, DFOPT_ERR_LIMIT,
                               "cannot create a ZMQ context: %s", strerror(errno));
    l->topics = o->plans_pattern == DFOPT_CLIENT_SUB;
    for (int i = 0; !e && i < N_SOCKETS; i++)
        if (endpoints[i])
            e = open_one(l, i, endpoints[i], o, err);
    return e ? e : subscribe(l, err);
}

static void link_close(void *t, int linger_ms)
{
    struct zmq_link *l = t;
    for (size_t i = 0; i < MAX_PARTS; i++)
        zmq_msg_close(&l->parts[i]);
    for (int i = 0; i < N_SOCKETS; i++)
        dfopt_zmq_socket_close(&l->sockets[i], linger_ms);
    while (l->context.handle && zmq_ctx_term(l->context.handle) != 0 &&
           errno == EINTR)
        continue;
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->hostname);
    free(l->answers);
    free(l);
}

/* "decided:INSTANCE"; NULL: no memory. */
static char *topic_of_answers(const char *instance)
{
    static const char prefix[] = "decided:";
    char *topic = malloc(sizeof prefix + strlen(instance));
    if (topic)
        strcpy(stpcpy(topic, prefix), instance);
    return topic;
}

static enum dfopt_err link_open(void **out, const struct dfopt_client_options *o,
                                const char *instance, struct dfopt_error *err)
{
    struct zmq_link *l = calloc(1, sizeof *l);
    if (!l)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < MAX_PARTS; i++)
        zmq_msg_init(&l->parts[i]);
    l->hostname = strdup(o->hostname);
    l->answers = topic_of_answers(instance);
    l->tend_ms = 0;
    l->wake_fd = -1;
    l->opened_ns = dfopt_clock_monotonic_ns();
    enum dfopt_err e = DFOPT_OK;
    if (!l->hostname || !l->answers)
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (!e)
        e = open_all(l, o, err);
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

/* Processes the events of the sockets' watches and replaces the sockets that libzmq
 * has given up on, except one that `ready` says has plans to read. Returns the
 * longest time to wait before the next call; negative: no limit. */
static int64_t tend(struct zmq_link *l, unsigned ready)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    int64_t next = INT64_MAX;
    for (int i = 0; i < N_SOCKETS; i++) {
        bool replaced;
        if (i == PLANS && ready & DFOPT_CLIENT_PLAN_IN)
            continue;
        int64_t at =
            dfopt_zmq_socket_tend(&l->sockets[i], &l->context, now, &replaced);
        if (replaced && i == PLANS)
            (void)subscribe(l, NULL); /* fails if the socket is gone */
        next = at < next ? at : next;
        if (l->sockets[i].watch.made)
            l->told[i] = true; /* it has been connected */
        else if (l->sockets[i].watch.events && !l->told[i] &&
                 l->opened_ns + QUIET_NS < next)
            next = l->opened_ns + QUIET_NS;
    }
    return next == INT64_MAX ? -1 : (next - now) / NS_PER_MS + 1;
}

#define MAX_ITEMS (1 + 2 * N_SOCKETS)

/* What to poll, the wake descriptor first, and the readiness each means. */
static int gather(struct zmq_link *l, unsigned want, zmq_pollitem_t *items,
                  unsigned *means)
{
    const short events[N_SOCKETS] = {
        [PLANS] = ZMQ_POLLIN,
        [REGISTRY] = want & DFOPT_CLIENT_REGISTRATION_OUT ? ZMQ_POLLOUT : 0,
        [ACKS] = want & DFOPT_CLIENT_ACK_OUT ? ZMQ_POLLOUT : 0,
        [OBJECTIVES] = want & DFOPT_CLIENT_OBJECTIVE_OUT ? ZMQ_POLLOUT : 0,
        [FINDINGS] = want & DFOPT_CLIENT_FINDING_OUT ? ZMQ_POLLOUT : 0,
    };
    static const unsigned ready[N_SOCKETS] = {
        [PLANS] = DFOPT_CLIENT_PLAN_IN,
        [REGISTRY] = DFOPT_CLIENT_REGISTRATION_OUT,
        [ACKS] = DFOPT_CLIENT_ACK_OUT,
        [OBJECTIVES] = DFOPT_CLIENT_OBJECTIVE_OUT,
        [FINDINGS] = DFOPT_CLIENT_FINDING_OUT,
    };
    int n = 0;
    means[n] = 0;
    items[n++] = (zmq_pollitem_t){NULL, l->wake_fd, ZMQ_POLLIN, 0};
    for (int i = 0; i < N_SOCKETS; i++) {
        const struct dfopt_zmq_socket *s = &l->sockets[i];
        if (s->watch.events) {
            means[n] = 0;
            items[n++] = (zmq_pollitem_t){s->watch.events, 0, ZMQ_POLLIN, 0};
        }
        if (s->handle && events[i]) {
            means[n] = ready[i];
            items[n++] = (zmq_pollitem_t){s->handle, 0, events[i], 0};
        }
    }
    return n;
}

static unsigned link_wait(void *t, unsigned want, int64_t timeout_ms)
{
    struct zmq_link *l = t;
    zmq_pollitem_t items[MAX_ITEMS];
    unsigned means[MAX_ITEMS], ready = 0;
    const int n = gather(l, want, items, means);
    if (timeout_ms < 0 || (l->tend_ms >= 0 && l->tend_ms < timeout_ms))
        timeout_ms = l->tend_ms;
    if (zmq_poll(items, n, (long)timeout_ms) > 0) {
        for (int i = 0; i < n; i++)
            ready |= items[i].revents ? means[i] : 0;
        if (items[0].revents)
            drain_wake(l);
    }
    l->tend_ms = tend(l, ready);
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
        if (zmq_msg_recv(part, l->sockets[PLANS].handle, ZMQ_DONTWAIT) < 0)
            return 0; /* parts arrive together: there was no message */
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
           (len == strlen(l->answers) && memcmp(topic, l->answers, len) == 0) ||
           dfopt_hostname_same(topic, len, l->hostname, own);
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
    if (l->topics && !is_topic_ours(l)) /* libzmq matches prefixes only */
        return DFOPT_CLIENT_ELSEWHERE;
    zmq_msg_t *meta = &l->parts[first], *body = &l->parts[first + 1];
    *out = (struct dfopt_client_message){zmq_msg_data(meta), zmq_msg_data(body),
                                         zmq_msg_size(meta), zmq_msg_size(body)};
    return DFOPT_CLIENT_MESSAGE;
}

/* libzmq accepts the second part once it has accepted the first. */
static enum dfopt_err link_send(void *t, enum dfopt_client_stream stream,
                                const struct dfopt_client_message *m)
{
    static const int sockets[] = {
        [DFOPT_CLIENT_REGISTRATIONS] = REGISTRY,
        [DFOPT_CLIENT_ACKS] = ACKS,
        [DFOPT_CLIENT_OBJECTIVES] = OBJECTIVES,
        [DFOPT_CLIENT_FINDINGS] = FINDINGS,
    };
    struct zmq_link *l = t;
    void *socket = l->sockets[sockets[stream]].handle;
    if (!socket ||
        zmq_send(socket, m->meta, m->meta_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_send(socket, m->body, m->body_len, ZMQ_DONTWAIT) < 0)
        return DFOPT_ERR_STATE;
    return DFOPT_OK;
}

static uint64_t link_connection(void *t)
{
    const struct zmq_link *l = t;
    const struct dfopt_zmq_watch *w = &l->sockets[REGISTRY].watch;
    return w->connected ? w->made : 0;
}

static const char *link_unanswered(void *t)
{
    struct zmq_link *l = t;
    if (dfopt_clock_monotonic_ns() < l->opened_ns + QUIET_NS)
        return NULL;
    for (int i = 0; i < N_SOCKETS; i++)
        if (l->sockets[i].watch.events && !l->sockets[i].watch.made &&
            !l->told[i]) {
            l->told[i] = true;
            return l->sockets[i].endpoint;
        }
    return NULL;
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
    .unanswered = link_unanswered,
    .wake = link_wake,
    .close = link_close,
};
