/* The receiving sockets, read one message at a time. Sockets take turns, each
 * with a share, so that a flood on one does not starve the others; when all are
 * empty, the turn returns to the applications' sockets. */
#ifndef DFOPT_TRANSPORT_ZMQ_INBOX_H
#define DFOPT_TRANSPORT_ZMQ_INBOX_H

#include "transport/zmq/ask.h"
#include "transport/zmq/message.h"
#include "transport/zmq/notes.h"
#include "transport/zmq/ready.h"
#include "net/zmq/socket.h"

enum dfopt_zmq_taken {
    DFOPT_ZMQ_TAKEN_RECORD,
    DFOPT_ZMQ_TAKEN_DROPPED, /* messages not for the caller; try again */
    DFOPT_ZMQ_TAKEN_NOTHING,
    DFOPT_ZMQ_TAKEN_ERROR /* errno; concerns the socket whose turn it is */
};

/* {0}, then dfopt_zmq_inbox_init. */
struct dfopt_zmq_inbox {
    struct dfopt_zmq_context context;
    struct dfopt_zmq_socket sockets[DFOPT_ZMQ_STREAMS];
    struct dfopt_zmq_ready ready;     /* by stream, then the places in inbox.c */
    struct dfopt_zmq_message message; /* the last record points into it */
    struct dfopt_zmq_asked asked;     /* likewise */
    struct dfopt_json_parser *parser; /* for "answer" members; owned */
    size_t max_bytes;
    struct dfopt_zmq_notes notes;
    struct dfopt_zmq_source_counts counts; /* without `noted` */
    unsigned turn, used;
    int64_t tend_ns;  /* when to check the connection */
    int64_t quiet_ns; /* since when there is no connection; 0: not timing */
    bool quiet_told;
};

/* Applies the options, but opens no socket. Returns OK, NOMEM, ARG or IO. After
 * an error dfopt_zmq_inbox_close is fine. */
enum dfopt_err dfopt_zmq_inbox_init(struct dfopt_zmq_inbox *in,
                                    const struct dfopt_zmq_source_options *o,
                                    struct dfopt_error *err);

/* Opens the socket of a stream; endpoint NULL or "": none. */
enum dfopt_err dfopt_zmq_inbox_open(struct dfopt_zmq_inbox *in,
                                    enum dfopt_zmq_stream stream,
                                    const char *endpoint, bool bind,
                                    const struct dfopt_zmq_source_options *o,
                                    struct dfopt_error *err);

/* Closes everything and reports pending notes. */
void dfopt_zmq_inbox_close(struct dfopt_zmq_inbox *in);

/* Fills *record with the next message of a ready socket. A stop sentinel among
 * the findings is only counted. */
enum dfopt_zmq_taken dfopt_zmq_inbox_take(struct dfopt_zmq_inbox *in,
                                          struct dfopt_record *record);

/* Waits up to ms for a socket or a wake_fd. Returns poll(2)'s result. */
int dfopt_zmq_inbox_look(struct dfopt_zmq_inbox *in, int ms);

/* Whether a socket is marked as ready. */
bool dfopt_zmq_inbox_is_ready(const struct dfopt_zmq_inbox *in);

/* Whether a wake_fd was readable; clears that. */
bool dfopt_zmq_inbox_is_woken(struct dfopt_zmq_inbox *in);

/* Updates watch.peers of the bound sockets. */
void dfopt_zmq_inbox_count_peers(struct dfopt_zmq_inbox *in, int64_t now);

/* When nothing is ready: reports refused peers, and replaces the connecting
 * socket if libzmq has given up on it. Returns when to call again. */
int64_t dfopt_zmq_inbox_tend(struct dfopt_zmq_inbox *in, int64_t now);

/* The socket whose turn it is. */
const struct dfopt_zmq_socket *dfopt_zmq_inbox_at(const struct dfopt_zmq_inbox *in);

#endif
