/* Several tables of a log as one: their rows in the order of events, and within
 * an event in that of enum log_kind, verdicts by position, each followed by
 * its plan. A block of each table is in memory. */
#ifndef DFOPT_CMD_LOG_MERGE_H
#define DFOPT_CMD_LOG_MERGE_H

#include "cmd/log/rows.h"

struct log_merge {
    uint32_t kinds; /* bits of enum log_kind */
    uint64_t to;    /* the last event */
    struct dfopt_cursor cursor[LOG_KINDS];
};

struct log_place { /* where a row stands in the order */
    uint64_t seq;
    bool event; /* false: before the event of that number */
    uint64_t position;
};

/* From the first row of an event not below `from`. Free also after a failure. */
enum dfopt_err log_merge_init(struct log_merge *m, struct dfopt_declog_reader *r,
                              uint32_t kinds, uint64_t from,
                              struct dfopt_error *err);
void log_merge_free(struct log_merge *m);

/* The next row and its kind; *row is NULL at the end (which moves on when the
 * reader is refreshed or m->to is raised). Borrowed until the next call of
 * log_merge_step for its kind. */
enum dfopt_err log_merge_row(struct log_merge *m, enum log_kind *kind,
                             const void **row, struct dfopt_error *err);

/* Goes past the row that log_merge_row gave. */
void log_merge_step(struct log_merge *m, enum log_kind kind);

struct log_place log_place_of(enum log_kind kind, const void *row);

/* <0, 0, >0: a stands before, with, behind b. */
int log_place_compare(const struct log_place *a, const struct log_place *b);

#endif
