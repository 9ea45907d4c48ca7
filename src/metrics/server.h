/* Answers monitoring over HTTP, by GNU libmicrohttpd, on a thread of its own:
 * /metrics, /healthz and /readyz. Clients that are slow, silent, broken or many are
 * cut off after a few seconds, the oldest first; nothing that they do reaches the
 * thread that decides. */
#ifndef DFOPT_METRICS_SERVER_H
#define DFOPT_METRICS_SERVER_H

#include "metrics/board.h"

struct dfopt_metrics_server;

/* Listens at HOST:PORT, [ADDRESS]:PORT for IPv6; port 0: any that is free. Returns
 * OK; ARG (no such address; STATE: built without libmicrohttpd); IO (cannot
 * listen); NOMEM. The text names the address. Borrows the board. Returns owned:
 * stop. */
enum dfopt_err dfopt_metrics_server_start(struct dfopt_metrics_server **out,
                                          const char *address,
                                          struct dfopt_board *board,
                                          struct dfopt_error *err);

/* HOST:PORT, with the port that it has. Borrowed from the server. */
const char *dfopt_metrics_server_address(const struct dfopt_metrics_server *s);

/* Ends the thread and closes all connections. NULL is fine. */
void dfopt_metrics_server_stop(struct dfopt_metrics_server *s);

/* Whether this program can serve metrics at all. */
bool dfopt_metrics_can_serve(void);

#endif
