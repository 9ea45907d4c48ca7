/* A rank's figures: events decided, memory, and its nodes' current values. Local,
 * on the rank itself. */
#ifndef DFOPT_ENGINE_ONLINE_FIGURES_H
#define DFOPT_ENGINE_ONLINE_FIGURES_H

#include "engine/batch/shard.h"
#include "planner/survey.h"

/* Plain data, as sent. */
struct dfopt_figures {
    uint64_t events;   /* decided */
    uint64_t bytes;    /* resident memory */
    uint64_t awaiting; /* plans in flight, in the last survey */
    uint64_t trials;   /* likewise */
    uint64_t surveyed; /* 1: this survey's rows are sent along */
};

/* When to survey the nodes again. Zero-initialise. */
struct dfopt_figures_watch {
    int64_t due_ns; /* monotonic */
    struct dfopt_survey survey;
};

void dfopt_figures_watch_free(struct dfopt_figures_watch *w);

/* Fills in *out, and w->survey once a second or less often: surveying takes at
 * most a hundredth of the time. OK or NOMEM. */
enum dfopt_err dfopt_figures_take(struct dfopt_figures_watch *w,
                                  const struct dfopt_shard *shard,
                                  struct dfopt_figures *out);

/* Resident memory of this process in bytes; 0: unknown. */
uint64_t dfopt_figures_memory(void);

#endif
