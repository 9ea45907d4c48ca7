/* Opens the two ends of a live service as the options specify: the source of events
 * and the sink of plans. */
#ifndef DFOPT_CMD_MPI_LIVE_H
#define DFOPT_CMD_MPI_LIVE_H

#include "base/log.h"
#include "cmd/mpi/options.h"
#include "json/write.h"

struct dfopt_live {
    struct dfopt_source *source;    /* owned */
    struct dfopt_sink *plans;       /* owned; NULL: not configured */
    struct dfopt_port *port;        /* owned; of dfopt-ctl; NULL: none */
    struct dfopt_mofka_link *mofka; /* owned; NULL: not over Mofka */
    struct dfopt_log *log;          /* borrowed; for messages of transports */
};

/* Opens both. *l is zero except log. OK, NOMEM, ARG or IO (the text names the
 * endpoint, key, group file or topic), STATE (no Mofka); close it in any case. */
enum dfopt_err dfopt_live_open(struct dfopt_live *l, const struct dfopt_options *o,
                               struct dfopt_error *err);

/* Closes the sink of plans, which may wait for peers as long as --linger allows.
 * Returns OK, or what was not published. */
enum dfopt_err dfopt_live_close_plans(struct dfopt_live *l,
                                      struct dfopt_error *err);

/* Closes both; fine if zeroed. */
void dfopt_live_close(struct dfopt_live *l);

/* Writes the members `transport` and `endpoints`: for each its purpose and address,
 * and whether it is connected or how many peers it has. */
void dfopt_live_describe(const struct dfopt_live *l, const struct dfopt_options *o,
                         struct dfopt_put *p);

/* Logs where the service listens, with the actual ports. */
void dfopt_live_announce(const struct dfopt_live *l, const struct dfopt_options *o);

#endif
