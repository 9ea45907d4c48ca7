/* The receiving sockets, and messages from them one at a time. Sockets take turns,
 * each with a share, so that a flood on one does not starve the others; when all
 * are empty, the turn returns to the sockets of applications. */
#ifndef DFOPT_TRANSPORT_ZMQ_INBOX_H
#define DFOPT_TRANSPORT_ZMQ_INBOX_H

#include "transport/zmq/ask.h"
#include "transport/zmq/message.h"
#include "transport/zmq/notes.h"
#include "transport/zmq/ready.h"
#include "net/zmq/socket.h"

enum dfopt_zmq_taken {
    DFOPT_ZMQ_TAKEN_RECORD,
    DFOPT_ZMQ_TAKEN_DROPPED, /* messages that are not for the caller; try again */
    DFOPT_ZMQ_TAKEN_NOTHING,
    DFOPT_ZMQ_TAKEN_ERROR /* errno; of the socket whose turn it is */
};

/* {0}, then dfopt_zmq_inbox_init. */
struct dfopt_zmq_inbox {
    struct dfopt_zmq_context context;
    struct dfopt_zmq_socket sockets[DFOPT_ZMQ_STREAMS];
    struct dfopt_zmq_ready ready;     /* by stream, then the places in inbox.c */
    struct dfopt_zmq_message message; /* what the last record points into */
    struct dfopt_zmq_asked asked;     /* likewise */
    struct dfopt_json_parser *parser; /* of what is asked; owned */
    size_t max_bytes;
    struct dfopt_zmq_notes notes;
    struct dfopt_zmq_source_counts counts; /* without `noted` */
    unsigned turn, used;
    int64_t tend_ns;  /* when to see after the connection */
    int64_t quiet_ns; /* since when there is none; 0: not begun */
    bool quiet_told;
};

/* What the options say, but no socket yet. Returns OK, NOMEM, ARG or IO. After an
 * error dfopt_zmq_inbox_close is fine. */
enum dfopt_err dfopt_zmq_inbox_init(struct dfopt_zmq_inbox *in,
                                    const struct dfopt_zmq_source_options *o,
                                    struct dfopt_error *err);

/* Opens the socket of a stream; endpoint NULL or "": none. */
enum dfopt_err dfopt_zmq_inbox_open(struct dfopt_zmq_inbox *in,
                                    enum dfopt_zmq_stream stream,
                                    const char *endpoint, bool bind,
                                    const struct dfopt_zmq_source_options *o,
                                    struct dfopt_error *err);

/* Closes everything and tells what is untold. */
void dfopt_zmq_inbox_close(struct dfopt_zmq_inbox *in);

/* Fills *record with the next message of a socket that is marked as ready. A stop
 * sentinel among the findings is only counted. */
enum dfopt_zmq_taken dfopt_zmq_inbox_take(struct dfopt_zmq_inbox *in,
                                          struct dfopt_record *record);

/* Waits up to ms for a socket or a wake_fd. Returns what poll(2) does. */
int dfopt_zmq_inbox_look(struct dfopt_zmq_inbox *in, int ms);

/* Whether a socket is marked as ready. */
bool dfopt_zmq_inbox_is_ready(const struct dfopt_zmq_inbox *in);

/* Whether a wake_fd was readable; forgets it. */
bool dfopt_zmq_inbox_is_woken(struct dfopt_zmq_inbox *in);

/* Brings watch.peers of the sockets that are bound up to date. */
void dfopt_zmq_inbox_count_peers(struct dfopt_zmq_inbox *in, int64_t now);

/* When nothing is ready: reports refused peers, and replaces the socket that
 * connects if libzmq has given it up. Returns when to do it again. */
int64_t dfopt_zmq_inbox_tend(struct dfopt_zmq_inbox *in, int64_t now);

/* The socket whose turn it is. */
const struct dfopt_zmq_socket *dfopt_zmq_inbox_at(const struct dfopt_zmq_inbox *in);

#endif
