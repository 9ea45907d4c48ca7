/* Requests over a ROUTER socket: identity, empty frame, body. */
#include "transport/zmq/control.h"

#include "net/zmq/socket.h"
#include "transport/zmq/notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define HIGH_WATER 256
#define PREFIX     "ipc://"

struct control {
    struct dfopt_port port;
    struct dfopt_zmq_context context;
    struct dfopt_zmq_socket socket;
    size_t max_bytes;
    zmq_msg_t body;
    struct dfopt_zmq_notes notes;
};

static struct control *control_of(struct dfopt_port *port)
{
    return (struct control *)(void *)port;
}

enum { CLIENT, EMPTY, BODY, FRAMES };

/* Receives a whole message; returns its number of frames. Frames after the body
 * replace it. */
static int receive(struct control *c, zmq_msg_t *frame[FRAMES])
{
    int n = 0, rc;
    bool more = true;
    while (more) {
        zmq_msg_t *to = frame[n < BODY ? n : BODY];
        do
            rc = zmq_msg_recv(to, c->socket.handle, ZMQ_DONTWAIT);
        while (rc < 0 && errno == EINTR);
        if (rc < 0)
            return 0; /* messages arrive complete or not at all */
        more = zmq_msg_more(to) != 0;
        n++;
    }
    return n;
}

static bool next(struct dfopt_port *port, struct dfopt_port_request *out)
{
    struct control *c = control_of(port);
    zmq_msg_t client, empty;
    zmq_msg_t *frame[FRAMES] = {&client, &empty, &c->body};
    zmq_msg_init(&client);
    zmq_msg_init(&empty);
    dfopt_zmq_notes_add(&c->notes, DFOPT_ZMQ_NOTE_PEER_REFUSED, c->socket.endpoint,
                        dfopt_zmq_context_refused(&c->context));
    const bool got = receive(c, frame) == FRAMES && zmq_msg_size(&empty) == 0 &&
                     zmq_msg_size(&client) <= sizeof out->client &&
                     zmq_msg_size(&c->body) <= c->max_bytes;
    if (got) {
        out->client_len = zmq_msg_size(&client);
        memcpy(out->client, zmq_msg_data(&client), out->client_len);
        out->data = zmq_msg_data(&c->body);
        out->len = zmq_msg_size(&c->body);
    }
    zmq_msg_close(&client);
    zmq_msg_close(&empty);
    return got;
}

static void answer(struct dfopt_port *port, const struct dfopt_port_request *to,
                   const char *text, size_t len)
{
    void *socket = control_of(port)->socket.handle;
    if (zmq_send(socket, to->client, to->client_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) <
            0 ||
        zmq_send(socket, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return; /* the client has left */
    (void)zmq_send(socket, text, len, ZMQ_DONTWAIT);
}

static void destroy(struct dfopt_port *port)
{
    struct control *c = control_of(port);
    if (!c)
        return;
    zmq_msg_close(&c->body);
    dfopt_zmq_notes_end(&c->notes);
    dfopt_zmq_socket_close(&c->socket, 1000);
    dfopt_zmq_context_close(&c->context);
    free(c);
}

static const struct dfopt_port_ops ops = {next, answer, destroy};

/* The folder of an ipc endpoint must be private to its owner. */
static enum dfopt_err check_folder(const char *endpoint, struct dfopt_error *err)
{
    const char *path = endpoint + strlen(PREFIX);
    const char *slash = strrchr(path, '/');
    char folder[DFOPT_ZMQ_ENDPOINT_SIZE];
    struct stat st;
    if (strncmp(endpoint, PREFIX, strlen(PREFIX)) != 0)
        return DFOPT_OK;
    if (path[0] != '/' || !slash || slash == path ||
        (size_t)(slash - path) >= sizeof folder)
        return dfopt_error_set(
            err, DFOPT_ERR_ARG,
            "%s: needs the absolute path of a file in a folder of its own",
            endpoint);
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", folder,
                               strerror(errno));
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077))
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s: others may enter this folder and control the "
                               "optimizer; it must be yours, with mode 0700",
                               folder);
    return DFOPT_OK;
}

static enum dfopt_err open_socket(struct control *c,
                                  const struct dfopt_zmq_control_options *o,
                                  struct dfopt_error *err)
{
    const struct dfopt_zmq_socket_options socket = {.type = ZMQ_ROUTER,
                                                    .bind = true,
                                                    .ipv6 = o->ipv6,
                                                    .high_water = HIGH_WATER,
                                                    .cut_off_bytes =
                                                        (int64_t)o->max_bytes};
    struct dfopt_zmq_keys keys;
    const bool remote = strncmp(o->endpoint, PREFIX, strlen(PREFIX)) != 0;
    if (remote && !o->curve)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s: commands over a network need encryption: "
                               "--zmq-curve-server-key and --zmq-curve-client-keys",
                               o->endpoint);
    enum dfopt_err e = check_folder(o->endpoint, err);
    if (!e)
        e = dfopt_zmq_context_open(
            &c->context, o->curve ? o->curve->allowed_clients : NULL, err);
    if (!e)
        e = dfopt_zmq_keys_load(&keys, o->curve, true, o->endpoint, err);
    if (e)
        return e;
    e = dfopt_zmq_socket_open(&c->socket, &c->context, &socket, o->endpoint, &keys,
                              err);
    explicit_bzero(&keys, sizeof keys);
    return e;
}

enum dfopt_err dfopt_zmq_control_create(struct dfopt_port **out,
                                        const struct dfopt_zmq_control_options *o,
                                        struct dfopt_error *err)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    c->port.ops = &ops;
    c->max_bytes = o->max_bytes;
    c->notes = (struct dfopt_zmq_notes){.fn = o->note, .arg = o->note_arg};
    zmq_msg_init(&c->body);
    const enum dfopt_err e = open_socket(c, o, err);
    if (e)
        destroy(&c->port);
    else
        *out = &c->port;
    return e;
}

const char *dfopt_zmq_control_endpoint(const struct dfopt_port *port)
{
    return ((const struct control *)(const void *)port)->socket.endpoint;
}

uint64_t dfopt_zmq_control_refused(const struct dfopt_port *port)
{
    const struct control *c = (const struct control *)(const void *)port;
    uint64_t totals[DFOPT_ZMQ_NOTE_COUNT];
    dfopt_zmq_notes_totals(&c->notes, totals);
    return totals[DFOPT_ZMQ_NOTE_PEER_REFUSED];
}
