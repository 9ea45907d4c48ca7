#include "cmd/demo/publisher.h"

#include "net/mofka/outbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define MESSAGES          1000 /* queued for a slow peer */
#define BROKER_TIMEOUT_MS 10000

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static enum dfopt_err failed(const char *endpoint, struct dfopt_error *err)
{
    const int why = errno;
    return dfopt_error_set(
        err, why == EINVAL || why == EPROTONOSUPPORT ? DFOPT_ERR_ARG : DFOPT_ERR_IO,
        "findings at %.120s: %s", endpoint, zmq_strerror(why));
}

enum dfopt_err demo_publisher_open(struct demo_publisher *p, const char *endpoint,
                                   bool bind, struct dfopt_error *err)
{
    size_t size = sizeof p->endpoint;
    *p = (struct demo_publisher){.context = zmq_ctx_new()};
    p->socket = p->context ? zmq_socket(p->context, ZMQ_PUSH) : NULL;
    bool ok = p->socket && set_int(p->socket, ZMQ_LINGER, 0) &&
              set_int(p->socket, ZMQ_SNDHWM, MESSAGES) &&
              set_int(p->socket, ZMQ_IMMEDIATE, 1);
    if (ok && bind)
        ok = zmq_bind(p->socket, endpoint) == 0;
    else if (ok)
        ok = zmq_connect(p->socket, endpoint) == 0;
    if (ok && zmq_getsockopt(p->socket, ZMQ_LAST_ENDPOINT, p->endpoint, &size) == 0)
        return DFOPT_OK;
    enum dfopt_err e = failed(endpoint, err);
    demo_publisher_close(p, 0);
    return e;
}

enum dfopt_err demo_publisher_open_topic(struct demo_publisher *p,
                                         const char *group_file, const char *topic,
                                         struct dfopt_error *err)
{
    *p = (struct demo_publisher){.link = NULL};
    snprintf(p->endpoint, sizeof p->endpoint, "topic %s", topic);
    enum dfopt_err e =
        dfopt_mofka_link_create(&p->link, NULL, BROKER_TIMEOUT_MS, err);
    return e ? e
             : dfopt_mofka_outbox_create(&p->outbox, p->link, group_file, topic,
                                         err);
}

static bool close_topic(struct demo_publisher *p, int linger_ms)
{
    const bool sent = dfopt_mofka_outbox_destroy(p->outbox, linger_ms);
    const bool ended = dfopt_mofka_link_destroy(p->link);
    p->outbox = NULL;
    p->link = NULL;
    return sent && ended;
}

bool demo_publisher_close(struct demo_publisher *p, int linger_ms)
{
    if (p->socket) {
        set_int(p->socket, ZMQ_LINGER, linger_ms);
        zmq_close(p->socket);
    }
    while (p->context && zmq_ctx_term(p->context) != 0 && errno == EINTR)
        continue;
    p->context = p->socket = NULL;
    return close_topic(p, linger_ms);
}

bool demo_publisher_is_open(const struct demo_publisher *p)
{
    return p->socket || p->outbox;
}

bool demo_publisher_connected(struct demo_publisher *p)
{
    zmq_pollitem_t item = {p->socket, 0, ZMQ_POLLOUT, 0};
    return p->outbox || zmq_poll(&item, 1, 0) == 1;
}

static bool send_to_topic(struct demo_publisher *p, const char *metadata,
                          const char *body)
{
    const struct dfopt_mofka_message m = {.metadata = metadata,
                                          .metadata_len = strlen(metadata),
                                          .body = body,
                                          .body_len = strlen(body)};
    return dfopt_mofka_outbox_pending(p->outbox) < MESSAGES &&
           dfopt_mofka_outbox_send(p->outbox, &m, NULL) == DFOPT_OK;
}

/* libzmq accepts the second part once it has accepted the first. */
bool demo_publisher_send(struct demo_publisher *p, const char *metadata,
                         const char *body)
{
    const int part = ZMQ_SNDMORE | ZMQ_DONTWAIT;
    if (p->outbox)
        return send_to_topic(p, metadata, body);
    return zmq_send(p->socket, metadata, strlen(metadata), part) >= 0 &&
           zmq_send(p->socket, body, strlen(body), ZMQ_DONTWAIT) >= 0;
}
