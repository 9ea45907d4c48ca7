/* Several tables of a log as one: their rows in the order of events, and within
 * an event in that of enum dl_kind, verdicts by position, each followed by
 * its plan. A block of each table is in memory. */
#ifndef DFOPT_CMD_LOG_MERGE_H
#define DFOPT_CMD_LOG_MERGE_H

#include "cmd/log/rows.h"

struct dl_merge {
    uint32_t kinds; /* bits of enum dl_kind */
    uint64_t to;    /* the last event */
    struct dfopt_cursor cursor[DL_KINDS];
};

struct dl_place { /* where a row stands in the order */
    uint64_t seq;
    bool event; /* false: before the event of that number */
    uint64_t position;
};

/* From the first row of an event not below `from`. Free also after a failure. */
enum dfopt_err dl_merge_init(struct dl_merge *m, struct dfopt_declog_reader *r,
                             uint32_t kinds, uint64_t from,
                             struct dfopt_error *err);
void dl_merge_free(struct dl_merge *m);

/* What is done with each row. */
typedef enum dfopt_err (*dl_see)(void *arg, enum dl_kind kind, const void *row);

/* The rows that are left, in order, up to a failure of see or, where out is not
 * NULL, until nothing more can be printed there. */
enum dfopt_err dl_merge_each(struct dl_merge *m, struct dl_print *out, dl_see see,
                             void *arg, struct dfopt_error *err);

/* All rows of some kinds, printing to the job's. */
enum dfopt_err dl_each(struct dl_job *j, uint32_t kinds, dl_see see, void *arg);

/* The next row and its kind; *row is NULL at the end (which moves on when the
 * reader is refreshed or m->to is raised). Borrowed until the next call of
 * dl_merge_step for its kind. */
enum dfopt_err dl_merge_row(struct dl_merge *m, enum dl_kind *kind,
                            const void **row, struct dfopt_error *err);

/* Goes past the row that dl_merge_row gave. */
void dl_merge_step(struct dl_merge *m, enum dl_kind kind);

struct dl_place dl_place_of(enum dl_kind kind, const void *row);

/* <0, 0, >0: a stands before, with, behind b. */
int dl_place_compare(const struct dl_place *a, const struct dl_place *b);

#endif
