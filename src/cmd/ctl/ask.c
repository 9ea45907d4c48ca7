/* Opens a REQ socket for each request. */
#include "cmd/ctl/ask.h"

#include "base/clock.h"
#include "net/zmq/endpoint.h"
#include "net/zmq/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zmq.h>

#define ANSWER_BYTES ((int64_t)256 << 20)

static enum dfopt_err no_answer(const struct ctl_line *line,
                                struct dfopt_error *err)
{
    return dfopt_error_set(
        err, DFOPT_ERR_IO,
        "%s: no answer within %" PRId64
        " ms; check that dfopt-mpi runs with this --control-address, and the keys",
        line->endpoint, line->timeout_ms);
}

static enum dfopt_err refused(const struct ctl_line *line, struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO,
                           "%s: the connection was refused: the service does not "
                           "allow this client key, or its own is not "
                           "--zmq-curve-peer-key",
                           line->endpoint);
}

static enum dfopt_err closed(const struct ctl_line *line, size_t len,
                             struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_IO,
                           "%s: the connection was closed before an answer: the "
                           "service has ended, or the request of %zu bytes is "
                           "longer than its --max-record-bytes",
                           line->endpoint, len);
}

/* Waits until there is something to receive; len: of the request. */
static enum dfopt_err await(const struct ctl_line *line, struct dfopt_zmq_socket *s,
                            size_t len, struct dfopt_error *err)
{
    const int64_t until_ns =
        dfopt_clock_monotonic_ns() + line->timeout_ms * 1000000;
    int64_t now = 0;
    zmq_pollitem_t items[] = {{.socket = s->handle, .events = ZMQ_POLLIN},
                              {.socket = s->watch.events, .events = ZMQ_POLLIN}};
    while ((now = dfopt_clock_monotonic_ns()) < until_ns) {
        (void)zmq_poll(items, 2, (long)((until_ns - now) / 1000000 + 1));
        if (items[0].revents)
            return DFOPT_OK;
        (void)dfopt_zmq_watch_read(&s->watch, now);
        if (s->watch.lost_ns && !s->watch.made && line->use_curve)
            return refused(line, err);
        if (s->watch.made && !s->watch.connected) /* the answer may be here */
            return zmq_poll(items, 1, 0) > 0 ? DFOPT_OK : closed(line, len, err);
    }
    return no_answer(line, err);
}

static enum dfopt_err exchange(const struct ctl_line *line,
                               struct dfopt_zmq_socket *s, const char *request,
                               size_t len, struct dfopt_buf *answer,
                               struct dfopt_error *err)
{
    zmq_msg_t m;
    int rc;
    if (zmq_send(s->handle, request, len, 0) < 0)
        return no_answer(line, err);
    enum dfopt_err e = await(line, s, len, err);
    if (e)
        return e;
    zmq_msg_init(&m);
    do
        rc = zmq_msg_recv(&m, s->handle, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    dfopt_buf_clear(answer);
    e = rc < 0 ? no_answer(line, err)
               : dfopt_buf_add(answer, zmq_msg_data(&m), zmq_msg_size(&m));
    zmq_msg_close(&m);
    return e;
}

enum dfopt_err ctl_ask(const struct ctl_line *line, const char *request, size_t len,
                       struct dfopt_buf *answer, struct dfopt_error *err)
{
    const struct dfopt_zmq_socket_options o = {
        .type = ZMQ_REQ, .high_water = 16, .cut_off_bytes = ANSWER_BYTES};
    struct dfopt_zmq_context context = {0};
    struct dfopt_zmq_socket socket = {0};
    struct dfopt_zmq_keys keys = {0};
    enum dfopt_err e = dfopt_zmq_endpoint_check(line->endpoint, false, err);
    if (!e)
        e = dfopt_zmq_keys_load(&keys, line->use_curve ? &line->curve : NULL, false,
                                line->endpoint, err);
    if (!e)
        e = dfopt_zmq_context_open(&context, NULL, err);
    if (!e)
        e = dfopt_zmq_socket_open(&socket, &context, &o, line->endpoint, &keys,
                                  err);
    if (!e)
        e = dfopt_zmq_set_int(&socket, ZMQ_SNDTIMEO, (int)line->timeout_ms, err);
    if (!e)
        e = exchange(line, &socket, request, len, answer, err);
    explicit_bzero(&keys, sizeof keys);
    dfopt_zmq_socket_close(&socket, 0);
    dfopt_zmq_context_close(&context);
    return e;
}
