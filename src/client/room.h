/* Checks that libzmq has the resources it needs. libzmq aborts the process if a
 * descriptor, a thread or memory is missing, so this must be known in advance. */
#ifndef DFOPT_CLIENT_ROOM_H
#define DFOPT_CLIENT_ROOM_H

#include "dfopt/error.h"

/* Allocates that many descriptors and threads, and some memory, and releases them.
 * Returns OK; LIMIT (*err names the missing resource and its limit); NOMEM. Another
 * thread of the process may still use it up afterwards. */
enum dfopt_err dfopt_client_room(int descriptors, int threads,
                                 struct dfopt_error *err);

#endif
