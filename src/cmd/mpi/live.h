/* Opens the two ends of a live service as the options specify: the source of events
 * and the sink of plans. */
#ifndef DFOPT_CMD_MPI_LIVE_H
#define DFOPT_CMD_MPI_LIVE_H

#include "base/log.h"
#include "cmd/mpi/options.h"
#include "json/write.h"

struct dfopt_live {
    struct dfopt_source *source;    /* owned */
    struct dfopt_sink *plans;       /* owned; NULL: none is named */
    struct dfopt_port *port;        /* owned; of dfopt-ctl; NULL: none */
    struct dfopt_mofka_link *mofka; /* owned; NULL: not over Mofka */
    struct dfopt_log *log;          /* borrowed; told what transports note */
};

/* Opens both. *l is zero but for log. OK, NOMEM, ARG or IO (the text names
 * the endpoint, key, group file or topic), STATE (no Mofka); close it in any case.
 */
enum dfopt_err dfopt_live_open(struct dfopt_live *l, const struct dfopt_options *o,
                               struct dfopt_error *err);

/* Closes the plans' end, which may wait for peers as long as --linger says. Returns
 * OK, or what was not published. */
enum dfopt_err dfopt_live_close_plans(struct dfopt_live *l,
                                      struct dfopt_error *err);

/* Closes both; zero is fine. */
void dfopt_live_close(struct dfopt_live *l);

/* Puts the members `transport` and `endpoints`: of each what it is for, where it
 * is, whether it is connected, or how many are connected to it. */
void dfopt_live_describe(const struct dfopt_live *l, const struct dfopt_options *o,
                         struct dfopt_put *p);

/* Says where the service listens, with the ports that it was given. */
void dfopt_live_announce(const struct dfopt_live *l, const struct dfopt_options *o);

#endif
