/* Merges several tables of a log: rows in event order and, within an event, in the
 * order of enum dl_kind, verdicts by position, each followed by its plan. One block
 * per table is in memory. */
#ifndef DFOPT_CMD_LOG_MERGE_H
#define DFOPT_CMD_LOG_MERGE_H

#include "cmd/log/rows.h"

struct dl_merge {
    uint32_t kinds; /* bits of enum dl_kind */
    uint64_t to;    /* the last event */
    struct dfopt_cursor cursor[DL_KINDS];
};

struct dl_place { /* a row's position in the order */
    uint64_t seq;
    bool event; /* false: before the event of that number */
    uint64_t position;
};

/* Starts at the first row of an event >= `from`. Free even after a failure. */
enum dfopt_err dl_merge_init(struct dl_merge *m, struct dfopt_declog_reader *r,
                             uint32_t kinds, uint64_t from,
                             struct dfopt_error *err);
void dl_merge_free(struct dl_merge *m);

/* Called for each row. */
typedef enum dfopt_err (*dl_see)(void *arg, enum dl_kind kind, const void *row);

/* Calls see for the remaining rows, in order, until it fails or, if out is not
 * NULL, until output there is impossible. */
enum dfopt_err dl_merge_each(struct dl_merge *m, struct dl_print *out, dl_see see,
                             void *arg, struct dfopt_error *err);

/* The same for all rows of some kinds, with the job's output. */
enum dfopt_err dl_each(struct dl_job *j, uint32_t kinds, dl_see see, void *arg);

/* The next row and its kind; *row is NULL at the end (which moves when the reader
 * is refreshed or m->to is raised). Borrowed until the next dl_merge_step for its
 * kind. */
enum dfopt_err dl_merge_row(struct dl_merge *m, enum dl_kind *kind,
                            const void **row, struct dfopt_error *err);

/* Skips the row that dl_merge_row returned. */
void dl_merge_step(struct dl_merge *m, enum dl_kind kind);

struct dl_place dl_place_of(enum dl_kind kind, const void *row);

/* <0, 0, >0: a comes before, with, after b. */
int dl_place_compare(const struct dl_place *a, const struct dl_place *b);

#endif
