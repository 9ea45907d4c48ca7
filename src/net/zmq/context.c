/* Contexts. If clients are checked, a thread of the context does it. */
#include "net/zmq/room.h"
#include "net/zmq/socket.h"
#include "net/zmq/zap.h"

#include <errno.h>
#include <zmq.h>

enum dfopt_err dfopt_zmq_context_open(struct dfopt_zmq_context *c,
                                      const char *allowed_clients,
                                      struct dfopt_error *err)
{
    *c = (struct dfopt_zmq_context){.handle = NULL};
    enum dfopt_err e = dfopt_zmq_room(1, allowed_clients != NULL, err);
    if (e)
        return e;
    c->handle = zmq_ctx_new();
    if (!c->handle)
        return dfopt_error_set(err,
                               errno == ENOMEM ? DFOPT_ERR_NOMEM : DFOPT_ERR_IO,
                               "ZMQ: %s", zmq_strerror(errno));
    if (!allowed_clients)
        return DFOPT_OK;
    e = dfopt_zmq_zap_create(&c->zap, c->handle, allowed_clients, err);
    if (e)
        dfopt_zmq_context_close(c);
    return e;
}

void dfopt_zmq_context_close(struct dfopt_zmq_context *c)
{
    if (c->handle) {
        zmq_ctx_shutdown(c->handle); /* ends the ZAP thread */
        dfopt_zmq_zap_destroy(c->zap);
        while (zmq_ctx_term(c->handle) != 0 && errno == EINTR)
            ;
    }
    *c = (struct dfopt_zmq_context){0};
}

uint64_t dfopt_zmq_context_refused(struct dfopt_zmq_context *c)
{
    const uint64_t now = dfopt_zmq_zap_refused(c->zap), n = now - c->refused;
    c->refused = now;
    return n;
}
