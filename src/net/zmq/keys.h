/* CURVE keys: reads them from texts and files, and creates new ones. */
#ifndef DFOPT_NET_ZMQ_KEYS_H
#define DFOPT_NET_ZMQ_KEYS_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stdint.h>

/* CURVE keys. Each is 40 characters of Z85 or the name of a file that holds them:
 * alone, or in the form of CZMQ and pyzmq (public-key = "...", secret-key = "...").
 * A file with a secret key must be accessible to its owner only (mode 0600). Key
 * texts never appear in messages.
 *
 * With `curve` given every socket is encrypted and authenticated, and peers without
 * CURVE are rejected: a socket that binds is the server and needs server_secret,
 * and allowed_clients or allow_any_client; one that connects is the client and
 * needs client_secret and server_public. All borrowed for create. */
struct dfopt_zmq_curve {
    const char *server_secret;
    const char *allowed_clients; /* directory of files with one public key each;
                                  * hidden files and *_secret are skipped.
                                  * Reread after a change */
    bool allow_any_client;       /* any client that knows our public key */
    const char *client_secret;
    const char *client_public; /* NULL: derived from client_secret */
    const char *server_public; /* of the peer to connect to */
};

/* Creates a key pair and writes `base`.key (public, mode 0644) and
 * `base`.key_secret (both, mode 0600), in the form of CZMQ and pyzmq. Neither
 * file may exist. Returns OK, IO, STATE (libzmq without CURVE) or NOMEM; an
 * error leaves neither file behind. */
enum dfopt_err dfopt_zmq_keygen(const char *base, struct dfopt_error *err);

#define DFOPT_ZMQ_KEY_BYTES 32
#define DFOPT_ZMQ_KEY_TEXT  40 /* characters of Z85, NUL excluded */

struct dfopt_zmq_key {
    uint8_t bytes[DFOPT_ZMQ_KEY_BYTES];
};

/* The keys of a server or client, ready for a socket. */
struct dfopt_zmq_keys {
    bool on;     /* false: no CURVE; other fields unused */
    bool server; /* else client */
    bool check_clients;
    struct dfopt_zmq_key secret;
    struct dfopt_zmq_key public; /* client */
    struct dfopt_zmq_key peer;   /* client: the server's public key */
};

/* Reads the keys that a server or client needs. curve NULL: disables CURVE.
 * Returns OK or ARG: a key is missing or bad; the text names the endpoint and
 * the file. The caller wipes the keys after use (explicit_bzero). */
enum dfopt_err dfopt_zmq_keys_load(struct dfopt_zmq_keys *out,
                                   const struct dfopt_zmq_curve *curve, bool server,
                                   const char *endpoint, struct dfopt_error *err);

/* Derives the server's public key from its secret one. Returns OK or ARG. */
enum dfopt_err dfopt_zmq_server_key_text(const struct dfopt_zmq_curve *curve,
                                         char text[DFOPT_ZMQ_KEY_TEXT + 1],
                                         struct dfopt_error *err);

/* Reads the public key in a file. Returns OK or ARG. */
enum dfopt_err dfopt_zmq_key_read_public(struct dfopt_zmq_key *out,
                                         const char *path, struct dfopt_error *err);

#endif
