/* Checks that libzmq has the resources it needs. libzmq aborts the process if a
 * descriptor, a thread or memory is missing, so this must be known in advance. */
#ifndef DFOPT_CLIENT_ROOM_H
#define DFOPT_CLIENT_ROOM_H

#include "dfopt/error.h"

/* Takes that many descriptors and threads, and some memory, and gives them back.
 * Returns OK; LIMIT (*err names what is missing, and the limit that it is up
 * against); NOMEM. Another thread of the process may use it up in between. */
enum dfopt_err dfopt_client_room(int descriptors, int threads,
                                 struct dfopt_error *err);

#endif
