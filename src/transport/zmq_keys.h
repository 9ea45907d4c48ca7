/* CURVE keys out of texts and files. */
#ifndef DFOPT_TRANSPORT_ZMQ_KEYS_H
#define DFOPT_TRANSPORT_ZMQ_KEYS_H

#include "transport/zmq.h"

#define DFOPT_ZMQ_KEY_BYTES 32
#define DFOPT_ZMQ_KEY_TEXT  40 /* characters of Z85, without the NUL */

struct dfopt_zmq_key {
    uint8_t bytes[DFOPT_ZMQ_KEY_BYTES];
};

/* The keys of a server or of a client, ready for a socket. */
struct dfopt_zmq_keys {
    bool on;     /* false: no CURVE; nothing else counts */
    bool server; /* else client */
    bool check_clients;
    struct dfopt_zmq_key secret;
    struct dfopt_zmq_key public; /* client */
    struct dfopt_zmq_key peer;   /* client: the server's public key */
};

/* Reads what a server or a client needs. curve NULL: keys that are off. Returns OK
 * or ARG: a key is missing or bad; the text names the endpoint and the file.
 * The caller wipes the keys after use (explicit_bzero). */
enum dfopt_err dfopt_zmq_keys_load(struct dfopt_zmq_keys *out,
                                   const struct dfopt_zmq_curve *curve, bool server,
                                   const char *endpoint, struct dfopt_error *err);

/* Reads the public key in a file. Returns OK or ARG. */
enum dfopt_err dfopt_zmq_key_read_public(struct dfopt_zmq_key *out,
                                         const char *path, struct dfopt_error *err);

#endif
