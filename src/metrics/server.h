/* Serves monitoring over HTTP, with GNU libmicrohttpd, on its own thread:
 * /metrics, /healthz and /readyz. Slow, silent, broken or excess clients are cut
 * off within a few seconds, oldest first; nothing they do reaches the deciding
 * thread. */
#ifndef DFOPT_METRICS_SERVER_H
#define DFOPT_METRICS_SERVER_H

#include "metrics/board.h"

struct dfopt_metrics_server;

/* Listens at HOST:PORT or, for IPv6, [ADDRESS]:PORT; port 0: any free port.
 * Returns OK; ARG (no such address; STATE: built without libmicrohttpd); IO
 * (cannot listen); NOMEM. The text names the address. Borrows the board. Returns
 * owned: stop. */
enum dfopt_err dfopt_metrics_server_start(struct dfopt_metrics_server **out,
                                          const char *address,
                                          struct dfopt_board *board,
                                          struct dfopt_error *err);

/* HOST:PORT with the actual port. Borrowed from the server. */
const char *dfopt_metrics_server_address(const struct dfopt_metrics_server *s);

/* Stops the thread and closes all connections. NULL is fine. */
void dfopt_metrics_server_stop(struct dfopt_metrics_server *s);

/* Whether this build can serve metrics. */
bool dfopt_metrics_can_serve(void);

#endif
