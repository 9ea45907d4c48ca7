/* Switches of the policy that a log was written under, of its first run. */
#ifndef DFOPT_CMD_LOG_SWITCHES_H
#define DFOPT_CMD_LOG_SWITCHES_H

#include "declog/reader.h"

struct dl_switches {
    bool controls;    /* effect: trials judge the plans */
    bool job_knobs;   /* scope: knobs of the job have one value */
    bool names_nodes; /* registration: says whose values these are */
    bool reject_ends; /* reject is upstream: a node then has no value of its own */
    bool overrides;   /* global_overrides_nodes */
    int64_t ack_timeout;    /* ack_timeout_windows */
    double backoff_windows; /* 0: not given */
    double min_effect;      /* likewise */
    bool metric;            /* objective_metric: of findings, is the objective */
};

/* A switch that the policy does not give, because its version had none, is off;
 * only global_overrides_nodes is on. OK or NOMEM. */
enum dfopt_err dl_switches_read(struct dl_switches *s,
                                const struct dfopt_declog_run *run);

#endif
