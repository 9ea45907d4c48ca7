/* Where the server of metrics listens. */
#ifndef DFOPT_METRICS_ADDRESS_H
#define DFOPT_METRICS_ADDRESS_H

#include "dfopt/error.h"

#define DFOPT_LISTEN_TEXT 300 /* bytes */

/* Whether an address has the form HOST:PORT or [ADDRESS]:PORT. OK or ARG. */
enum dfopt_err dfopt_listen_check(const char *address, struct dfopt_error *err);

/* Listens there, `*` being every IPv4 address; does not block. Returns
 * OK, ARG (no such address) or IO (it is in use ...); the text names it. *fd is the
 * caller's to close; `text` is where it listens, with the port. */
enum dfopt_err dfopt_listen(const char *address, int *fd,
                            char text[DFOPT_LISTEN_TEXT], struct dfopt_error *err);

#endif
