/* Replays the events of a decision log as the planners received them, to decide
 * them again. Only for logs of detail `findings`, format version 3 or later. */
#ifndef DFOPT_STATE_EVENTS_H
#define DFOPT_STATE_EVENTS_H

#include "codec/codec.h"
#include "state/rows.h"

#include <stddef.h>

/* Converts rows to events. Zero-initialise; dfopt_fold_events_free. */
struct dfopt_fold_events {
    struct dfopt_declog_reader *reader; /* borrowed */
    struct dfopt_dict *dict;            /* borrowed; has the log's names */
    struct dfopt_codec *codec;          /* owned */
    dfopt_sym global[2];                /* the scopes that are global */
    dfopt_sym trend[4]; /* by enum dfopt_trend; NONE: seen in no finding */
};

/* OK or NOMEM. */
enum dfopt_err dfopt_fold_events_init(struct dfopt_fold_events *v,
                                      struct dfopt_declog_reader *reader,
                                      struct dfopt_dict *dict);
void dfopt_fold_events_free(struct dfopt_fold_events *v);

/* The events from here on belong to a run with these texts. */
void dfopt_fold_events_run(struct dfopt_fold_events *v,
                           const char *const text[DFOPT_RUN_TEXT_COUNT]);

/* The event of a row of /findings, /objectives, /acks, /global_plans, /controls
 * or, if accepted, /registrations: dfopt_event_clear. OK, NOMEM, IO or FORMAT.
 */
enum dfopt_err dfopt_fold_event(struct dfopt_fold_events *v,
                                enum dfopt_declog_table table, const void *row,
                                struct dfopt_event *out, struct dfopt_error *err);

/* The body of a registration. Borrowed until the next call. */
enum dfopt_err dfopt_fold_body(struct dfopt_fold_events *v,
                               const struct dfopt_declog_registration_row *row,
                               const char **body, size_t *len,
                               struct dfopt_error *err);

#endif
