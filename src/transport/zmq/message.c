/* Receiving. libzmq delivers a message completely or not at all, so that the
 * parts after the first are available without waiting. */
#include "transport/zmq/message.h"

#include "model/message.h"
#include "transport/zmq/metadata.h"

#include <errno.h>

static int receive_part(zmq_msg_t *part, void *socket)
{
    int rc;
    do
        rc = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    return rc;
}

/* Receives the remaining parts; *n is their number, the first included. Keeps
 * the second as the body. */
static bool receive_parts(void *socket, zmq_msg_t *body, uint64_t *n)
{
    zmq_msg_close(body);
    zmq_msg_init(body);
    if (receive_part(body, socket) < 0)
        return false;
    *n = 2;
    if (!zmq_msg_more(body))
        return true;
    zmq_msg_t spare;
    zmq_msg_init(&spare);
    bool more = true, ok = true;
    for (; ok && more; ++*n) {
        ok = receive_part(&spare, socket) >= 0;
        more = zmq_msg_more(&spare);
    }
    const int why = errno;
    zmq_msg_close(&spare);
    errno = why;
    return ok;
}

/* The stream of an application's message, by the type in its metadata. */
static int stream_of(struct dfopt_text type)
{
    static const struct {
        const char *type;
        int stream;
    } types[] = {{"knob_registration", DFOPT_STREAM_REGISTRATION},
                 {"action_ack", DFOPT_STREAM_ACK},
                 {"objective", DFOPT_STREAM_OBJECTIVE}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (dfopt_text_is(type, types[i].type))
            return types[i].stream;
    return -1;
}

static enum dfopt_zmq_got judge(struct dfopt_zmq_message *m, uint64_t parts,
                                size_t max_bytes, enum dfopt_zmq_note *why)
{
    struct dfopt_zmq_members has;
    const size_t n = zmq_msg_size(&m->metadata);
    *why = DFOPT_ZMQ_NOTE_METADATA;
    if (parts == 1)
        *why = n == 0 ? DFOPT_ZMQ_NOTE_EMPTY : DFOPT_ZMQ_NOTE_ONE_PART;
    else if (parts > 2)
        *why = DFOPT_ZMQ_NOTE_MANY_PARTS;
    else if (n > max_bytes || zmq_msg_size(&m->body) > max_bytes)
        *why = DFOPT_ZMQ_NOTE_TOO_LARGE;
    else {
        const enum dfopt_zmq_metadata what =
            dfopt_zmq_metadata_scan(zmq_msg_data(&m->metadata), n, &has);
        if (what == DFOPT_ZMQ_METADATA_BAD)
            return DFOPT_ZMQ_GOT_REFUSED;
        m->stream = stream_of(has.type);
        m->answer = has.answer;
        return what == DFOPT_ZMQ_METADATA_STOP ? DFOPT_ZMQ_GOT_STOP
                                               : DFOPT_ZMQ_GOT_MESSAGE;
    }
    return DFOPT_ZMQ_GOT_REFUSED;
}

enum dfopt_zmq_got dfopt_zmq_message_receive(void *socket, size_t max_bytes,
                                             struct dfopt_zmq_message *m,
                                             enum dfopt_zmq_note *why)
{
    uint64_t parts = 1;
    if (receive_part(&m->metadata, socket) < 0)
        return errno == EAGAIN ? DFOPT_ZMQ_GOT_NOTHING : DFOPT_ZMQ_GOT_ERROR;
    if (zmq_msg_more(&m->metadata) && !receive_parts(socket, &m->body, &parts))
        return DFOPT_ZMQ_GOT_ERROR;
    return judge(m, parts, max_bytes, why);
}
