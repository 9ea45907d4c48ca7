/* Decides which clients may connect: libzmq asks over ZAP (ZeroMQ RFC 27), and a
 * thread answers from a directory of public keys. */
#ifndef DFOPT_NET_ZMQ_ZAP_H
#define DFOPT_NET_ZMQ_ZAP_H

#include "dfopt/error.h"

#include <stdint.h>

/* The domain of our sockets. */
#define DFOPT_ZMQ_ZAP_DOMAIN "dfopt"

struct dfopt_zmq_zap;

/* Reads the keys in the directory and starts to answer for the context, before
 * any of its sockets binds. Every file must hold a public key; hidden ones and
 * *_secret are left out. Later, when the directory has changed or an unknown key
 * comes, it is read again; a bad file is then left out. Returns OK, NOMEM, ARG
 * (the text names the file) or IO. Returns owned: dfopt_zmq_zap_destroy. */
enum dfopt_err dfopt_zmq_zap_create(struct dfopt_zmq_zap **out, void *ctx,
                                    const char *dir, struct dfopt_error *err);

/* Ends the thread. The context must be shut down (zmq_ctx_shutdown), but not
 * terminated. NULL is fine. */
void dfopt_zmq_zap_destroy(struct dfopt_zmq_zap *z);

/* How many handshakes were refused so far. From any thread. */
uint64_t dfopt_zmq_zap_refused(const struct dfopt_zmq_zap *z);

#endif
