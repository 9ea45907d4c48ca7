/* The planner's state as the fold of a decision log: what registered, which plans
 * are in flight, values, cooldowns, suppressions and windows seen, after any
 * event. docs/decision-log.md tells how it follows. Under most policies all that
 * came in is decided again, which needs a log of detail `findings`; under a policy
 * like the preset `upstream`, rows of what was decided tell all of it, whatever the
 * log's detail. */
#ifndef DFOPT_STATE_FOLD_H
#define DFOPT_STATE_FOLD_H

#include "codec/codec.h"
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
    /* What is above but for next_seq, plans and at is the state before event
     * feed_seq, and the events from there on are still to be decided: of
     * dfopt_fold_feed. */
    bool left_to_feed;
    uint64_t feed_seq;
    struct dfopt_declog_reader *reader; /* borrowed; open for that */
    struct dfopt_dict *dict;            /* borrowed */
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
 * names, and gets new ones. `feed`: where events must be decided again, those since
 * the rules changed last are left to dfopt_fold_feed. Zero *out before; free it in
 * any case. Errors: FORMAT (damaged, contradicts itself, or written by a version
 * that did not log enough), STATE (its detail is too little), IO, NOMEM. */
enum dfopt_err dfopt_fold_log(struct dfopt_fold *out, struct dfopt_declog_reader *r,
                              struct dfopt_dict *dict, uint64_t to, bool feed,
                              struct dfopt_error *err);

/* Whether two runs decided by the same rules: policy, acks, relay hostname. */
bool dfopt_fold_same_rules(const char *const a[DFOPT_RUN_TEXT_COUNT],
                           const char *const b[DFOPT_RUN_TEXT_COUNT]);

/* What takes an event; it is borrowed for the call. */
typedef enum dfopt_err (*dfopt_fold_give)(void *arg, uint64_t seq,
                                          const struct dfopt_event *event,
                                          struct dfopt_error *err);

/* The seq that initial registrations have there. */
#define DFOPT_FOLD_INITIAL UINT64_MAX

/* Gives the events from f->feed_seq on, in order. Errors: as above, or give's. */
enum dfopt_err dfopt_fold_feed(const struct dfopt_fold *f, dfopt_fold_give give,
                               void *arg, struct dfopt_error *err);
void dfopt_fold_free(struct dfopt_fold *f);

/* Whether an event of an origin is among those that `origins` (struct
 * dfopt_fold_origin) tell of. */
bool dfopt_fold_is_known(const struct dfopt_buf *origins, dfopt_sym origin,
                         uint64_t number);

/* From now on it is. OK or NOMEM. */
enum dfopt_err dfopt_fold_note(struct dfopt_buf *origins, dfopt_sym origin,
                               uint64_t number);

#endif
