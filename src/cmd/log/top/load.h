/* Loads a log's rows into the model: first as many of the latest as can be read
 * quickly, then new commits. */
#ifndef DFOPT_CMD_LOG_TOP_LOAD_H
#define DFOPT_CMD_LOG_TOP_LOAD_H

#include "cmd/log/merge.h"
#include "cmd/log/top/model.h"

struct top_load {
    struct dl_job *job; /* borrowed */
    struct dl_merge merge;
    struct top_model model;
    uint64_t stream_from;   /* event from which findings and verdicts are loaded */
    uint64_t changes_from;  /* event from which plans and outcomes are loaded */
    int64_t changed_ms;     /* when the last commit was seen */
    int failures;           /* consecutive */
    uint64_t rate_findings; /* for the rate: findings at some time, */
    int64_t rate_wall_ns;   /* on the writer's clock */
    double findings_per_s;  /* NaN: unknown */
    const char *over;       /* why nothing more will come; NULL: more may */
};

/* Zero-initialise except job, a started one; free it even after a failure. */
enum dfopt_err top_load_begin(struct top_load *l, struct dfopt_error *err);
void top_load_free(struct top_load *l);

/* Loads new commits. Reading a log that is being written may fail briefly: only an
 * error that persists is returned. */
enum dfopt_err top_load_more(struct top_load *l, struct dfopt_error *err);

#endif
