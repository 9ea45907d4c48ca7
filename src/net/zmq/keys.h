/* CURVE keys: reads them from texts and files, and creates new ones. */
#ifndef DFOPT_NET_ZMQ_KEYS_H
#define DFOPT_NET_ZMQ_KEYS_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stdint.h>

/* CURVE keys. Each is 40 characters of Z85 or the name of a file that holds them:
 * alone, or in the form of CZMQ and pyzmq (public-key = "...", secret-key =
 * "..."). A file with a secret key must be the owner's alone (mode 0600). Key texts
 * never show in messages.
 *
 * With `curve` given every socket is encrypted and authenticated, and a peer
 * without CURVE gets nowhere: a socket that binds is the server and needs
 * server_secret, and allowed_clients or allow_any_client; one that connects is
 * the client and needs client_secret and server_public. All borrowed for create. */
struct dfopt_zmq_curve {
    const char *server_secret;
    const char *allowed_clients; /* a directory of files with a public key each;
                                  * hidden files and *_secret are left out. It is
                                  * reread when it has changed */
    bool allow_any_client;       /* any that knows our public key */
    const char *client_secret;
    const char *client_public; /* NULL: made from client_secret */
    const char *server_public; /* of the peer that we connect to */
};

/* Makes a new pair of keys and writes `base`.key (public, mode 0644) and
 * `base`.key_secret (both, mode 0600), in the form of CZMQ and pyzmq. Neither
 * file may exist. Returns OK, IO, STATE (libzmq without CURVE) or NOMEM; after an
 * error neither file is left behind. */
enum dfopt_err dfopt_zmq_keygen(const char *base, struct dfopt_error *err);

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

/* The server's public key, made from its secret one. Returns OK or ARG. */
enum dfopt_err dfopt_zmq_server_key_text(const struct dfopt_zmq_curve *curve,
                                         char text[DFOPT_ZMQ_KEY_TEXT + 1],
                                         struct dfopt_error *err);

/* Reads the public key in a file. Returns OK or ARG. */
enum dfopt_err dfopt_zmq_key_read_public(struct dfopt_zmq_key *out,
                                         const char *path, struct dfopt_error *err);

#endif
