/* Watches the windows of an application's findings and objectives in a live
 * service. Warns, once each, when objectives are missing or number windows
 * differently from findings, and when the windows of findings jump back without a
 * new registration. Never changes a decision. */
#ifndef DFOPT_ENGINE_ONLINE_REPORTS_H
#define DFOPT_ENGINE_ONLINE_REPORTS_H

#include "base/symmap.h"
#include "engine/batch/run.h"

/* {.config = ...}; silent in a replay (run 0). */
struct dfopt_reports {
    const struct dfopt_run_config *config; /* borrowed */
    uint64_t findings, windows;            /* windows: times a newer one arrived */
    int64_t newest;                        /* window of a finding */
    bool any_objective, told_missing, told_clock, told_back;
    double cooldown;             /* longest of the registered knobs, in windows */
    struct dfopt_symmap site_of; /* by node */
    struct dfopt_buf sites;      /* struct dfopt_report_site */
};

/* An event was ingested. */
void dfopt_reports_event(struct dfopt_reports *r, const struct dfopt_event *event);

/* The run is over: last chance to report a missing objective. */
void dfopt_reports_end(struct dfopt_reports *r);

void dfopt_reports_free(struct dfopt_reports *r);

#endif
