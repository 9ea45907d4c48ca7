/* What a live service is told of the application: findings and objectives, by
 * window. Warns, once each, when objectives are missing or count windows otherwise
 * than findings do, and when the windows of findings jump back though no process
 * has registered anew. Changes nothing of what is decided. */
#ifndef DFOPT_ENGINE_ONLINE_REPORTS_H
#define DFOPT_ENGINE_ONLINE_REPORTS_H

#include "base/symmap.h"
#include "engine/batch/run.h"

/* {.config = ...}; a replay's (run 0) stays silent. */
struct dfopt_reports {
    const struct dfopt_run_config *config; /* borrowed */
    uint64_t findings, windows;            /* windows: how often a newer one came */
    int64_t newest;                        /* window of a finding */
    bool any_objective, told_missing, told_clock, told_back;
    double cooldown; /* the longest of the registered knobs, in windows */
    struct dfopt_symmap site_of; /* by node */
    struct dfopt_buf sites;      /* struct dfopt_report_site */
};

/* An event was ingested. */
void dfopt_reports_event(struct dfopt_reports *r, const struct dfopt_event *event);

/* The run is over: the last occasion to say that there was no objective. */
void dfopt_reports_end(struct dfopt_reports *r);

void dfopt_reports_free(struct dfopt_reports *r);

#endif
