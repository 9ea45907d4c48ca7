/* Rows of a log into the model: at first so many of the latest as can be read in a
 * moment, then what is committed. */
#ifndef DFOPT_CMD_LOG_TOP_LOAD_H
#define DFOPT_CMD_LOG_TOP_LOAD_H

#include "cmd/log/merge.h"
#include "cmd/log/top/model.h"

struct top_load {
    struct dl_job *job; /* borrowed */
    struct dl_merge merge;
    struct top_model model;
    uint64_t stream_from;   /* event from which findings and verdicts are known */
    uint64_t changes_from;  /* event from which plans and what became of them are */
    int64_t changed_ms;     /* when a commit was seen last */
    int failures;           /* in a row */
    uint64_t rate_findings; /* for the rate: findings at a moment, */
    int64_t rate_wall_ns;   /* of the writer's clock */
    double findings_per_s;  /* NaN: not known */
    const char *over;       /* why nothing more will come; NULL: it may */
};

/* Zero-initialise but for job, which is started; free it also after a failure. */
enum dfopt_err top_load_begin(struct top_load *l, struct dfopt_error *err);
void top_load_free(struct top_load *l);

/* Takes what has been committed. Reading what is being written may fail for a
 * moment: an error is returned when it lasts. */
enum dfopt_err top_load_more(struct top_load *l, struct dfopt_error *err);

#endif
