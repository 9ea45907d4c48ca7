/* Decides which clients may connect: libzmq asks over ZAP (ZeroMQ RFC 27), and
 * a thread answers from a directory of public keys. */
#ifndef DFOPT_NET_ZMQ_ZAP_H
#define DFOPT_NET_ZMQ_ZAP_H

#include "dfopt/error.h"

#include <stdint.h>

/* The domain of our sockets. */
#define DFOPT_ZMQ_ZAP_DOMAIN "dfopt"

struct dfopt_zmq_zap;

/* Reads the keys in the directory and starts answering for the context, before
 * any of its sockets binds. Every file must hold a public key; hidden files and
 * *_secret are skipped. It is reread when the directory has changed or an
 * unknown key arrives; bad files are then skipped. Returns OK, NOMEM, ARG (the
 * text names the file) or IO. Returns owned: dfopt_zmq_zap_destroy. */
enum dfopt_err dfopt_zmq_zap_create(struct dfopt_zmq_zap **out, void *ctx,
                                    const char *dir, struct dfopt_error *err);

/* Ends the thread. The context must be shut down (zmq_ctx_shutdown) but not
 * terminated. NULL is fine. */
void dfopt_zmq_zap_destroy(struct dfopt_zmq_zap *z);

/* The number of handshakes refused so far. Any thread. */
uint64_t dfopt_zmq_zap_refused(const struct dfopt_zmq_zap *z);

#endif
