/* The planner's state as the fold of a decision log: registrations, plans in
 * flight, values, cooldowns, suppressions and windows seen, after any event.
 * docs/decision-log.md explains how it is derived. Most policies require
 * deciding all input again, which needs a log of detail `findings`; under a
 * policy like the preset `upstream` the rows of decisions express the whole
 * state, at any detail. */
#ifndef DFOPT_STATE_FOLD_H
#define DFOPT_STATE_FOLD_H

#include "codec/codec.h"
#include "declog/reader.h"
#include "model/policy.h"
#include "model/state.h"

/* How far an origin with numbered events has been decided. */
struct dfopt_fold_origin {
    dfopt_sym origin;
    uint64_t last; /* number of the last event */
};

/* Strings are numbers in the dictionary used to create it. */
struct dfopt_fold {
    uint64_t next_seq;               /* of the next event */
    uint64_t plans;                  /* rows of /plans before it */
    struct dfopt_declog_position at; /* of the input, at the log's end */
    /* Registering these knobs in this order reproduces the registry; the
     * policy's overrides are not applied. */
    struct dfopt_registration knobs;
    struct dfopt_buf rows;         /* struct dfopt_state_row, one per key */
    struct dfopt_buf suppressions; /* struct dfopt_suppression_state, in the order
                                    * in which the tags became suppressed */
    struct dfopt_buf origins;      /* struct dfopt_fold_origin */
    /* If set, the fields above except next_seq, plans and at are the state
     * before event feed_seq; dfopt_fold_feed delivers the remaining events. */
    bool left_to_feed;
    uint64_t feed_seq;
    struct dfopt_declog_reader *reader; /* borrowed; stays open for the feed */
    struct dfopt_dict *dict;            /* borrowed */
    /* the last run that wrote to the log */
    struct dfopt_declog_run_row run;
    uint64_t same_transport_seq; /* first event of the trailing runs that used
                                  * the same transport */
    const char *run_text[DFOPT_RUN_TEXT_COUNT]; /* never NULL */
    struct dfopt_buf texts;                     /* of them */
    struct dfopt_buf initial; /* bodies registered at its start, one a line; if
                               * none, those of the last run with any */
};

/* Gives the log's strings and lists the same numbers in an empty dictionary (an
 * authority). OK or NOMEM. */
enum dfopt_err dfopt_fold_names(const struct dfopt_declog_reader *r,
                                struct dfopt_dict *dict);

/* Folds a log up to and including event `to`, or its last. `dict` has the log's
 * names and gains new ones. `feed`: where events must be decided again, leave
 * those since the last rule change to dfopt_fold_feed. Zero *out before; free
 * it in any case. Errors: FORMAT (damaged, inconsistent, or written by a
 * version that logged too little), STATE (insufficient detail), IO, NOMEM. */
enum dfopt_err dfopt_fold_log(struct dfopt_fold *out, struct dfopt_declog_reader *r,
                              struct dfopt_dict *dict, uint64_t to, bool feed,
                              struct dfopt_error *err);

/* Whether two runs used the same rules: policy, acks, relay hostname. */
bool dfopt_fold_same_rules(const char *const a[DFOPT_RUN_TEXT_COUNT],
                           const char *const b[DFOPT_RUN_TEXT_COUNT]);

/* Receives an event, borrowed for the call. */
typedef enum dfopt_err (*dfopt_fold_give)(void *arg, uint64_t seq,
                                          const struct dfopt_event *event,
                                          struct dfopt_error *err);

/* The seq passed with initial registrations. */
#define DFOPT_FOLD_INITIAL UINT64_MAX

/* Gives the events from f->feed_seq on, in order. Errors: as above, or give's. */
enum dfopt_err dfopt_fold_feed(const struct dfopt_fold *f, dfopt_fold_give give,
                               void *arg, struct dfopt_error *err);

/* The policy that the last command among those events put in force; NULL: none
 * did. Returns owned: dfopt_policy_clear and free. Errors: as above. */
enum dfopt_err dfopt_fold_policy(const struct dfopt_fold *f,
                                 struct dfopt_policy **out,
                                 struct dfopt_error *err);
void dfopt_fold_free(struct dfopt_fold *f);

/* Whether `origins` (rows of struct dfopt_fold_origin) cover an event of an
 * origin. */
bool dfopt_fold_is_known(const struct dfopt_buf *origins, dfopt_sym origin,
                         uint64_t number);

/* Marks it as covered. OK or NOMEM. */
enum dfopt_err dfopt_fold_note(struct dfopt_buf *origins, dfopt_sym origin,
                               uint64_t number);

#endif
