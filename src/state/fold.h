/* The planner's state as the fold of a decision log: what registered, which plans
 * are in flight, values, cooldowns, suppressions and windows seen, after any
 * event. docs/decision-log.md lists the rows it follows from. Nothing is decided
 * again, so it is the same whatever the log's detail. */
#ifndef DFOPT_STATE_FOLD_H
#define DFOPT_STATE_FOLD_H

#include "declog/reader.h"
#include "model/policy.h"
#include "model/state.h"

/* How far an origin that numbers its events has been decided. */
struct dfopt_fold_origin {
    dfopt_sym origin;
    uint64_t last; /* number of the last event */
};

/* Strings are numbers of the dictionary that it was made with. */
struct dfopt_fold {
    uint64_t next_seq;               /* of the event that comes next */
    uint64_t plans;                  /* rows of /plans until then */
    struct dfopt_declog_position at; /* of the input, at the log's end */
    /* Registering these knobs in this order gives what is registered; overrides
     * of the policy are not applied. */
    struct dfopt_registration knobs;
    struct dfopt_buf rows;         /* struct dfopt_state_row, once for each key */
    struct dfopt_buf suppressions; /* struct dfopt_suppression_state, in the order
                                    * in which the tags became suppressed */
    struct dfopt_buf origins;      /* struct dfopt_fold_origin */
    /* the last run that wrote to the log */
    struct dfopt_declog_run_row run;
    uint64_t same_transport_seq; /* first event of the last runs in a row that had
                                  * their findings from the same transport */
    const char *run_text[DFOPT_RUN_TEXT_COUNT]; /* never NULL */
    struct dfopt_buf texts;                     /* of them */
    struct dfopt_buf initial; /* the bodies that it or, if it had none, the last run
                               * before it registered at its start; a line each */
};

/* The numbers of a log's strings and lists become those of an empty dictionary
 * (an authority). OK or NOMEM. */
enum dfopt_err dfopt_fold_names(const struct dfopt_declog_reader *r,
                                struct dfopt_dict *dict);

/* Folds a log up to and with event `to`, as far as it goes. `dict` has the log's
 * names, and gets new ones. Zero *out before; free it in any case. Errors: FORMAT
 * (damaged, contradicts itself, or written by a version that did not log enough),
 * IO, NOMEM. */
enum dfopt_err dfopt_fold_log(struct dfopt_fold *out, struct dfopt_declog_reader *r,
                              struct dfopt_dict *dict, uint64_t to,
                              struct dfopt_error *err);
void dfopt_fold_free(struct dfopt_fold *f);

/* Whether an event of an origin is among those that `origins` (struct
 * dfopt_fold_origin) tell of. */
bool dfopt_fold_is_known(const struct dfopt_buf *origins, dfopt_sym origin,
                         uint64_t number);

/* From now on it is. OK or NOMEM. */
enum dfopt_err dfopt_fold_note(struct dfopt_buf *origins, dfopt_sym origin,
                               uint64_t number);

#endif
