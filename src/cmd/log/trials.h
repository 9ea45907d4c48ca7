/* Tracks the trials of one knob while its rows pass: the values tried, the results,
 * and the failures. */
#ifndef DFOPT_CMD_LOG_TRIALS_H
#define DFOPT_CMD_LOG_TRIALS_H

#include "cmd/log/words.h"

/* Zero-initialise; dl_trials_free also after a failure. */
struct dl_trials {
    struct dl_outcomes outcomes; /* of all knobs */
    double rest;                 /* the policy's backoff_windows */
    uint64_t kept, taken_back;   /* that dl_trials_count was told of */
    uint64_t certain;            /* kept ones with a certain gain */
    /* private */
    dfopt_sym knob;
    struct dfopt_buf moves; /* of the knob's plans, by plan_id */
    int64_t *failed;        /* by string number and direction */
};

enum dfopt_err dl_trials_start(struct dl_trials *t, struct dfopt_declog_reader *r,
                               dfopt_sym knob, struct dfopt_error *err);
void dl_trials_free(struct dl_trials *t);

/* Rows of the knob, in the order of events. */
enum dfopt_err dl_trials_plan(struct dl_trials *t, const struct dfopt_plan *p);
void dl_trials_ack(struct dl_trials *t, const struct dfopt_declog_ack_row *a);
struct dl_trial dl_trials_end(struct dl_trials *t,
                              const struct dfopt_declog_outcome_row *row);

void dl_trials_count(struct dl_trials *t, const struct dl_trial *trial);

/* The window in which a step up or down failed last at a site; INT64_MIN: none did,
 * as far as that is known. */
int64_t dl_trials_failed(const struct dl_trials *t, dfopt_sym node, bool down);

/* Its members of an object. */
void dl_trial_json(struct dfopt_put *put, const struct dl_trial *trial);

#endif
