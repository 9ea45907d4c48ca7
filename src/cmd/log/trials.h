/* Tracks one knob's trials, row by row: values tried, results, failures. */
#ifndef DFOPT_CMD_LOG_TRIALS_H
#define DFOPT_CMD_LOG_TRIALS_H

#include "cmd/log/words.h"

/* Zero-initialise; call dl_trials_free even after a failure. */
struct dl_trials {
    struct dl_outcomes outcomes; /* of all knobs */
    double rest;                 /* the policy's backoff_windows */
    uint64_t kept, taken_back;   /* counted by dl_trials_count */
    uint64_t certain;            /* kept ones with a certain gain */
    /* private */
    dfopt_sym knob;
    struct dfopt_buf moves; /* the knob's plans, by plan_id */
    int64_t *failed;        /* by string number and direction */
};

enum dfopt_err dl_trials_start(struct dl_trials *t, struct dfopt_declog_reader *r,
                               dfopt_sym knob, struct dfopt_error *err);
void dl_trials_free(struct dl_trials *t);

/* Pass rows of the knob in event order. */
enum dfopt_err dl_trials_plan(struct dl_trials *t, const struct dfopt_plan *p);
void dl_trials_ack(struct dl_trials *t, const struct dfopt_declog_ack_row *a);
struct dl_trial dl_trials_end(struct dl_trials *t,
                              const struct dfopt_declog_outcome_row *row);

void dl_trials_count(struct dl_trials *t, const struct dl_trial *trial);

/* The window of the last failed step up or down at a site; INT64_MIN: none
 * known. */
int64_t dl_trials_failed(const struct dl_trials *t, dfopt_sym node, bool down);

/* Writes its members of an object. */
void dl_trial_json(struct dfopt_put *put, const struct dl_trial *trial);

#endif
