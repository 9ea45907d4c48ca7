/* Options of the live service: endpoints, keys, how it ends. Part of dfopt-mpi's
 * command line (options.h), where they are checked with the rest. */
#ifndef DFOPT_CMD_MPI_LIVE_OPTIONS_H
#define DFOPT_CMD_MPI_LIVE_OPTIONS_H

#include "cmd/option/option.h"
#include "transport/zmq/zmq.h"

struct dfopt_live_options {
    /* ZMQ endpoints; NULL: none */
    const char *address, *plans_address, *registry_address, *acks_address;
    const char *objectives_address, *applications_address;
    const char *control_address; /* of dfopt-ctl */
    int64_t restore_ms;          /* at the end; negative: no restore */
    const char *endpoints_file;  /* where to publish them; NULL: nowhere */
    bool bind;                   /* bind the findings socket, not connect it */
    bool plans_pub;
    int64_t idle_timeout_ms; /* negative: no timeout */
    int64_t pull_timeout_ms;
    int64_t plans_queue;
    int64_t linger_ms;
    bool ipv6;
    struct dfopt_zmq_curve curve;
    bool use_curve;
    const char *keygen;          /* make keys with this name, and nothing else */
    const char *record;          /* event log of the input; NULL: none */
    int64_t status_interval_ms;  /* 0: no status lines */
    const char *metrics_address; /* NULL: none */
};

/* The table and the defaults. Variables are read only for a service: a mistake in
 * one does not affect a replay. */
extern const struct dfopt_option dfopt_live_options[];
void dfopt_live_options_init(struct dfopt_live_options *o);

/* Checks what does not depend on the transport. As below. */
error_t dfopt_live_options_check(struct argp_state *state,
                                 struct dfopt_live_options *o);

/* Checks the options of a ZMQ service as a whole. 0, or EINVAL (reported). */
error_t dfopt_live_options_check_zmq(struct argp_state *state,
                                     struct dfopt_live_options *o);

#endif
