/* Receives in turns. Only sockets marked as ready are tried: a readable
 * descriptor sets the mark, an empty receive clears it. */
#include "transport/zmq/inbox.h"

#include <string.h>

#define MAX_DROPS 256  /* in one call */
#define ASK_BYTES 4096 /* longer "answer" members are ignored */
#define ASK_DEPTH 4

/* The share of each socket per turn, in turn order. */
static const struct {
    enum dfopt_zmq_stream stream;
    unsigned share;
} turns[DFOPT_ZMQ_STREAMS] = {
    {DFOPT_ZMQ_APPLICATIONS, 64}, {DFOPT_ZMQ_REGISTRATIONS, 64},
    {DFOPT_ZMQ_ACKS, 64},         {DFOPT_ZMQ_OBJECTIVES, 64},
    {DFOPT_ZMQ_FINDINGS, 32},
};

/* Further places in `ready`: the connection's watch, the caller's descriptors. */
enum { WATCH = DFOPT_ZMQ_STREAMS, WAKE, PLACES = WAKE + DFOPT_ZMQ_WAKE_FDS };
_Static_assert(PLACES <= DFOPT_ZMQ_READY_MAX, "a place for each");

/* ---- taking ---- */

static enum dfopt_zmq_taken deliver(struct dfopt_zmq_inbox *in,
                                    enum dfopt_zmq_stream stream, int kind,
                                    struct dfopt_record *record)
{
    struct dfopt_zmq_message *m = &in->message;
    const size_t len = zmq_msg_size(&m->body);
    const bool asks =
        m->answer.len && dfopt_zmq_ask_read(in->parser, m->answer, &in->asked);
    *record = (struct dfopt_record){
        .data = zmq_msg_data(&m->body),
        .len = len,
        .stream = kind,
        .origin = in->sockets[stream].endpoint,
        .offset = in->counts.received[stream],
        .unit = DFOPT_OFFSET_RECEIVED,
        .problem = len == 0 ? "the body is empty" : NULL,
        .ask = asks ? &in->asked.ask : NULL,
    };
    in->counts.received[stream]++;
    in->counts.bytes += len;
    return DFOPT_ZMQ_TAKEN_RECORD;
}

/* Delivers by the socket's stream or, on the shared one, by type (-1: none). */
static enum dfopt_zmq_taken deliver_typed(struct dfopt_zmq_inbox *in,
                                          enum dfopt_zmq_stream stream,
                                          struct dfopt_record *record)
{
    const int type = in->message.stream;
    if (stream != DFOPT_ZMQ_APPLICATIONS)
        return deliver(in, stream, (int)stream, record);
    if (type >= 0)
        return deliver(in, stream, type, record);
    dfopt_zmq_notes_add(&in->notes, DFOPT_ZMQ_NOTE_TYPE,
                        in->sockets[stream].endpoint, 1);
    return DFOPT_ZMQ_TAKEN_DROPPED;
}

/* A sentinel on other sockets than the findings' is an ordinary message. */
static enum dfopt_zmq_taken take(struct dfopt_zmq_inbox *in,
                                 enum dfopt_zmq_stream stream,
                                 struct dfopt_record *record)
{
    enum dfopt_zmq_note why;
    struct dfopt_zmq_socket *socket = &in->sockets[stream];
    if (!in->ready.ready[stream])
        return DFOPT_ZMQ_TAKEN_NOTHING;
    switch (dfopt_zmq_message_receive(socket->handle, in->max_bytes, &in->message,
                                      &why)) {
    case DFOPT_ZMQ_GOT_MESSAGE:
        return deliver_typed(in, stream, record);
    case DFOPT_ZMQ_GOT_STOP:
        if (stream != DFOPT_ZMQ_FINDINGS)
            return deliver_typed(in, stream, record);
        in->counts.stops++;
        return DFOPT_ZMQ_TAKEN_DROPPED;
    case DFOPT_ZMQ_GOT_REFUSED:
        dfopt_zmq_notes_add(&in->notes, why, socket->endpoint, 1);
        return DFOPT_ZMQ_TAKEN_DROPPED;
    case DFOPT_ZMQ_GOT_NOTHING:
        in->ready.ready[stream] = false;
        return DFOPT_ZMQ_TAKEN_NOTHING;
    default:
        return DFOPT_ZMQ_TAKEN_ERROR;
    }
}

static void next_turn(struct dfopt_zmq_inbox *in)
{
    in->turn = (in->turn + 1) % DFOPT_ZMQ_STREAMS;
    in->used = 0;
}

enum dfopt_zmq_taken dfopt_zmq_inbox_take(struct dfopt_zmq_inbox *in,
                                          struct dfopt_record *record)
{
    unsigned empty = 0;
    for (int drops = 0; drops < MAX_DROPS;) {
        const enum dfopt_zmq_taken taken = take(in, turns[in->turn].stream, record);
        if (taken == DFOPT_ZMQ_TAKEN_ERROR)
            return taken;
        if (taken == DFOPT_ZMQ_TAKEN_NOTHING) {
            next_turn(in);
            if (++empty < DFOPT_ZMQ_STREAMS)
                continue;
            in->turn = 0;
            return taken;
        }
        empty = 0;
        if (++in->used >= turns[in->turn].share) {
            next_turn(in);
            (void)dfopt_zmq_ready_look(&in->ready, 0);
        }
        if (taken == DFOPT_ZMQ_TAKEN_RECORD)
            return taken;
        drops++;
    }
    return DFOPT_ZMQ_TAKEN_DROPPED;
}

const struct dfopt_zmq_socket *dfopt_zmq_inbox_at(const struct dfopt_zmq_inbox *in)
{
    return &in->sockets[turns[in->turn].stream];
}

/* ---- waiting ---- */

int dfopt_zmq_inbox_look(struct dfopt_zmq_inbox *in, int ms)
{
    return dfopt_zmq_ready_look(&in->ready, ms);
}

bool dfopt_zmq_inbox_is_ready(const struct dfopt_zmq_inbox *in)
{
    for (int i = 0; i < DFOPT_ZMQ_STREAMS; i++)
        if (in->ready.ready[i])
            return true;
    return false;
}

bool dfopt_zmq_inbox_is_woken(struct dfopt_zmq_inbox *in)
{
    bool woken = false;
    for (int i = WAKE; i < PLACES; i++) {
        woken = woken || in->ready.ready[i];
        in->ready.ready[i] = false;
    }
    return woken;
}

/* The ZAP thread counts refusals; this thread reports them. */
static void note_refused(struct dfopt_zmq_inbox *in)
{
    const uint64_t n = dfopt_zmq_context_refused(&in->context);
    int i = DFOPT_ZMQ_STREAMS - 1; /* the refusing socket is unknown */
    while (i > 0 && !in->sockets[i].handle)
        i--;
    dfopt_zmq_notes_add(&in->notes, DFOPT_ZMQ_NOTE_PEER_REFUSED,
                        in->sockets[i].endpoint, n);
}

/* Reports a missing peer, once until it has connected. Returns when to check
 * again. */
static int64_t note_quiet(struct dfopt_zmq_inbox *in, int64_t now)
{
    const struct dfopt_zmq_socket *findings = &in->sockets[DFOPT_ZMQ_FINDINGS];
    const int64_t quiet_ns = (int64_t)DFOPT_ZMQ_QUIET_MS * 1000000;
    if (!findings->handle || findings->options.bind || findings->watch.connected) {
        in->quiet_ns = 0;
        in->quiet_told = false;
        return INT64_MAX;
    }
    if (in->quiet_ns == 0)
        in->quiet_ns = now;
    if (in->quiet_told || now - in->quiet_ns < quiet_ns)
        return in->quiet_told ? INT64_MAX : in->quiet_ns + quiet_ns;
    in->quiet_told = true;
    dfopt_zmq_notes_add(&in->notes, DFOPT_ZMQ_NOTE_PEER_QUIET, findings->endpoint,
                        1);
    return INT64_MAX;
}

void dfopt_zmq_inbox_count_peers(struct dfopt_zmq_inbox *in, int64_t now)
{
    for (int i = 0; i < DFOPT_ZMQ_STREAMS; i++)
        if (in->sockets[i].options.bind)
            (void)dfopt_zmq_watch_read(&in->sockets[i].watch, now);
}

int64_t dfopt_zmq_inbox_tend(struct dfopt_zmq_inbox *in, int64_t now)
{
    bool replaced;
    struct dfopt_zmq_socket *findings = &in->sockets[DFOPT_ZMQ_FINDINGS];
    note_refused(in);
    dfopt_zmq_inbox_count_peers(in, now);
    if (!in->ready.ready[WATCH] && now < in->tend_ns)
        return in->tend_ns;
    in->ready.ready[WATCH] = false;
    in->tend_ns = dfopt_zmq_socket_tend(findings, &in->context, now, &replaced);
    if (replaced) {
        dfopt_zmq_notes_add(&in->notes, DFOPT_ZMQ_NOTE_PEER_BROKEN,
                            findings->endpoint, 1);
        dfopt_zmq_ready_set_socket(&in->ready, DFOPT_ZMQ_FINDINGS,
                                   findings->handle);
        dfopt_zmq_ready_set_socket(&in->ready, WATCH, findings->watch.events);
    }
    const int64_t quiet_ns = note_quiet(in, now);
    in->tend_ns = quiet_ns < in->tend_ns ? quiet_ns : in->tend_ns;
    return in->tend_ns;
}

/* ---- opening and closing ---- */

enum dfopt_err dfopt_zmq_inbox_init(struct dfopt_zmq_inbox *in,
                                    const struct dfopt_zmq_source_options *o,
                                    struct dfopt_error *err)
{
    const bool check = o->curve && !o->curve->allow_any_client;
    zmq_msg_init(&in->message.metadata);
    zmq_msg_init(&in->message.body);
    in->notes = (struct dfopt_zmq_notes){.fn = o->note, .arg = o->note_arg};
    in->max_bytes =
        o->max_message_bytes ? o->max_message_bytes : DFOPT_ZMQ_MAX_MESSAGE_BYTES;
    if (in->max_bytes > INT32_MAX) /* so that twice the limit does not overflow */
        in->max_bytes = INT32_MAX;
    dfopt_zmq_ready_init(&in->ready, PLACES);
    if (dfopt_json_parser_create(&in->parser, ASK_BYTES, ASK_DEPTH))
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    if (o->n_wake_fds > DFOPT_ZMQ_WAKE_FDS)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "ZMQ: too many wake_fds");
    for (size_t i = 0; i < o->n_wake_fds; i++)
        dfopt_zmq_ready_set_fd(&in->ready, WAKE + i, o->wake_fds[i]);
    return dfopt_zmq_context_open(&in->context,
                                  check ? o->curve->allowed_clients : NULL, err);
}

enum dfopt_err dfopt_zmq_inbox_open(struct dfopt_zmq_inbox *in,
                                    enum dfopt_zmq_stream stream,
                                    const char *endpoint, bool bind,
                                    const struct dfopt_zmq_source_options *o,
                                    struct dfopt_error *err)
{
    const struct dfopt_zmq_socket_options options = {
        .type = ZMQ_PULL,
        .bind = bind,
        .ipv6 = o->ipv6,
        .high_water = o->high_water > 0 ? o->high_water : DFOPT_ZMQ_HIGH_WATER,
        .heartbeat = true,
        .count_peers = true,
        .cut_off_bytes = 2 * (int64_t)in->max_bytes,
    };
    struct dfopt_zmq_keys keys = {0};
    if (!endpoint || endpoint[0] == '\0')
        return DFOPT_OK;
    enum dfopt_err e = dfopt_zmq_keys_load(&keys, o->curve, bind, endpoint, err);
    if (!e)
        e = dfopt_zmq_socket_open(&in->sockets[stream], &in->context, &options,
                                  endpoint, &keys, err);
    explicit_bzero(&keys, sizeof keys);
    dfopt_zmq_ready_set_socket(&in->ready, stream, in->sockets[stream].handle);
    if (!bind)
        dfopt_zmq_ready_set_socket(&in->ready, WATCH,
                                   in->sockets[stream].watch.events);
    return e;
}

void dfopt_zmq_inbox_close(struct dfopt_zmq_inbox *in)
{
    note_refused(in);
    dfopt_zmq_notes_end(&in->notes);
    zmq_msg_close(&in->message.metadata);
    zmq_msg_close(&in->message.body);
    dfopt_json_parser_destroy(in->parser);
    for (int i = 0; i < DFOPT_ZMQ_STREAMS; i++)
        dfopt_zmq_socket_close(&in->sockets[i], 0);
    dfopt_zmq_context_close(&in->context);
}
