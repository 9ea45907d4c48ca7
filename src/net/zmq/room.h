/* Checks that libzmq has the resources it needs. libzmq aborts the process if a
 * descriptor, a thread or memory is missing, so this must be known in advance. */
#ifndef DFOPT_NET_ZMQ_ROOM_H
#define DFOPT_NET_ZMQ_ROOM_H

#include "dfopt/error.h"

/* Allocates what a context with that many sockets, and that many threads beside its
 * own, needs at first, and releases it. Returns OK; LIMIT (*err names the missing
 * resource and its limit); NOMEM. Another thread of the process may still use it up
 * afterwards. */
enum dfopt_err dfopt_zmq_room(int sockets, int threads, struct dfopt_error *err);

#endif
