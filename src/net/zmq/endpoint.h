/* Parses ZeroMQ endpoints completely. libzmq ignores everything from the first
 * bad character on and wraps numbers (tcp://h:99999 binds port 34463). */
#ifndef DFOPT_NET_ZMQ_ENDPOINT_H
#define DFOPT_NET_ZMQ_ENDPOINT_H

#include "dfopt/error.h"

#include <stdbool.h>

/* Checks an endpoint to bind or connect to:
 *
 *     tcp://HOST:PORT   HOST is a name, an IPv4 address, [an IPv6 address], and to
 *                       bind also an interface or *; PORT is 1..65535, and to bind
 *                       also * or 0: any that is free
 *     tcp://FROM:PORT;HOST:PORT   connects from that address; its PORT may be 0
 *     ipc://PATH        PATH is a file's, or @NAME in Linux's abstract namespace
 *
 * Returns OK, or ARG: *err (may be NULL) names the endpoint, what is wrong with it,
 * and what would be right. Any thread. */
enum dfopt_err dfopt_zmq_endpoint_check(const char *endpoint, bool bind,
                                        struct dfopt_error *err);

#endif
