/* The listening address of the metrics server. */
#ifndef DFOPT_METRICS_ADDRESS_H
#define DFOPT_METRICS_ADDRESS_H

#include "dfopt/error.h"

#define DFOPT_LISTEN_TEXT 300 /* bytes */

/* Whether an address has the form HOST:PORT or [ADDRESS]:PORT. OK or ARG. */
enum dfopt_err dfopt_listen_check(const char *address, struct dfopt_error *err);

/* Listens at the address, `*` meaning every IPv4 address; does not block. Returns
 * OK, ARG (no such address) or IO (in use ...); the text names the address. The
 * caller closes *fd; `text` is the bound address with its port. */
enum dfopt_err dfopt_listen(const char *address, int *fd,
                            char text[DFOPT_LISTEN_TEXT], struct dfopt_error *err);

#endif
