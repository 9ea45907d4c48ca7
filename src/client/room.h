/* Whether there is room for what libzmq needs: it ends the process where a
 * descriptor, a thread or memory is missing, so that this must be known before. */
#ifndef DFOPT_CLIENT_ROOM_H
#define DFOPT_CLIENT_ROOM_H

#include "dfopt/error.h"

/* Takes that many descriptors and threads, and some memory, and gives them back.
 * Returns OK; LIMIT (*err names what is missing, and the limit that it is up
 * against); NOMEM. Another thread of the process may use it up in between. */
enum dfopt_err dfopt_client_room(int descriptors, int threads,
                                 struct dfopt_error *err);

#endif
