/* The verdicts of one event, for commands that need those of few events. */
#ifndef DFOPT_CMD_LOG_VERDICTS_AT_H
#define DFOPT_CMD_LOG_VERDICTS_AT_H

#include "declog/cursor.h"

/* A cursor on /verdicts that reads seq, verdict, knob and node only;
 * dfopt_cursor_free. */
void dl_verdicts_init(struct dfopt_cursor *c, struct dfopt_declog_reader *r);

/* Calls see for each row of an event, which must not come before that of the last
 * call, until it fails. Fast if there are few rows between. Errors: of reading. */
enum dfopt_err
dl_verdicts_at(struct dfopt_cursor *c, uint64_t seq,
               enum dfopt_err (*see)(void *arg, const struct dfopt_verdict_row *),
               void *arg, struct dfopt_error *err);

#endif
